"""Versions of what takes part in a result."""

from __future__ import annotations

import platform
from importlib import metadata

from shortrange._version import __version__

__all__ = ["versions"]

_PARTS = (
    "numpy",
    "scipy",
    "numba",
    "xraylarch",
    "xraydb",
    "xraylib",
    "ase",
    "diffpy.structure",
    "h5py",
    "matplotlib",
)


def versions() -> dict[str, str]:
    """Name to version of this package, of Python, and of the libraries that numbers depend on."""
    found = {"shortrange": __version__, "python": platform.python_version()}
    for name in _PARTS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
