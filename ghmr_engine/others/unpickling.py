"""Reads pickles as data: a machine of our own over their opcodes, in which nothing that a file names is ever called.

Python's reader imports and calls what a pickle names; this one knows a handful of names (names.py), makes plain arrays
and containers of them by itself, and refuses the file at any other.
"""

from __future__ import annotations

import pickletools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ghmr_engine.errors import RecoverError

MOST_VALUES = 20_000_000
"""Values in one file, shared ones counted at each place they stand in; ten minutes of PHALP have two million."""
DEEPEST = 60
"""Containers within containers."""
MOST_BYTES = 1 << 30
"""Of what is kept of one file as it is read; what is made of that may have twice as many."""
LARGEST_ARRAY = 1 << 26
"""Bytes; a larger one (vertices of every frame) is passed over, and stands as LEFT_OUT."""
_LARGEST_COUNT = 200_000_000
"""Opcodes: far more than any result has, and over in minutes."""


_LONGEST_KEY, _DEEPEST_KEY = 100, 3
"""Parts of a tuple that is a key, and tuples within it: Python would crash over one that is thousands deep."""


class LeftOut:
    """Stands for an array that was too large to be of use here."""


LEFT_OUT = LeftOut()


class Stream(Protocol):
    """What pickles are read from; it counts what was made of them (bounded.Bounded)."""

    def read(self, length: int) -> bytes:
        """So many bytes, fewer at the end."""

    def readline(self) -> bytes:
        """A line."""

    def skip(self, length: int) -> None:
        """Pass over so many bytes. Raises EOFError."""

    def make(self, length: int) -> None:
        """So many bytes of memory are used for what was read. Raises TooLarge where that is too much."""


class Named(Protocol):
    """Something that a pickle may name. Each method may raise Unsafe or ValueError."""

    def call(self, arguments: tuple) -> object:
        """What the pickle would get by calling it."""

    def built(self, stream: Stream) -> object:
        """What stands for it once it has its state; joblib's arrays lie in the stream right there."""

    def set_state(self, state: object) -> None:
        """Take the state that the pickle gives it."""


class Unsafe(Exception):
    """A pickle asks for what is not given; the message is what it asks for."""


class TooLarge(Exception):
    """A file unfolds to more than any result has."""


@dataclass(frozen=True)
class _Mark:
    """Where a run of items begins on the stack."""


_MARK = _Mark()
Find = Callable[[str, str], Named]
Persistent = Callable[[object], object]


def unpickle(stream: Stream, find: Find, persistent: Persistent | None = None) -> object:
    """The next pickled value of `stream`, which is left behind the pickle's end. find: of names. persistent: of ids.

    Raises Unsafe where anything else is named, TooLarge, and ValueError where the stream is no whole pickle.
    """
    machine = _Machine(stream, find, persistent)
    for count, (opcode, argument, _place) in enumerate(pickletools.genops(stream)):
        if count > _LARGEST_COUNT:
            raise TooLarge
        if opcode.name == "STOP":
            break
        machine.do(opcode.name, argument)
    value = machine.pop()
    if isinstance(value, _Mark):
        raise ValueError("a mark is no value")
    check_size(value)
    return value


