"""What a path fit is made of: parameters, paths with expressions, data sets; chi(k) and its Jacobian."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError, ProjectError, did_you_mean
from shortrange.fit.paths.expressions import FUNCTIONS, PATH_NAMES, Dual, Expression, parse
from shortrange.fit.paths.space import FitRange, Space, make_space
from shortrange.quantities import ChiK
from shortrange.simulate.paths import PATH_PARAMETERS, ScatteringPath, path_chi

__all__ = ["DataSet", "FitParameter", "FitPath", "PathProblem", "Prepared"]

Array = NDArray[Any]

_DEFAULTS: Mapping[str, str | float] = {name: 1.0 if name == "s02" else 0.0 for name in PATH_PARAMETERS}


@dataclass(frozen=True, slots=True, kw_only=True)
class FitParameter:
    """A parameter: free, fixed, or an expression of others.

    Attributes
    ----------
    name
        An identifier.
    value
        Where the fit starts, or the fixed value; an expression instead makes it follow others.
    free
        Whether it is fitted.
    lower, upper
        Limits of a free one.
    """

    name: str
    value: float | str
    free: bool = True
    lower: float = -np.inf
    upper: float = np.inf

    def __post_init__(self) -> None:
        where = f"parameter {self.name!r}"
        if not self.name.isidentifier() or self.name in (*FUNCTIONS, *PATH_NAMES):
            raise ProjectError(
                f"{self.name!r} cannot be the name of a parameter",
                where=where,
                do=f"use letters, digits and _, and none of {', '.join((*PATH_NAMES, *FUNCTIONS))}",
            )
        if isinstance(self.value, str):
            return
        if not np.isfinite(self.value):
            raise ProjectError(f"its value is {self.value}", where=where, do="give a number")
        outside = self.free and not self.lower <= self.value <= self.upper
        if outside or not self.lower < self.upper:
            raise ProjectError(
                f"it starts at {self.value:g}, outside its limits {self.lower:g} to {self.upper:g}",
                where=where,
                do="move it inside; the lower limit comes first",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FitPath:
    """A path and the expressions of its parameters.

    Attributes
    ----------
    path
        From FEFF.
    parameters
        Expression or number of each of `PATH_PARAMETERS`; those left out are 1 for s02 and 0 for others.
    """

    path: ScatteringPath
    parameters: Mapping[str, str | float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.parameters:
            if name not in PATH_PARAMETERS:
                raise ProjectError(
                    f"a path has no parameter {name!r}",
                    where=f"path {self.path.label!r}",
                    do=did_you_mean(name, PATH_PARAMETERS),
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """One measured chi(k) and the paths that make it up.

    Attributes
    ----------
    name
        For tables.
    chi
        Data.
    paths
        At least one.
    fit_range
        What is compared.
    background
        Whether a spline through the whole k_range is free as well, below R of ``fit_range``; it is linear, so
        that it is solved for exactly, and its freedom is in the errors.
    epsilon
        Noise of chi(k); None estimates it from chi(R) at 15 to 30 angstrom. It weights data sets and powers
        of k against each other; the errors of parameters come from the misfit.
    """

    name: str
    chi: ChiK
    paths: tuple[FitPath, ...]
    fit_range: FitRange
    background: bool = False
    epsilon: float | None = None

    def __post_init__(self) -> None:
        if not self.paths:
            raise ProjectError("there is no path", where=f"data {self.name!r}", do="name at least one path")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A data set on the grid of the fit.

    Attributes
    ----------
    data
        As given.
    space
        Its comparison.
    chi
        On ``space.k``.
    matrix
        ``space.matrix``, without what the background can describe.
    splines
        Background splines on ``space.k``, shape (n, n_splines).
    expressions
        Of each path, in the order of `PATH_PARAMETERS`.
    """

    data: DataSet
    space: Space
    chi: Array
    matrix: Array
    splines: Array
    expressions: tuple[tuple[Expression, ...], ...]

    def noise(self) -> Array:
        """Covariance of chi on the grid: that of the data, else white noise of the size in use, (n, n)."""
        chi = self.data.chi
        own = chi.covariance()
        if own is None:
            return self.space.epsilon_k[0] ** 2 * np.eye(self.chi.size)
        # Linear interpolation is a matrix: the covariance goes through it from both sides.
        onto = np.array([np.interp(self.space.k, chi.k, row) for row in np.eye(chi.k.size)]).T
        return np.asarray(onto @ own @ onto.T)

    def background(self, rest: Array) -> Array:
        """Best background for data minus paths, on ``space.k``."""
        if self.splines.shape[1] == 0:
            return np.zeros_like(self.chi)
        best = np.linalg.lstsq(self.space.matrix @ self.splines, self.space.matrix @ rest, rcond=None)[0]
        return np.asarray(self.splines @ best)


