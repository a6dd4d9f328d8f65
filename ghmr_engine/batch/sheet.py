"""A batch's contact sheet: one HTML file with every clip's pictures, figures and troubles, what needs a look first."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from html import escape
from pathlib import Path
from urllib.parse import quote

from ghmr_engine import output
from ghmr_engine.batch import manifest
from ghmr_engine.batch.sheet_style import FOOT, HEAD
from ghmr_engine.errors import RecoverError

NAME = "index.html"
_ORDER = (manifest.REVIEW, manifest.FAILED, manifest.DONE)
_WORDS = {manifest.REVIEW: "for review", manifest.FAILED: "failed", manifest.DONE: "done"}
_FIGURES = (
    ("reprojection_px", "off the picture", "{:.1f} px"),
    ("sliding_mm", "feet slide a frame", "{:.2f} mm"),
    ("penetration_mm", "feet sink in", "{:.1f} mm"),
    ("jitter", "jitter", "{:.1f}"),
    ("seen", "seen", "{:.0%}"),
)
_PICTURES = {"overlay": "over the clip", "top": "from above"}
_THUMBNAIL = "frame"


def write_sheet(folder: Path) -> Path:
    """Write index.html of the batch in `folder` anew from its manifest, and return its path.

    Pictures are in the file itself; one clip's are in memory at a time. Raises RecoverError.
    """
    records = manifest.read(folder)
    if not records:
        raise RecoverError("no_batch", f"There is no batch in {folder}.", f"Give a folder that has a {manifest.NAME}.")
    path = folder / NAME
    part = output.part_of(path)
    try:
        with part.open("w", encoding="utf-8", errors="xmlcharrefreplace", newline="\n") as file:
            file.writelines(_page(folder, records))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise RecoverError("cannot_write", f"Cannot write {path} ({error.strerror}).", "Make room there.") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _page(folder: Path, records: list[dict]) -> Iterator[str]:
    motions, scenes = manifest.latest(records, manifest.MOTION), manifest.latest(records, manifest.SCENE)
    clips = sorted({*motions, *scenes}, key=lambda clip: (_rank(motions.get(clip), scenes.get(clip)), clip))
    states = [_state(motions.get(clip), scenes.get(clip)) for clip in clips]
    title = escape(folder.name or str(folder))
    yield HEAD.replace("TITLE", title)
    yield f"<h1>{title}</h1>\n<p class=counts>{len(clips)} clips, last {escape(str(records[-1].get('when', '')))}</p>\n"
    for state in ("all", *_ORDER):
        count = len(clips) if state == "all" else states.count(state)
        checked = " checked" if state == "all" else ""
        yield f'<input type="radio" name="show" id="show-{state}"{checked}>'
        yield f'<label for="show-{state}">{_WORDS.get(state, state)} ({count})</label>\n'
    yield "<main>\n"
    for clip, state in zip(clips, states, strict=True):
        yield _card(folder, clip, state, motions.get(clip), scenes.get(clip))
    yield "</main>\n" + FOOT


def _state(motion: Mapping | None, scene: Mapping | None) -> str:
    """The worse of a clip's two states; a state that is not known is for review."""
    states = [record["state"] for record in (motion, scene) if record is not None]
    if manifest.FAILED in states:
        return manifest.FAILED
    return manifest.DONE if set(states) == {manifest.DONE} else manifest.REVIEW


def _rank(motion: Mapping | None, scene: Mapping | None) -> int:
    return _ORDER.index(_state(motion, scene))


def _card(folder: Path, clip: str, state: str, motion: Mapping | None, scene: Mapping | None) -> str:
    motion, scene = motion or {}, scene or {}
    name, pictures = Path(clip).name, _dict(motion.get("pictures"))
    parts = [
        f"<header>{_image(folder, pictures.get(_THUMBNAIL), name)}<div><h2>{_text(name)} "
        f"<span class=state>{_WORDS[state]}</span></h2><p class=path>{_text(clip)}</p></div></header>",
        _pictures(folder, pictures, name),
        _list("review", [*_strings(motion.get("review")), *_strings(scene.get("review"))]),
        *(_fault(record) for record in (motion, scene)),
        _figures(_dict(motion.get("quality")), _dict(motion.get("names"))),
        _retarget(_dict(scene.get("retarget"))),
        _list("warnings", [*_strings(motion.get("warnings")), *_strings(scene.get("warnings"))]),
        _facts(motion),
        _links(motion, scene),
    ]
    return f'<article class="{state}">\n' + "\n".join(part for part in parts if part) + "\n</article>\n"


def _pictures(folder: Path, pictures: Mapping, name: str) -> str:
    shown = []
    for what, words in _PICTURES.items():
        image = _image(folder, pictures.get(what), f"{name}, {words}")
        if image:
            shown.append(f"<figure class={what}>{image}<figcaption>{words}</figcaption></figure>")
    return f"<div class=pictures>{''.join(shown)}</div>" if shown else ""


