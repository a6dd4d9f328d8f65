"""Users' model files: recognised by what is in them, never by name, and read without running anything of theirs."""

from __future__ import annotations

import mmap
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from ghmr_engine.added_models import KINDS
from ghmr_engine.errors import RecoverError
from ghmr_engine.plain_files import read_arrays

Shapes = Mapping[str, tuple[int, ...]]
State = dict[str, torch.Tensor]

_WRAPPERS = ("model", "state_dict")
"""Entries under which training programs keep the network (WHAM, HuMoR; HMR2.0, VPoser and original ViTPose)."""
_PREFIXES = ("module.", "vp_model.")
"""What training programs put in front of every key of the network (torch's parallel training; VPoser)."""
SMPL_SHAPES: dict[str, tuple[int | None, ...]] = {
    "v_template": (6890, 3),
    "shapedirs": (6890, 3, None),
    "J_regressor": (24, 6890),
    "weights": (6890, 24),
    "kintree_table": (2, 24),
    "f": (13776, 3),
}
# Entries that tell a network from all others, with the shapes that the published one has (None: any).
_SIGNS: dict[str, dict[str, tuple[int | None, ...]]] = {
    "wham": {
        "motion_encoder.embed_layer.weight": (512, 37),
        "trajectory_decoder.regressor.rnn.weight_ih_l0": (2252, 575),
        "motion_decoder.regressor.declayer0.weight": (144, 563),
        "integrator.layer1.weight": (1024, 1587),
    },
    "hmr2": {
        "backbone.pos_embed": (1, 193, 1280),
        "backbone.patch_embed.proj.weight": (1280, 3, 16, 16),
        "smpl_head.decpose.weight": (144, 1024),
        "smpl_head.init_body_pose": (1, 144),
    },
    "vitpose": {
        "backbone.embeddings.position_embeddings": (1, 193, None),
        "backbone.embeddings.patch_embeddings.projection.weight": (None, 3, 16, 16),
    },
    "humor": {
        "prior_net.net.0.weight": (1024, 339),
        "encoder.net.0.weight": (1024, 678),
        "decoder.net.0.weight": (1024, 387),
        "decoder.net.9.weight": (216, 560),
    },
    "vposer": {
        "encoder_net.1.weight": (63,),
        "encoder_net.8.mu.weight": (32, 512),
        "decoder_net.0.weight": (512, 32),
        "decoder_net.5.weight": (126, 512),
    },
}
_FAMILIES = {
    "wham": ("motion_encoder.", "trajectory_decoder."),
    "hmr2": ("backbone.", "smpl_head."),
    "vitpose": ("backbone.embeddings.", "head."),
    "humor": ("prior_net.", "encoder.", "decoder."),
    "vposer": ("encoder_net.", "decoder_net."),
}
"""Beginnings of keys that all occur in a file of the kind."""
_OTHERS = {
    ("keypoint_head.", "backbone."): (
        "is ViTPose in its original naming",
        "Add the model in the naming of `transformers` (model.safetensors of a usyd-community/vitpose model).",
    ),
    ("bodyprior_enc_", "bodyprior_dec_"): ("is VPoser v1.0", "Add VPoser v2.0 (docs/models.md)."),
    ("patchify.", "update."): ("is DPVO", "Name it dpvo.pth in the models folder: docs/camera.md."),
    ("fnet.", "cnet.", "update."): ("is DROID-SLAM", "Name it droid.pth in the models folder: docs/camera.md."),
}
_NOT_ONE = "Add a checkpoint of WHAM, HMR2.0, ViTPose, HuMoR or VPoser, or SMPL's body as .npz (docs/models.md)."
_PLAIN_NUMBERS = [
    # Training programs keep scores in NumPy's numbers beside the network; these names build numbers and nothing else.
    (np._core.multiarray.scalar, "numpy.core.multiarray.scalar"),
    (np._core.multiarray.scalar, "numpy._core.multiarray.scalar"),
    (np.dtype, "numpy.dtype"),
    type(np.dtype(np.float32)),
    type(np.dtype(np.float64)),
    type(np.dtype(np.int64)),
]


