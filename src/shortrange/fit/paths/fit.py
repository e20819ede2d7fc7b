"""Least squares of path sums to chi(k), with errors as Artemis states them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError, ShortrangeError
from shortrange.fit.paths.expressions import Dual
from shortrange.fit.paths.problem import DataSet, FitParameter, PathProblem, Prepared
from shortrange.shown import fit_html
from shortrange.simulate.paths import PATH_PARAMETERS, ScatteringPath

__all__ = ["FittedData", "FittedPath", "PathFit", "Value", "fit_paths"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A number with its errors; None where there is none, and ``note`` says why.

    Attributes
    ----------
    value
        The estimate.
    sigma
        Standard error as Artemis states it: the misfit is taken for noise.
    sigma_noise
        Standard error by the noise of the data alone, carried through the transform.
    note
        For the reader.
    """

    value: float
    sigma: float | None
    sigma_noise: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedPath:
    """A path after the fit.

    Attributes
    ----------
    path
        From FEFF.
    parameters
        By the names of `PATH_PARAMETERS`, and ``r``: reff + delr, angstrom.
    chi
        Its part of the model, (n,).
    """

    path: ScatteringPath
    parameters: Mapping[str, Value]
    chi: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedData:
    """A data set after the fit.

    Attributes
    ----------
    data
        As given.
    k, chi, model, background
        1/angstrom, and chi(k) of the data, of all paths together, and of the fitted background, (n,).
    paths
        After the fit.
    R
        Misfit: sum of squares of the difference over that of the data, where they are compared.
    n_independent
        Independent points.
    epsilon_k
        Noise of chi(k) for each k-weight.
    """

    data: DataSet
    k: Array
    chi: Array
    model: Array
    background: Array
    paths: tuple[FittedPath, ...]
    R: float
    n_independent: float
    epsilon_k: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PathFit:
    """Result of a path fit.

    Attributes
    ----------
    problem
        What was fitted.
    engine
        ``"shortrange"`` or ``"feffit"``.
    values
        All parameters, in the order of the problem.
    covariance, covariance_noise
        Of the free ones, in their order, as Artemis (the misfit is taken for noise) and by the noise of the
        data; nan where it does not exist.
    chi2, chi2_reduced
        Rescaled to independent points, and per degree of freedom, as Artemis.
    n_independent, n_free, n_points
        Independent points, free parameters (with those of backgrounds), points.
    R
        Misfit of all data sets.
    data
        Data sets after the fit.
    success, message
        Whether the minimum was found, and what the minimiser says.
    warnings
        What to doubt.
    """

    problem: PathProblem
    engine: str
    values: Mapping[str, Value]
    covariance: Array
    covariance_noise: Array
    chi2: float
    chi2_reduced: float
    n_independent: float
    n_free: int
    n_points: int
    R: float
    data: tuple[FittedData, ...]
    success: bool
    message: str
    warnings: tuple[str, ...]

    def _repr_html_(self) -> str:
        """Return the parameters with their errors, for a notebook."""
        rows = [(name, each.value, each.sigma, each.note) for name, each in self.values.items()]
        title = f"Path fit: R = {self.R:.4f}, reduced chi-square {self.chi2_reduced:.4g}"
        return fit_html(title if self.success else self.message, rows, doubts=self.warnings)

    @property
    def correlation(self) -> Array:
        """Correlation coefficients of the free parameters."""
        sigma = np.sqrt(np.diag(self.covariance))
        return np.asarray(self.covariance / np.outer(sigma, sigma))

    @property
    def aic(self) -> float:
        """Akaike's criterion on independent points, as feffit: n log(chi2 / n) + 2 n_free."""
        n = self.n_independent
        return float(n * np.log(self.chi2 / n) + 2 * self.n_free)

    @property
    def log_evidence(self) -> float:
        """Bayesian information criterion over -2: differences between fits to the same data are log odds.

        The noise is unknown, and the number of independent points is the sample size: all of them count, as
        in Artemis, where a verdict counts a part (`shortrange.compare.theory_error.TheoryError`).
        """
        n = self.n_independent
        return float(-0.5 * (n * np.log(self.chi2 / n) + np.log(n) * self.n_free))


