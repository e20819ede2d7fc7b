"""EXAFS of many snapshots from one set of potentials and tables of path amplitudes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shortrange.atoms import edge_energy
from shortrange.errors import DataError, SimulationError
from shortrange.quantities import step
from shortrange.simulate.cache import content_key
from shortrange.simulate.exafs.check import check_absorber
from shortrange.simulate.exafs.envelopes import chi_from_envelopes
from shortrange.simulate.exafs.layout import Tables, make_tables
from shortrange.simulate.exafs.piece import BOND_SPREAD, BOND_STEP, Job, Totals, shapes_of
from shortrange.simulate.exafs.potentials import PotentialChoice, choose_potentials
from shortrange.simulate.exafs.representative import representative
from shortrange.simulate.exafs.result import EnsembleExafs, spectra
from shortrange.simulate.exafs.sampling import convergence, sampling_error
from shortrange.simulate.exafs.survey import Source, Survey, survey, take_pieces
from shortrange.simulate.exafs.tables import K_GRID
from shortrange.simulate.feff import Potentials
from shortrange.simulate.pieces import PieceStore, Workers, run_pieces

__all__ = ["ensemble_exafs", "potentials_for"]

Array = NDArray[Any]


def potentials_for(
    trajectory: Source,
    *,
    absorber: str,
    edge: str,
    r_max: float = 6.0,
    scf_radius: float | None = None,
    n_potentials: int | None = None,
) -> Potentials:
    """Potentials and phase shifts that stand for all absorbers, to be shared by several ensembles.

    Parameters
    ----------
    trajectory, absorber, edge, r_max, scf_radius, n_potentials
        As for `ensemble_exafs`.

    Raises
    ------
    SimulationError
        As `ensemble_exafs`.
    """
    seen = survey(trajectory, absorber=absorber, r_max=r_max)
    edge_energy(absorber, edge)
    return choose_potentials(
        seen, edge=edge, r_max=r_max, scf_radius=scf_radius, number=n_potentials
    ).potentials


def ensemble_exafs(
    trajectory: Source,
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
    n_potentials: int | None = None,
    scf_radius: float | None = None,
    atoms: Sequence[int] | None = None,
    check: bool = True,
    workers: int | Workers | None = None,
) -> EnsembleExafs:
    r"""Mean EXAFS of all absorbers in all frames.

    .. math:: \chi(k) = \sum_\mathrm{paths} \mathrm{Im}\,\frac{G(k)}{\prod r_i}\,e^{2ip(k)R}

    with G and the complex momentum p from FEFF8L (S02 = 1; intrinsic losses, mean free path and curved waves
    included). Phase shifts are the mean of those of several absorbers; G is tabulated over path shapes.

    Parameters
    ----------
    trajectory
        Snapshots; a crystal or a molecule is one frame. A file (`shortrange.load.open_frames`) is read three
        times, piece by piece, and need not fit into memory.
    absorber, edge
        For example ``"Ta"``, ``"L3"``.
    r_max
        Longest single-scattering half path length, angstrom.
    k
        Wavenumbers, 1/angstrom, from 0 to 20; default 0 to 16 in steps of 0.05.
    stretches
        Distance scales less one at which spectra are summed; 0 is added if it is not there. ``()`` is
        fastest, where no stretch will be fitted.
    multiple_scattering
        Add the paths 0-1-2-0, 0-1-0-1-0, 0-1-0-2-0 (through the absorber) and 0-1-2-1-0.
    r_max_ms
        Longest half length of those, angstrom; default (and at most) ``r_max``.
    bond_max
        Neighbours nearer than this (angstrom) are bonds in `ExafsModel.bond_spread`.
    potentials
        From `potentials_for`; default made from this trajectory.
    n_potentials
        Clusters whose phase shifts are averaged; default as many as `choose_potentials` finds necessary.
    scf_radius
        Self-consistency radius, angstrom; default none (it acts mainly as a shift of E0).
    atoms
        Indices (from 0) of the absorbers in a frame; default all atoms of the element.
    check
        Compare the representative absorber with a full FEFF calculation.
    workers
        Threads, and FEFF processes at a time; default one for each processor. Or `Workers`: a cluster,
        progress, resumable. The result does not depend on it.

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
    who = workers if isinstance(workers, Workers) else Workers(number=workers)
    seen = survey(trajectory, absorber=absorber, r_max=r_max, atoms=atoms)
    edge_energy(absorber, edge)
    choice = _chosen(seen, potentials, absorber, edge, r_max, scf_radius, n_potentials, who.number)
    job = Job(choice.potentials, seen.centres, r_max, ms, scales, k_out, bond_max, seen.where)
    tables = _tables(trajectory, seen, job, who)
    totals, origin = _totals(trajectory, seen, job, tables, who)
    error, bounds = None, dict[str, float]()
    if check:
        error, bounds = check_absorber(choice.cluster, choice.potentials, tables, r_max=r_max, r_max_ms=ms)
    n = seen.n_frames * seen.centres.size
    n_paths = int(totals["paths"])
    history = (
        *trajectory.history,
        step("take potentials and phases from FEFF", **choice.potentials.settings, chosen=choice.record()),
        step(
            "sum EXAFS paths over absorbers", absorber=absorber, edge=edge, r_max=r_max, r_max_ms=ms,
            stretches=[float(x) for x in scales - 1.0], absorbers=n, frames=seen.n_frames, paths=n_paths,
            shapes=dict(tables.counts), method_error=error, bounds=bounds,
        ),
    )  # fmt: skip
    envelopes = {name: totals["parts"][i] / n for i, name in enumerate(tables.labels)}
    by_stretch, contributions = spectra(envelopes, scales - 1.0, k_out)
    scatter = totals.scatter
    covariance, effect = sampling_error(scatter, k_out)
    bonds, lengths = _bonds(totals, tables, n)
    frame_chi = scatter.frames / seen.centres.size + origin
    return EnsembleExafs(
        k=k_out, chi=by_stretch[int(np.argmin(np.abs(scales - 1.0)))].copy(), stretches=scales - 1.0,
        chi_by_stretch=by_stretch, frame_chi=frame_chi, absorber_chi=scatter.atoms / seen.n_frames + origin,
        standard_error=None if covariance is None else np.sqrt(np.clip(np.diag(covariance), 0.0, None)),
        covariance=covariance, design_effect=effect, convergence=convergence(frame_chi, k_out),
        contributions=contributions, absorber=absorber, edge=edge, n_absorbers=n, n_frames=seen.n_frames,
        n_paths=n_paths, mu=tables.mu, potentials=choice.record(), method_error=error, bounds=bounds,
        envelopes=envelopes, bonds=bonds, bond_lengths=lengths, bond_steps=(BOND_STEP, *BOND_SPREAD),
        label=seen.sample.label, source=seen.sample.source, history=history,
    )  # fmt: skip