def recognise(path: Path) -> str:
    """The name in KINDS of what a file is. Raises RecoverError where it is none of them, damaged or refused."""
    what = _container(path)
    if what == "arrays":
        _check_body(path)
        return "smpl"
    shapes = {name: tuple(value.shape) for name, value in read_state(path).items()}
    for name, beginnings in _FAMILIES.items():
        if _has(shapes, beginnings):
            check_shapes(shapes, _SIGNS[name], f"{path.name}, which looks like {KINDS[name].title},", whole=False)
            return name
    for beginnings, (what_it_is, fix) in _OTHERS.items():
        if _has(shapes, beginnings):
            raise RecoverError("other_checkpoint", f"{path.name} {what_it_is}.", fix)
    raise RecoverError("unknown_checkpoint", f"{path.name} holds a network that the engine does not know.", _NOT_ONE)


def read_state(path: Path) -> State:
    """The tensors of a checkpoint: safetensors, or PyTorch's files of tensors and nothing else.

    Raises RecoverError: pickle_refused where the file names anything that would have to be run, bad_checkpoint where it
    is damaged or holds no tensors.
    """
    what = _container(path)
    if what == "safetensors":
        try:
            with safe_open(path, "pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no mapping
        except (SafetensorError, OSError, ValueError) as error:
            raise _damaged(path) from error
    if what not in ("torch", "pickle"):
        raise RecoverError("bad_checkpoint", f"{path.name} holds no network.", _NOT_ONE)
    state = _unwrapped(_load(path, in_place=what == "torch"))
    if not state:
        raise RecoverError("bad_checkpoint", f"{path.name} holds no network.", _NOT_ONE)
    for prefix in _PREFIXES:
        state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def read_tensors(path: Path) -> object:
    """What a file of PyTorch holds: tensors in plain containers, as they were saved. Raises as read_state does."""
    return _load(path, in_place=_container(path) == "torch")


def load_strictly(network: torch.nn.Module, state: State, name: str, beside: tuple[str, ...] = ()) -> None:
    """Put a checkpoint's numbers into a network. beside: beginnings of keys that ride along and are left.

    Raises RecoverError, in one line, where any is missing, left over or of another shape.
    """
    kept = {key: value for key, value in state.items() if not key.startswith(beside)} if beside else state
    needed = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    check_shapes({key: tuple(value.shape) for key, value in kept.items()}, needed, f"The checkpoint of {name}")
    network.load_state_dict(kept)


def check_shapes(have: Shapes, needed: Mapping[str, tuple[int | None, ...]], who: str, whole: bool = True) -> None:
    """Compare names and shapes (None: any size); whole: nothing else may be there. Raises RecoverError in one line."""
    fix = "Get the published file anew (docs/models.md)."
    if missing := [key for key in needed if key not in have]:
        raise RecoverError("bad_checkpoint", f"{who} lacks {_some(missing)}.", fix)
    if whole and (extra := [key for key in have if key not in needed]):
        raise RecoverError("bad_checkpoint", f"{who} has unexpected {_some(extra)}.", fix)
    for key, shape in needed.items():
        found = have[key]
        if len(found) != len(shape) or any(b is not None and a != b for a, b in zip(found, shape, strict=True)):
            said = " x ".join("any" if size is None else str(size) for size in shape)
            raise RecoverError(
                "bad_checkpoint", f"{who} has {key} of {' x '.join(map(str, found)) or 'one number'}, not {said}.", fix
            )


def _some(keys: list[str]) -> str:
    return keys[0] if len(keys) == 1 else f"{keys[0]} and {len(keys) - 1} more"


def _has(shapes: Shapes, beginnings: tuple[str, ...]) -> bool:
    return all(any(key.startswith(beginning) for key in shapes) for beginning in beginnings)


def _container(path: Path) -> str:
    """'arrays' (.npz), 'torch', 'safetensors' or 'pickle' (which may still be an old file of PyTorch), by content."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
        names = zipfile.ZipFile(path).namelist() if zipfile.is_zipfile(path) else None
    except OSError as error:
        raise RecoverError("no_file", f"{path} cannot be read: {error.strerror}.", "Choose a file.") from error
    except zipfile.BadZipFile as error:
        raise _damaged(path) from error
    if names is not None:
        if any(name.endswith("/data.pkl") for name in names):
            return "torch"
        if names and all(name.endswith(".npy") for name in names):
            return "arrays"
    elif head[:2] == b"PK":
        raise _damaged(path)
    elif head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 100_000_000:
        return "safetensors"
    elif _holds(path, b"v_template", b"kintree_table"):
        raise RecoverError(
            "pickle_refused",
            f"{path.name} is SMPL's body as a pickle, a file that runs what it names; it is not opened.",
            "Turn it into .npz once, as docs/models.md shows, and add that.",
        )
    elif head[:1] == b"\x80":
        return "pickle"
    raise RecoverError("unknown_checkpoint", f"{path.name} is not a model's file.", _NOT_ONE)


def _holds(path: Path, *words: bytes) -> bool:
    """Whether a file has these bytes somewhere."""
    if path.stat().st_size == 0:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return all(content.find(word) >= 0 for word in words)


def _load(path: Path, in_place: bool) -> object:
    """in_place: tensors stay in the file until they are used, which only PyTorch's newer files allow."""
    try:
        with torch.serialization.safe_globals(_PLAIN_NUMBERS):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=in_place)  # noqa: TID251  the loader
    except Exception as error:  # noqa: BLE001  a damaged file makes the reader raise anything
        _refuse(path, str(error), error)


