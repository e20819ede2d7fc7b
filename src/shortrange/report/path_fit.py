"""Path fits as columns and JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.fit.paths import FittedData, PathFit, Value
from shortrange.numeric.xafs_fourier import fourier_matrix, larch_r_grid

__all__ = ["k_columns", "magnitudes", "path_fit_record", "plot_weight", "r_columns"]

Array = NDArray[Any]

_R_MAX = 6.0


def plot_weight(data: FittedData) -> float:
    """Power of k in figures and columns of R: 2 if it was fitted, else the largest that was."""
    weights = data.data.fit_range.k_weights
    return 2.0 if 2.0 in weights else max(weights)


def magnitudes(data: FittedData, *curves: Array) -> tuple[Array, list[Array]]:
    """R (angstrom) and complex k^n chi(R) of curves on ``data.k``, with the window of the fit."""
    wanted = data.data.fit_range
    r = larch_r_grid(float(data.k[1] - data.k[0]), r_max=max(_R_MAX, wanted.r_range[1] + 1.0))
    matrix = fourier_matrix(
        data.k, r, k_weight=plot_weight(data), k_range=wanted.k_range, dk=wanted.dk, window=wanted.window
    )
    return r, [matrix @ curve for curve in curves]


def k_columns(data: FittedData) -> dict[str, Array | None]:
    """K (1/angstrom), chi of the data, the model, the fitted background, and each path."""
    columns: dict[str, Array | None] = {
        "k": data.k, "chi": data.chi, "fit": data.model, "background": data.background
    }  # fmt: skip
    for number, path in enumerate(data.paths, start=1):
        columns[f"{number} {path.path.label}"] = path.chi
    return columns


def r_columns(data: FittedData) -> dict[str, Array | None]:
    """R (angstrom), magnitude and real part of the data (without the fitted background) and the model."""
    r, (measured, model) = magnitudes(data, data.chi - data.background, data.model)
    return {
        "r": r, "mag": np.abs(measured), "fit_mag": np.abs(model), "re": measured.real, "fit_re": model.real
    }  # fmt: skip


def _plain(value: Value) -> dict[str, Any]:
    return {
        "value": value.value, "sigma": value.sigma, "sigma_noise": value.sigma_noise, "note": value.note
    }  # fmt: skip


def path_fit_record(fit: PathFit) -> dict[str, Any]:
    """Return everything that a fit found, JSON-like."""
    free = [p.name for p in fit.problem.free]
    known = bool(np.isfinite(fit.covariance).all())
    return {
        "engine": fit.engine,
        "success": fit.success,
        "message": fit.message,
        "R": fit.R,
        "chi2": fit.chi2,
        "chi2_reduced": fit.chi2_reduced,
        "n_independent": fit.n_independent,
        "n_free": fit.n_free,
        "n_points": fit.n_points,
        "log_evidence": fit.log_evidence,
        "aic": fit.aic,
        "parameters": {name: _plain(value) for name, value in fit.values.items()},
        "free": free,
        "covariance": fit.covariance.tolist() if known else None,
        "covariance_noise": fit.covariance_noise.tolist() if known else None,
        "correlation": fit.correlation.tolist() if known else None,
        "data": [_data_record(each) for each in fit.data],
        "warnings": list(fit.warnings),
    }


def _data_record(each: FittedData) -> dict[str, Any]:
    wanted = each.data.fit_range
    return {
        "name": each.data.name,
        "k_range": list(wanted.k_range),
        "r_range": list(wanted.r_range),
        "k_weights": list(wanted.k_weights),
        "dk": wanted.dk,
        "window": wanted.window,
        "space": wanted.space,
        "background": each.data.background,
        "R": each.R,
        "n_independent": each.n_independent,
        "epsilon_k": list(each.epsilon_k),
        "paths": [
            {
                "label": path.path.label,
                "source": path.path.source,
                "reff": path.path.reff,
                "degeneracy": path.path.degeneracy,
                "legs": path.path.legs,
                **{name: _plain(value) for name, value in path.parameters.items()},
            }
            for path in each.paths
        ],
    }
