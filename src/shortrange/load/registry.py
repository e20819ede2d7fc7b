"""Which reader a file gets: by content first, by suffix second, by name always."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, cast, get_args

from shortrange.errors import DataError, ShortrangeError, did_you_mean
from shortrange.load.frames import Frame, FrameFile, Notes
from shortrange.load.history import restore_history
from shortrange.load.text import read_head
from shortrange.quantities import GR, IQ, SQ, Scan, Trajectory

__all__ = [
    "LOADERS",
    "Kind",
    "Loader",
    "load",
    "load_gr",
    "load_iq",
    "load_scans",
    "load_sq",
    "load_trajectory",
    "open_frames",
    "register",
]

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
    if not of_kind:
        suffix = _suffix(path)
        claims = [loader for loader in LOADERS.values() if kind in (None, loader.kind)]
        of_kind = [x for x in claims if suffix in x.suffixes] or [
            x for x in claims if kind and "*" in x.suffixes
        ]
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


def _read(path: str | Path, format: str | None, kind: Kind, **options: Any) -> Any:
    path = Path(path)
    loader = find_loader(path, format=format, kind=kind)
    return _guard(loader, path, **options)


def _guard(loader: Loader, path: Path, **options: Any) -> Any:
    if loader.read is None:
        frames = FrameFile(path, _reader(loader, path), options.get("frames"))
        return restore_history(frames.read(), path)
    try:
        return restore_history(loader.read(path, **options), path)
    except ShortrangeError:
        raise
    except Exception as error:
        raise _failed(loader, path, error) from error


def _failed(loader: Loader, path: Path, error: Exception) -> DataError:
    # A library behind a loader failed in its own words; the user still gets what, where and what to do.
    return DataError(
        f"the file cannot be read as {loader.name}: {type(error).__name__}: {error}",
        where=str(path),
        do="check that it is complete and of this format; name another with format=...",
    )


def _reader(loader: Loader, path: Path, **options: Any) -> Callable[..., Iterator[Frame | None]]:
    """Return the generator of the frames of a loader, guarded as its ``read`` would be."""
    given = {name: value for name, value in options.items() if value is not None}
    if loader.frames_of is None:

        def whole(path: Path, wanted: Callable[[int], bool], notes: Notes) -> Iterator[Frame | None]:
            trajectory = _guard(loader, path)
            notes.steps.extend(trajectory.history[1:])
            for i in range(trajectory.n_frames):
                cell = None if trajectory.cells is None else trajectory.cells[i]
                yield Frame(trajectory.species, trajectory.positions[i], cell) if wanted(i) else None

        frames_of: Callable[..., Iterator[Frame | None]] = whole
    else:
        frames_of = loader.frames_of
    foreign = sorted(set(given) - set(loader.options))
    if foreign:
        raise DataError(
            f"{' and '.join(foreign)} given for a file of the format {loader.name}, which states it itself",
            where=str(path),
            do=f"leave {' and '.join(foreign)} out",
        )
    return partial(_guarded, loader, partial(frames_of, **given))


def _guarded(
    loader: Loader,
    frames_of: Callable[..., Iterator[Frame | None]],
    path: Path,
    wanted: Callable[[int], bool],
    notes: Notes,
) -> Iterator[Frame | None]:
    try:
        yield from frames_of(path, wanted, notes)
    except (ShortrangeError, GeneratorExit):
        raise
    except Exception as error:
        raise _failed(loader, path, error) from error


def load(path: str | Path, *, format: str | None = None, kind: Kind | None = None) -> Any:
    """Read a file of any known format.

    Parameters
    ----------
    path
        The file; may be gzipped.
    format
        Name of a loader, if the file should not be recognised by its content.
    kind
        Restrict to loaders of one kind.

    Returns
    -------
    tuple of Scan, IQ, GR, SQ, ChiK or Trajectory
        By the kind of the loader.

    Raises
    ------
    DataError
        If the file cannot be read, or recognised.
    """
    path = Path(path)
    return _guard(find_loader(path, format=format, kind=kind), path)


def load_scans(
    path: str | Path, *, format: str | None = None, element: str | None = None, edge: str | None = None
) -> tuple[Scan, ...]:
    """Read the XAS scans of a file.

    Parameters
    ----------
    path
        The file.
    format
        Name of a loader, if the file should not be recognised by its content.
    element, edge
        Absorption edge that must lie in every scan; it also settles the unit of the energies.

    Raises
    ------
    DataError
        If the file cannot be read, or the edge does not lie in it.
    """
    return cast(tuple[Scan, ...], _read(path, format, "xas", element=element, edge=edge))


def load_iq(
    path: str | Path, *, format: str | None = None, wavelength: float | None = None, axis: str | None = None
) -> IQ:
    """Read a scattering pattern.

    Parameters
    ----------
    path
        The file.
    format
        Name of a loader.
    wavelength
        angstrom; needed where the axis is an angle.
    axis
        ``"q"`` (1/angstrom), ``"q_nm"`` (1/nm) or ``"2theta"`` (degrees), where the file does not say.

    Raises
    ------
    DataError
        If the file cannot be read, or its axis is not known or cannot be Q.
    """
    return cast(IQ, _read(path, format, "iq", wavelength=wavelength, axis=axis))


def load_sq(
    path: str | Path,
    *,
    format: str | None = None,
    function: str | None = None,
    mean_b_squared: float | None = None,
) -> SQ:
    """Read a structure factor.

    Parameters
    ----------
    path
        The file.
    format
        Name of a loader.
    function
        ``"S"``, ``"S-1"``, ``"F"`` or ``"F_keen"``, where the file does not say.
    mean_b_squared
        Square of the mean scattering length, barn, for ``"F_keen"`` (i(Q) of Gudrun).

    Raises
    ------
    DataError
        If the file cannot be read, or its second column is not known.
    """
    options = {"function": function, "mean_b_squared": mean_b_squared}
    return cast(SQ, _read(path, format, "sq", **{k: v for k, v in options.items() if v is not None}))


def load_gr(path: str | Path, *, format: str | None = None, function: str = "G") -> GR:
    """Read a measured pair distribution function.

    Parameters
    ----------
    path
        The file.
    format
        Name of a loader.
    function
        ``"G"``, or what else the column is (g, G_keen, D, T, RDF; see `shortrange.transform.conventions`): a
        column that is titled otherwise is refused. Its values are returned as they are, to be converted.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    options = {} if function == "G" else {"function": function}
    return cast(GR, _read(path, format, "gr", **options))


