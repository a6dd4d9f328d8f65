"""The few names that pickles of results may have, each with plain data in its place: NumPy's, torch's, joblib's."""

from __future__ import annotations

import io
import math

import numpy as np

from ghmr_engine.others.bounded import Bounded
from ghmr_engine.others.unpickling import LARGEST_ARRAY, LEFT_OUT, Stream, Unsafe, as_key, unpickle

_KINDS = "biufcSUO"
"""Of NumPy's types: numbers, text, and objects, which come out of the pickle itself."""


class _Name:
    """Something named; what it cannot do is refused."""

    def __init__(self, name: str) -> None:
        self.name = name

    def call(self, _arguments: tuple) -> object:
        """Not to be called."""
        raise Unsafe(f"a call of {self.name}")

    def set_state(self, _state: object) -> None:
        """Has no state."""
        raise Unsafe(f"a state for {self.name}")

    def built(self, _stream: Stream) -> object:
        """Itself."""
        return self


class _Container(_Name):
    """list, dict and the like, made of at most one container."""

    def __init__(self, name: str, kind: type) -> None:
        super().__init__(name)
        self._kind = kind

    def call(self, arguments: tuple) -> object:
        """As the container itself does; a number, which would make it that long, is refused."""
        fits = (list, tuple, dict, set, frozenset)
        if self._kind in (bytes, bytearray):
            fits = (bytes, bytearray)
        if len(arguments) > 1 or not all(isinstance(argument, fits) for argument in arguments):
            raise Unsafe(f"a call of {self.name} with something else")
        if self._kind in (set, frozenset):
            return self._kind(map(as_key, *arguments)) if arguments else self._kind()
        if self._kind is dict and arguments and not isinstance(arguments[0], dict):
            return {as_key(key): value for key, value in arguments[0]}
        return self._kind(*arguments)


class _DefaultDict(_Name):
    def call(self, _arguments: tuple) -> dict:
        return {}


class _Encode(_Name):
    """How older pickles write bytes."""

    def call(self, arguments: tuple) -> bytes:
        if len(arguments) != 2 or type(arguments[0]) is not str or arguments[1] != "latin1":
            raise Unsafe("_codecs.encode of something else")
        return arguments[0].encode("latin1")


class _Type(_Name):
    """numpy.dtype, and a type of it."""

    dtype: np.dtype | None = None

    def call(self, arguments: tuple) -> _Type:
        code = arguments[0] if arguments else None
        if not isinstance(code, str) or len(code) > 8 or code.lstrip("<>=|")[:1] not in _KINDS:
            raise Unsafe(f"the type {str(code)[:40]}")
        made = _Type(self.name)
        made.dtype = np.dtype(code)
        return made

    def set_state(self, state: object) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 4 else None
        if self.dtype is None or order not in ("<", ">", "=", "|") or state[2] is not None or state[3] is not None:
            raise Unsafe("a type of several fields")
        self.dtype = self.dtype.newbyteorder(order) if order != "|" else self.dtype


