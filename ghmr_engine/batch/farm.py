"""A batch on the machines of a Ray cluster: one task a clip. Ray alone decides what runs where, and runs it again.

Clips are read by their path, so they lie where every machine sees them under the same one. Results come back through
Ray, and are written by the machine that asked: only that one needs to see the batch's folder.
"""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ghmr_engine import output, places, protocol
from ghmr_engine.batch import manifest
from ghmr_engine.batch.run import Batch, still_wanted
from ghmr_engine.batch.said import Said
from ghmr_engine.batch.work import LOGS, Limits, Told, Work, failed, recover_clip
from ghmr_engine.errors import Cancelled, RecoverError

RETRIES = 2
"""How often Ray begins a clip anew whose worker died."""
_LOOK_S = 1.0
_KNOCK_S = 5.0
_INSTALL = "Install it: pip install 'ghmr-engine[farm]'."


@dataclass(frozen=True)
class Returned:
    """What a task gives back."""

    record: dict
    files: dict[str, bytes]
    """By their names relative to the batch's folder."""


class ThisProcess:
    """Recovers in the process that calls it; PyTorch and the networks' code stay loaded for the worker's next clip."""

    def __init__(self) -> None:
        self._log = ""

    def recover(self, clip: Path, out: Path, options: dict[str, object], told: Told) -> protocol.Done:
        """As work.Engine has it."""
        from ghmr_engine.options import options_from
        from ghmr_engine.pipeline import recover
        from ghmr_engine.serve import done_reply

        def run() -> protocol.Done:
            motion = recover(clip, out, options_from(options), lambda at: told(at.stage, at.done), places.cache_dir())
            return done_reply(1, out, motion.meta)

        return self._tried(run)

    def draw(self, motion: Path | None, clip: Path, stem: Path) -> dict[str, str]:
        """As work.Engine has it."""
        from ghmr_engine.batch.pictures import draw_take

        return self._tried(lambda: {name: str(path) for name, path in draw_take(motion, clip, stem).items()})

    def log(self) -> str:
        """As work.Engine has it."""
        return self._log

    def _tried(self, run: Callable[[], Any]) -> Any:
        """What `run` returns; what nobody foresaw becomes a RecoverError, with its place in the log."""
        self._log = ""
        try:
            return run()
        except (RecoverError, Cancelled):
            raise
        except Exception as error:
            self._log = traceback.format_exc()
            reply = protocol.error_reply(1, error)
            raise RecoverError(reply.code, reply.message, reply.fix) from error


def recover_away(work: Work, limits: Limits) -> Returned:
    """The task: one clip, in a folder of the worker's own. A clip that fails is a result like any other."""
    with tempfile.TemporaryDirectory(prefix="recover-motion-") as name:
        folder = Path(name)
        record = recover_clip(work, folder, ThisProcess(), limits, lambda _stage, _done: None)
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return Returned(record, {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})


def run_on_farm(
    batch: Batch, address: str, said: Said, task: Callable[[Work, Limits], Returned] = recover_away
) -> None:
    """Recover all clips by `task` on a cluster: `auto` is the one that runs here, or one of this machine alone.

    Stopped (KeyboardInterrupt, Cancelled), it takes its tasks back. Raises RecoverError.
    """
    with _words_aside(batch.folder):
        ray = _connected(address)
        try:
            _run(ray, batch, said, task)
        finally:
            ray.shutdown()


def _run(ray: ModuleType, batch: Batch, said: Said, task: Callable[[Work, Limits], Returned]) -> None:
    running: dict[Any, Work] = {}
    try:
        gpus = _gpus(batch.options.device, ray.cluster_resources().get("GPU", 0))
        remote = ray.remote(task).options(num_cpus=1, num_gpus=gpus, max_retries=RETRIES)
        for work in still_wanted(batch, said):
            running[remote.remote(work, batch.limits)] = work
        while running:
            said.waiting(len(running))
            for done in ray.wait(list(running), timeout=_LOOK_S)[0]:
                work = running.pop(done)
                said.came_to(manifest.append(batch.folder, _fetched(ray, done, work, batch.folder)))
    finally:
        for each in running:
            ray.cancel(each, force=True)


@contextmanager
def _words_aside(folder: Path) -> Iterator[None]:
    """Inside, what Ray prints goes to logs/ray.log: standard output is for JSON lines alone."""
    path = folder / LOGS / "ray.log"
    try:
        path.parent.mkdir(exist_ok=True)
        log = path.open("a", buffering=1, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise _not_written(folder, error) from error
    with log, redirect_stdout(log):
        yield


def _connected(address: str) -> ModuleType:
    """Ray, connected to a cluster."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing of what runs here is told to anybody
    try:
        import ray
    except ImportError:
        raise RecoverError("no_ray", "Ray is not installed here.", _INSTALL) from None
    if address != "auto":
        _knock(address)
    on_terminate = signal.getsignal(signal.SIGTERM)
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        try:
            ray.init(address=address, **quiet)
        except ConnectionError:
            if address != "auto":
                raise
            ray.init(address="local", include_dashboard=False, **quiet)
    except (ConnectionError, RuntimeError, ValueError, OSError, ray.exceptions.RayError) as error:
        raise _no_cluster(address, error) from error
    signal.signal(signal.SIGTERM, on_terminate)  # Ray puts its own there
    return ray


def _knock(address: str) -> None:
    """Raises RecoverError where nobody listens at HOST:PORT: Ray itself would ask for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    try:
        socket.create_connection((host, int(port)), _KNOCK_S).close()
    except (OSError, ValueError, OverflowError) as error:
        raise _no_cluster(address, error) from error


def _no_cluster(address: str, error: Exception) -> RecoverError:
    said = " ".join(str(error).split())[:200]
    fix = "Give HOST:PORT of its head (`ray start --head`); set RAY_AUTH_MODE=token where it asks for a token."
    return RecoverError("no_cluster", f"There is no Ray cluster at {address} ({said}).", fix)


def _gpus(device: str, there: float) -> int:
    """How many GPUs a clip needs, of those that the cluster has."""
    if device == "cuda" and there < 1:
        raise RecoverError("no_cuda", "The Ray cluster has no GPU.", "Choose --device auto or cpu.")
    return 0 if device == "cpu" or there < 1 else 1


def _fetched(ray: ModuleType, done: object, work: Work, folder: Path) -> dict:
    """The record of a task that has ended, its files written into the batch's folder."""
    try:
        returned = ray.get(done)
    except ray.exceptions.RayTaskError as error:
        fault = RecoverError("internal", f"The engine failed ({_words(error.cause)}).", "Report it, with the log.")
        return failed(work, fault, folder, str(error))
    except ray.exceptions.RayError as error:
        text = f"Its worker died, {RETRIES + 1} times ({type(error).__name__})."
        fault = RecoverError("worker_died", text, "See Ray's logs; try a part of the clip (--start, --end).")
        return failed(work, fault, folder, str(error))
    try:
        for name, data in returned.files.items():
            _write_whole(folder / name, data)
    except OSError as error:
        raise _not_written(folder, error) from error
    return returned.record


def _not_written(folder: Path, error: OSError) -> RecoverError:
    fix = "Make room there, then start again."
    return RecoverError("cannot_write", f"Cannot write in {folder} ({error.strerror}).", fix)


def _write_whole(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    part = output.part_of(path)
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _words(error: object) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
