"""Peaks before and on an edge, fitted with lmfit: Gaussians, Lorentzians or Voigts on a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError, did_you_mean
from shortrange.quantities import Step, step
from shortrange.reduce.normalise import Normalised

if TYPE_CHECKING:
    import lmfit

__all__ = ["FittedPeak", "Peak", "PeakFit", "fit_peaks"]

Array = NDArray[Any]

_SHAPES = ("gaussian", "lorentzian", "voigt")
_STEPS = ("arctan", "erf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """A peak to be fitted.

    Attributes
    ----------
    name
        Letters, digits and underscores.
    centre, reach
        About where, eV, and how far from there it may lie.
    width
        First guess of the full width at half maximum, eV.
    shape
        ``"gaussian"``, ``"lorentzian"`` or ``"voigt"`` (equal widths of the two).
    """

    name: str
    centre: float
    reach: float = 0.5
    width: float = 1.0
    shape: Literal["gaussian", "lorentzian", "voigt"] = "gaussian"


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedPeak:
    """A peak of one spectrum: centre and width in eV, area in eV (of normalised absorption), with errors."""

    name: str
    centre: float
    width: float
    area: float
    sigma_centre: float
    sigma_width: float
    sigma_area: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeakFit:
    """Result of `fit_peaks`.

    Attributes
    ----------
    peaks
        For each spectrum, its peaks.
    curves
        For each spectrum: energies, fitted curve, and the parts of it by name.
    reduced_chi2
        Squared residuals in units of the noise over degrees of freedom. Where it exceeds 1, the errors are
        multiplied by its root: the shapes are not the truth.
    """

    peaks: tuple[tuple[FittedPeak, ...], ...]
    curves: tuple[tuple[Array, Array, Mapping[str, Array]], ...]
    reduced_chi2: float
    history: tuple[Step, ...]


def fit_peaks(
    spectra: Sequence[Normalised],
    peaks: Sequence[Peak],
    *,
    window: tuple[float, float],
    edge_step: Literal["arctan", "erf"] | None = "arctan",
    share: Sequence[Literal["centre", "width"]] = (),
) -> PeakFit:
    """Fit the same peaks to one or several spectra, on a line and a step.

    Parameters
    ----------
    spectra
        Normalised, with ``sigma``.
    peaks
        At least one.
    window
        What is fitted, eV.
    edge_step
        Shape of the step (its centre within 5 eV of E0 above the window's middle, height and width free), or
        None for a line alone, as before an edge.
    share
        What all spectra have in common: ``"centre"``, ``"width"`` of each peak.

    Raises
    ------
    DataError
        If noise is unknown, a name or shape is wrong, there are fewer points than unknowns, or the fit does
        not converge to something with errors.
    """
    import lmfit

    _check(spectra, peaks, edge_step, share)
    parts = [_part(data, window) for data in spectra]
    parameters = lmfit.Parameters()
    for i, data in enumerate(spectra):
        _add_parameters(parameters, i, data, peaks, parts[i], edge_step, share)
    count = sum(energy.size for energy, _, _ in parts)
    free = sum(p.vary and not p.expr for p in parameters.values())
    if count < free + 2:
        raise DataError(
            f"{count} points for {free} unknowns",
            where="fit_peaks",
            do="widen the window, or fit fewer peaks",
        )

    def residual(values: lmfit.Parameters) -> Array:
        plain = values.valuesdict()
        rows = [
            (sum(_curves(energy, i, plain, peaks, edge_step).values()) - norm) / sigma
            for i, (energy, norm, sigma) in enumerate(parts)
        ]
        return np.concatenate(rows)

    # The noise is known; errors are scaled up below, never down.
    fit = lmfit.minimize(residual, parameters, method="least_squares", scale_covar=False)
    if not fit.success or not fit.errorbars:
        raise DataError(
            f"the fit did not converge: {fit.message}",
            where="fit_peaks",
            do="give fewer peaks, nearer guesses, or a narrower reach",
        )
    inflation = max(1.0, float(np.sqrt(fit.redchi)))
    values = fit.params.valuesdict()
    done = step(
        "fit peaks",
        peaks=[peak.name for peak in peaks],
        window=list(window),
        edge_step=edge_step,
        share=list(share),
        reduced_chi2=float(fit.redchi),
        errors_scaled_by=inflation,
    )
    curves = []
    for i, (energy, _, _) in enumerate(parts):
        components = _curves(energy, i, values, peaks, edge_step)
        curves.append((energy, np.sum(list(components.values()), axis=0), components))
    return PeakFit(
        peaks=tuple(
            tuple(_fitted(fit.params, i, peak, inflation) for peak in peaks) for i in range(len(spectra))
        ),
        curves=tuple(curves),
        reduced_chi2=float(fit.redchi),
        history=(done,),
    )


def _check(
    spectra: Sequence[Normalised], peaks: Sequence[Peak], edge_step: str | None, share: Sequence[str]
) -> None:
    where = "fit_peaks"
    names = [peak.name for peak in peaks]
    if not spectra or not peaks or len(set(names)) != len(names):
        raise DataError(
            f"{len(spectra)} spectra and the peaks {names}",
            where=where,
            do="give at least one of each, every peak with a name of its own",
        )
    for peak in peaks:
        if not peak.name.isidentifier() or peak.shape not in _SHAPES or peak.reach <= 0 or peak.width <= 0:
            raise DataError(
                f"{peak} cannot be fitted",
                where=where,
                do=f"give a name of letters, a shape of {list(_SHAPES)}, positive reach and width",
            )
    if edge_step is not None and edge_step not in _STEPS:
        raise DataError(f"there is no step {edge_step!r}", where=where, do=did_you_mean(edge_step, _STEPS))
    for what in share:
        if what not in ("centre", "width"):
            raise DataError(f"{what!r} cannot be shared", where=where, do='share "centre" or "width"')


def _part(data: Normalised, window: tuple[float, float]) -> tuple[Array, Array, Array]:
    where = f"fit_peaks(label={data.label!r})"
    if data.sigma is None:
        raise DataError(
            "the noise of mu is not known", where=where, do="merge the scans with reduce_xas first"
        )
    inside = (data.energy >= window[0]) & (data.energy <= window[1])
    if inside.sum() < 5:
        raise DataError(
            f"{inside.sum()} points between {window[0]:g} and {window[1]:g} eV",
            where=where,
            do="choose a window within the scan",
        )
    return data.energy[inside], data.norm[inside], data.sigma[inside] / data.edge_step


def _add_parameters(
    parameters: lmfit.Parameters,
    i: int,
    data: Normalised,
    peaks: Sequence[Peak],
    part: tuple[Array, Array, Array],
    edge_step: str | None,
    share: Sequence[str],
) -> None:
    energy, norm, _ = part
    for peak in peaks:
        prefix = f"s{i}_{peak.name}_"
        first = f"s0_{peak.name}_"
        shared = {what: f"{first}{what}" if i and what in share else None for what in ("centre", "width")}
        parameters.add(
            f"{prefix}centre",
            peak.centre,
            min=peak.centre - peak.reach,
            max=peak.centre + peak.reach,
            expr=shared["centre"],
        )
        parameters.add(
            f"{prefix}width", peak.width, min=0.1 * peak.width, max=10.0 * peak.width, expr=shared["width"]
        )
        height = float(np.interp(peak.centre, energy, norm))
        parameters.add(f"{prefix}area", 0.5 * max(abs(height), 1e-3) * peak.width)
    parameters.add(f"s{i}_offset", float(norm[0]))
    parameters.add(f"s{i}_slope", 0.0)
    if edge_step is not None:
        middle = float(np.clip(data.e0 + 1.0, energy[0], energy[-1]))
        parameters.add(f"s{i}_step_centre", middle, min=middle - 5.0, max=middle + 5.0)
        parameters.add(f"s{i}_step_width", 1.0, min=0.1, max=10.0)
        parameters.add(f"s{i}_step_height", 1.0, min=0.0, max=3.0)
        # Over a white line the slope and the step say the same.
        parameters[f"s{i}_slope"].vary = False


def _curves(
    energy: Array, i: int, values: Mapping[str, float], peaks: Sequence[Peak], edge_step: str | None
) -> dict[str, Array]:
    curves = {"line": values[f"s{i}_offset"] + values[f"s{i}_slope"] * (energy - energy.mean())}
    if edge_step is not None:
        x = (energy - values[f"s{i}_step_centre"]) / values[f"s{i}_step_width"]
        curves["step"] = values[f"s{i}_step_height"] * _step_shape(x, edge_step)
    for peak in peaks:
        centre, width, area = (values[f"s{i}_{peak.name}_{what}"] for what in ("centre", "width", "area"))
        curves[peak.name] = area * _peak_shape(energy - centre, width, peak.shape)
    return curves


def _step_shape(x: Array, kind: str) -> Array:
    from scipy.special import erf

    return 0.5 + np.arctan(x) / np.pi if kind == "arctan" else 0.5 * (1.0 + erf(x / np.sqrt(2.0)))


def _peak_shape(x: Array, width: float, kind: str) -> Array:
    """Line of unit area whose full width at half maximum is ``width``."""
    from scipy.special import voigt_profile

    if kind == "gaussian":
        sigma, gamma = width / 2.354820045, 0.0
    elif kind == "lorentzian":
        sigma, gamma = 0.0, width / 2.0
    else:
        # Equal parts: 0.5346 f_L + sqrt(0.2166 f_L^2 + f_G^2) with f_L = f_G (Olivero and Longbothum 1977).
        each = width / (0.5346 + np.sqrt(1.2166))
        sigma, gamma = each / 2.354820045, each / 2.0
    return np.asarray(voigt_profile(x, sigma, gamma))


def _fitted(parameters: lmfit.Parameters, i: int, peak: Peak, inflation: float) -> FittedPeak:
    found = {what: parameters[f"s{i}_{peak.name}_{what}"] for what in ("centre", "width", "area")}
    errors = {what: float(p.stderr) * inflation if p.stderr else float("nan") for what, p in found.items()}
    return FittedPeak(
        name=peak.name,
        centre=float(found["centre"].value),
        width=float(found["width"].value),
        area=float(found["area"].value),
        sigma_centre=errors["centre"],
        sigma_width=errors["width"],
        sigma_area=errors["area"],
    )