def _refuse(path: Path, said: str, error: Exception) -> NoReturn:
    named = re.search(r"GLOBAL ([\w.]+)|[Uu]nsupported (?:global|class|operand|function)\W*(?!GLOBAL)([\w.]+)", said)
    if named is None:
        raise _damaged(path) from error
    raise RecoverError(
        "pickle_refused",
        f"{path.name} is a pickle that asks for {named[1] or named[2]}; nothing of it was run.",
        "Only tensors are read: save its tensors alone, as docs/models.md shows, if you trust the file.",
    ) from error


def _unwrapped(content: object) -> State:
    """The network's tensors out of what a training program saved."""
    if not isinstance(content, Mapping):
        return {}
    for name in _WRAPPERS:
        if isinstance(content.get(name), Mapping):
            content = content[name]
            break
    return {str(key): value for key, value in content.items() if isinstance(value, torch.Tensor)}


def _check_body(path: Path) -> None:
    """Raises RecoverError unless an .npz is SMPL's body."""
    try:
        arrays = read_arrays(path)
        shapes = {key: arrays[key].shape for key in SMPL_SHAPES if key in arrays}
    except ValueError as error:
        if "Python objects" not in str(error):
            raise _damaged(path) from error
        raise RecoverError(
            "pickle_refused", f"{path.name} has pickles among its arrays, which are not opened.",
            "Save it with plain arrays, as docs/models.md shows.",
        ) from error  # fmt: skip
    except OSError as error:
        raise _damaged(path) from error
    if "v_template" not in shapes:
        raise RecoverError("unknown_checkpoint", f"{path.name} holds arrays, but no body.", _NOT_ONE)
    if shapes.get("weights", (0, 24))[1:] not in ((24,), ()):
        raise RecoverError(
            "other_checkpoint",
            f"{path.name} is a body of {shapes['weights'][1]} joints (SMPL+H or SMPL-X), not SMPL's of 24.",
            "Add SMPL's own body.",
        )
    check_shapes(shapes, SMPL_SHAPES, f"{path.name}, which looks like SMPL's body,")


def _damaged(path: Path) -> RecoverError:
    return RecoverError("bad_checkpoint", f"{path.name} is damaged or ends too early.", "Download or copy it again.")
