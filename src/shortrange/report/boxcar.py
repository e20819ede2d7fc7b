"""A box-car refinement as columns and as a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.fit.boxcar import Boxcar, BoxcarWindow
from shortrange.fit.coherence import Coherence
from shortrange.fit.trend import Trend

__all__ = ["boxcar_columns", "boxcar_record", "leading_coherence", "parameter_columns"]

Array = NDArray[Any]


def boxcar_columns(result: Boxcar) -> dict[str, Array | None]:
    """Columns of boxcar.csv: window, Rw, mass fractions with standard errors; nan where a window failed."""
    columns: dict[str, Array | None] = _edges(result)
    columns["rw"] = np.array([np.nan if w.refinement is None else w.refinement.rw for w in result.windows])
    for phase in result.phases:
        shares = np.array([w.share(phase) for w in result.windows])
        columns[f"mass_fraction_{phase}"] = shares[:, 0]
        columns[f"sigma_mass_fraction_{phase}"] = shares[:, 1]
    return columns


def parameter_columns(result: Boxcar) -> dict[str, Array | None]:
    """Every free parameter against r with its error, and the misfit of the fixed model."""
    columns: dict[str, Array | None] = _edges(result)
    names: dict[str, None] = {}
    for window in result.windows:
        for parameter in window.refinement.parameters if window.refinement else ():
            names[parameter.name] = None
    for name in names:
        values = np.array([_value(window, name) for window in result.windows])
        columns[name], columns[f"sigma {name}"] = values[:, 0], values[:, 1]
    columns["rw_fixed_model"] = np.array([w.rw_fixed for w in result.windows])
    return columns


def leading_coherence(result: Boxcar) -> tuple[str, Coherence] | None:
    """Return the phase whose order ends first, and its range; None if every one is ordered throughout."""
    ending = [(c.half, name) for name, c in result.coherence.items() if c.half is not None]
    if not ending:
        return None
    _, name = min(ending)
    return name, result.coherence[name]


def boxcar_record(result: Boxcar) -> dict[str, Any]:
    """Return what boxcar.json holds of a refinement."""
    leading = leading_coherence(result)
    return {
        "coherence_length": leading[1].half if leading else None,
        "sigma_coherence_length": leading[1].sigma if leading else None,
        "coherence_phase": leading[0] if leading else None,
        "coherence_reason": "" if leading else _why(result.coherence),
        "coherence": {name: asdict(found) for name, found in result.coherence.items()},
        "phases": list(result.phases),
        "window": result.window,
        "step": result.step,
        "scan": result.scan,
        "overlap": result.overlap,
        "overlap_note": "neighbouring windows share this part of their data, so their results are "
        "correlated by about as much; all_at_once gives one covariance for the whole range",
        "all_at_once": _trend(result.trend),
        "windows": [_window(result, window) for window in result.windows],
        "settings": dict(result.settings),
    }


def _why(found: Mapping[str, Coherence]) -> str:
    if not found:
        return "the fit of all windows at once failed or was not asked for"
    return "; ".join(f"{name}: {c.reason}" for name, c in found.items())


def _edges(result: Boxcar) -> dict[str, Array | None]:
    return {
        "r_center": np.array([w.r_center for w in result.windows]),
        "r_min": np.array([w.r_min for w in result.windows]),
        "r_max": np.array([w.r_max for w in result.windows]),
    }


def _value(window: BoxcarWindow, name: str) -> tuple[float, float]:
    if window.refinement is None:
        return float("nan"), float("nan")
    return window.refinement[name].value, window.refinement[name].sigma


def _trend(trend: Trend | None) -> dict[str, Any] | None:
    if trend is None:
        return None
    return {
        "r": trend.knots,
        "rw": trend.rw,
        "mass_fraction": dict(zip(trend.phases, trend.mass, strict=True)),
        "sigma_mass_fraction": {
            name: np.sqrt(np.maximum(np.diag(cov), 0.0))
            for name, cov in zip(trend.phases, trend.mass_covariance, strict=True)
        },
        "covariance_mass_fraction": dict(zip(trend.phases, trend.mass_covariance, strict=True)),
        "parameters": {name: value for name, value in trend.values.items() if not name.endswith(".scale")},
    }


def _window(result: Boxcar, window: BoxcarWindow) -> dict[str, Any]:
    record: dict[str, Any] = {
        "r_center": window.r_center,
        "r_min": window.r_min,
        "r_max": window.r_max,
        "ok": window.refinement is not None,
        "reason": window.reason,
    }
    found = window.refinement
    if found is None:
        return record
    return record | {
        "rw": found.rw,
        "rw_fixed_model": window.rw_fixed,
        "chi2_reduced": found.chi2_reduced,
        "independent_points": found.points,
        "noise": found.noise,
        "noise_scale": found.noise_scale,
        "parameters": [asdict(parameter) for parameter in found.parameters],
        "correlation": found.correlation,
        "fractions": {
            kind: {
                name: {"value": value, "sigma": sigma}
                for name, value, sigma in zip(result.phases, shares.values, shares.sigma, strict=True)
            }
            for kind, shares in found.fractions.items()
        },
        "warnings": list(found.warnings),
    }
