"""A real engine that hears garbage: it answers what can be answered, stays, and does a job afterwards."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from ghmr_engine import protocol, serve

STAND_INS = Path(__file__).with_name("stand_ins.py")
_WEIRD = [None, True, -1, 1e308, "x", "\ud800", "a\0b", "x" * 5000, [], {}, [[1]], {"a": {"b": []}}, 10**400]


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "walk.mp4"
    path.write_bytes(b"a clip")
    return path


def garbage(seed: int, clip: Path) -> list[bytes]:
    """Lines: random bytes, cut and mixed messages, wrong types in every place, depth, length."""
    rng, ids = np.random.default_rng(seed), itertools.count(100)
    good = [
        {"do": "recover", "id": 1, "video": str(clip), "out": str(clip.with_suffix(".motion.npz")), "options": {}},
        {"do": "find", "id": 2, "video": str(clip), "out": str(clip.with_suffix(".people.json")), "options": {}},
        {"do": "resolve", "id": 3, "motion": str(clip), "out": str(clip.with_suffix(".motion.npz")), "edits": {}},
        {"do": "cancel", "id": 4}, {"do": "hello"},
    ]  # fmt: skip
    lines = [rng.bytes(int(rng.integers(1, 300))).replace(b"\n", b" ") for _ in range(40)]
    for message in good[:4]:
        text = json.dumps(message).encode()
        lines += [text[:cut] for cut in range(1, len(text), 17)]
        for key in message.keys() - {"do"}:
            lines += [json.dumps({**message, "id": next(ids), key: value}).encode() for value in _WEIRD]
        lines += [json.dumps({**message, "do": value}).encode() for value in _WEIRD]
    for values in ({"people": _w, "start": _w} for _w in _WEIRD):
        lines.append(json.dumps({**good[0], "id": next(ids), "options": values}).encode())
        lines.append(
            json.dumps(
                {**good[2], "id": next(ids), "edits": {"people": ["1"], "first": 0, "last": 3, **values}}
            ).encode()
        )
    lines += [
        b'{"do":"recover","id":NaN}',
        b'{"do":"cancel","id":Infinity}',
        b'{"do":"cancel","id":' + b"9" * 5000 + b"}",
    ]
    lines += [b"[" * 200_000, b'{"a":' * 100_000, b"\xff\xfe" * 1000, b"\x00" * 100, b"", b"   "]
    lines.append(b'{"do":"quit"}' + b" " * (serve.LONGEST_LINE + 5))  # no message is so long
    order = rng.permutation(len(lines))
    return [lines[place] for place in order]


@pytest.mark.parametrize("seed", range(2))
def test_garbage_ends_nothing_and_the_next_job_is_done(clip, seed):
    environment = {**os.environ, "PYTHONPATH": str(STAND_INS.parent.parent), "OMP_NUM_THREADS": "1",
                   "RECOVER_MOTION_HOME": str(clip.parent / "home")}  # fmt: skip
    out = clip.with_name("take.motion.npz")
    job = {"do": "recover", "id": 77, "video": str(clip), "out": str(out), "options": {}}
    with subprocess.Popen(
        [sys.executable, str(STAND_INS), "plain", "serve"], env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as engine:  # fmt: skip
        log: list[bytes] = []
        logging = threading.Thread(target=lambda: log.extend(engine.stderr), daemon=True)
        logging.start()
        sent = [*garbage(seed, clip), json.dumps(job).encode()]
        talking = threading.Thread(target=lambda: engine.stdin.write(b"\n".join(sent) + b"\n") or engine.stdin.flush())
        talking.start()
        errors = {}
        for line in engine.stdout:
            reply = protocol.decode_reply(line.decode("ascii"))  # a line that is none fails here
            if isinstance(reply, protocol.Error):
                assert reply.message and reply.fix and "\n" not in reply.message + reply.fix
                assert len(line) < 20_000
                errors[reply.code] = errors.get(reply.code, 0) + 1
            if getattr(reply, "id", None) == 77 and isinstance(reply, (protocol.Done, protocol.Error)):
                assert isinstance(reply, protocol.Done), reply
                break
        else:
            pytest.fail(f"the engine ended with {engine.wait()}")
        talking.join(timeout=60)
        engine.stdin.close()
        assert engine.wait(timeout=60) == 0
    assert out.is_file()
    assert errors["not_json"] > 50 and errors["bad_message"] > 20 and errors["unknown_message"] > 10
    logging.join(timeout=60)
    assert "internal" not in errors, b"".join(log[-60:]).decode()


def test_lines_longer_than_any_message_are_none():
    class Stream:
        def __init__(self, text):
            self.text = text

        def readline(self, most):
            end = self.text.find("\n") + 1 or len(self.text)
            line, self.text = self.text[: min(most, end)], self.text[min(most, end) :]
            return line

    text = '{"do":"quit"}' + " " * 50 + "\n" + '{"do":"hello"}\n' + "x" * 100
    first, second, third = serve.bounded_lines(Stream(text), 20)
    assert second == '{"do":"hello"}\n'
    for line in (first, third):
        with pytest.raises(protocol.ProtocolError):
            protocol.decode_request(line)
    assert list(serve.bounded_lines(Stream("a" * 19 + "\nb"), 20)) == ["a" * 19 + "\n", "b"]