def _chosen(
    seen: Survey, potentials: Potentials | None, absorber: str, edge: str, r_max: float,
    scf_radius: float | None, number: int | None, workers: int | None,
) -> PotentialChoice:  # fmt: skip
    if potentials is None:
        return choose_potentials(
            seen, edge=edge, r_max=r_max, scf_radius=scf_radius, number=number, workers=workers
        )
    if (potentials.absorber, potentials.edge) != (absorber, edge):
        raise SimulationError(
            f"the potentials are for {potentials.absorber} {potentials.edge}, not for {absorber} {edge}",
            where=seen.where, do="make them with potentials_for",
        )  # fmt: skip
    frames = np.repeat(np.arange(seen.sample.n_frames), seen.centres.size)
    cluster, chosen = representative(seen.sample, seen.near, frames, seen.centres, r_max)
    radius = float(chosen["radius"])
    return PotentialChoice(potentials, cluster, 1, None, None, (), "as given", radius)


def _tables(trajectory: Source, seen: Survey, job: Job, workers: Workers) -> Tables:
    """Tables of all shapes that occur in any frame."""
    here = Workers(number=workers.number, tell=workers.tell)
    pieces = take_pieces(trajectory, seen.piece)
    found = run_pieces(job.shapes, pieces, what="list path shapes", workers=here, total=seen.n_frames)
    shapes = reduce(lambda a, b: a | b, (shapes_of(each) for _, each in found))
    return make_tables(
        job.potentials, shapes, r_max=job.r_max, r_max_ms=job.r_max_ms, scales=job.scales,
        workers=workers.number,
    )  # fmt: skip


def _totals(
    trajectory: Source, seen: Survey, job: Job, tables: Tables, workers: Workers
) -> tuple[Totals, Array]:
    """Sum over all frames; also return the spectrum that was subtracted before squares were summed."""
    first = next(iter(take_pieces(trajectory, 1)))
    alone = job.around(first)
    origin = chi_from_envelopes(job.sums(tables, alone, scales=np.ones(1)).each[0], job.k)
    store = None
    if workers.keep:
        ranges = f"{job.r_max!r} {job.r_max_ms!r} {job.bond_max!r}"
        settings = f"{ranges} {job.scales.tolist()} {job.k.tolist()} waves, 4 of bonds"
        store = PieceStore(content_key("exafs", job.potentials.key, settings, seen.where, origin.tobytes()))
    work = partial(job.spectra, tables=tables, origin=origin)
    totals = Totals()
    pieces = take_pieces(trajectory, seen.piece)
    for _, found in run_pieces(
        work, pieces, what="sum paths", workers=workers, store=store, total=seen.n_frames
    ):
        totals.add(found)
    workers.done(store)
    return totals, origin


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


def _bonds(totals: Totals, tables: Tables, n: int) -> tuple[dict[str, Array], dict[str, float]]:
    """Single scattering of neighbours nearer than ``bond_max``, displaced and spread; mean lengths."""
    number, length = totals["bonded"]
    labels = {int(tables.radial_label["single"][kind]): kind for kind in np.flatnonzero(number)}
    return (
        {tables.labels[i]: totals["bonds"][i] / n for i in labels},
        {tables.labels[i]: float(length[kind] / number[kind]) for i, kind in labels.items()},
    )
