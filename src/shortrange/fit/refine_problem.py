"""Residuals of several phases against a window of G(r), with their Jacobian, and its least squares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError
from shortrange.fit.gr_points import GrWindow
from shortrange.fit.least_squares import FINE, ROUGH, LeastSquares
from shortrange.fit.phases import Book
from shortrange.fit.restraints import Bound
from shortrange.simulate.crystal_window import CrystalWindow

__all__ = ["Problem", "Solution", "cross_validate", "solve"]

Array = NDArray[Any]

_ROUNDS = 6
_REFUSED = 1e6
_BY_CHANCE = 2.0
"""Standard deviations by which reduced chi2 may exceed 1 before stated errors are raised."""
_AT_BOUND = 1e-6
_BLIND = 1e-5
"""Ratio of singular values below which a combination of parameters is not determined by the data."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """A window of data, the phases on its points, and the free parameters.

    Attributes
    ----------
    data, models, book, restraints
        See their classes; the models are on ``data.r``.
    """

    data: GrWindow
    models: Mapping[str, CrystalWindow]
    book: Book
    restraints: tuple[Bound, ...] = ()
    _last: dict[bytes, tuple[Array, Array, dict[str, Array]]] = field(
        init=False, repr=False, default_factory=dict
    )

    @property
    def has_priors(self) -> bool:
        """Whether anything but the data speaks for a value."""
        return bool(self.restraints) or any(p.prior for p in self.book.free)

    def restraint_rows(self, theta: Array) -> tuple[Array, Array]:
        """Misfits of the restraints (n,) and their slopes (n, n_free)."""
        rows = [bound.rows(self.book, theta) for bound in self.restraints]
        slopes = np.array([slope for _, slope in rows]).reshape(len(rows), theta.size)
        return np.array([misfit for misfit, _ in rows]), slopes

    def curve(self, theta: Array) -> Array:
        """G alone, shape (n_r,)."""
        full = self.book.all_values(theta)
        places = {name: self.book.of_phase(name) for name in self.models}
        parts = [full[own.start - 1] * self.models[name].curve(full[own]) for name, own in places.items()]
        return np.asarray(np.sum(parts, axis=0))

    def model(self, theta: Array) -> tuple[Array, Array, dict[str, Array]]:
        """G, its Jacobian by the free parameters (n_r, n_free), and G of each phase; not to be written to."""
        key = theta.tobytes()
        if key not in self._last:
            found = self.evaluate(theta)
            # A fit ends where its results are then read.
            self._last.clear()
            self._last[key] = found
        return self._last[key]

    def evaluate(self, theta: Array) -> tuple[Array, Array, dict[str, Array]]:
        """See `model`, which remembers its last result."""
        book = self.book
        full = book.all_values(theta)
        slopes = np.zeros((self.data.r.size, full.size))
        parts = {}
        for phase, window in self.models.items():
            own = book.of_phase(phase)
            g, jac = window(full[own])
            scale = full[own.start - 1]
            slopes[:, own.start - 1] = g
            places = [own.start + window.phase.index(name) for name in window.active]
            slopes[:, places] = scale * jac
            parts[phase] = scale * g
        total = np.sum(list(parts.values()), axis=0)
        return total, slopes @ book.matrix, parts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """What least squares found.

    Attributes
    ----------
    theta
        Free parameters, shape (p,).
    covariance
        Shape (p, p), for data whose errors are ``noise_scale`` times those stated.
    noise_scale
        See `solve`.
    chi2, points, effective
        Of the data with the stated errors; independent points; how many parameters the data determine, priors
        counted out.
    at_bound
        Which parameters lie at a limit, shape (p,).
    blind
        Free parameters that the data and priors do not determine, singly or together.
    evaluations
        Of the model.
    reason
        Empty, or why the values are not to be used.
    """

    theta: Array
    covariance: Array
    noise_scale: float
    chi2: float
    points: int
    effective: float
    at_bound: Array
    blind: tuple[str, ...]
    evaluations: int
    reason: str = ""


def solve(problem: Problem, *, start: Array | None = None, errors_known: bool = True) -> Solution:
    """Fit the free parameters.

    The errors of the data are raised until reduced chi2 is 1 where a model describes them worse than chance
    allows (and lowered too, where they are not known), so that priors and parameter errors match the misfit.

    Parameters
    ----------
    problem
        Data, models, parameters.
    start
        Free parameters to start from; those of the book by default.
    errors_known
        Whether the data state their errors.
    """
    free = problem.book.free
    memory = _Memory(problem)
    search = LeastSquares(
        misfit=memory,
        lower=np.array([p.lower for p in free]),
        upper=np.array([p.upper for p in free]),
        size=np.array([p.size for p in free]),
    )
    theta = problem.book.start if start is None else np.clip(start, search.lower, search.upper)
    # The first misfit is the largest: priors hold until the parameters come closer.
    noise, nfev = _noise(memory, theta, 1.0, errors_known), 1
    # Without priors the noise does not move the parameters: one round is enough.
    last = not problem.has_priors
    for _ in range(_ROUNDS if problem.has_priors else 1):
        found = search.run(search.inside(theta), noise=noise, enough=FINE if last else ROUGH)
        theta, nfev = found.x, nfev + found.nfev
        if not found.success:
            break
        new = _noise(memory, theta, noise, errors_known)
        settled = abs(new - noise) < 0.05 * noise
        noise = new
        if settled and last:
            break
        last = settled
    reason = "" if found.success else f"the fit did not converge in {nfev} evaluations"
    return _solution(memory, search, theta, noise, nfev, reason)


def cross_validate(problem: Problem, solution: Solution, *, folds: int, errors_known: bool) -> float:
    """Misfit of points that the fit did not see: mean square per independent point, in errors of the data.

    Parameters
    ----------
    problem, solution
        The fit; each repetition starts from it.
    folds
        Parts into which the independent points are dealt; each is predicted once from the others.
    errors_known
        See `solve`.

    Returns
    -------
    float
        nan if a repetition fails. Compare it with reduced chi2: much larger means too many parameters.
    """
    data = problem.data
    part = np.arange(data.whiten.shape[0]) % folds
    total = 0.0
    for k in range(folds):
        seen = GrWindow(r=data.r, g=data.g, whiten=data.whiten[part != k], points=int(np.sum(part != k)))
        found = solve(replace(problem, data=seen), start=solution.theta, errors_known=errors_known)
        if found.reason:
            return float("nan")
        g = problem.curve(found.theta)
        total += float(np.sum((data.whiten[part == k] @ (g - data.g)) ** 2))
    return total / data.points


class _Memory:
    """Residual and Jacobian of the last point: a solver asks for them one after the other."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._y = problem.data.whiten @ problem.data.g
        self._at: Array | None = None
        self._data = self._slopes = np.zeros(0)
        free = problem.book.free
        self._rows = [i for i, p in enumerate(free) if p.prior]
        self._means = np.array([p.prior[0] for p in free if p.prior])
        self._sigmas = np.array([p.prior[1] for p in free if p.prior])

    def data(self, theta: Array) -> tuple[Array, Array]:
        """Whitened misfit (m,) and its slopes (m, p), without priors."""
        if self._at is None or not np.array_equal(theta, self._at):
            g, jac, _ = self.problem.model(theta)
            self._data = self.problem.data.whiten @ g - self._y
            self._slopes = self.problem.data.whiten @ jac
            self._at = theta.copy()
        return self._data, self._slopes

    def residual(self, theta: Array, noise: float) -> Array:
        prior = (theta[self._rows] - self._means) / self._sigmas
        try:
            data = self.data(theta)[0]
        except SimulationError:
            # A trial step to where the model does not exist: so bad that the solver takes a shorter one.
            if self._at is None:
                raise
            data = np.full(self._y.size, _REFUSED)
        return np.concatenate([data / noise, prior, self.problem.restraint_rows(theta)[0]])

    def jacobian(self, theta: Array, noise: float) -> Array:
        return np.vstack([self.data(theta)[1] / noise, self.prior_rows(theta)])

    def prior_rows(self, theta: Array) -> Array:
        """Slopes of priors and restraints."""
        rows = np.zeros((len(self._rows), theta.size))
        rows[np.arange(len(self._rows)), self._rows] = 1.0 / self._sigmas
        return np.vstack([rows, self.problem.restraint_rows(theta)[1]])