@dataclass(frozen=True, eq=False)
class PathProblem:
    """Parameters and data sets, checked: every name is known and every parameter used.

    Attributes
    ----------
    parameters
        All of them.
    data
        Data sets.
    """

    parameters: tuple[FitParameter, ...]
    data: tuple[DataSet, ...]

    def __post_init__(self) -> None:
        names = [p.name for p in self.parameters]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ProjectError(
                f"{', '.join(doubled)} twice", where="[parameters]", do="give each parameter once"
            )
        if not self.data:
            raise ProjectError("there are no data", where="[[data]]", do="name at least one data set")
        if not self.free:
            raise ProjectError("no parameter is free", where="[parameters]", do="free at least one")
        self._order()
        self._check_used()

    @property
    def free(self) -> tuple[FitParameter, ...]:
        """Those that are fitted."""
        return tuple(p for p in self.parameters if p.free and not isinstance(p.value, str))

    def _expressions(self, data: DataSet) -> tuple[tuple[Expression, ...], ...]:
        names = [p.name for p in self.parameters]
        return tuple(
            tuple(
                parse(
                    item.parameters.get(name, _DEFAULTS[name]),
                    known=names,
                    where=f"data {data.name!r}, path {item.path.label!r}, {name}",
                )
                for name in PATH_PARAMETERS
            )
            for item in data.paths
        )

    def _defined(self) -> dict[str, Expression]:
        names = [p.name for p in self.parameters]
        return {
            p.name: parse(p.value, known=names, where=f"parameter {p.name!r}")
            for p in self.parameters
            if isinstance(p.value, str)
        }

    def _order(self) -> list[str]:
        """Parameters that are expressions, each after those that it needs."""
        defined = self._defined()
        order: list[str] = []
        while len(order) < len(defined):
            ready = [
                name
                for name, expression in defined.items()
                if name not in order and not (expression.names & (defined.keys() - set(order)))
            ]
            if not ready:
                circle = sorted(defined.keys() - set(order))
                raise ProjectError(
                    f"{', '.join(circle)} depend on each other in a circle",
                    where="[parameters]",
                    do="define one of them without the others",
                )
            order += ready
        return order

    def _check_used(self) -> None:
        used = {
            name
            for data in self.data
            for each in self._expressions(data)
            for expression in each
            for name in expression.names
        }
        defined = self._defined()
        while more := {n for name in used & defined.keys() for n in defined[name].names} - used:
            used |= more
        idle = [p.name for p in self.free if p.name not in used]
        if idle:
            raise ProjectError(
                f"{', '.join(idle)} occur{'s' if len(idle) == 1 else ''} in no path",
                where="[parameters]",
                do="use them in a path, fix them, or take them out",
            )

    def values(self, theta: Array) -> dict[str, Dual]:
        """All parameters at the free ones ``theta``, with gradients."""
        free = self.free
        found: dict[str, Dual] = {}
        for p in self.parameters:
            if not isinstance(p.value, str):
                found[p.name] = Dual(p.value, np.zeros(len(free)))
        for i, p in enumerate(free):
            found[p.name] = Dual(float(theta[i]), np.eye(len(free))[i])
        defined = self._defined()
        for name in self._order():
            found[name] = defined[name](found, None, len(free))
        return found

    def prepare(self) -> tuple[Prepared, ...]:
        """Put the data on the grid of the fit, and make the matrices of their comparison.

        Raises
        ------
        DataError
            If more is free than the data have independent points.
        """
        made = tuple(self._prepare(data) for data in self.data)
        points = sum(each.space.n_independent for each in made)
        wanted = len(self.free) + sum(each.splines.shape[1] for each in made)
        if wanted >= points:
            raise DataError(
                f"{wanted} free parameters for {points:.1f} independent points",
                where="path fit",
                do="fix or tie some, or widen k_range or r_range",
            )
        return made

    def _prepare(self, data: DataSet) -> Prepared:
        wanted = data.fit_range
        splines_below = wanted.r_range[0]
        if data.background:
            # The splines describe what is below r_range, so it is compared from 0 on, as feffit does.
            wanted = FitRange(
                k_range=wanted.k_range, r_range=(np.pi / (0.05 * 2048), wanted.r_range[1]),
                k_weights=wanted.k_weights, dk=wanted.dk, window=wanted.window, space=wanted.space,
            )  # fmt: skip
        space, chi = make_space(data.chi.k, data.chi.chi, wanted, epsilon=data.epsilon)
        if data.background:
            # One point more than xraylarch counts for so small a lower end.
            points = 1 + 2 * wanted.r_range[1] * (wanted.k_range[1] - wanted.k_range[0]) / np.pi
            space = Space(k=space.k, matrix=space.matrix, n_points=space.n_points,
                          epsilon_k=space.epsilon_k, n_independent=points)  # fmt: skip
        splines = (
            _splines(space.k, wanted.k_range, splines_below) if data.background else np.zeros((chi.size, 0))
        )
        matrix = space.matrix
        if splines.shape[1]:
            basis = np.linalg.qr(matrix @ splines)[0]
            matrix = matrix - basis @ (basis.T @ matrix)
        return Prepared(
            data=data, space=space, chi=chi, matrix=matrix, splines=splines,
            expressions=self._expressions(data),
        )  # fmt: skip

    def model(
        self, prepared: Prepared, values: Mapping[str, Dual]
    ) -> Iterator[tuple[Array, Array, list[Dual]]]:
        """For each path chi(k) (n,), its derivatives with the free parameters (n_free, n), its parameters."""
        n_free = len(self.free)
        for item, expressions in zip(prepared.data.paths, prepared.expressions, strict=True):
            duals = [expression(values, item.path, n_free) for expression in expressions]
            numbers = np.array([dual.value for dual in duals])
            chi, slopes = path_chi(item.path, prepared.space.k, numbers)
            yield chi, np.array([dual.gradient for dual in duals]).T @ slopes, duals

    def residual(self, prepared: Sequence[Prepared], theta: Array) -> tuple[Array, Array]:
        """Residual of all data sets, and its Jacobian."""
        values = self.values(theta)
        residuals, jacobians = [], []
        for each in prepared:
            chi = np.zeros_like(each.chi)
            slope = np.zeros((len(self.free), each.chi.size))
            for part, by_free, _ in self.model(each, values):
                chi += part
                slope += by_free
            residuals.append(each.matrix @ (each.chi - chi))
            jacobians.append(-each.matrix @ slope.T)
        return np.concatenate(residuals), np.concatenate(jacobians)


def _splines(k: Array, k_range: tuple[float, float], r_below: float) -> Array:
    """Cubic splines over k_range with a knot for each independent point below ``r_below``, zero outside."""
    from scipy.interpolate import make_interp_spline

    low, high = k_range
    count = max(4, 1 + round(2 * r_below * (high - low) / np.pi))
    knots = np.linspace(low, high, count)
    curves = make_interp_spline(knots, np.eye(count), k=3)(k)
    return np.asarray(np.where(((k >= low) & (k <= high))[:, None], curves, 0.0))
