"""The messages: what is written can be read, and what is not a message is answered, not fatal."""

import ast
import json
import sys
from pathlib import Path

import pytest

from ghmr_engine import protocol
from ghmr_engine.errors import Cancelled, RecoverError

REQUESTS = [
    protocol.Recover(1, "/clips/Łódź é.mp4", "/out/a.motion.npz", {"people": "all", "end": None, "fps": 29.97}),
    protocol.Find(2, "a.mp4", "/out/a.people.json", {"start": 3}),
    protocol.Draw(3, "a.mp4", "/out/a.motion.npz", "/out/pictures/a"),
    protocol.Cancel(1),
    protocol.Hello(),
    protocol.Quit(),
]
REPLIES = [
    protocol.Welcome("0.1.0", "cpu", [{"name": "a", "licence": "MIT", "open": True, "state": "ready"}]),
    protocol.Progress(1, "people", 0.5, 1.0, None),
    protocol.Progress(1, "people", 0.5, 1.0, 12.5),
    protocol.Done(1, "/out/a.motion.npz", {"1": {"jitter": 3.0}}, {"video": 1.5}, "open", ["A warning."]),
    protocol.Found(2, "/out/a.people.json", ["A warning."]),
    protocol.Drawn(3, {"frame": "/out/pictures/a.frame.jpg"}),
    protocol.Preview(1, "/tmp/a/preview.jpg"),
    protocol.Error(None, "not_json", "what", "do"),
]


@pytest.mark.parametrize("message", REQUESTS, ids=lambda message: type(message).__name__)
def test_a_request_survives_the_way(message):
    line = protocol.encode(message)
    assert "\n" not in line and line.isascii()
    assert protocol.decode_request(line) == message


@pytest.mark.parametrize("message", REPLIES, ids=lambda message: type(message).__name__)
def test_a_reply_survives_the_way(message):
    assert protocol.decode_reply(protocol.encode(message)) == message


def test_the_designs_own_lines_are_understood():
    line = '{"id":1,"do":"recover","video":"a.mp4","options":{},"out":"a.motion.npz"}'
    assert protocol.decode_request(line) == protocol.Recover(1, "a.mp4", "a.motion.npz", {})
    assert protocol.decode_request('{"id":1,"do":"cancel"}') == protocol.Cancel(1)
    assert protocol.decode_request('{"do":"hello"}') == protocol.Hello()
    assert protocol.decode_request('{"do":"quit"}') == protocol.Quit()


def test_an_unknown_field_is_ignored():
    assert protocol.decode_request('{"do":"cancel","id":3,"why":"bored"}') == protocol.Cancel(3)


@pytest.mark.parametrize(
    ("line", "code", "job"),
    [
        ("not json", "not_json", None),
        ("", "not_json", None),
        ("[" * 100_000, "not_json", None),
        ("[1, 2]", "not_a_message", None),
        ('{"id": 4}', "unknown_message", 4),
        ('{"do": "dance", "id": 4}', "unknown_message", 4),
        ('{"do": ["recover"]}', "unknown_message", None),
        ('{"do": "cancel"}', "bad_message", None),
        ('{"do": "cancel", "id": "1"}', "bad_message", None),
        ('{"do": "cancel", "id": true}', "bad_message", None),
        ('{"do": "recover", "id": 7, "video": "a.mp4", "options": {}}', "bad_message", 7),
        ('{"do": "recover", "id": 7, "video": 3, "options": {}, "out": "b"}', "bad_message", 7),
    ],
)
def test_what_is_no_message_is_answered(line, code, job):
    with pytest.raises(protocol.ProtocolError) as caught:
        protocol.decode_request(line)
    assert caught.value.reply.code == code
    assert caught.value.reply.id == job
    assert caught.value.reply.fix


def test_numbers_that_json_cannot_say_become_null():
    line = protocol.encode(protocol.Done(1, "a", {"1": {"jitter": float("nan")}}, {}, "open", []))
    assert json.loads(line)["quality"]["1"]["jitter"] is None


def test_errors_in_words():
    assert protocol.error_reply(2, RecoverError("code", "what", "do")) == protocol.Error(2, "code", "what", "do")
    assert protocol.error_reply(2, Cancelled()).code == "cancelled"
    assert protocol.error_reply(2, MemoryError()).code == "out_of_memory"
    broken = protocol.error_reply(2, ValueError("two\nlines"))
    assert broken.code == "internal" and "\n" not in broken.message and "two lines" in broken.message


def test_only_the_standard_library_and_errors_are_imported():
    tree = ast.parse(Path(protocol.__file__).read_text(encoding="utf-8"))
    # Relative, so that the extension can carry the file under its own name.
    imported = {"." * node.level + node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    ours = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    assert ours == {".errors"}
