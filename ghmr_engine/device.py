"""Where networks and optimisation run: chosen here, and only here."""

from __future__ import annotations

import ctypes
import importlib.util
import re
import sys
from pathlib import Path

from ghmr_engine.errors import RecoverError


def choose_device(wish: str) -> str:
    """cpu or cuda for the option `device`; auto takes CUDA where it works. Raises RecoverError for cuda without it."""
    import torch  # takes seconds, and describe_device() does without

    if wish == "cuda" and not torch.cuda.is_available():
        raise RecoverError(
            "no_cuda", "There is no CUDA device that this PyTorch can use.", "Choose --device cpu, or run doctor."
        )
    device = ("cuda" if torch.cuda.is_available() else "cpu") if wish == "auto" else wish
    if device == "cpu":
        # The fits' tensors are small: two threads spend more on waiting for each other than they save, and on a busy
        # machine ten times as much.
        torch.set_num_threads(1)
    return device


def describe_device() -> str:
    """What auto will choose, with the device's name, in milliseconds: asked of PyTorch's files and CUDA's driver."""
    name = _cuda_name() if _torch_is_for_cuda() else None
    return "cpu" if name is None else f"cuda ({name})"


def _torch_is_for_cuda() -> bool:
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return False
    version = Path(found.origin).with_name("version.py")
    return version.is_file() and bool(re.search(r"^cuda\b.*= *['\"]", version.read_text(encoding="utf-8"), re.M))


def _cuda_name() -> str | None:
    """Name of the first device that CUDA's driver knows; None without one. The driver's calls return 0 for success."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return None
    count, device, name = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(256)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)) or count.value == 0:
        return None
    if driver.cuDeviceGet(ctypes.byref(device), 0) or driver.cuDeviceGetName(name, len(name), device):
        return None
    return name.value.decode(errors="replace")
