"""Absorption: from scans to chi(k), and every model's EXAFS beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shortrange.compare.theory_error import EXAFS_THEORY_ERROR
from shortrange.config import XasMeasurement
from shortrange.errors import DataError
from shortrange.fit.exafs_term import EXAFS_PARAMETERS, compared_chi, exafs_term
from shortrange.fit.parameters import Parameter, changed
from shortrange.fit.term import Term, require_points
from shortrange.quantities import ChiK, Scan, Trajectory
from shortrange.reduce.xas import XasReduction, reduce_xas
from shortrange.run.comparison import Comparison, counted_longer
from shortrange.run.motifs import compare_motif
from shortrange.simulate.exafs import EnsembleExafs, ensemble_exafs, potentials_for
from shortrange.simulate.exafs.motif import MotifExafs
from shortrange.simulate.feff import Potentials
from shortrange.simulate.motifs import MotifHypothesis
from shortrange.simulate.pieces import Workers

__all__ = ["SimulatedExafs", "compare_exafs", "reduce_scans", "simulate_exafs"]

R_MAX = 5.5
"""Longest half path length that is simulated, angstrom: what is compared ends half an angstrom earlier."""

R_BEYOND = 1.6
"""By how much paths exceed the end of compared distances that end early, angstrom. A cut in a strong shell
leaves ripples far from it: 1.1 left 5 % of chi(R) of the shipped models, 1.6 leaves 2 % or less."""

FURTHER, K_END = 2.5, 16.0
"""By how much a longer k-range is considered, and how far it may go, 1/angstrom."""

R_RANGE = (1.2, 4.4)
"""Compared distances without phase correction, angstrom: above the background spline, and up to half path
lengths of 5 angstrom, less a phase shift of about 0.4 and the width of a peak."""


def longest_path(measurement: XasMeasurement) -> float:
    """Longest half path length that the compared distances need, angstrom; `R_MAX` at most."""
    return min(R_MAX, (measurement.r_range or R_RANGE)[1] + R_BEYOND)


def beyond_paths(r_range: tuple[float, float]) -> list[str]:
    """Say if distances are compared at which the models lack paths, since none is longer than `R_MAX`."""
    if r_range[1] <= R_RANGE[1] + 1e-9:
        return []
    return [
        f"r_range ends at {r_range[1]:g} angstrom, but models are simulated with half path lengths up to "
        f"{R_MAX:g} only: beyond {R_RANGE[1]:g} they lack part of what was measured; end r_range there"
    ]


def reduce_scans(measurement: XasMeasurement, scans: tuple[Scan, ...]) -> XasReduction:
    """Reduce the scans of one measurement to chi(k).

    Raises
    ------
    DataError
        If no scan can be used, they end before EXAFS begins, or what is compared holds too few points.
    """
    reduction = reduce_xas(
        scans,
        element=measurement.element,
        edge=measurement.edge,
        mode=measurement.mode,
        k_range=measurement.k_range,
    )
    if reduction.chi is None or reduction.k_range is None:
        raise DataError(
            "the scans end before EXAFS begins, so models cannot be compared with them",
            where=f"measurement {measurement.name!r}",
            do="measure to at least 100 eV above the edge, or leave this measurement out",
        )
    # Said here, before minutes of simulation.
    points = compared_chi(
        reduction.chi,
        measurement=measurement.name,
        k_range=reduction.k_range,
        r_range=measurement.r_range or R_RANGE,
        k_weight=measurement.k_weight,
    )
    require_points(
        points.modes.shape[1],
        len(EXAFS_PARAMETERS),
        measurement=measurement.name,
        ranges="k_range and r_range",
    )
    return reduction


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedExafs:
    """EXAFS of every model, before any data are looked at.

    Attributes
    ----------
    ensembles
        By model.
    potentials_of
        For each model, the name of the model that its potentials were made from.
    absorber_parts
        For each model, which part of its atoms absorbs.
    motifs
        Models that are motifs.
    """

    ensembles: Mapping[str, EnsembleExafs]
    potentials_of: Mapping[str, str]
    absorber_parts: Mapping[str, float]
    motifs: Mapping[str, MotifExafs] = field(default_factory=dict)


def simulate_exafs(
    measurement: XasMeasurement,
    models: Mapping[str, Trajectory],
    *,
    tell: Callable[[str], None],
    motifs: Mapping[str, MotifHypothesis] | None = None,
    workers: Workers | None = None,
) -> SimulatedExafs:
    """Simulate EXAFS of every model, with the same potentials as far as their elements allow."""
    tell(f"potentials of {measurement.name}")
    units, r_max = motifs or {}, longest_path(measurement)
    shared, whose = _shared_potentials(
        measurement, {n: m for n, m in models.items() if n not in units} or models
    )
    ensembles, potentials_of, tables = {}, {}, {}
    for name, snapshots in models.items():
        tell(f"simulate {measurement.name} of {name}")
        if name in units:
            covered = set(snapshots.species) <= {measurement.element, *shared.kinds}
            tables[name] = MotifExafs(
                units[name], absorber=measurement.element, edge=measurement.edge, r_max=r_max,
                potentials=shared if covered else None,
            )  # fmt: skip
            continue
        # The model that the potentials were made from makes them again, from the cache, and is checked
        # against a full FEFF calculation.
        own = name == whose or not set(snapshots.species) <= set(models[whose].species)
        ensembles[name] = ensemble_exafs(
            snapshots,
            absorber=measurement.element,
            edge=measurement.edge,
            r_max=r_max,
            potentials=None if own else shared,
            workers=workers,
        )
        potentials_of[name] = name if own else whose
    parts = {n: m.composition[measurement.element] / m.n_atoms for n, m in models.items()}
    return SimulatedExafs(
        ensembles=ensembles, potentials_of=potentials_of, absorber_parts=parts, motifs=tables
    )


def compare_exafs(
    measurement: XasMeasurement, reduction: XasReduction, simulated: SimulatedExafs
) -> Comparison:
    """State the comparison of chi(k) with the simulated EXAFS of every model."""
    if reduction.chi is None or reduction.k_range is None:
        raise DataError(
            "there is no chi(k)", where=f"measurement {measurement.name!r}", do="use reduce_scans"
        )
    r_range = measurement.r_range or R_RANGE
    terms: dict[str, Term] = {}
    warnings = beyond_paths(r_range)
    notes: dict[str, dict[str, Any]] = {}
    for name, ensemble in simulated.ensembles.items():
        terms[name] = exafs_term(
            reduction.chi,
            ensemble,
            measurement=measurement.name,
            k_range=reduction.k_range,
            r_range=r_range,
            k_weight=measurement.k_weight,
            parameters=_parameters(measurement, still=ensemble.n_frames == 1),
        )
        notes[name] = {
            "absorbers": ensemble.n_absorbers,
            "paths": ensemble.n_paths,
            "potentials": simulated.potentials_of[name],
            "method_error": ensemble.method_error,
        }
        if ensemble.covariance is None:
            warnings.append(f"{name}: one absorber only, so its sampling error is unknown and left out")
    for name, model in simulated.motifs.items():
        terms[name], notes[name], doubts = compare_motif(
            measurement, reduction.chi, model, k_range=reduction.k_range, r_range=r_range,
            s02=_parameters(measurement, still=True)[0],
        )  # fmt: skip
        warnings += [f"{name}: {text}" for text in doubts]
    settings = {
        "k_range": list(reduction.k_range),
        "r_range": list(r_range),
        "k_weight": measurement.k_weight,
        "independent_points": int(next(iter(terms.values())).modes.shape[1]),
        "simulation": notes,
    }
    return Comparison(
        terms=terms,
        theory_error=EXAFS_THEORY_ERROR,
        settings=settings,
        warnings=tuple(warnings),
        # Of motifs the metal atoms are shared out, not all atoms of bare units.
        strengths={n: 1.0 if n in simulated.motifs else a for n, a in simulated.absorber_parts.items()},
        variants=_variants(measurement, reduction.chi, reduction.k_range, simulated, terms),
    )


def _variants(
    measurement: XasMeasurement,
    chi: ChiK,
    k_range: tuple[float, float],
    simulated: SimulatedExafs,
    terms: Mapping[str, Term],
) -> dict[str, Callable[[], Mapping[str, Term]]]:
    """Return the same measurement as it is, counted longer, and to a higher k."""
    name = measurement.name
    variants: dict[str, Callable[[], Mapping[str, Term]]] = {
        f"{name} as it is": lambda: terms,
        f"{name} with four times the counting time": lambda: counted_longer(terms, 4.0),
    }
    end = min(k_range[1] + FURTHER, K_END)
    if end > k_range[1] + 0.5:
        variants[f"{name} with k up to {end:g} 1/angstrom"] = lambda: _further(
            measurement, chi, (k_range[0], end), simulated
        )
    return variants


def _further(
    measurement: XasMeasurement, chi: ChiK, k_range: tuple[float, float], simulated: SimulatedExafs
) -> dict[str, Term]:
    """Terms up to a higher k, with the noise of the last quarter of chi(k) going on."""
    covariance = chi.covariance()
    assert covariance is not None  # terms were made of it
    variance = np.diag(covariance)
    late = chi.k > chi.k[0] + 0.75 * (chi.k[-1] - chi.k[0])
    k = np.arange(k_range[0], k_range[1] + 1e-9, 0.05)
    sigma = np.sqrt(np.where(k <= chi.k[-1], np.interp(k, chi.k, variance), np.median(variance[late])))
    data = ChiK(k=k, chi=np.interp(k, chi.k, chi.chi), sigma=sigma)
    return {
        name: exafs_term(
            data,
            ensemble,
            measurement=measurement.name,
            k_range=k_range,
            r_range=measurement.r_range or R_RANGE,
            k_weight=measurement.k_weight,
            parameters=_parameters(measurement, still=ensemble.n_frames == 1),
        )
        for name, ensemble in simulated.ensembles.items()
    }


def _shared_potentials(
    measurement: XasMeasurement, models: Mapping[str, Trajectory]
) -> tuple[Potentials, str]:
    """Potentials for all models whose elements they cover, and the name of the model that they are made from.

    One set of phase shifts for all models keeps the errors of FEFF out of their comparison.
    """
    whose = max(models, key=lambda name: len(set(models[name].species)))
    made = potentials_for(
        models[whose], absorber=measurement.element, edge=measurement.edge, r_max=longest_path(measurement)
    )
    return made, whose


def _parameters(measurement: XasMeasurement, *, still: bool) -> tuple[Parameter, ...]:
    parameters: tuple[Parameter, ...] = EXAFS_PARAMETERS
    if measurement.mode == "fluorescence":
        # Over-absorption in a concentrated sample lowers the amplitude by an amount that is not known here.
        parameters = changed(parameters, "S02", value=0.75, lower=0.2, prior=(0.75, 0.2))
    if measurement.s02 is not None:
        parameters = changed(parameters, "S02", value=measurement.s02[0], lower=0.2, prior=measurement.s02)
    if still:
        # A crystal or a molecule at rest lacks the thermal motion that snapshots have.
        parameters = changed(
            parameters, "delta_sigma2", value=0.006, lower=0.0, upper=0.04, prior=(0.006, 0.006)
        )
    return parameters
