"""EXAFS of many snapshots from one set of potentials and tables of path amplitudes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shortrange.atoms import edge_energy
from shortrange.errors import DataError, SimulationError, did_you_mean
from shortrange.quantities import Trajectory, step
from shortrange.simulate.exafs.check import method_error
from shortrange.simulate.exafs.envelopes import chi_from_envelopes
from shortrange.simulate.exafs.layout import Surroundings, Tables, make_tables
from shortrange.simulate.exafs.representative import representative
from shortrange.simulate.exafs.result import EnsembleExafs, spectra
from shortrange.simulate.exafs.sampling import sampling_error
from shortrange.simulate.exafs.sums import sum_paths
from shortrange.simulate.exafs.tables import K_GRID
from shortrange.simulate.feff import SHORTEST_DISTANCE, Cluster, Potentials, feff_potentials
from shortrange.simulate.neighbours import Neighbours, find_neighbours

__all__ = ["ensemble_exafs", "potentials_for"]

Array = NDArray[Any]

BOND_STEP = 0.01  # angstrom, of the finite differences with bond length


def potentials_for(
    trajectory: Trajectory, *, absorber: str, edge: str, r_max: float = 6.0, scf_radius: float | None = None
) -> Potentials:
    """Potentials and phase shifts of the absorber nearest the mean, to be shared by several ensembles.

    Raises
    ------
    SimulationError
        As `ensemble_exafs`.
    """
    centres, near = _neighbours(trajectory, absorber, r_max)
    cluster, _ = _representative(trajectory, near, centres, r_max)
    return feff_potentials(cluster, edge=edge, scf_radius=scf_radius)


def ensemble_exafs(
    trajectory: Trajectory,
    *,
    absorber: str,
    edge: str,
    r_max: float = 6.0,
    k: ArrayLike | None = None,
    stretches: Sequence[float] = (-0.03, -0.015, 0.0, 0.015, 0.03),
    multiple_scattering: bool = True,
    r_max_ms: float | None = None,
    bond_max: float = 3.2,
    potentials: Potentials | None = None,
    scf_radius: float | None = None,
    check: bool = True,
    workers: int | None = None,
) -> EnsembleExafs:
    r"""Mean EXAFS of all absorbers in all frames.

    .. math:: \chi(k) = \sum_\mathrm{paths} \mathrm{Im}\,\frac{G(k)}{\prod r_i}\,e^{2ip(k)R}

    with G and the complex momentum p from FEFF8L (S02 = 1; intrinsic losses, mean free path and curved waves
    included). Potentials are those of one representative absorber; G is tabulated over path shapes.

    Parameters
    ----------
    trajectory
        Snapshots; a crystal or a molecule is one frame.
    absorber, edge
        For example ``"Ta"``, ``"L3"``.
    r_max
        Longest single-scattering half path length, angstrom.
    k
        Wavenumbers, 1/angstrom, from 0 to 20; default 0 to 16 in steps of 0.05.
    stretches
        Distance scales less one at which spectra are summed; 0 is added if it is not there.
    multiple_scattering
        Add the paths 0-1-2-0, 0-1-0-1-0, 0-1-0-2-0 (through the absorber) and 0-1-2-1-0.
    r_max_ms
        Longest half length of those, angstrom; default (and at most) ``r_max``.
    bond_max
        Neighbours nearer than this (angstrom) are bonds in `ExafsModel.bond_derivatives`.
    potentials
        From `potentials_for`; default made from this trajectory.
    scf_radius
        Self-consistency radius, angstrom; default none (it acts mainly as a shift of E0).
    check
        Compare the representative absorber with a full FEFF calculation.
    workers
        Threads, and FEFF processes at a time; default one for each processor.

    Raises
    ------
    SimulationError
        If the absorber is not there or alone, atoms overlap, FEFF fails, or the potentials lack an element.
    DataError
        If the element has no such edge, or ``k`` or ``stretches`` are out of range.
    """
    k_out = _checked_k(k)
    scales = _checked_scales(stretches)
    ms = (r_max if r_max_ms is None else min(r_max_ms, r_max)) if multiple_scattering else 0.0
    centres, near = _neighbours(trajectory, absorber, r_max)
    edge_energy(absorber, edge)
    cluster, choice = _representative(trajectory, near, centres, r_max)
    if potentials is None:
        potentials = feff_potentials(cluster, edge=edge, scf_radius=scf_radius)
    around = _surroundings(near, trajectory, potentials, absorber, edge)
    n_kinds = len(potentials.kinds)
    tables = make_tables(potentials, around, r_max=r_max, r_max_ms=ms, scales=scales, workers=workers)
    sums = sum_paths(
        tables, around, n_kinds=n_kinds, r_max=r_max, r_max_ms=ms, scales=scales, workers=workers
    )
    error = method_error(cluster, potentials, tables, r_max=r_max, r_max_ms=ms) if check else None
    history = (
        *trajectory.history,
        step("take potentials and phases from FEFF", **potentials.settings, representative=choice),
        step(
            "sum EXAFS paths over absorbers", absorber=absorber, edge=edge, r_max=r_max, r_max_ms=ms,
            stretches=[float(x) for x in scales - 1.0], absorbers=len(near.offsets) - 1,
            frames=trajectory.n_frames, paths=sums.n_paths, shapes=dict(tables.counts), method_error=error,
        ),
    )  # fmt: skip
    n = near.offsets.size - 1
    envelopes = {name: sums.parts[i] / n for i, name in enumerate(tables.labels)}
    by_stretch, contributions = spectra(envelopes, scales - 1.0, k_out)
    each = chi_from_envelopes(sums.each, k_out).reshape(trajectory.n_frames, centres.size, k_out.size)
    covariance, effect = sampling_error(each, k_out)
    return EnsembleExafs(
        k=k_out, chi=by_stretch[int(np.argmin(np.abs(scales - 1.0)))].copy(), stretches=scales - 1.0,
        chi_by_stretch=by_stretch, frame_chi=each.mean(axis=1),
        standard_error=None if covariance is None else np.sqrt(np.diag(covariance)), covariance=covariance,
        design_effect=effect, contributions=contributions, absorber=absorber, edge=edge, n_absorbers=n,
        n_frames=trajectory.n_frames, n_paths=sums.n_paths, mu=tables.mu, method_error=error,
        dropped=_dropped(r_max, ms), envelopes=envelopes,
        bonds=_bonds(tables, around, potentials, bond_max, workers), bond_step=BOND_STEP,
        label=trajectory.label, source=trajectory.source, history=history,
    )  # fmt: skip


def _checked_k(k: ArrayLike | None) -> Array:
    values = np.arange(0.0, 16.0 + 1e-9, 0.05) if k is None else np.array(k, dtype=float)
    if values.ndim != 1 or values.size < 2 or not (np.diff(values) > 0).all():
        raise DataError(
            "k is not a rising series of numbers", where="k", do="give, say, np.arange(0, 16, 0.05)"
        )
    if values[0] < 0 or values[-1] > K_GRID[-1]:
        raise DataError(
            f"k runs from {values[0]:g} to {values[-1]:g} 1/angstrom",
            where="k",
            do=f"stay within 0 to {K_GRID[-1]:g}",
        )
    return values


def _checked_scales(stretches: Sequence[float]) -> Array:
    values = np.array(sorted({0.0, *(float(x) for x in stretches)}))
    if not (np.abs(values) <= 0.1).all():
        raise DataError(
            f"stretches reach from {values[0]:g} to {values[-1]:g}",
            where="stretches",
            do="stay within -0.1 to 0.1: they are distance scales less one",
        )
    return 1.0 + values


def _neighbours(trajectory: Trajectory, absorber: str, r_max: float) -> tuple[Array, Neighbours]:
    where = trajectory.source or trajectory.label or "trajectory"
    if absorber not in trajectory.composition:
        raise SimulationError(
            f"there is no {absorber} among the atoms ({', '.join(trajectory.composition)})",
            where=where,
            do=did_you_mean(absorber.capitalize(), trajectory.composition),
        )
    if not 1.5 <= r_max <= 12.0:
        raise SimulationError(
            f"r_max = {r_max:g} angstrom", where="r_max", do="give a length between 1.5 and 12"
        )
    centres = np.flatnonzero(np.array(trajectory.species) == absorber)
    near = find_neighbours(trajectory.positions, trajectory.cells, centres=centres, r_max=r_max)
    alone = np.flatnonzero(np.diff(near.offsets) == 0)
    if alone.size:
        raise SimulationError(
            f"atom {centres[alone[0] % centres.size]} ({absorber}) has no neighbour within {r_max:g} angstrom"
            f" in frame {alone[0] // centres.size}",
            where=where,
            do="give a larger r_max, or repair the frame",
        )
    closest = int(np.argmin(near.distances))
    if near.distances[closest] < SHORTEST_DISTANCE:
        centre = int(np.searchsorted(near.offsets, closest, side="right")) - 1
        raise SimulationError(
            f"atoms {centres[centre % centres.size]} and {near.atoms[closest]} are only"
            f" {near.distances[closest]:.3f} angstrom apart in frame {centre // centres.size}",
            where=where,
            do="drop the frame, or repair the structure (doubled atoms? wrong cell?)",
        )
    return centres, near


def _representative(
    trajectory: Trajectory, near: Neighbours, centres: Array, r_max: float
) -> tuple[Cluster, dict[str, Any]]:
    frames = np.repeat(np.arange(trajectory.n_frames), centres.size)
    return representative(trajectory, near, frames, centres, r_max)


def _surroundings(
    near: Neighbours, trajectory: Trajectory, potentials: Potentials, absorber: str, edge: str
) -> Surroundings:
    """Neighbours with FEFF's potential numbers less one."""
    lacking = {trajectory.species[i] for i in np.unique(near.atoms)} - set(potentials.kinds)
    if (potentials.absorber, potentials.edge) != (absorber, edge) or lacking:
        raise SimulationError(
            f"the potentials are for {potentials.absorber} {potentials.edge} among"
            f" {', '.join(potentials.kinds)}, not for {absorber} {edge} among"
            f" {', '.join(sorted(lacking) or potentials.kinds)}",
            where=trajectory.source or trajectory.label or "trajectory",
            do="make them with potentials_for from snapshots that have all these elements",
        )
    numbers = np.array(
        [potentials.kinds.index(s) if s in potentials.kinds else -1 for s in trajectory.species]
    )
    return Surroundings(near.offsets, numbers[near.atoms], near.vectors, near.distances)


