"""The engine as Blender runs it: messages of protocol.py on stdin and stdout, logs on stderr, warm between jobs."""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ghmr_engine import __version__, places, protocol
from ghmr_engine.added_models import added_models
from ghmr_engine.device import describe_device
from ghmr_engine.edits import edits_from
from ghmr_engine.errors import Cancelled, RecoverError
from ghmr_engine.models import known_models
from ghmr_engine.options import options_from
from ghmr_engine.progress import Progress

if TYPE_CHECKING:
    from ghmr_engine.jpeg import ReplacedPicture

PROGRESS_EVERY_S = 0.1
LONGEST_LINE = 16_000_000
"""Characters: a hundred thousand pins."""
GRACE_S = 5.0
"""How long a job may take to stop once nobody listens any more."""

Say = Callable[[protocol.Reply], None]
Emit = Callable[[Progress], None]
Job = protocol.Recover | protocol.Find | protocol.Resolve | protocol.Import | protocol.Draw


class ProgressLines:
    """Says a job's progress, ten times a second at most; a stage's begin and end always."""

    def __init__(self, job: int, say: Say, every_s: float = PROGRESS_EVERY_S) -> None:
        self._job = job
        self._say = say
        self._every_s = every_s
        self._last_stage = ""
        self._last_time = 0.0

    def __call__(self, progress: Progress) -> None:
        """Say it, unless the last one was a moment ago."""
        now = time.monotonic()
        soon = now - self._last_time < self._every_s
        if soon and progress.stage == self._last_stage and progress.done < 1:
            return
        self._last_stage, self._last_time = progress.stage, now
        self._say(protocol.Progress(self._job, progress.stage, progress.done, 1.0, progress.eta_s))


def done_reply(job: int, out: Path, meta: dict) -> protocol.Done:
    """What to say of a motion file that was written."""
    return protocol.Done(job, str(out.absolute()), meta["quality"], meta["seconds"], meta["licence"], meta["warnings"])


def found_reply(job: int, out: Path, content: dict) -> protocol.Found:
    """What to say of a people file that was written."""
    return protocol.Found(job, str(out.absolute()), content["warnings"])


def resolved_reply(job: int, out: Path, meta: dict) -> protocol.Done:
    """What to say of a motion file that was solved again: its figures, and seconds and warnings of this solve alone."""
    last = meta["edits"][-1]
    return done_reply(job, out, {**meta, "seconds": {"refine": last["seconds"]}, "warnings": last["warnings"]})


