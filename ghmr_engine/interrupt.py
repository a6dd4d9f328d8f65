"""Ctrl-C as a wish that stages look at; where native code does not come back in time, the process ends itself."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ghmr_engine.errors import Cancelled

GRACE_S = 0.6
"""So that a run that answers at once and one that does not both end within a second."""
EXIT_CODE = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupt_as_wish(last_words: Callable[[], None], grace_s: float = GRACE_S) -> Iterator[threading.Event]:
    """Inside, Ctrl-C (and SIGTERM) sets the event that this gives; whoever sees it raises Cancelled.

    Then, or when `grace_s` passes without an answer, or Ctrl-C comes again, `last_words` is called once, maybe in
    another thread, and the process ends with EXIT_CODE: at once, because PyTorch's own end takes long on a busy
    machine. For the main thread. The second thread is needed because Python's own handlers wait for native code.
    """
    wish, ending = threading.Event(), threading.Lock()

    def end() -> None:
        ending.acquire()  # never released: the other thread waits here for the end of the process
        try:
            last_words()
            sys.stdout.flush()
        finally:  # even where nobody reads them any more
            os._exit(EXIT_CODE)

    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    before = {name: signal.signal(name, lambda _name, _frame: wish.set()) for name in _SIGNALS}
    descriptor = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(ours, wish, grace_s, end), daemon=True)
    watcher.start()
    try:
        yield wish
    except Cancelled:
        end()
    finally:
        signal.set_wakeup_fd(descriptor)
        theirs.close()
        for name, handler in before.items():
            signal.signal(name, handler)
        watcher.join()


def _watch(ours: socket.socket, wish: threading.Event, grace_s: float, end: Callable[[], None]) -> None:
    with ours:
        while True:
            signals = ours.recv(1)
            if not signals:  # the block ended
                return
            if signals[0] in _SIGNALS:
                break
        wish.set()
        ours.settimeout(grace_s)
        with suppress(TimeoutError):
            if not ours.recv(1):
                return
        end()
