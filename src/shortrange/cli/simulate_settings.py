"""What ``shortrange simulate`` is told, in words: ranges, displacements, particles, sites to be filled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shortrange.quantities import ChiK, Trajectory

__all__ = [
    "check_particle",
    "check_positive",
    "displacements",
    "filled",
    "measured_chi",
    "no_cell",
    "numbers",
    "particle_of",
    "ranges",
]


def ranges(like: Path | None, **given: float | None) -> dict[str, float]:
    """Take settings as given, else from the measured G(r)."""
    from shortrange.errors import ProjectError

    found: dict[str, float | None] = {"q_min": 0.0, "q_damp": 0.0}
    if like is not None:
        from shortrange.load import load_gr

        data = load_gr(like)
        found["r_max"] = float(data.r[-1])
        stated = {"q_max": data.q_max, "q_min": data.q_min, "q_damp": data.q_damp}
        found |= {name: value for name, value in stated.items() if value is not None}
    found |= {name: value for name, value in given.items() if value is not None}
    chosen = {name: value for name, value in found.items() if value is not None}
    for name in ("q_max", "r_max"):
        if name not in chosen:
            raise ProjectError(
                f"{name} is not given" + ("" if like is None else f", and {like.name} does not state it"),
                where=f"--{name.replace('_', '-')}",
                do=f"write, say, --{name.replace('_', '-')} 20",
            )
    return chosen


def displacements(text: str) -> float | dict[str, float]:
    """Read one number, or numbers by element."""
    from shortrange.errors import ProjectError

    try:
        if "=" not in text:
            return float(text)
        pairs = [part.split("=") for part in text.split(",")]
        return {name.strip(): float(value) for name, value in pairs}
    except ValueError:
        raise ProjectError(
            f"u_iso = {text!r} is not a number, nor numbers by element", where="--u-iso",
            do="write 0.003, or Ta=0.003,Cl=0.01",
        ) from None  # fmt: skip


def numbers(text: str | None) -> list[int] | None:
    """Read numbers of atoms from 0."""
    from shortrange.errors import ProjectError

    try:
        return None if text is None else [int(word) for word in text.split(",")]
    except ValueError:
        raise ProjectError(f"atoms = {text!r}", where="--atoms", do="write numbers from 0: 0,3,5") from None


def no_cell(number_density: float | None, trajectory: Path) -> None:
    """Raise a ProjectError if atoms have a density of their own."""
    from shortrange.errors import ProjectError

    if number_density is not None:
        raise ProjectError(
            f"a density is given, but {trajectory.name} has a cell and so its own", where="--density",
            do="leave it out: it is for molecules",
        )  # fmt: skip


def measured_chi(path: Path) -> ChiK:
    """Columns k and chi of a text file."""
    import numpy as np

    from shortrange.errors import DataError
    from shortrange.load.text import read_table
    from shortrange.quantities import ChiK

    values = read_table(path).values
    if values.shape[1] < 2 or values.shape[0] < 2:
        raise DataError("there are no two columns", where=str(path), do="give a file with columns k and chi")
    k, chi = values[:, 0], values[:, 1]
    if not (np.all(np.diff(k) > 0) and k[0] >= 0 and k[-1] <= 20):
        raise DataError(
            f"the first column runs from {k[0]:g} to {k[-1]:g}, which is no rising k up to 20 1/angstrom",
            where=str(path),
            do="give chi(k), such as the chi_k.csv that `shortrange reduce` writes",
        )
    return ChiK(k=k, chi=chi, label=path.stem)


def check_positive(**values: float) -> None:
    """Raise a ProjectError for a setting that is not a number above zero."""
    from shortrange.errors import ProjectError

    for name, value in values.items():
        if not 0 < value < float("inf"):
            raise ProjectError(
                f"{name} = {value:g}", where=f"--{name.replace('_', '-')}", do="give a number above zero"
            )


def particle_of(text: str) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Characteristic function of a particle given as ``sphere=30``, ``shell=20,5`` or ``sheet=12``."""
    import numpy as np

    from shortrange.errors import ProjectError, did_you_mean
    from shortrange.simulate.shapes import SHAPES, characteristic

    name, _, lengths = text.partition("=")
    if name not in SHAPES:
        raise ProjectError(f"there is no form {name!r}", where="--particle", do=did_you_mean(name, SHAPES))
    try:
        values = np.array([float(word) for word in lengths.split(",")])
    except ValueError:
        values = np.empty(0)
    if values.size != len(SHAPES[name]) or not np.all((values > 0) & np.isfinite(values)):
        raise ProjectError(
            f"{text!r} does not give {' and '.join(SHAPES[name])} of a {name}", where="--particle",
            do=f"write {name}={','.join(str(30 - 20 * i) for i in range(len(SHAPES[name])))}, in angstrom",
        )  # fmt: skip
    return lambda r: characteristic(name, r, values)[0]


def filled(path: Path, repeat: str, *, fillings: int, seed: int, frames: str | None) -> Trajectory:
    """Supercells of a crystal whose shared or partly empty sites are filled at random with whole atoms."""
    from shortrange.errors import ProjectError
    from shortrange.load import load_crystal
    from shortrange.simulate.occupancies import sample_occupancies

    if frames is not None:
        raise ProjectError(
            "--frames selects snapshots, and --fill makes them", where="--frames",
            do="leave it out, and give their number with --fillings",
        )  # fmt: skip
    try:
        cells = [int(word) for word in repeat.split(",")]
    except ValueError:
        cells = []
    if len(cells) != 3 or min(cells) < 1:
        raise ProjectError(f"fill = {repeat!r}", where="--fill", do="write cells along a, b and c: 4,4,4")
    if fillings < 1 or seed < 0:
        raise ProjectError(
            f"fillings = {fillings}, seed = {seed}",
            where="--fillings",
            do="give 1 or more, and a seed from 0",
        )
    return sample_occupancies(load_crystal(path), repeat=cells, frames=fillings, seed=seed)


def check_particle(
    diameter: float | None, form: object | None, density: float | None, *, is_cluster: bool
) -> None:
    """Raise a ProjectError for a particle that is given twice, or whose form the atoms have already."""
    from shortrange.errors import ProjectError

    if form is not None and diameter is not None:
        raise ProjectError(
            "a diameter and a particle are given", where="--diameter", do="leave it out: sphere=30 is a ball"
        )
    if is_cluster and diameter is not None:
        raise ProjectError(
            "a cluster without a cell has its own form", where="--diameter",
            do="leave it out; for the baseline of a ball give --particle sphere=30 --density 0.05",
        )  # fmt: skip
    if is_cluster and form is not None and density is None:
        raise ProjectError(
            "the form of a cluster is that of its baseline, which needs a density", where="--particle",
            do="give --density, atoms per cubic angstrom inside, or leave --particle out",
        )  # fmt: skip