def fit_paths(
    parameters: Sequence[FitParameter], data: Sequence[DataSet], *, engine: str = "shortrange"
) -> PathFit:
    """Fit the parameters of scattering paths to chi(k), as Artemis and xraylarch's feffit do.

    Errors are given twice. Those of Artemis are the inverse of the normal matrix times chi2_reduced: the
    misfit is taken for noise, white in the compared space, which it is not. Those by noise carry the
    covariance of the data (or white noise of the size seen in chi(R) at 15 to 30 angstrom) through the fit:
    they are right for noise, and know nothing of what the model lacks.

    Parameters
    ----------
    parameters, data
        See `FitParameter` and `DataSet`.
    engine
        ``"shortrange"``, or ``"feffit"`` of xraylarch.

    Raises
    ------
    ProjectError
        If names do not match or expressions have no value.
    DataError
        If the data do not reach the range, or more is free than they can tell.
    """
    problem = PathProblem(tuple(parameters), tuple(data))
    prepared = problem.prepare()
    if engine == "feffit":
        from shortrange.fit.paths.by_feffit import minimise_by_feffit

        theta, success, message = minimise_by_feffit(problem, prepared)
    elif engine == "shortrange":
        theta, success, message = _minimise(problem, prepared)
    else:
        raise DataError(
            f"there is no engine {engine!r}", where="fit_paths", do="choose 'shortrange' or 'feffit'"
        )
    return _describe(problem, prepared, theta, engine=engine, success=success, message=message)


def _minimise(problem: PathProblem, prepared: Sequence[Prepared]) -> tuple[Array, bool, str]:
    from scipy.optimize import least_squares

    free = problem.free
    start = np.array([p.value for p in free], dtype=float)
    bounds = np.array([[p.lower for p in free], [p.upper for p in free]])
    held: dict[bytes, tuple[Array, Array]] = {}

    def both(theta: Array) -> tuple[Array, Array]:
        key = theta.tobytes()
        if key not in held:
            held.clear()
            held[key] = problem.residual(prepared, theta)
        return held[key]

    settings = {"x_scale": _typical(free), "ftol": 1e-12, "xtol": 1e-12, "gtol": 1e-12, "max_nfev": 400}

    def run(**method: Any) -> Any:
        return least_squares(lambda t: both(t)[0], start, jac=lambda t: both(t)[1], **settings, **method)

    found = None
    # Levenberg and Marquardt's steps stay near the start, where trust regions scaled by guesses may leap into
    # another minimum; limits are then met only by a few fits.
    with contextlib.suppress(ShortrangeError):
        found = run(method="lm")
    if found is None or not ((bounds[0] <= found.x) & (found.x <= bounds[1])).all():
        found = run(method="trf", bounds=bounds)
    return found.x, bool(found.success), str(found.message)


def _typical(free: Sequence[FitParameter]) -> Array:
    """Sizes of steps: sigma2 and delr are small, energies and temperatures are not."""
    return np.array([max(abs(float(p.value)), 0.01) for p in free])


def _describe(
    problem: PathProblem,
    prepared: Sequence[Prepared],
    theta: Array,
    *,
    engine: str,
    success: bool,
    message: str,
) -> PathFit:
    residual, jacobian = problem.residual(prepared, theta)
    points = sum(each.space.n_points for each in prepared)
    independent = sum(each.space.n_independent for each in prepared)
    n_free = len(theta) + sum(each.splines.shape[1] for each in prepared)
    square = float(residual @ residual)
    chi2 = square * independent / points
    reduced = chi2 / (independent - n_free)
    covariance, undetermined = _covariance(jacobian, square / (independent - n_free))
    by_noise = np.full_like(covariance, np.nan) if undetermined else _by_noise(jacobian, prepared)
    both = covariance, by_noise
    values = problem.values(theta)
    fitted = tuple(_data(problem, each, values, both) for each in prepared)
    signal = sum(float(np.sum((each.matrix @ each.chi) ** 2)) for each in prepared)
    free = problem.free
    bounds = {
        p.name
        for p, x in zip(free, theta, strict=True)
        if _at(x, p.lower, p.upper) or _at(x, p.upper, p.lower)
    }
    named = {p.name: _value(values[p.name], both) for p in problem.parameters}
    for name in bounds:
        named[name] = Value(value=named[name].value, sigma=None, note="at its limit: no error can be given")
    return PathFit(
        problem=problem, engine=engine, values=named, covariance=covariance,
        covariance_noise=by_noise, chi2=chi2, chi2_reduced=reduced,
        n_independent=independent, n_free=n_free, n_points=points, R=square / signal, data=fitted,
        success=success, message=message,
        warnings=tuple(_doubts(problem, named, fitted, covariance, undetermined, success, message)),
    )  # fmt: skip


def _at(value: float, limit: float, other: float) -> bool:
    if not np.isfinite(limit):
        return False
    width = abs(limit - other) if np.isfinite(other) else max(abs(limit), 1.0)
    return abs(value - limit) <= 1e-6 * width