def _image(folder: Path, file: object, words: str) -> str:
    data = _read(folder, file) if isinstance(file, str) else None
    if not data:
        return ""
    return f'<img alt="{_text(words)}" src="data:image/jpeg;base64,{base64.b64encode(data).decode()}">'


def _read(folder: Path, name: str) -> bytes | None:
    """A picture of the batch; None where it is gone, or lies elsewhere."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return None
    try:
        return (folder / name).read_bytes()
    except (OSError, ValueError):
        return None


def _fault(record: Mapping) -> str:
    error = _dict(record.get("error"))
    if not error:
        return ""
    return f"<p class=error>{_text(error.get('message'))} <strong>{_text(error.get('fix'))}</strong></p>"


def _figures(quality: Mapping, names: Mapping) -> str:
    if not quality:
        return ""
    head = "".join(f"<th>{words}</th>" for _key, words, _form in _FIGURES)
    rows = []
    for person, figures in quality.items():
        cells = "".join(f"<td>{_figure(_dict(figures).get(key), form)}</td>" for key, _words, form in _FIGURES)
        who = names.get(person)
        rows.append(f"<tr><th>{_text(f'{who} ({person})' if who else f'person {person}')}</th>{cells}</tr>")
    return f"<div class=wide><table><tr><th></th>{head}</tr>{''.join(rows)}</table></div>"


def _figure(value: object, form: str) -> str:
    number = _number(value)
    return "–" if number is None else form.format(number)


def _number(value: object) -> float | None:
    """A figure; None for what is none."""
    with suppress(OverflowError):  # JSON's whole numbers may have any length
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    return None


def _retarget(figures: Mapping) -> str:
    """What the second writer says of the motion on the character: any names and values, persons with their own."""
    rows = "".join(f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>" for name, value in _flat(figures))
    return f"<div class=wide><table><caption>on the character</caption>{rows}</table></div>" if rows else ""


def _flat(figures: Mapping, before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in figures.items():
        words = f"{before}{name}".replace("_", " ")
        if isinstance(value, Mapping):
            yield from _flat(value, f"{words}, ")
        elif isinstance(value, float):
            yield words, f"{value:.3g}"
        elif isinstance(value, list):
            yield words, ", ".join(map(str, value))
        else:
            yield words, str(value)


def _facts(motion: Mapping) -> str:
    facts = []
    frames, fps, seconds = motion.get("frames"), _number(motion.get("fps")), _dict(motion.get("seconds"))
    took_s, quality = _number(motion.get("took_s")), _dict(motion.get("quality"))
    if isinstance(frames, int) and fps is not None:
        facts.append(f"{frames} frames at {fps:.6g} a second")
    if quality:
        count = len(quality)
        facts.append(f"{count} {'person' if count == 1 else 'people'}")
    if motion.get("licence"):
        facts.append(f"licence: {motion['licence']}")
    if took_s is not None:
        stages = ", ".join(f"{stage} {_figure(spent, '{:.1f}')}" for stage, spent in seconds.items())
        facts.append(f"{took_s:.1f} s" + (f" ({stages})" if stages else ""))
    return f"<p class=facts>{_text(' · '.join(facts))}</p>" if facts else ""


def _links(motion: Mapping, scene: Mapping) -> str:
    files = [
        *_strings([motion.get("out")]),
        *(name for name in _dict(motion.get("files")) if name != motion.get("out")),
    ]
    files += [*_strings([scene.get("blend")]), *_strings(scene.get("exports"))]
    files += [*_strings([motion.get("log"), scene.get("log")])]
    links = (f'<a href="{_href(name)}">{_text(name)}</a>' for name in dict.fromkeys(files))
    text = " ".join(links)
    return f"<p class=links>{text}</p>" if text else ""


def _href(name: str) -> str:
    """A link to a file, relative to the sheet: `./` keeps a name with a colon from being an address of another kind."""
    try:
        os.fsencode(name)
    except UnicodeEncodeError:  # JSON may hold halves of characters, which no file is called
        name = name.encode("utf-8", "replace").decode()
    path = Path(name)
    if path.is_absolute():
        return escape(path.as_uri())
    return "./" + escape(quote(os.fsencode(name.replace(os.sep, "/"))))


def _list(kind: str, texts: Iterable[str]) -> str:
    items = "".join(f"<li>{_text(text)}</li>" for text in dict.fromkeys(texts))
    return f"<ul class={kind}>{items}</ul>" if items else ""


def _text(value: object) -> str:
    """As HTML has it, names that are no Unicode with their bytes in words."""
    return escape(str(value).encode("utf-8", "backslashreplace").decode())


def _dict(value: object) -> Mapping:
    """A record's field that should hold names and values; other programs write records too."""
    return value if isinstance(value, Mapping) else {}


def _strings(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
