"""Linear least squares with Gaussian priors, for several sets of prior widths at once, and their average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError

__all__ = ["Solutions", "averaged", "least_squares"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Solutions:
    """One solution for each set of priors.

    Attributes
    ----------
    values
        Shape (k, n).
    roots
        Of their covariances, ``root @ root.T``, shape (k, n, n).
    log_evidence
        Of each up to a constant that they share, shape (k,).
    """

    values: Array
    roots: Array
    log_evidence: Array


def least_squares(table: Array, mean: Array, widths: Array) -> Solutions:
    """Solve ``matrix @ x = right`` with priors ``mean +- width`` on x.

    Rows that are missed by more than their errors weigh less, and make the answer less sure; the evidence is
    that of the errors as stated.

    Parameters
    ----------
    table
        ``matrix`` and ``right`` side by side, each row in units of its standard error, (n_rows, n + 1).
    mean
        Shape (n,).
    widths
        Shape (k, n): infinite for no prior, 0 to hold an unknown at its mean.

    Raises
    ------
    DataError
        If the rows leave an unknown without prior open.
    """
    n_rows, n = table.shape[0], mean.size
    # A triangle says all that the rows say, however many there are.
    rows = _qr(table)
    held = np.isfinite(widths)
    # In units of what is known of each unknown beforehand, or of its column, all is of order 1.
    size = np.linalg.norm(rows[:, :n], axis=0)
    unit = np.where(held, widths, 1.0 / np.where(size > 0, size, 1.0))
    stacked = np.zeros((len(widths), len(rows) + n, n + 1))
    top = stacked[:, : len(rows)]
    top[:, :, :n] = rows[:, :n] * unit[:, None]
    top[:, :, n] = rows[:, n] - rows[:, :n] @ mean
    stacked[:, len(rows) + np.arange(n), np.arange(n)] = held
    values, roots, diagonal = _triangular(stacked, mean, unit)
    chi2 = np.sum((values @ rows[:, :n].T - rows[:, n]) ** 2, axis=1)
    strayed = np.divide(values - mean, unit, out=np.zeros_like(values), where=held & (unit > 0))
    log_evidence = -0.5 * (chi2 + np.sum(strayed**2, axis=1)) - np.sum(np.log(diagonal), axis=1)
    excess = chi2 / np.maximum(1, n_rows - np.count_nonzero(widths, axis=1))
    if np.any(excess > 1.0):
        top /= np.sqrt(np.maximum(excess, 1.0))[:, None, None]
        values, roots, _ = _triangular(stacked, mean, unit)
    return Solutions(values, roots, log_evidence)


def _triangular(stacked: Array, mean: Array, unit: Array) -> tuple[Array, Array, Array]:
    """Values (k, n), roots (k, n, n), and the diagonals of the triangles (k, n)."""
    n = mean.size
    triangle = _qr(stacked)
    try:
        inverse = np.linalg.inv(triangle[:, :n, :n])
    except np.linalg.LinAlgError as error:
        raise DataError(
            "the pattern does not tell scale, fluorescence and background apart",
            where="least_squares", do="check that intensity and background vary with Q, and are not the same",
        ) from error  # fmt: skip
    values = mean + unit * (inverse @ triangle[:, :n, n:])[:, :, 0]
    diagonal = np.abs(np.diagonal(triangle[:, :n, :n], axis1=1, axis2=2))
    return values, unit[:, :, None] * inverse, diagonal


def averaged(solutions: Solutions, prior: Array) -> tuple[Array, Array, Array]:
    """Mean (n,), a root (n, n) of its covariance, and the probabilities (k,) of solutions.

    Parameters
    ----------
    solutions
        Of k sets of priors.
    prior
        Probability of each set before the data are seen, shape (k,).
    """
    log_odds = solutions.log_evidence + np.log(prior)
    odds = np.exp(log_odds - log_odds.max())
    odds /= odds.sum()
    mean = odds @ solutions.values
    parts = np.concatenate([solutions.roots, (solutions.values - mean)[:, :, None]], axis=2)
    parts *= np.sqrt(odds)[:, None, None]
    # One root of the sum of all: its rows are the unknowns.
    return mean, _qr(np.swapaxes(parts, 1, 2).reshape(-1, mean.size)).T, odds


def _qr(matrix: Array) -> Array:
    """Triangle of a QR decomposition."""
    return np.asarray(np.linalg.qr(matrix, mode="r"))