class _Machine:
    """The stack and the memo of one pickle."""

    def __init__(self, stream: Stream, find: Find, persistent: Persistent | None) -> None:
        self._stream, self._find, self._persistent = stream, find, persistent
        self._stack: list[object] = []
        self._memo: dict[int, object] = {}
        self._unbuilt: dict[int, list[int]] = {}
        """Where in the memo something without its state is, by its id."""

    def do(self, name: str, argument: object) -> None:
        """One opcode."""
        self._stream.make(_WEIGHTS.get(name, _REFERENCE))
        if name in _VALUES:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name]())
        elif name in _STEPS:
            _STEPS[name](self, argument)
        elif name not in ("PROTO", "FRAME"):
            raise Unsafe(f"the instruction {name}")

    def pop(self) -> object:
        """The topmost value."""
        if not self._stack:
            raise ValueError("the stack is empty")
        return self._stack.pop()

    def _top(self, kind: type) -> object:
        if not self._stack or type(self._stack[-1]) is not kind:
            raise ValueError(f"no {kind.__name__} on the stack")
        return self._stack[-1]

    def _items(self) -> list[object]:
        """What was put on the stack since the last mark, which goes too."""
        for place in range(len(self._stack) - 1, -1, -1):
            if self._stack[place] is _MARK:
                items = self._stack[place + 1 :]
                del self._stack[place:]
                return items
        raise ValueError("no mark on the stack")

    def _tuple(self, size: int) -> None:
        if len(self._stack) < size:
            raise ValueError("the stack is too short")
        items = tuple(self._stack[-size:])
        del self._stack[-size:]
        self._stack.append(items)

    def _put(self, where: int) -> None:
        if not self._stack:
            raise ValueError("nothing to remember")
        value = self._memo[where] = self._stack[-1]
        if hasattr(value, "set_state"):
            self._unbuilt.setdefault(id(value), []).append(where)

    def _memoize(self, _argument: object) -> None:
        self._put(len(self._memo))

    def _get(self, argument: object) -> None:
        if int(argument) not in self._memo:
            raise ValueError("nothing is remembered there")
        self._stack.append(self._memo[int(argument)])

    def _append(self, items: list[object]) -> None:
        self._top(list).extend(items)

    def _set_items(self, items: list[object]) -> None:
        target = self._top(dict)
        if len(items) % 2:
            raise ValueError("a key without a value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[as_key(key)] = value

    def _set_item(self, _argument: object) -> None:
        value, key = self.pop(), self.pop()
        self._set_items([key, value])

    def _global(self, argument: object) -> None:
        module, _, name = str(argument).partition(" ")
        self._stack.append(self._find(module, name))

    def _stack_global(self, _argument: object) -> None:
        name, module = self.pop(), self.pop()
        if type(name) is not str or type(module) is not str:
            raise ValueError("a name is no text")
        self._stack.append(self._find(module, name))

    def _reduce(self, _argument: object) -> None:
        arguments, called = self.pop(), self.pop()
        if type(arguments) is not tuple or not hasattr(called, "call"):
            raise Unsafe("a call of something that has no name")
        self._made(called.call(arguments))

    def _build(self, _argument: object) -> None:
        state = self.pop()
        built = self.pop()
        if not hasattr(built, "set_state"):
            raise Unsafe("a state for something that has none")
        built.set_state(state)
        value = built.built(self._stream)
        for where in self._unbuilt.pop(id(built), ()):  # who remembered the empty one means this
            if self._memo[where] is built:
                self._memo[where] = value
        self._made(value)

    def _made(self, value: object) -> None:
        self._stream.make(getattr(value, "nbytes", 0) or sys.getsizeof(value))
        self._stack.append(value)

    def _persistent_id(self, argument: object) -> None:
        if self._persistent is None:
            raise Unsafe("something outside of the file")
        self._stack.append(self._persistent(argument))


_VALUES = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES",
    "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
_CONSTANTS: dict[str, Callable[[], object]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False, "MARK": lambda: _MARK,
    "EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_DICT": dict, "EMPTY_SET": set,
}  # fmt: skip
_STEPS: dict[str, Callable[[_Machine, object], object]] = {
    "POP": lambda m, _: m.pop(),
    "POP_MARK": lambda m, _: m._items(),
    "DUP": lambda m, _: m._stack.append(m._stack[-1]),
    "PUT": lambda m, a: m._put(int(a)),
    "BINPUT": lambda m, a: m._put(a),
    "LONG_BINPUT": lambda m, a: m._put(a),
    "MEMOIZE": _Machine._memoize,
    "GET": _Machine._get,
    "BINGET": _Machine._get,
    "LONG_BINGET": _Machine._get,
    "LIST": lambda m, _: m._stack.append(m._items()),
    "TUPLE": lambda m, _: m._stack.append(tuple(m._items())),
    "TUPLE1": lambda m, _: m._tuple(1),
    "TUPLE2": lambda m, _: m._tuple(2),
    "TUPLE3": lambda m, _: m._tuple(3),
    "DICT": lambda m, _: (items := m._items(), m._stack.append({}), m._set_items(items)),
    "FROZENSET": lambda m, _: m._stack.append(frozenset(map(as_key, m._items()))),
    "APPEND": lambda m, _: m._append([m.pop()]),
    "APPENDS": lambda m, _: m._append(m._items()),
    "SETITEM": _Machine._set_item,
    "SETITEMS": lambda m, _: m._set_items(m._items()),
    "ADDITEMS": lambda m, _: (items := m._items(), m._top(set).update(map(as_key, items))),
    "GLOBAL": _Machine._global,
    "STACK_GLOBAL": _Machine._stack_global,
    "REDUCE": _Machine._reduce,
    "NEWOBJ": _Machine._reduce,
    "BUILD": _Machine._build,
    "PERSID": _Machine._persistent_id,
    "BINPERSID": lambda m, _: m._persistent_id(m.pop()),
}


_REFERENCE = 8
_WEIGHTS = {
    **dict.fromkeys(_VALUES, 32),
    **dict.fromkeys(("EMPTY_LIST", "EMPTY_DICT", "LIST", "DICT", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"), 64),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), 100),
    **dict.fromkeys(("EMPTY_SET", "FROZENSET"), 220),
}
"""Bytes of memory, about, that an opcode takes beside those it is read from; _REFERENCE the others."""


def as_key(value: object) -> object:
    """The same. Raises ValueError where it is too large to be asked for its hash."""
    _check_key(value, 0)
    return value


def _check_key(value: object, depth: int) -> None:
    if not isinstance(value, tuple):  # what is in a frozenset was looked at
        return
    if depth > _DEEPEST_KEY or len(value) > _LONGEST_KEY:
        raise ValueError("no key is as large as that")
    for part in value:
        _check_key(part, depth + 1)


def check_size(value: object) -> None:
    """Raises TooLarge where a value, unfolded, has more than MOST_VALUES parts or holds itself."""
    _unfolded(value, 0, {}, set())


def _unfolded(value: object, depth: int, known: dict[int, int], above: set[int]) -> int:
    """How many values it unfolds to."""
    if not isinstance(value, (list, tuple, dict, set, frozenset)):
        return 1
    if id(value) in known:
        return known[id(value)]
    if depth > DEEPEST or id(value) in above:
        raise TooLarge
    above.add(id(value))
    parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    total = 1 + sum(_unfolded(part, depth + 1, known, above) for part in parts)
    above.discard(id(value))
    if total > MOST_VALUES:
        raise TooLarge
    known[id(value)] = total
    return total


def unsafe_file(name: str, wanted: object) -> RecoverError:
    """The error for a file that names anything else."""
    said = " ".join(str(wanted).split())[:80]
    return RecoverError(
        "unsafe_file",
        f"{name} asks for {said}, which a result has no use for; nothing of it was run.",
        "Import only files whose origin you know, as the program itself wrote them.",
    )
