"""EXAFS of an ensemble against measured chi(k): the parameters a user would float, and the known errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.fit.modes import exafs_modes
from shortrange.fit.parameters import Parameter
from shortrange.fit.term import Term, require_points
from shortrange.quantities import ChiK
from shortrange.simulate.exafs import EnsembleExafs, ExafsModel

__all__ = ["EXAFS_PARAMETERS", "ComparedChi", "compared_chi", "exafs_term"]

Array = NDArray[Any]

EXAFS_PARAMETERS = (
    Parameter(name="S02", unit="1", value=0.9, lower=0.5, upper=1.3, prior=(0.9, 0.1)),
    Parameter(name="delta_e0", unit="eV", value=0.0, lower=-20.0, upper=20.0, prior=(0.0, 7.0)),
    Parameter(name="stretch", unit="1", value=0.0, lower=-0.03, upper=0.03, prior=(0.0, 0.01)),
    Parameter(
        name="delta_sigma2", unit="angstrom^2", value=0.0, lower=-0.008, upper=0.008, prior=(0.0, 0.002)
    ),
)
"""S0^2 as metals and halides have it; FEFF's edge without self-consistency is good to 5 to 9 eV; the
distances of a potential to 1 %; its thermal widths to 0.002 angstrom^2 (a sixth of Ta-Cl's at 600 K)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ComparedChi:
    """The data's side of a comparison.

    Attributes
    ----------
    k, weight, curve
        1/angstrom, k^n, and k^n chi(k), shape (n,).
    modes, noise
        Independent points (n, m), and the covariance of the data in them (m, m).
    measurement, r_range
        As `exafs_term`.
    """

    k: Array
    weight: Array
    curve: Array
    modes: Array
    noise: Array
    measurement: str
    r_range: tuple[float, float]

    def term(
        self, model: Callable[[Array], Array], *, parameters: tuple[Parameter, ...], **more: Any
    ) -> Term:
        """State the comparison with a model.

        Parameters
        ----------
        model
            Function of the parameter values to k^n chi(k), shape (n,).
        parameters
            Free parameters.
        more
            As the attributes of `Term`; without ``sampling`` the model has no sampling error.

        Raises
        ------
        DataError
            If there are too few independent points for the parameters.
        """
        m = self.modes.shape[1]
        require_points(m, len(parameters), measurement=self.measurement, ranges="k_range and r_range")
        return Term(
            measurement=self.measurement,
            technique="xas",
            x=self.k,
            curve=self.curve,
            modes=self.modes,
            noise=self.noise,
            model=model,
            parameters=parameters,
            fit_range=self.r_range,
            **{"sampling": np.zeros((m, m)), **more},
        )


def compared_chi(
    data: ChiK, *, measurement: str, k_range: tuple[float, float], r_range: tuple[float, float],
    k_weight: float,
) -> ComparedChi:  # fmt: skip
    """Cut, weight and project measured chi(k); parameters and errors as `exafs_term`."""
    inside = (data.k >= k_range[0] - 1e-9) & (data.k <= k_range[1] + 1e-9)
    k = data.k[inside]
    if k.size < 10 or k[0] > k_range[0] + 0.1 or k[-1] < k_range[1] - 0.1:
        raise DataError(
            f"k_range {k_range[0]:g} to {k_range[1]:g}, but the data end at {data.k[-1]:.2f}",
            where=f"measurement {measurement!r}, k_range",
            do="narrow k_range to what was measured",
        )
    covariance = data.covariance()
    if covariance is None:
        raise DataError(
            "chi(k) has no error estimate",
            where=f"measurement {measurement!r}",
            do="give at least two scans, or chi(k) with sigma",
        )
    weight = k**k_weight
    modes = exafs_modes(k, r_range=r_range)
    noise = modes.T @ (covariance[np.ix_(inside, inside)] * np.outer(weight, weight)) @ modes
    return ComparedChi(
        k=k, weight=weight, curve=data.chi[inside] * weight, modes=modes, noise=noise,
        measurement=measurement, r_range=r_range,
    )  # fmt: skip


def exafs_term(
    data: ChiK,
    ensemble: EnsembleExafs,
    *,
    measurement: str,
    k_range: tuple[float, float],
    r_range: tuple[float, float] = (1.2, 4.4),
    k_weight: float = 2.0,
    parameters: tuple[Parameter, ...] = EXAFS_PARAMETERS,
) -> Term:
    """State the comparison of chi(k) with the EXAFS of an ensemble.

    Parameters
    ----------
    data
        Measured chi(k) with its covariance or standard error.
    ensemble
        Simulated; without a covariance of its own (one absorber) its sampling error is taken as zero.
    measurement
        Name for reports.
    k_range, r_range
        Compared range of k (1/angstrom) and of distances without phase correction (angstrom).
    k_weight
        Power of k by which chi is weighted.
    parameters
        S02, delta_e0 (eV), stretch, delta_sigma2 (angstrom^2), in this order.

    Raises
    ------
    DataError
        If the data have no error estimate, do not cover ``k_range``, or hold too few independent points.
    """
    points = compared_chi(data, measurement=measurement, k_range=k_range, r_range=r_range, k_weight=k_weight)
    k, weight = points.k, points.weight
    model = ensemble.model()
    parts = {name: ensemble.part(name) for name in ensemble.contributions}
    return points.term(
        lambda theta: weight * _chi(model, k, theta),
        parameters=parameters,
        sampling=_sampling(ensemble, k, weight[:, None] * points.modes),
        spread=lambda theta: weight[:, None] * _spread(model, k, theta),
        contributions=lambda theta: {name: weight * _chi(part, k, theta) for name, part in parts.items()},
    )


def _chi(model: ExafsModel, k: Array, theta: Array) -> Array:
    s02, delta_e0, stretch, delta_sigma2 = theta
    return model(k, s02=s02, delta_e0=delta_e0, stretch=stretch, delta_sigma2=delta_sigma2)


def _spread(model: ExafsModel, k: Array, theta: Array) -> Array:
    s02, delta_e0, _, delta_sigma2 = theta
    found = model.bond_spread(k, s02=s02, delta_e0=delta_e0, delta_sigma2=delta_sigma2)
    # Shells of like atoms, as in a metal, are where the lattice has them.
    bonds = [curve for pair, curve in found.items() if len(set(pair.split("-"))) > 1]
    return np.array(bonds).reshape(-1, k.size).T


def _sampling(ensemble: EnsembleExafs, k: Array, weighted_modes: Array) -> Array:
    """Covariance of the ensemble average in the weighted modes."""
    if ensemble.covariance is None:
        return np.zeros((weighted_modes.shape[1],) * 2)
    # Linear interpolation of a curve is a matrix: the covariance goes through it from both sides.
    onto = np.array([np.interp(k, ensemble.k, row) for row in np.eye(ensemble.k.size)])
    projected = onto @ weighted_modes
    return np.asarray(projected.T @ ensemble.covariance @ projected)
