"""Read a file with the loader that is found for it; what a loader's library says is put into our words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from shortrange.errors import DataError, ShortrangeError
from shortrange.load.frames import Frame, FrameFile, Notes
from shortrange.load.history import restore_history
from shortrange.load.registry import Kind, Loader, find_loader
from shortrange.quantities import GR, IQ, SQ, Scan, Trajectory

__all__ = ["load", "load_gr", "load_iq", "load_scans", "load_sq", "load_trajectory", "open_frames"]


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
