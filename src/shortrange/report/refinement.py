"""A refinement as tables, as a record, and as PDFgui writes its fits."""

from __future__ import annotations

import csv
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange._version import __version__
from shortrange.fit.refinement import Refinement

__all__ = ["fit_columns", "refinement_record", "write_correlations", "write_fgr", "write_parameters"]

Array = NDArray[Any]


def fit_columns(result: Refinement) -> dict[str, Array | None]:
    """Columns r, data, model and their errors, difference, and the part of each phase."""
    columns: dict[str, Array | None] = {
        "r": result.r,
        "g": result.g,
        "sigma": result.sigma,
        "model": result.model,
        "sigma_model": result.model_sigma,
        "difference": result.g - result.model,
    }
    return columns | {f"part {name}": part for name, part in result.parts.items()}


def write_parameters(path: Path, result: Refinement) -> Path:
    """Write free parameters with their standard errors and units as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "value", "sigma", "unit", "at_bound"])
        for p in result.parameters:
            writer.writerow([p.name, f"{p.value:.9g}", f"{p.sigma:.4g}", p.unit, str(p.at_bound).lower()])
    return path


def write_correlations(path: Path, result: Refinement) -> Path:
    """Write the correlation matrix of the free parameters as CSV, with names."""
    names = [p.name for p in result.parameters]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["", *names])
        for name, row in zip(names, result.correlation, strict=True):
            writer.writerow([name, *(f"{value:.5f}" for value in row)])
    return path


def write_fgr(path: Path, result: Refinement, *, simulated: bool) -> Path:
    """Write the fit with the columns of PDFgui's ``.fgr``: r, model, 0, error of the model, difference."""
    head = [f"shortrange {__version__}: fit of G(r)", f"rw = {result.rw:.6g}"]
    if simulated:
        head.insert(1, "SIMULATED DATA")
    head += [
        f"{p.name} = {p.value:.8g} +- {p.sigma:.2g}{'' if p.unit == '1' else f' {p.unit}'}"
        for p in result.parameters
    ]
    head += ["start data", "L r(A) Gcalc dr dGcalc Gdiff"]
    table = np.column_stack(
        [result.r, result.model, np.zeros_like(result.r), result.model_sigma, result.g - result.model]
    )
    np.savetxt(path, table, fmt="%.7g", header="\n".join(head), encoding="utf-8")
    return path


def refinement_record(result: Refinement) -> dict[str, Any]:
    """Return what refinement.json holds."""
    predicted = result.predicted_chi2
    return {
        "ok": not result.reason,
        "reason": result.reason,
        "rw": result.rw,
        "chi2": result.chi2,
        "chi2_reduced": result.chi2_reduced,
        "chi2_predicted": predicted if np.isfinite(predicted) else None,
        "aic": result.aic,
        "bic": result.bic,
        "independent_points": result.points,
        "effective_parameters": result.effective_parameters,
        "noise": result.noise,
        "noise_scale": result.noise_scale,
        "evaluations": result.evaluations,
        "parameters": [asdict(p) for p in result.parameters],
        "covariance": result.covariance,
        "correlation": result.correlation,
        "values": dict(result.values),
        "fractions": {
            kind: {
                "phases": list(shares.phases),
                "values": shares.values,
                "sigma": shares.sigma,
                "covariance": shares.covariance,
            }
            for kind, shares in result.fractions.items()
        },
        "restraints": [
            {"name": name, "value": value, "sigma": sigma, "found": found}
            for name, value, sigma, found in result.restraints
        ],
    }