def _effective(slopes: Array, priors: Array, noise: float) -> float:
    """Parameters that the data determine: trace of (data information) (all information)^-1."""
    data, prior = slopes.T @ slopes / noise**2, priors.T @ priors
    return float(np.trace(np.linalg.pinv(data + prior, rcond=1e-12, hermitian=True) @ data))


def _noise(memory: _Memory, theta: Array, noise: float, known: bool) -> float:
    residual, slopes = memory.data(theta)
    p = _effective(slopes, memory.prior_rows(theta), noise)
    freedom = max(memory.problem.data.points - p, 1.0)
    reduced = float(np.sum(residual**2)) / freedom
    if known and reduced < 1.0 + _BY_CHANCE * np.sqrt(2.0 / freedom):
        return 1.0
    return max(float(np.sqrt(reduced)), 1e-12)


def _solution(
    memory: _Memory, search: LeastSquares, theta: Array, noise: float, nfev: int, reason: str
) -> Solution:
    free, size = memory.problem.book.free, search.size
    residual, slopes = memory.data(theta)
    priors = memory.prior_rows(theta)
    effective = _effective(slopes, priors, noise)
    jac = np.vstack([slopes / noise, priors]) * size
    # Columns of one length: what is left is how alike they are.
    norms = np.linalg.norm(jac, axis=0)
    scaled = jac / np.where(norms > 0, norms, 1.0)
    _, singular, v = np.linalg.svd(scaled, full_matrices=False)
    dark = v[singular < _BLIND * singular[0]]
    blind = tuple(p.name for k, p in enumerate(free) if norms[k] == 0 or np.any(np.abs(dark[:, k]) > 0.1))
    keep = singular >= _BLIND * singular[0]
    inverse = (v[keep].T / singular[keep] ** 2) @ v[keep]
    unit = size / np.where(norms > 0, norms, 1.0)
    covariance = inverse * np.outer(unit, unit)
    for name in blind:
        k = [p.name for p in free].index(name)
        covariance[k, :] = covariance[:, k] = np.nan
    room = search.upper - search.lower
    near = _AT_BOUND * np.where(np.isfinite(room), room, 1.0)
    at_bound = (theta - search.lower < near) | (search.upper - theta < near)
    if not np.all(np.isfinite(theta)):
        reason = "the fit ran to values that are no numbers"
    return Solution(
        theta=theta, covariance=covariance, noise_scale=noise, chi2=float(np.sum(residual**2)),
        points=memory.problem.data.points, effective=effective, at_bound=at_bound, blind=blind,
        evaluations=nfev, reason=reason,
    )  # fmt: skip
