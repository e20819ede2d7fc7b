"""The verdict for scripts: one JSON file with a fixed schema and the same bytes for the same answer."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from shortrange.analyse.estimate import Estimate
from shortrange.compare.rank import alone
from shortrange.compare.verdict import FittedParameter, MeasurementFit, ModelResult, Surroundings, Verdict
from shortrange.errors import DataError
from shortrange.report.text import OFFERED

__all__ = ["SCHEMA", "plain_data", "verdict_json", "verdict_record"]

SCHEMA = "shortrange-verdict/1"


def verdict_record(
    verdict: Verdict,
    *,
    inputs: Iterable[tuple[str, str]],
    versions: Mapping[str, str],
    settings: Mapping[str, Any] | None = None,
    simulated: bool = False,
) -> dict[str, Any]:
    """Return the verdict as plain data.

    Parameters
    ----------
    verdict
        The answer.
    inputs
        (path, sha256) of each file that was read.
    versions
        Of this package and of those that made the numbers.
    settings
        Of the project, beside those of the comparison.
    simulated
        Whether the measurements were made from models.

    Raises
    ------
    DataError
        If a probability, an evidence or a misfit is not a finite number.
    """
    return {
        "schema": SCHEMA,
        "verdict": verdict.verdict,
        "best": verdict.best,
        "reason": verdict.reason,
        "simulated": bool(simulated),
        "probabilities": OFFERED,
        "models": [_model(model) for model in verdict.models],
        "structure": {each.element: _surroundings(each) for each in verdict.structure},
        "alone": plain_data(alone(verdict.models)),
        "what_would_decide": [
            {
                "measurement": p.what,
                "expected_gain_nats": p.expected,
                "if_true": plain_data([p.gain_if_first, p.gain_if_second]),
                "assumed": p.assumed,
            }
            for p in verdict.prospects
        ],
        "warnings": list(verdict.warnings),
        "inputs": [{"path": str(path), "sha256": digest} for path, digest in inputs],
        "settings": plain_data({**(settings or {}), **verdict.settings}),
        "versions": {name: str(version) for name, version in sorted(versions.items())},
    }


def verdict_json(record: Mapping[str, Any]) -> str:
    """Return the record as text: no date, no order that changes from run to run."""
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def plain_data(value: Any) -> Any:
    """Value as JSON can hold it: arrays become lists, unknown objects their text, infinities and NaN null."""
    if isinstance(value, Mapping):
        return {str(key): plain_data(item) for key, item in value.items()}
    if isinstance(value, bool | int | str) or value is None:
        return value
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        return plain_data(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, set | frozenset):
        return sorted(plain_data(item) for item in value)
    if isinstance(value, list | tuple):
        return [plain_data(item) for item in value]
    return str(value)


def _model(model: ModelResult) -> dict[str, Any]:
    where = f"model {model.name!r}"
    return {
        "name": model.name,
        "probability": _finite(model.probability, "probability", where),
        "log_evidence": _finite(model.log_evidence, "log_evidence", where),
        "misfit": {
            fit.measurement: {
                "R": _finite(fit.R, "R", f"{where}, {fit.measurement}"),
                "chi2_reduced": _finite(fit.chi2_reduced, "chi2_reduced", f"{where}, {fit.measurement}"),
            }
            for fit in model.fits
        },
        "fits": {fit.measurement: _fit(fit, f"{where}, {fit.measurement}") for fit in model.fits},
        "shares": [_parameter(share) for share in model.shares],
    }


def _surroundings(found: Surroundings) -> dict[str, Any]:
    return {
        "coordination": {ligand: _estimate(number) for ligand, number in found.numbers.items()},
        "lengths": {name: _estimate(length) for name, length in found.lengths.items()},
        "bridged": None if found.bridged is None else _estimate(found.bridged),
    }


def _estimate(found: Estimate) -> dict[str, float | None]:
    return {"value": found.value, "sigma": found.sigma}


def _fit(fit: MeasurementFit, where: str) -> dict[str, Any]:
    return {
        "log_evidence": _finite(fit.log_evidence, "log_evidence", where),
        "p_value": _finite(fit.p_value, "p_value", where),
        "compared_range": [float(limit) for limit in fit.fit_range],
        "parameters": [_parameter(parameter) for parameter in fit.parameters],
        "evidence_by_place": {
            places.axis: {"centres": plain_data(places.centres), "nats": plain_data(places.nats)}
            for places in fit.places
        },
    }


def _parameter(parameter: FittedParameter) -> dict[str, Any]:
    record = {
        "name": parameter.name,
        "unit": parameter.unit,
        "value": parameter.value,
        "sigma": parameter.sigma,
        "prior": parameter.prior,
        "bounds": parameter.bounds,
        "at_bound": parameter.at_bound,
        "note": parameter.note,
    }
    return {key: plain_data(value) for key, value in record.items()}


def _finite(value: float, name: str, where: str) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise DataError(
            f"{name} is {number}",
            where=where,
            do="look at the warnings of the reduction; the verdict is not written",
        )
    return number