class Server:
    """Jobs one after another in the thread that calls `work`, while `listen` takes messages in a thread of its own."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._stops: dict[int, threading.Event] = {}
        self._running: Path | None = None
        self._left = threading.Event()
        """Set once nobody listens any more."""

    def listen(self, lines: Iterable[str]) -> None:
        """Take messages until there are no more or one says quit; then stop everything."""
        for line in lines:
            try:
                request = protocol.decode_request(line)
            except protocol.ProtocolError as error:
                self._say(error.reply)
                continue
            if isinstance(request, protocol.Quit):
                break
            self._take(request)
        self._left.set()
        for stop in list(self._stops.values()):
            stop.set()
        self._jobs.put(None)

    def work(self) -> None:
        """Do jobs until `listen` has ended."""
        while (job := self._jobs.get()) is not None:
            try:
                self._say(self._do(job))
            finally:
                self._stops.pop(job.id, None)

    def drop_unfinished(self) -> None:
        """Remove what the running job was writing."""
        out = self._running
        if out is not None:
            from ghmr_engine.output import drop_unfinished

            drop_unfinished(out)
            give_back(out)

    def _take(self, request: Job | protocol.Cancel | protocol.Hello) -> None:
        if isinstance(request, protocol.Hello):
            self._say(welcome())
        elif isinstance(request, protocol.Cancel):
            stop = self._stops.get(request.id)
            if stop is not None:  # else it has just ended, and its answer is on the way
                stop.set()
        elif request.id in self._stops:
            error = RecoverError("id_in_use", f"There is a job {request.id} already.", "Choose another number.")
            self._say(protocol.error_reply(request.id, error))
        else:
            self._stops[request.id] = threading.Event()
            self._jobs.put(request)

    def _do(self, job: Job) -> protocol.Reply:
        stop, lines = self._stops[job.id], ProgressLines(job.id, self._say)

        def emit(progress: Progress) -> None:
            if stop.is_set():
                raise Cancelled
            lines(progress)

        try:
            self._running = Path(job.out)
            return _DO[type(job)](job, emit, self._say)
        except (RecoverError, Cancelled) as error:
            return protocol.error_reply(job.id, error)
        except Exception as error:  # noqa: BLE001  a warm engine outlives a job that failed
            traceback.print_exc()
            return protocol.error_reply(job.id, error)
        finally:
            self._running = None
            if self._left.is_set():
                give_back(Path(job.out))


def give_back(out: Path) -> None:
    """Remove the empty file by which whoever asked had taken a name, where they are gone and nothing was written."""
    with suppress(OSError):
        if out.stat().st_size == 0:
            out.unlink()


def _recover(job: protocol.Recover, emit: Emit, say: Say) -> protocol.Done:
    options, out = options_from(job.options), Path(job.out)
    emit(Progress("video", 0.0, None))
    # Only now, because PyTorch takes seconds: `hello` and a wrong option are answered at once.
    from ghmr_engine.pipeline import recover

    with closing(_previews(job.id, say)) as show:
        motion = recover(Path(job.video), out, options, emit, places.cache_dir(), show)
    return done_reply(job.id, out, motion.meta)


def _find(job: protocol.Find, emit: Emit, say: Say) -> protocol.Found:
    options, out = options_from(job.options), Path(job.out)
    emit(Progress("video", 0.0, None))
    from ghmr_engine.pipeline import find

    with closing(_previews(job.id, say)) as show:
        found = find(Path(job.video), out, options, emit, places.cache_dir(), show)
    return found_reply(job.id, out, found)


def _resolve(job: protocol.Resolve, emit: Emit, _say: Say) -> protocol.Done:
    edits, out = edits_from(job.edits), Path(job.out)
    emit(Progress("refine", 0.0, None))
    from ghmr_engine.resolve_file import resolve_file

    return resolved_reply(job.id, out, resolve_file(Path(job.motion), out, edits, emit).meta)


def _import(job: protocol.Import, emit: Emit, _say: Say) -> protocol.Done:
    emit(Progress("video", 0.0, None))
    from ghmr_engine.others.importing import import_file

    clip, out = None if job.clip is None else Path(job.clip), Path(job.out)
    return done_reply(job.id, out, import_file(Path(job.file), out, clip, job.fps, emit).meta)


def _draw(job: protocol.Draw, _emit: Emit, _say: Say) -> protocol.Drawn:
    from ghmr_engine.batch.pictures import draw_take

    motion = Path(job.motion) if job.motion else None
    drawn = draw_take(motion, Path(job.video), Path(job.out))
    return protocol.Drawn(job.id, {name: str(path) for name, path in drawn.items()})


_DO: dict[type, Callable[..., protocol.Reply]] = {
    protocol.Recover: _recover, protocol.Find: _find, protocol.Resolve: _resolve, protocol.Import: _import,
    protocol.Draw: _draw,
}  # fmt: skip
"""What to do for each kind of job; called with the job, `emit` and `say`, which is for previews."""


def _previews(job: int, say: Say) -> ReplacedPicture:
    """Says where the job's newest picture lies."""
    from ghmr_engine.jpeg import ReplacedPicture

    return ReplacedPicture(lambda path: say(protocol.Preview(job, str(path))))


def welcome() -> protocol.Welcome:
    """What this engine is."""
    models = [
        {"name": model.name, "licence": model.licence, "open": model.open, "state": model.state()}
        for model in known_models().values()
    ]
    with suppress(RecoverError):  # a damaged list is said by the recovery that it stops
        models += [
            {"name": added.name, "licence": added.kind.licence, "open": added.kind.open, "state": added.state}
            for added in added_models().values()
        ]
    return protocol.Welcome(__version__, describe_device(), models)


def bounded_lines(stream: TextIO, most: int = LONGEST_LINE) -> Iterator[str]:
    """The lines of a stream; of one that is longer than any message only the beginning, marked so that it is none."""
    while line := stream.readline(most):
        if len(line) < most or line.endswith("\n"):
            yield line
            continue
        while (rest := stream.readline(most)) and not rest.endswith("\n"):
            pass
        yield f"too long: {line[:60]}"


def speaker(channel: TextIO) -> Say:
    """Writes replies to `channel`, whole lines from any thread. A reader that is gone is no error: stdin tells."""
    lock = threading.Lock()

    def say(reply: protocol.Reply) -> None:
        with lock, suppress(OSError):
            channel.write(protocol.encode(reply) + "\n")
            channel.flush()

    return say


def main() -> None:
    """Serve until stdin closes."""
    # Messages get a descriptor of their own, so that neither a print nor a C library's write can come between them.
    channel = os.fdopen(os.dup(1), "w", encoding="ascii", newline="\n")
    os.dup2(2, 1)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
    say = speaker(channel)
    say(welcome())
    server = Server(say)

    def listen() -> None:
        with open(0, encoding="utf-8", errors="replace", closefd=False) as stream:
            server.listen(bounded_lines(stream))
        time.sleep(GRACE_S)
        server.drop_unfinished()
        os._exit(1)

    threading.Thread(target=listen, daemon=True).start()
    try:
        server.work()
    except KeyboardInterrupt:
        server.drop_unfinished()
        os._exit(130)  # the listening thread sits in a read that nothing else ends


if __name__ == "__main__":
    main()
