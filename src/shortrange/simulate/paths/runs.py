"""Paths from our own FEFF8L runs, as feffNNNN.dat would hold them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError
from shortrange.quantities import Trajectory
from shortrange.simulate.feff import Cluster, feff_input, feff_potentials
from shortrange.simulate.feff_pad import FeffPad, read_feff_pad
from shortrange.simulate.feff_paths import FeffPath, calculate_paths
from shortrange.simulate.feff_programs import run_program
from shortrange.simulate.neighbours import find_neighbours
from shortrange.simulate.paths.path import ScatteringPath

__all__ = ["path_of_geometry", "paths_of_cluster", "paths_of_structure"]

Array = NDArray[Any]


def paths_of_structure(
    structure: Trajectory, *, absorber: str, edge: str, r_max: float = 5.0, n_legs: int = 4, site: int = 0,
    radius: float | None = None,
) -> tuple[ScatteringPath, ...]:  # fmt: skip
    """Paths around one atom of a crystal or a molecule, shortest first, equal ones together.

    Parameters
    ----------
    structure
        Its first frame is used.
    absorber, edge
        For example ``"Cu"``, ``"K"``.
    r_max
        Longest half path length, angstrom.
    n_legs
        Most legs of a path.
    site
        Which of the absorber's atoms.
    radius
        Of the cluster that makes the potentials, angstrom; default ``r_max``.

    Raises
    ------
    SimulationError
        If there is no such atom, or FEFF fails.
    """
    centres = np.flatnonzero(np.array(structure.species) == absorber)
    if not 0 <= site < centres.size:
        raise SimulationError(
            f"there is no atom {site} of {absorber}: the structure has {centres.size}",
            where=structure.source or structure.label,
            do="count from 0, or name another absorber",
        )
    cells = None if structure.cells is None else structure.cells[:1]
    reach = max(r_max, radius or 0.0) + 1e-3
    near = find_neighbours(structure.positions[:1], cells, centres=centres[site : site + 1], r_max=reach)
    species = tuple(structure.species[i] for i in near.atoms)
    return paths_of_cluster(Cluster(absorber, species, near.vectors), edge=edge, r_max=r_max, n_legs=n_legs)


def paths_of_cluster(
    cluster: Cluster, *, edge: str, r_max: float, n_legs: int = 4, timeout: float = 600.0
) -> tuple[ScatteringPath, ...]:
    """Paths around the absorber of a cluster; see `paths_of_structure`.

    Parameters
    ----------
    cluster, edge
        As for `shortrange.simulate.feff.feff_potentials`.
    r_max, n_legs
        Longest half path length, angstrom, and most legs.
    timeout
        Longest time that each of FEFF's programs may take, s.

    Raises
    ------
    SimulationError
        If FEFF is missing or fails, or the cluster cannot be.
    """
    with tempfile.TemporaryDirectory(prefix="shortrange-feff-") as name:
        folder = Path(name)
        (folder / "feff.inp").write_text(
            feff_input(cluster, edge=edge, r_path=r_max, n_legs=n_legs), encoding="utf-8"
        )
        for module in ("rdinp", "pot", "xsph", "pathfinder", "genfmt"):
            run_program(module, folder=folder, timeout=timeout)
        pad = read_feff_pad(folder / "feff.pad")
        listed = _read_paths_dat((folder / "paths.dat").read_text("latin-1"))
        rnorman = _norman_radius(folder / "feff.pad")
    if len(listed) != len(pad.cchi):
        raise SimulationError(
            f"FEFF lists {len(listed)} paths and calculated {len(pad.cchi)}",
            where=f"FEFF8L around {cluster.absorber}",
            do="report this",
        )
    kinds = (cluster.absorber, *cluster.kinds)
    made = [
        _from_pad(pad, i, [kinds[ipot] for ipot in ipots], positions, rnorman)
        for i, (ipots, positions) in enumerate(listed)
    ]
    return tuple(sorted(made, key=lambda path: path.reff))


def path_of_geometry(
    cluster: Cluster, *, edge: str, symbols: Sequence[str], positions: Array, degeneracy: float = 1.0
) -> ScatteringPath:
    """One path over given atoms, with the potentials of a cluster (from the cache, if made before).

    Parameters
    ----------
    cluster, edge
        Whose potentials and phases.
    symbols, positions
        Elements and positions of the absorber, at the origin, and of the atoms on the way, angstrom.
    degeneracy
        Number of such paths.

    Raises
    ------
    SimulationError
        If the cluster has no potential for an element, or FEFF fails.
    """
    potentials = feff_potentials(cluster, edge=edge)
    kinds = [cluster.absorber, *cluster.kinds]
    foreign = sorted(set(symbols[1:]) - set(kinds))
    if foreign:
        raise SimulationError(
            f"the cluster has no {', '.join(foreign)}", where="path", do="name a path over its elements"
        )
    # The absorber's own potential, 0, has a core hole: a neighbour of the same element has another.
    ipots = tuple(kinds.index(s, 1) if s in cluster.kinds else 0 for s in symbols[1:])
    places = tuple((float(x), float(y), float(z)) for x, y, z in positions[1:])
    pad = calculate_paths(potentials, [FeffPath(ipots, places)])
    made = _from_pad(pad, 0, list(symbols), positions, 0.0)
    return replace(made, degeneracy=degeneracy)


def _from_pad(
    pad: FeffPad, index: int, symbols: list[str], positions: Array, rnorman: float
) -> ScatteringPath:
    """Take 1 / (k R^2) and the mean free path out of chi(k): what is left is in feffNNNN.dat."""
    reff = float(pad.half_length[index])
    k = np.maximum(pad.k, 1e-3)
    bare = pad.cchi[index] * k * reff**2 * np.exp(2 * reff * pad.p.imag)
    return ScatteringPath(
        label=f"{'-'.join(symbols)} {reff:.3f}", k=pad.k, amplitude=np.abs(bare),
        phase=np.unwrap(np.angle(bare)), p=pad.p, reff=reff, degeneracy=float(pad.degeneracy[index]),
        symbols=tuple(symbols), positions=positions, rnorman=rnorman, source="FEFF8L",
    )  # fmt: skip


def _read_paths_dat(text: str) -> list[tuple[list[int], Array]]:
    """Potentials and positions of each path, the absorber first."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.strip().startswith("-----")) + 1
    found = []
    while start < len(lines) and lines[start].strip():
        legs = int(lines[start].split()[1])
        rows = [line.split() for line in lines[start + 2 : start + 2 + legs]]
        ipots = [int(row[3]) for row in rows]
        places = np.array([[float(x) for x in row[:3]] for row in rows])
        # FEFF names the absorber last.
        found.append((ipots[-1:] + ipots[:-1], np.roll(places, 1, axis=0)))
        start += 2 + legs
    return found


def _norman_radius(pad: Path) -> float:
    """Mean Norman radius, bohr, from the head of feff.pad."""
    return float(pad.read_bytes().splitlines()[2].split()[4])