class _Array(_Name):
    """numpy.ndarray that is about to get its numbers."""

    value: np.ndarray | None = None

    def call(self, _arguments: tuple) -> _Array:
        return _Array(self.name)

    def set_state(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise ValueError("an array's state has five parts")
        self.value = array(state[2], state[1], "F" if state[3] else "C", state[4])

    def built(self, _stream: Stream) -> object:
        return self.value


class _FromBuffer(_Name):
    def call(self, arguments: tuple) -> np.ndarray:
        data, kind, shape, order = arguments
        return array(kind, shape, order, data)


class _Scalar(_Name):
    def call(self, arguments: tuple) -> object:
        return array(arguments[0], (), "C", arguments[1])[()]


class _JoblibArray(_Name):
    """joblib's mark in the pickle: the array's bytes follow it."""

    state: dict

    def call(self, _arguments: tuple) -> _JoblibArray:
        made = _JoblibArray(self.name)
        made.state = {}
        return made

    def set_state(self, state: object) -> None:
        if not isinstance(state, dict):
            raise ValueError("joblib's arrays are described by a dict")
        self.state = state

    def built(self, stream: Stream) -> object:
        kind = self.state.get("dtype")
        if not isinstance(kind, _Type) or kind.dtype is None:
            raise ValueError("an array without a type")
        if kind.dtype.hasobject:
            return unpickle(stream, find)
        size = checked_shape(self.state.get("shape"))
        if self.state.get("numpy_array_alignment_bytes") is not None:
            _exactly(stream, _exactly(stream, 1)[0])
        length = math.prod(size) * kind.dtype.itemsize
        if length > LARGEST_ARRAY:
            stream.skip(length)
            return LEFT_OUT
        return array(kind, size, self.state.get("order"), _exactly(stream, length))


_STORAGES = {
    "Float": "<f4", "Double": "<f8", "Half": "<f2", "Long": "<i8", "Int": "<i4", "Short": "<i2", "Char": "i1",
    "Byte": "u1", "Bool": "?",
}  # fmt: skip


class _TensorStorage(_Name):
    """torch's numbers inside a pickle, as its older files hold them: four pickles, then the bytes."""

    def call(self, arguments: tuple) -> np.ndarray:
        (data,) = arguments
        if not isinstance(data, bytes):
            raise ValueError("a storage is bytes")
        stream = Bounded(io.BytesIO(data), len(data))
        for _head in ("magic", "version", "system"):
            unpickle(stream, _find_storage)
        asked: list[np.dtype] = []

        def persistent(what: object) -> str:
            if not isinstance(what, tuple) or len(what) < 5 or what[0] != "storage":
                raise Unsafe("something outside of the file")
            letter = getattr(what[1], "name", "").removeprefix("torch.").removesuffix("Storage")
            if letter not in _STORAGES:
                raise Unsafe(f"numbers of the kind {letter or what[1]}")
            asked.append(np.dtype(_STORAGES[letter]))
            return "storage"

        unpickle(stream, _find_storage, persistent)
        if len(asked) != 1 or unpickle(stream, _find_storage) is None:
            raise ValueError("a storage has one list of numbers")
        count = int(np.frombuffer(_exactly(stream, 8), "<i8")[0])
        if not 0 <= count * asked[0].itemsize <= len(data):
            raise ValueError("a storage is shorter than it says")
        return np.frombuffer(_exactly(stream, count * asked[0].itemsize), asked[0])


class _Tensor(_Name):
    def call(self, arguments: tuple) -> np.ndarray:
        """An array of a storage (numbers,), its first place, shape and strides, all of them inside the storage."""
        numbers, first, shape, strides = arguments[:4]
        size = checked_shape(shape)
        # A storage is one row of plain numbers: of any other array the reach below would be no bound.
        is_storage = isinstance(numbers, np.ndarray) and numbers.ndim == 1 and numbers.dtype.kind in "biuf"
        if not is_storage or len(checked_shape(strides)) != len(size) or type(first) is not int:
            raise ValueError("a tensor has a storage, a shape and strides")
        if not math.prod(size):
            return np.zeros(size, numbers.dtype)
        reach = sum((length - 1) * stride for length, stride in zip(size, strides, strict=True))
        if first < 0 or first + reach >= len(numbers) or math.prod(size) > max(len(numbers), LARGEST_ARRAY // 8):
            raise ValueError("a tensor reaches beyond its storage")
        steps = [stride * numbers.itemsize for stride in strides]
        return np.lib.stride_tricks.as_strided(numbers[first:], size, steps, writeable=False).copy()


class _Size(_Name):
    def call(self, arguments: tuple) -> tuple:
        return checked_shape(arguments[0])


_NUMPY = {
    "multiarray._reconstruct": _Array,
    "multiarray.scalar": _Scalar,
    "numeric._frombuffer": _FromBuffer,
}
_BUILTINS = (dict, list, tuple, set, frozenset, bytes, bytearray)
_KNOWN: dict[str, _Name] = {
    "numpy.ndarray": _Name("numpy.ndarray"),
    "numpy.dtype": _Type("numpy.dtype"),
    **{f"numpy.{core}.{name}": kind(name) for core in ("core", "_core") for name, kind in _NUMPY.items()},
    **{
        f"{module}.{kind.__name__}": _Container(kind.__name__, kind)
        for module in ("builtins", "__builtin__")
        for kind in _BUILTINS
    },
    "collections.OrderedDict": _Container("collections.OrderedDict", dict),
    "collections.defaultdict": _DefaultDict("collections.defaultdict"),
    "_codecs.encode": _Encode("_codecs.encode"),
    "joblib.numpy_pickle.NumpyArrayWrapper": _JoblibArray("joblib.numpy_pickle.NumpyArrayWrapper"),
    "torch._utils._rebuild_tensor_v2": _Tensor("torch._utils._rebuild_tensor_v2"),
    "torch.storage._load_from_bytes": _TensorStorage("torch.storage._load_from_bytes"),
    "torch.Size": _Size("torch.Size"),
    **{f"torch.{name}Storage": _Name(f"torch.{name}Storage") for name in _STORAGES},
}


def find(module: str, name: str) -> _Name:
    """What stands for a name. Raises Unsafe for any that is not among the few."""
    known = _KNOWN.get(f"{module}.{name}")
    if known is None:
        raise Unsafe(f"{module}.{name}")
    return known


def _find_storage(module: str, name: str) -> _Name:
    """The same within a storage, which names its kind of numbers alone."""
    found = find(module, name)
    if type(found) is not _Name:
        raise Unsafe(f"{module}.{name} within a storage")
    return found


def checked_shape(shape: object) -> tuple[int, ...]:
    """A shape of numbers that are not negative. Raises ValueError."""
    if not isinstance(shape, (tuple, list)) or len(shape) > 16:
        raise ValueError("a shape is a tuple")
    if not all(type(length) is int and 0 <= length < 1 << 40 for length in shape):
        raise ValueError("a shape is of whole numbers")
    return tuple(shape)


def array(kind: object, shape: object, order: object, data: object) -> object:
    """An array of what a pickle says of it: `data` are its bytes, or its objects in a list. Raises ValueError."""
    if not isinstance(kind, _Type) or kind.dtype is None:
        raise ValueError("an array without a type")
    size = checked_shape(shape)
    if kind.dtype.hasobject:
        if not isinstance(data, list) or len(data) != math.prod(size):
            raise ValueError("an array of objects lacks some")
        made = np.empty(len(data), object)
        made[:] = data
        return made.reshape(size)
    if isinstance(data, np.ndarray):  # joblib inside of a pickle's own array does not occur
        raise ValueError("an array's numbers are bytes")
    if not isinstance(data, (bytes, bytearray, str)):
        raise ValueError("an array's numbers are bytes")
    raw = data.encode("latin1") if isinstance(data, str) else bytes(data)
    if len(raw) != math.prod(size) * kind.dtype.itemsize:
        raise ValueError("an array is shorter or longer than it says")
    if len(raw) > LARGEST_ARRAY:
        return LEFT_OUT
    return np.frombuffer(raw, kind.dtype).reshape(size, order="F" if order == "F" else "C")


def _exactly(stream: Stream, length: int) -> bytes:
    data = stream.read(length)
    if len(data) != length:
        raise ValueError("the file ends too early")
    return data
