"""Which reader a file gets: by content first, by suffix second, by name always."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, cast, get_args

from shortrange.errors import DataError, did_you_mean
from shortrange.load.frames import Frame
from shortrange.load.text import read_head

__all__ = ["LOADERS", "Kind", "Loader", "find_loader", "register"]

Kind = Literal["xas", "iq", "gr", "structure", "sq", "chi"]

ENTRY_POINTS = "shortrange.loaders"
"""Entry-point group by which other packages add loaders."""

_MEANING: dict[str, str] = {
    "xas": "X-ray absorption scans",
    "iq": "scattered intensity I(Q)",
    "gr": "a pair distribution function G(r)",
    "structure": "atomic structures",
    "sq": "a structure factor S(Q)",
    "chi": "EXAFS chi(k)",
}
_DOOR = {
    "xas": "load_scans",
    "iq": "load_iq",
    "gr": "load_gr",
    "structure": "load_trajectory",
    "sq": "load_sq",
    "chi": "load",
}


@dataclass(frozen=True, slots=True)
class Loader:
    """Reader of one file format.

    Attributes
    ----------
    name
        For ``load(path, format=name)``.
    kind
        What it returns: ``"xas"`` a tuple of `Scan`, ``"iq"`` an `IQ`, ``"gr"`` a `GR`, ``"structure"`` a
        `Trajectory`, ``"sq"`` an `SQ`, ``"chi"`` a `ChiK`.
    suffixes
        Of the files it reads, with the point, in lower case; ``"*"`` takes any file of its kind that no
        other loader claims.
    sniff
        Whether the first 4 kB (decompressed) are certainly of this format.
    read
        The reader. Beside the path it takes the options of its kind by keyword: ``element`` and ``edge``
        (xas), ``wavelength`` and ``axis`` (iq), ``frames`` (structure), ``function`` (gr, only where not G).
        None for structures that are read frame by frame.
    frames_of
        Generator of the frames of a structure file; see `shortrange.load.frames.FrameReader`.
    options
        What ``frames_of`` takes besides, by keyword: ``"cell"`` (plain XYZ), ``"species"`` (LAMMPS).
    """

    name: str
    kind: Kind
    suffixes: tuple[str, ...]
    sniff: Callable[[bytes], bool]
    read: Callable[..., Any] | None = None
    frames_of: Callable[..., Iterator[Frame | None]] | None = None
    options: tuple[str, ...] = ()


LOADERS: dict[str, Loader] = {}
"""All registered loaders by name."""


def register(loader: Loader) -> None:
    """Add a loader.

    Raises
    ------
    ValueError
        If another loader has its name, or its kind is unknown.
    """
    if loader.kind not in get_args(Kind):
        raise ValueError(f"loader {loader.name!r} has the unknown kind {loader.kind!r}")
    if LOADERS.setdefault(loader.name, loader) is not loader:
        raise ValueError(f"loader {loader.name!r} is registered twice")


@cache
def _add_plugins() -> None:
    for point in entry_points(group=ENTRY_POINTS):
        try:
            register(point.load())
        except Exception as error:
            raise DataError(
                f"the loader {point.name!r} of another package does not work: {error}",
                where=f"entry point {point.value!r}",
                do="update or remove that package",
            ) from error


def _suffix(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def find_loader(path: Path, *, format: str | None = None, kind: str | None = None) -> Loader:
    """Choose the loader of a file.

    Raises
    ------
    DataError
        If the file is missing or empty, the format is unknown or of another kind, or none or several
        loaders recognise the file.
    """
    _add_plugins()
    if kind is not None and kind not in _MEANING:
        raise DataError(
            f"unknown kind {kind!r}", where=f"load({str(path)!r})", do=did_you_mean(kind, _MEANING)
        )
    head = read_head(path)
    if format is not None:
        return _by_name(path, format, kind)
    hits = [loader for loader in LOADERS.values() if loader.sniff(head)]
    of_kind = [loader for loader in hits if kind in (None, loader.kind)]
    if hits and not of_kind:
        other = hits[0]
        raise DataError(
            f"this file holds {_MEANING[other.kind]} ({other.name}), not {_MEANING[cast(str, kind)]}",
            where=str(path),
            do=f"name another file, or use {_DOOR[other.kind]}; format=... overrides the recognition",
        )
    suffix = _suffix(path)
    if not of_kind:
        claims = [loader for loader in LOADERS.values() if kind in (None, loader.kind)]
        of_kind = [x for x in claims if suffix in x.suffixes] or [
            x for x in claims if kind and "*" in x.suffixes
        ]
    elif len(of_kind) > 1:
        of_kind = [x for x in of_kind if suffix in x.suffixes] or of_kind
    if len(of_kind) != 1:
        names = [loader.name for loader in of_kind]
        what = f"several loaders recognise this file: {names}" if names else "no loader recognises this file"
        raise DataError(
            what, where=str(path), do=f"name one: load(path, format=...); known: {sorted(LOADERS)}"
        )
    return of_kind[0]


def _by_name(path: Path, format: str, kind: str | None) -> Loader:
    known = [name for name, loader in LOADERS.items() if kind in (None, loader.kind)]
    if format in known:
        return LOADERS[format]
    if format in LOADERS:
        raise DataError(
            f"format {format!r} reads {_MEANING[LOADERS[format].kind]}, not {_MEANING[cast(str, kind)]}",
            where=str(path),
            do=f"choose from {sorted(known)}",
        )
    raise DataError(f"unknown format {format!r}", where=str(path), do=did_you_mean(format, known))
