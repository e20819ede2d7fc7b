"""Read feffNNNN.dat, in which FEFF6 to FEFF9 write one path."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError
from shortrange.simulate.paths.path import ScatteringPath

__all__ = ["read_feff_dat"]

Array = NDArray[Any]

_RULE = re.compile(r"^\s*#?\s*-{20,}")


def read_feff_dat(path: str | Path, *, label: str = "") -> ScatteringPath:
    """Read one path.

    Parameters
    ----------
    path
        The file.
    label
        For tables; default the elements and the half length.

    Raises
    ------
    SimulationError
        If it cannot be read, or is no such file, naming the line.
    """
    file = Path(path)
    try:
        lines = file.read_text("latin-1").splitlines()
    except OSError as error:
        raise SimulationError(
            f"the path cannot be read: {error.strerror}", where=str(file), do="check the name of the file"
        ) from None
    rule = next((i for i, line in enumerate(lines) if _RULE.match(line)), None)
    head = next((i for i, line in enumerate(lines) if "real[p]" in line), None)
    if rule is None or head is None or head < rule:
        raise SimulationError(
            "this is no feffNNNN.dat: it has no line 'k real[2*phc] mag[feff] ... real[p]'",
            where=str(file),
            do="give a path file that FEFF wrote (PRINT with a last number of 3 keeps them)",
        )
    try:
        legs, degeneracy, reff, rnorman = _numbers(lines[rule + 1], 4)
    except ValueError:
        raise _fault(file, rule + 1, lines[rule + 1]) from None
    symbols, positions = _atoms(file, lines, range(rule + 3, head))
    if len(symbols) != int(legs):
        raise SimulationError(
            f"{int(legs)} legs, but {len(symbols)} atoms", where=str(file), do="run FEFF again"
        )
    table = _table(file, lines, head + 1)
    with np.errstate(divide="ignore"):
        momentum = table[:, 6] + 1j / table[:, 5]
    return ScatteringPath(
        label=label or f"{'-'.join(symbols)} {reff:.3f}", k=table[:, 0], amplitude=table[:, 2] * table[:, 4],
        phase=table[:, 1] + table[:, 3], p=momentum, reff=reff, degeneracy=degeneracy,
        symbols=tuple(symbols), positions=np.array(positions), rnorman=rnorman, source=str(file),
    )  # fmt: skip


def _numbers(line: str, count: int) -> list[float]:
    values = [float(word) for word in line.lstrip(" #").split()[:count]]
    if len(values) < count:
        raise ValueError("too few")
    return values


def _fault(file: Path, index: int, line: str) -> SimulationError:
    return SimulationError(
        f"cannot read {line.strip()[:60]!r}", where=f"{file}, line {index + 1}", do="run FEFF again"
    )


def _atoms(file: Path, lines: list[str], rows: range) -> tuple[list[str], list[list[float]]]:
    from ase.data import chemical_symbols

    symbols, positions = [], []
    for i in rows:
        words = lines[i].lstrip(" #").split()
        if not words:
            continue
        try:
            positions.append([float(word) for word in words[:3]])
            symbols.append(chemical_symbols[int(words[4])])
        except (ValueError, IndexError):
            raise _fault(file, i, lines[i]) from None
    return symbols, positions


def _table(file: Path, lines: list[str], first: int) -> Array:
    rows = []
    for i in range(first, len(lines)):
        if not lines[i].strip():
            continue
        try:
            rows.append(_numbers(lines[i], 7))
        except ValueError:
            raise _fault(file, i, lines[i]) from None
    table = np.array(rows)
    if len(rows) < 4 or not np.isfinite(table).all():
        raise SimulationError(
            f"the table has {len(rows)} rows, or numbers that are not finite",
            where=str(file),
            do="run FEFF again: the file breaks off",
        )
    return table
