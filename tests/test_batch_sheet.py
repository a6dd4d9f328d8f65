"""A batch's contact sheet: whole HTML whatever the records hold, nothing from elsewhere, what needs a look first."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from typer.testing import CliRunner

from ghmr_engine.batch import manifest
from ghmr_engine.batch.sheet import write_sheet
from ghmr_engine.cli import app
from ghmr_engine.errors import RecoverError

VOID = {"meta", "img", "input", "br"}
EVIL = "/clips/\"><script>alert('1')</script> & <img src=x onerror=alert(2)>.mp4"
QUALITY = {"reprojection_px": 3.456, "sliding_mm": 0.4, "penetration_mm": None, "jitter": 5.0, "seen": 0.934}


class Page(HTMLParser):
    """Checks that tags are closed in order; keeps elements, texts and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs)
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append(" ".join(data.split()))

    def named(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


def motion(clip, state="done", **more):
    name = clip.split("/")[-1].rsplit(".", 1)[0]
    record = {
        "clip": clip, "kind": "motion", "state": state, "name": name, "out": f"{name}.motion.npz", "frames": 60,
        "files": {f"{name}.motion.npz": "ab"}, "fps": 29.97, "licence": "open", "quality": {"1": QUALITY}, "names": {},
        "warnings": [], "review": [], "pictures": {}, "error": None, "log": None, "took_s": 3.2,
        "seconds": {"video": 0.1},
    }  # fmt: skip
    return {**record, **more}


def written(folder, *records):
    for record in records:
        manifest.append(folder, record)
    return Page(write_sheet(folder).read_text("utf-8"))


def test_everything_of_a_clip_is_on_it(tmp_path):
    (tmp_path / "pictures").mkdir()
    for what in ("frame", "overlay", "top"):
        (tmp_path / "pictures" / f"walk.{what}.jpg").write_bytes(what.encode())
    pictures = {what: f"pictures/walk.{what}.jpg" for what in ("frame", "overlay", "top")}
    scene = {
        "clip": "/clips/walk.mp4", "kind": "scene", "state": "done", "blend": "walk.blend",
        "exports": ["walk.fbx", "sub folder/walk #1.glb"], "retarget": {"1": {"sliding_mm": 0.0312, "limbs_deg": 1.9}},
        "error": None,
    }  # fmt: skip
    page = written(
        tmp_path,
        motion("/clips/walk.mp4", pictures=pictures, names={"1": "Anna"}, warnings=["Dark."]),
        scene,
        motion("/clips/bad.mp4", "failed", out=None, files={}, quality={}, log="logs/bad.log",
               error={"code": "nobody", "message": "Nobody is in it.", "fix": "Take another."}),
        motion("/clips/so so.mp4", "review", review=["Person 1: feet slide 4.00 mm a frame, more than 2."]),
    )  # fmt: skip
    kinds = [attributes["class"] for attributes in page.named("article")]
    assert kinds == ["review", "failed", "done"]
    sources = [image["src"] for image in page.named("img")]
    inline = [base64.b64decode(source.removeprefix("data:image/jpeg;base64,")).decode() for source in sources]
    assert inline == ["frame", "overlay", "top"]
    text = "\n".join(page.texts)
    for words in ("3.5 px", "0.40 mm", "–", "93%", "Anna (1)", "Dark.", "60 frames at 29.97 a second", "1 person",
                  "licence: open", "3.2 s (video 0.1)", "Nobody is in it.", "Take another.", "more than 2.", "0.0312",
                  "1, limbs deg", "for review (1)", "failed (1)", "done (1)", "all (3)"):  # fmt: skip
        assert words in text, words
    links = [unquote(link["href"]) for link in page.named("a")]
    expected = ("walk.motion.npz", "walk.blend", "walk.fbx", "sub folder/walk #1.glb", "logs/bad.log")
    assert {f"./{name}" for name in expected} <= set(links)
    assert all("#" not in link["href"] for link in page.named("a"))


def test_names_are_text_and_nothing_is_asked_of_elsewhere(tmp_path):
    page = written(
        tmp_path,
        motion(EVIL, warnings=["<b>"], names={"1": "</td><script>"}, licence="<i>"),
        motion("/clips/no\udcff unicode.mp4", out="javascript:alert(1).motion.npz", files={}),
        {"clip": EVIL, "kind": "scene", "state": "failed", "blend": "//evil.example/x.blend", "exports": ["../up.fbx"],
         "error": {"message": "<script>", "fix": "\" onload='x'"}},
    )  # fmt: skip
    assert not page.named("script") and not page.named("link") and len(page.named("article")) == 2
    assert all(not name.startswith("on") for _tag, attributes in page.tags for name in attributes)
    assert EVIL.split("/clips/")[1].split("/")[-1] in " ".join(page.texts)
    assert all(link["href"].startswith(("./", "file:///")) for link in page.named("a"))
    whole = (tmp_path / "index.html").read_text("utf-8")
    assert not re.search(r"url\(|@import|src=\"(?!data:)|https?:", whole)
    assert "default-src 'none'" in whole


@pytest.mark.parametrize(
    "more",
    [
        {"quality": None}, {"quality": {"1": None}}, {"quality": {"1": {"seen": "all", "jitter": True}}},
        {"warnings": 3}, {"pictures": []}, {"pictures": {"overlay": "../secret.jpg"}},
        {"pictures": {"top": "/etc/hostname"}},
        {"seconds": {"video": None}}, {"error": "text"}, {"frames": "x"}, {"out": 7, "files": []}, {"names": ["a"]},
        {"pictures": {"top": "nul\0.jpg"}}, {"took_s": None}, {"review": [1, None]}, {"state": "sleepy"},
        {"quality": 7}, {"took_s": 10**400, "fps": 10**400, "quality": {"1": {"seen": 10**400}}},
        {"out": "\ud800.npz"}, {"out": "/\ud800.npz", "files": {"\ud800": ""}}, {"names": {"1": ["\ud800"]}},
    ],
    ids=lambda more: ascii(more)[:60],
)  # fmt: skip
def test_records_of_other_programs_do_not_break_it(tmp_path, more):
    (tmp_path.parent / "secret.jpg").write_bytes(b"secret")
    page = written(tmp_path, motion("/clips/walk.mp4", **more), {"clip": "/x", "kind": "scene", "state": "done"})
    assert len(page.named("article")) == 2 and not page.named("img")


def test_it_needs_a_batch(tmp_path):
    with pytest.raises(RecoverError, match="no batch"):
        write_sheet(tmp_path)
    done = CliRunner().invoke(app, ["sheet", str(tmp_path)])
    assert done.exit_code == 2
    manifest.append(tmp_path, motion("/clips/walk.mp4"))
    done = CliRunner().invoke(app, ["sheet", str(tmp_path)])
    assert done.exit_code == 0 and (tmp_path / "index.html").is_file()
