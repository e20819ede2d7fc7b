"""A folder of results that are costly to make, named by the content they depend on."""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange._version import __version__

__all__ = ["cache_folder", "content_key", "load_entry", "store_entry"]

_FORMAT = "2"
_DIGEST = "sha256"

# What numpy and zipfile raise on files that are missing, cut, or have wrong bytes somewhere.
_UNREADABLE = (
    OSError, ValueError, KeyError, EOFError, NotImplementedError, RuntimeError, AttributeError, struct.error,
    zipfile.BadZipFile,
)  # fmt: skip


def cache_folder() -> Path:
    r"""Folder of the user where results are kept; the variable SHORTRANGE_CACHE names another.

    Linux: ``$XDG_CACHE_HOME/shortrange`` or ``~/.cache/shortrange``; macOS: ``~/Library/Caches/shortrange``;
    Windows: ``%LOCALAPPDATA%\shortrange\cache``.
    """
    named = os.environ.get("SHORTRANGE_CACHE")
    if named:
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "shortrange" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "shortrange"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shortrange"


def content_key(*parts: str | bytes) -> str:
    """Name for a result that depends on ``parts`` and on nothing else (SHA-256, 32 digits)."""
    digest = hashlib.sha256()
    for part in (_FORMAT, __version__, *parts):
        raw = part.encode() if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "little") + raw)
    return digest.hexdigest()[:32]


def load_entry(name: str) -> dict[str, NDArray[Any]] | None:
    """Arrays kept under ``name``; None if there are none, or if the file is damaged.

    An entry holds the SHA-256 of its arrays, so a damaged file is noticed; whoever asked makes the result
    anew and stores it over the damaged one.
    """
    path = cache_folder() / f"{name}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            arrays = {key: held[key] for key in held.files}
    except _UNREADABLE:
        return None
    digest = arrays.pop(_DIGEST, None)
    return arrays if digest is not None and digest.tobytes() == _digest(arrays) else None


def _digest(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    digest = hashlib.sha256()
    for key in sorted(arrays):
        values = np.asarray(arrays[key])
        digest.update(f"{key} {values.dtype.str} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.digest()


def store_entry(name: str, arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Keep ``arrays`` under ``name``, whole or not at all; False if the folder cannot be written.

    A cache that cannot be written costs time, not truth, so it is no error.
    """
    target = cache_folder() / f"{name}.npz"
    temporary: str | None = None
    held: dict[str, Any] = {**arrays, _DIGEST: np.frombuffer(_digest(arrays), dtype=np.uint8)}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **held)
        Path(temporary).replace(target)
    except OSError:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        return False
    return True
