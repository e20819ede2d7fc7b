"""Where a model gains and loses: its evidence as a sum over the places of the data.

The independent points of a comparison are projections, and belong to no single k or r. Their space has a
basis that does: the eigenvectors of position within it, one around each of m places. Taken one after the
other, the density of the data is a product of conditional densities, one for each place, given those before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular

from shortrange.fit.laplace import LaplaceFit, model_slopes
from shortrange.fit.term import Term

__all__ = ["Places", "evidence_by_place", "localised"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Logarithm of the evidence by place.

    Attributes
    ----------
    axis
        ``"k"`` or ``"R"`` of EXAFS (1/angstrom; angstrom without phase correction), ``"r"`` or ``"Q"`` of
        total scattering (angstrom; 1/angstrom).
    centres
        Places, rising, shape (m,).
    nats
        Contribution of each, given those before it; they add up to ln Z at one size of the theory error.
        Meant to be subtracted from those of another model. Shape (m,).
    """

    axis: str
    centres: Array
    nats: Array


def localised(modes: Array, x: Array, *, conjugate: bool = False) -> tuple[Array, Array]:
    """Rotate orthonormal modes into functions around places.

    Parameters
    ----------
    modes
        Orthonormal columns on ``x``, shape (n, m).
    x
        Uniform grid, shape (n,).
    conjugate
        Places on the conjugate axis: the frequency w of sin(w x) and cos(w x).

    Returns
    -------
    centres, rotation
        Rising, shape (m,), and orthogonal, shape (m, m): ``modes @ rotation`` are the functions.
    """
    if not conjugate:
        centres, rotation = np.linalg.eigh(modes.T @ (x[:, None] * modes))
        return centres, rotation
    slopes = np.gradient(modes, x, axis=0)
    squares, rotation = np.linalg.eigh(slopes.T @ slopes)
    return np.sqrt(np.maximum(squares, 0.0)), rotation


def evidence_by_place(term: Term, covariance: Array, fit: LaplaceFit) -> tuple[Places, Places]:
    """Split the evidence of a fit over the axis of the data, and over its conjugate.

    Parameters
    ----------
    term
        Data and model.
    covariance
        Total covariance of the mode coefficients, shape (m, m), as in the fit.
    fit
        Its maximum.

    Returns
    -------
    tuple of Places
        Over k and R for EXAFS, over r and Q for total scattering.
    """
    means = np.array([p.prior[0] for p in term.parameters])
    variances = np.array([p.prior[1] ** 2 for p in term.parameters])
    slopes = model_slopes(term, fit.theta)
    # Parameters integrated out over their priors: normal, for a model taken as linear around its maximum.
    residual = term.residual(fit.theta) - slopes @ (means - fit.theta)
    total = covariance + (slopes * variances) @ slopes.T
    axes = ("k", "R") if term.technique == "xas" else ("r", "Q")
    found = []
    for axis, conjugate in zip(axes, (False, True), strict=True):
        centres, rotation = localised(term.modes, term.x, conjugate=conjugate)
        factor = cholesky(rotation.T @ total @ rotation, lower=True)
        z = solve_triangular(factor, rotation.T @ residual, lower=True)
        nats = -0.5 * z**2 - np.log(np.diag(factor)) - 0.5 * np.log(2.0 * np.pi)
        # sin(2 k R): the frequency of a distance is twice it.
        found.append(Places(axis=axis, centres=centres / (2.0 if axis == "R" else 1.0), nats=nats))
    return found[0], found[1]
