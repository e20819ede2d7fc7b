"""Absorption: from scans to chi(k), and every model's EXAFS beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shortrange.compare.theory_error import EXAFS_THEORY_ERROR
from shortrange.config import XasMeasurement
from shortrange.errors import DataError
from shortrange.fit.exafs_term import EXAFS_PARAMETERS, exafs_term
from shortrange.fit.parameters import Parameter, changed
from shortrange.quantities import Scan, Trajectory
from shortrange.reduce.xas import XasReduction, reduce_xas
from shortrange.run.comparison import Comparison
from shortrange.simulate.exafs import ensemble_exafs, potentials_for
from shortrange.simulate.feff import Potentials

__all__ = ["compare_exafs", "reduce_scans"]

R_MAX = 5.5
"""Longest half path length that is simulated, angstrom: what is compared ends half an angstrom earlier."""

R_RANGE = (1.2, 4.4)
"""Compared distances without phase correction, angstrom: above the background spline, and up to half path
lengths of 5 angstrom, less a phase shift of about 0.4 and the width of a peak."""


def reduce_scans(measurement: XasMeasurement, scans: tuple[Scan, ...]) -> XasReduction:
    """Reduce the scans of one measurement to chi(k).

    Raises
    ------
    DataError
        If no scan can be used, or they end before EXAFS begins.
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
    return reduction


def compare_exafs(
    measurement: XasMeasurement,
    reduction: XasReduction,
    models: Mapping[str, Trajectory],
    *,
    tell: Callable[[str], None],
) -> Comparison:
    """Simulate EXAFS of every model and state its comparison with the data."""
    if reduction.chi is None or reduction.k_range is None:
        raise DataError(
            "there is no chi(k)", where=f"measurement {measurement.name!r}", do="use reduce_scans"
        )
    r_range = measurement.r_range or R_RANGE
    terms, warnings, simulated = {}, [], {}
    tell(f"potentials of {measurement.name}")
    shared, whose = _shared_potentials(measurement, models)
    for name, snapshots in models.items():
        tell(f"simulate {measurement.name} of {name}")
        # The model that the potentials were made from makes them again, from the cache, and is checked
        # against a full FEFF calculation.
        own = name == whose or not set(snapshots.species) <= set(models[whose].species)
        ensemble = ensemble_exafs(
            snapshots,
            absorber=measurement.element,
            edge=measurement.edge,
            r_max=R_MAX,
            potentials=None if own else shared,
        )
        terms[name] = exafs_term(
            reduction.chi,
            ensemble,
            measurement=measurement.name,
            k_range=reduction.k_range,
            r_range=r_range,
            k_weight=measurement.k_weight,
            parameters=_parameters(measurement, snapshots),
        )
        simulated[name] = {
            "absorbers": ensemble.n_absorbers,
            "paths": ensemble.n_paths,
            "potentials": name if own else whose,
            "method_error": ensemble.method_error,
        }
        if ensemble.covariance is None:
            warnings.append(f"{name}: one absorber only, so its sampling error is unknown and left out")
    settings = {
        "k_range": list(reduction.k_range),
        "r_range": list(r_range),
        "k_weight": measurement.k_weight,
        "independent_points": int(next(iter(terms.values())).modes.shape[1]),
        "simulation": simulated,
    }
    return Comparison(
        terms=terms, theory_error=EXAFS_THEORY_ERROR, settings=settings, warnings=tuple(warnings)
    )


def _shared_potentials(
    measurement: XasMeasurement, models: Mapping[str, Trajectory]
) -> tuple[Potentials, str]:
    """Potentials for all models whose elements they cover, and the name of the model that they are made from.

    One set of phase shifts for all models keeps the errors of FEFF out of their comparison.
    """
    whose = max(models, key=lambda name: len(set(models[name].species)))
    made = potentials_for(models[whose], absorber=measurement.element, edge=measurement.edge, r_max=R_MAX)
    return made, whose


def _parameters(measurement: XasMeasurement, snapshots: Trajectory) -> tuple[Parameter, ...]:
    parameters: tuple[Parameter, ...] = EXAFS_PARAMETERS
    if measurement.mode == "fluorescence":
        # Over-absorption in a concentrated sample lowers the amplitude by an amount that is not known here.
        parameters = changed(parameters, "S02", value=0.75, lower=0.2, prior=(0.75, 0.2))
    if snapshots.n_frames == 1:
        # A crystal or a molecule at rest lacks the thermal motion that snapshots have.
        parameters = changed(
            parameters, "delta_sigma2", value=0.006, lower=0.0, upper=0.04, prior=(0.006, 0.006)
        )
    return parameters