def _bonds(
    tables: Tables, around: Surroundings, potentials: Potentials, bond_max: float, workers: int | None
) -> dict[str, Array]:
    """Single scattering of neighbours nearer than ``bond_max``, displaced by (-1, 0, 1) steps."""
    n = around.offsets.size - 1
    shifted = [
        sum_paths(
            tables, around, n_kinds=len(potentials.kinds), r_max=bond_max, r_max_ms=0.0, scales=np.ones(1),
            shift=x * BOND_STEP, workers=workers,
        ).parts[:, :, 0]
        for x in (-1.0, 0.0, 1.0)
    ]  # fmt: skip
    parts = np.stack(shifted, axis=2) / n
    present = np.unique(around.kinds[around.distances <= bond_max])
    return {
        tables.labels[i]: parts[i] for i in (int(tables.radial_label["single"][kind]) for kind in present)
    }


def _dropped(r_max: float, r_max_ms: float) -> dict[str, Any]:
    if r_max_ms <= 0:
        return {"multiple scattering": "all"}
    return {
        "paths over three neighbours (0-1-2-3-0)": "all; 0.3 % of the rms of k^2 chi in a chloride glass",
        "paths of more than 4 legs": "all",
        "multiple scattering beyond (angstrom)": r_max_ms,
        "single scattering beyond (angstrom)": r_max,
    }
