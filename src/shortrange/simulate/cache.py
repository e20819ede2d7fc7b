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

_FORMAT = "1"

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

    The zip container holds a CRC-32 of each array, so a damaged file is noticed; whoever asked makes the
    result anew and stores it over the damaged one.
    """
    path = cache_folder() / f"{name}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            return {key: held[key] for key in held.files}
    except _UNREADABLE:
        return None


def store_entry(name: str, arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Keep ``arrays`` under ``name``, whole or not at all; False if the folder cannot be written.

    A cache that cannot be written costs time, not truth, so it is no error.
    """
    folder = cache_folder()
    temporary: str | None = None
    held: dict[str, Any] = dict(arrays)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **held)
        Path(temporary).replace(folder / f"{name}.npz")
    except OSError:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        return False
    return True