def open_frames(
    path: str | Path,
    *,
    format: str | None = None,
    frames: slice | None = None,
    cell: str | Path | None = None,
    species: Sequence[str] | None = None,
) -> FrameFile:
    """Open snapshots that are to be read piece by piece, so that they need not fit into memory.

    Parameters
    ----------
    path
        The file; may be gzipped.
    format
        Name of a loader.
    frames
        Which frames; None is all.
    cell
        Of plain XYZ: a ``.cell`` file of CP2K, or numbers (see `shortrange.load.xyz.read_cells`).
    species
        Elements of the types 1, 2, ... of a LAMMPS dump without a column ``element``.

    Raises
    ------
    DataError
        If there is no such file, its format is not known, or it takes no cell or species. Faults of frames
        show when they are read.
    """
    path = Path(path)
    loader = find_loader(path, format=format, kind="structure")
    return FrameFile(path, _reader(loader, path, cell=cell, species=species), frames)


def load_trajectory(
    path: str | Path,
    *,
    format: str | None = None,
    frames: slice | None = None,
    cell: str | Path | None = None,
    species: Sequence[str] | None = None,
) -> Trajectory:
    """Read snapshots, a crystal or a molecule.

    Parameters
    ----------
    path, format, frames, cell, species
        As for `open_frames`.

    Raises
    ------
    DataError
        If the file cannot be read, or its frames differ in composition.
    """
    read = open_frames(path, format=format, frames=frames, cell=cell, species=species).read()
    return cast(Trajectory, restore_history(read, Path(path)))