def _covariance(jacobian: Array, scale: float) -> tuple[Array, bool]:
    """Covariance, and whether some combination of parameters is not determined at all."""
    size = np.linalg.norm(jacobian, axis=0)
    size[size == 0] = 1.0
    values, vectors = np.linalg.eigh((jacobian / size).T @ (jacobian / size))
    if values[0] <= 1e-12 * values[-1]:
        return np.full((size.size, size.size), np.nan), True
    inverse = (vectors / values) @ vectors.T
    return np.asarray(scale * inverse / np.outer(size, size)), False


def _by_noise(jacobian: Array, prepared: Sequence[Prepared]) -> Array:
    """Covariance of the estimate, to first order in the noise of chi(k), shape (n_free, n_free)."""
    normal = jacobian.T @ jacobian
    total = np.zeros_like(normal)
    first = 0
    for each in prepared:
        rows = len(each.matrix)
        response = np.linalg.solve(normal, jacobian[first : first + rows].T @ each.matrix)
        total += response @ each.noise() @ response.T
        first += rows
    return total


def _value(dual: Dual, covariances: tuple[Array, Array]) -> Value:
    if not np.any(dual.gradient):
        return Value(value=dual.value, sigma=None, note="fixed")
    misfit, noise = (float(dual.gradient @ c @ dual.gradient) for c in covariances)
    if not np.isfinite(misfit):
        return Value(value=dual.value, sigma=None, note="not determined by the data")
    return Value(value=dual.value, sigma=float(np.sqrt(max(misfit, 0.0))), sigma_noise=float(np.sqrt(noise)))


def _data(
    problem: PathProblem, each: Prepared, values: Mapping[str, Dual], covariances: tuple[Array, Array]
) -> FittedData:
    paths = []
    model = np.zeros_like(each.chi)
    for item, (chi, _, duals) in zip(each.data.paths, problem.model(each, values), strict=True):
        named = {name: _value(dual, covariances) for name, dual in zip(PATH_PARAMETERS, duals, strict=True)}
        change = named["delr"]
        named["r"] = replace(change, value=item.path.reff + change.value)
        paths.append(FittedPath(path=item.path, parameters=named, chi=chi))
        model += chi
    difference = each.matrix @ (each.chi - model)
    signal = each.matrix @ each.chi
    return FittedData(
        data=each.data, k=each.space.k, chi=each.chi, model=model,
        background=each.background(each.chi - model),
        paths=tuple(paths), R=float(difference @ difference / (signal @ signal)),
        n_independent=each.space.n_independent, epsilon_k=each.space.epsilon_k,
    )  # fmt: skip


def _doubts(
    problem: PathProblem, named: Mapping[str, Value], fitted: Sequence[FittedData], covariance: Array,
    undetermined: bool, success: bool, message: str,
) -> list[str]:  # fmt: skip
    found = [] if success else [f"the minimum was not found: {message}"]
    if undetermined:
        found.append("some parameters act alike: the data cannot tell them apart, and no errors can be given")
    found += [f"{name} lies at its limit" for name, value in named.items() if "limit" in value.note]
    if not undetermined:
        names = [p.name for p in problem.free]
        sigma = np.sqrt(np.diag(covariance))
        correlation = covariance / np.outer(sigma, sigma)
        found += [
            f"{names[i]} and {names[j]} are correlated by {correlation[i, j]:.3f}"
            for i, j in np.argwhere(np.triu(np.abs(correlation), 1) > 0.95)
        ]
    for each in fitted:
        where = f"{each.data.name}, " if len(fitted) > 1 else ""
        found += [f"{where}{path.path.label}: {text}" for path in each.paths for text in _implausible(path)]
        if each.R > 0.05:
            found.append(f"{where}the misfit R is {each.R:.3f}: the model does not describe the data")
    return list(dict.fromkeys(found))


def _implausible(path: FittedPath) -> Iterator[str]:
    """Name what no structure can have."""
    value = {name: each.value for name, each in path.parameters.items()}
    if value["sigma2"] < 0:
        yield f"sigma2 is negative, {value['sigma2']:.4f}"
    if value["s02"] < 0:
        yield f"the amplitude is negative, {value['s02']:.2f}"
    if abs(value["delr"]) > 0.3:
        yield f"delr is {value['delr']:.2f} angstrom: that is no longer the path that FEFF calculated"
    if abs(value["e0"]) > 15:
        yield f"e0 is {value['e0']:.1f} eV: is E0 of the data right?"
