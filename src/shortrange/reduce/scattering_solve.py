"""Linear least squares with Gaussian priors, for several sets of prior widths at once, and their average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from shortrange.errors import DataError

__all__ = ["SHARES", "Mixture", "Solutions", "averaged", "least_squares"]

Array = NDArray[Any]

_NEGLIGIBLE = 1e-6  # probability
_BLIND = 1e-10  # of the largest variance: axes that a design does not see
_HALVINGS = 11  # of the range in which an interval ends, before a straight line is drawn

SHARES = (0.6827, 0.9545)
"""Parts of a normal distribution within one and two standard errors."""


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

    Rows and priors that are missed by more than their errors make the answer less sure, and the rows weigh
    less; the evidence is that of the errors as stated.

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
    chi2 += np.sum(strayed**2, axis=1)
    log_evidence = -0.5 * chi2 - np.sum(np.log(diagonal), axis=1)
    # A prior adds as much to be missed as its unknown takes away.
    excess = chi2 / np.maximum(1, n_rows - np.count_nonzero(~held, axis=1))
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


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """Average of solutions: normal distributions, each with a probability.

    A few improbable wide ones rule the variance of such a mixture, and far more than 68 % of it lies within
    its standard deviation. Stated errors are therefore half of intervals that hold what they say.

    Attributes
    ----------
    mean
        Shape (n,).
    values, roots
        Of each solution, as in `Solutions`; those that cannot matter are left out.
    odds
        Probabilities of these solutions, shape (k,).
    """

    mean: Array
    values: Array
    roots: Array
    odds: Array

    def half_widths(self, slopes: Array, shares: tuple[float, ...] = SHARES) -> Array:
        """Half of the intervals about the mean that hold ``shares`` of linear functions.

        Parameters
        ----------
        slopes
            Functions of the unknowns, shape (n_functions, n).
        shares
            Probabilities.

        Returns
        -------
        Array
            Shape (n_shares, n_functions).
        """
        centre = np.abs((self.values - self.mean) @ slopes.T)
        width = np.linalg.norm(slopes @ self.roots, axis=2)
        return _half_widths(self.odds, centre, width, np.array(shares)[:, None])

    def root(self, design: Array) -> Array:
        """Root (n, n) of a covariance, each of whose principal axes is as long as its interval of 68 %.

        Parameters
        ----------
        design
            What the axes are perpendicular in, ``design @ values``, shape (n_points, n).
        """
        parts = np.concatenate([self.roots, (self.values - self.mean)[:, :, None]], axis=2)
        parts *= np.sqrt(self.odds)[:, None, None]
        # One root of the sum of all: its rows are the unknowns.
        root = _qr(np.swapaxes(parts, 1, 2).reshape(-1, self.mean.size)).T
        moved = design @ root
        square, turn = np.linalg.eigh(moved.T @ moved)
        root, moved = root @ turn, moved @ turn
        seen = square > _BLIND * square[-1]
        slopes = moved[:, seen].T @ design / square[seen, None]
        root[:, seen] *= self.half_widths(slopes, SHARES[:1])[0]
        return np.asarray(root)


def _half_widths(odds: Array, centre: Array, width: Array, share: Array) -> Array:
    """Half-widths h, P(|x| < h) = share (n_shares, 1), of mixtures x of k normal numbers, (k, n)."""
    spread = np.sqrt(odds @ (width**2 + centre**2))
    width = np.maximum(width, 1e-12 * np.maximum(spread, 1e-300))
    low, high = np.zeros((share.size, spread.size)), np.tile(6.0 * spread, (share.size, 1))
    below, beyond = np.zeros(low.shape), np.ones(low.shape)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        # One probability for each share, solution and function.
        ends = np.stack([middle[:, None] - centre, -middle[:, None] - centre]) / width
        upper, lower = ndtr(ends)
        inside = np.einsum("k,skn->sn", odds, upper - lower)
        short = inside < share
        low, high = np.where(short, middle, low), np.where(short, high, middle)
        below, beyond = np.where(short, inside, below), np.where(short, beyond, inside)
    return np.asarray(low + (high - low) * (share - below) / (beyond - below))


def averaged(solutions: Solutions, prior: Array) -> tuple[Mixture, Array]:
    """Mixture of solutions, and the probabilities (k,) of all of them.

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
    kept = odds > _NEGLIGIBLE
    mean = odds @ solutions.values
    return Mixture(mean, solutions.values[kept], solutions.roots[kept], odds[kept] / odds[kept].sum()), odds


def _qr(matrix: Array) -> Array:
    """Triangle of a QR decomposition."""
    return np.asarray(np.linalg.qr(matrix, mode="r"))
