r"""Parameters that change little from one window to the next: all windows of a box-car solved together.

The change of a parameter between the centres of neighbouring windows is taken as normal, with a variance that
grows with their distance (a random walk, as in a Kalman smoother):

.. math:: \sum_i c_i \left[\chi^2_i(\theta_i) + \text{priors}_i\right]
   + \sum_i \frac{(\theta_{i+1} - \theta_i)^2}{w^2 (r_{i+1} - r_i)}

Windows overlap: a point of the data lies in several. A window therefore counts with the mean c_i of one over
the number of windows in which its points lie, so that the sum counts all points once. The errors do not come
from the curvature of that sum but from how the noise of the data, once for each point and with its covariance
across windows, moves the solution (a sandwich).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, cho_factor, cho_solve

from shortrange.errors import ProjectError, ShortrangeError
from shortrange.fit.boxcar_windows import Job, WindowFit, held_slopes
from shortrange.fit.phases import Book
from shortrange.fit.refine_problem import Problem

__all__ = ["parts_of_data", "smooth_widths", "smooth_windows"]

Array = NDArray[Any]

_MAX_STEPS = 30
_SETTLED = 1e-7
"""Decrease of the sum, in units of chi2, that a step promises when nothing is left to gain."""
_RIDGE = 1e-11
"""Added to the scaled curvature: what nothing determines gets an endless error, not a fault."""
_LEAST = 1e-3
"""Smaller changes, in errors of a window, are as good as none, and only cost digits."""
_MOST = 6000
"""Unknowns of the joint system, which is solved as a dense one."""


def smooth_widths(book: Book, wished: Mapping[str, float]) -> dict[str, float]:
    """Widths by free parameter.

    Parameters
    ----------
    book
        Its free parameters are those of the windows.
    wished
        Standard deviation of the change over 1 angstrom of r, by a name as the user says it.

    Raises
    ------
    ProjectError
        If a name is unknown or not free in the windows, or a width is not positive and finite.
    """
    found: dict[str, float] = {}
    for name, width in wished.items():
        if not 0 < width < np.inf:
            raise _fault(
                f"{name!r} may change by {width:g}",
                "give a positive width; name it in shared to hold it, leave it out to free it",
            )
        places = set(book.places(name))
        reached = [p.name for p in book.free if places & set(p.targets)]
        if not reached:
            raise _fault(
                f"{name!r} is to be smooth but is not free in the windows", "name it in free as well"
            )
        for full in reached:
            if full in found:
                raise _fault(f"{full!r} is given two widths, one of them as {name!r}", "name it once")
            found[full] = width
    return found


def parts_of_data(edges: Sequence[tuple[float, float]]) -> Array:
    """Part of its data that a window may count as its own: the mean of 1 / (number of windows at r) over it.

    Parameters
    ----------
    edges
        Ends of the windows, angstrom, n of them.

    Returns
    -------
    numpy.ndarray
        Shape (n,); times the widths of the windows they add up to the length that the windows cover.
    """
    low, high = np.array(edges).T
    ends = np.unique(np.concatenate([low, high]))
    middle, length = 0.5 * (ends[1:] + ends[:-1]), np.diff(ends)
    inside = (low[:, None] < middle) & (middle < high[:, None])
    count = np.maximum(inside.sum(axis=0), 1)
    return np.asarray((inside * length / count).sum(axis=1) / (high - low))


def smooth_windows(job: Job, fits: Sequence[WindowFit], widths: Mapping[str, float]) -> None:
    """Solve all windows that did not fail together, and replace their solutions.

    Parameters
    ----------
    job
        What the windows were fitted with.
    fits
        The windows, each fitted on its own, with the noise that it is to count on.
    widths
        From `smooth_widths`.
    """
    good = [f for f in fits if f.problem is not None and f.solution is not None and not f.reason]
    if len(good) < 2 or not widths:
        return
    if len(good) * len(job.book.free) > _MOST:
        raise _fault(
            f"{len(good)} windows of {len(job.book.free)} parameters are too many to be tied smoothly",
            "make the step larger",
        )
    chain = _Chain(job, good, widths)
    theta, reason = chain.solve()
    if reason:
        for fit in good:
            fit.reason = reason
        return
    chain.conclude(theta, widths)


class _Chain:
    """The windows, one after the other, with the links between them."""

    def __init__(self, job: Job, fits: list[WindowFit], widths: Mapping[str, float]) -> None:
        self.job, self.fits = job, fits
        self.problems: list[Problem] = [f.problem for f in fits if f.problem is not None]
        self.noise = np.array([f.solution.noise_scale for f in fits if f.solution is not None])
        free = job.book.free
        self.lower, self.upper = np.array([p.lower for p in free]), np.array([p.upper for p in free])
        self.start = np.array([f.solution.theta for f in fits if f.solution is not None])
        self.priors = [(k, *p.prior) for k, p in enumerate(free) if p.prior]
        self.parts = parts_of_data([(f.low, f.high) for f in fits])
        self.links = self._links(widths)

    def _links(self, widths: Mapping[str, float]) -> Array:
        """Rows whose squares are the smoothness, shape (n_links, n_windows p)."""
        n, p = self.start.shape
        errors = np.array([np.diag(f.solution.covariance) for f in self.fits if f.solution is not None])
        centres = np.array([0.5 * (f.low + f.high) for f in self.fits])
        rows = []
        for k, parameter in enumerate(self.job.book.free):
            if parameter.name not in widths:
                continue
            least = _LEAST * np.sqrt(np.nanmin(errors[:, k], initial=np.inf))
            width = widths[parameter.name] * np.sqrt(np.diff(centres))
            if np.isfinite(least):
                width = np.maximum(width, least)
            for i, weight in enumerate(1.0 / width):
                row = np.zeros((n, p))
                row[i, k], row[i + 1, k] = -weight, weight
                rows.append(row.ravel())
        return np.array(rows)

    def solve(self) -> tuple[Array, str]:
        """Parameters of all windows, shape (n, p), and a reason if there are none."""
        theta = self.start
        cost = self._cost(theta)
        for _ in range(_MAX_STEPS):
            misfits, slopes = self._linear(theta)
            gradient = np.concatenate(
                [c * j.T @ m for c, j, m in zip(self.parts, slopes, misfits, strict=True)]
            )
            gradient += self.links.T @ (self.links @ theta.ravel())
            move = -self._inverse(slopes) @ gradient
            if -gradient @ move < _SETTLED:
                return theta, ""
            for shorter in 0.5 ** np.arange(12):
                trial = np.clip(theta + shorter * move.reshape(theta.shape), self.lower, self.upper)
                new = self._cost(trial)
                if new < cost:
                    break
            else:
                return theta, ""  # at a limit, or as low as rounding allows
            settled = cost - new < _SETTLED
            theta, cost = trial, new
            if settled:
                return theta, ""
        return theta, f"the windows tied smoothly did not converge in {_MAX_STEPS} steps"

    def conclude(self, theta: Array, widths: Mapping[str, float]) -> None:
        """Give each window its part of the solution."""
        misfits, slopes = self._linear(theta)
        inverse = self._inverse(slopes)
        moved = inverse @ self._forces(theta, slopes)
        p = theta.shape[1]
        for i, fit in enumerate(self.fits):
            if fit.solution is None:
                continue
            own = slice(i * p, (i + 1) * p)
            m = self.problems[i].data.whiten.shape[0]
            data = slopes[i][:m]
            covariance = moved[own] @ moved[own].T
            blind = tuple(name for name in fit.solution.blind if name not in widths)
            for name in blind:
                k = [f.name for f in self.job.book.free].index(name)
                covariance[k, :] = covariance[:, k] = np.nan
            near = 1e-6 * np.where(np.isfinite(self.upper - self.lower), self.upper - self.lower, 1.0)
            fit.solution = replace(
                fit.solution, theta=theta[i], covariance=covariance, blind=blind,
                chi2=float(np.sum(misfits[i][:m] ** 2)) * float(self.noise[i]) ** 2,
                effective=float(self.parts[i] * np.trace(inverse[own, own] @ data.T @ data)),
                at_bound=(theta[i] - self.lower < near) | (self.upper - theta[i] < near),
            )  # fmt: skip

    def _linear(self, theta: Array) -> tuple[list[Array], list[Array]]:
        """Misfits and slopes of each window in units of its noise, those of its priors last."""
        misfits, slopes = [], []
        for problem, own, noise in zip(self.problems, theta, self.noise, strict=True):
            g, jac, _ = problem.model(own)
            prior = np.zeros((len(self.priors), own.size))
            for row, (k, _, sigma) in zip(prior, self.priors, strict=True):
                row[k] = 1.0 / sigma
            misfits.append(
                np.concatenate(
                    [problem.data.whiten @ (g - problem.data.g) / noise,
                     [(own[k] - mean) / sigma for k, mean, sigma in self.priors]]
                )
            )  # fmt: skip
            slopes.append(np.vstack([problem.data.whiten @ jac / noise, prior]))
        return misfits, slopes

    def _cost(self, theta: Array) -> float:
        total = float(np.sum((self.links @ theta.ravel()) ** 2))
        try:
            for c, problem, own, noise in zip(self.parts, self.problems, theta, self.noise, strict=True):
                misfit = problem.data.whiten @ (problem.curve(own) - problem.data.g) / noise
                prior = sum(((own[k] - mean) / sigma) ** 2 for k, mean, sigma in self.priors)
                total += c * (float(misfit @ misfit) + prior)
        except ShortrangeError:
            return np.inf  # a trial step to where the model does not exist
        return total

    def _inverse(self, slopes: list[Array]) -> Array:
        """Inverse curvature of the sum, shape (n p, n p)."""
        curvature = block_diag(*(c * j.T @ j for c, j in zip(self.parts, slopes, strict=True)))
        curvature += self.links.T @ self.links
        size = 1.0 / np.sqrt(np.maximum(np.diag(curvature), 1e-300))
        scaled = curvature * np.outer(size, size) + _RIDGE * np.eye(size.size)
        return np.asarray(cho_solve(cho_factor(scaled), np.eye(size.size)) * np.outer(size, size))

    def _forces(self, theta: Array, slopes: list[Array]) -> Array:
        """Return what pulls at the parameters by one standard deviation, in columns of independent causes.

        The noise of the data, the true value about each prior (the same in all windows), the true changes
        from window to window, and the errors of parameters that the windows hold.
        """
        over = self.job.over
        root = _root(over.data.covariance(over.window.r))
        held = None if self.job.shared is None else _root(self.job.shared[1])
        rows = []
        for c, problem, own, jac, noise in zip(
            self.parts, self.problems, theta, slopes, self.noise, strict=True
        ):
            m = problem.data.whiten.shape[0]
            first = int(np.searchsorted(over.window.r, problem.data.r[0] - 1e-9))
            own_noise = problem.data.whiten @ root[first : first + problem.data.r.size]
            parts = [jac[:m].T @ own_noise, jac[m:].T]
            if held is not None:
                parts.append(jac[:m].T @ held_slopes(self.job, problem, own) @ held / noise)
            rows.append(c * np.hstack(parts))
        return np.hstack([np.vstack(rows), self.links.T])


def _root(covariance: Array) -> Array:
    """Return a matrix whose product with its transpose is the covariance."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _fault(what: str, do: str) -> ProjectError:
    return ProjectError(what, where="smooth parameters of the box-car", do=do)
