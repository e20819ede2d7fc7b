"""From the evidence of each model to the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from scipy.special import logsumexp

from shortrange.compare.verdict import MeasurementFit, ModelResult, Verdict
from shortrange.errors import DataError

__all__ = ["alone", "contradictions", "decide", "rank"]


def rank(fits: Mapping[str, Sequence[MeasurementFit]]) -> tuple[ModelResult, ...]:
    """Posterior probabilities of models with equal prior odds, most probable first.

    Parameters
    ----------
    fits
        For each model, its fit to every measurement, in one order for all.

    Raises
    ------
    DataError
        If models were compared with different measurements: their evidences are then not comparable.
    """
    if not fits:
        raise DataError("there is no model", where="compare.rank", do="offer at least one model")
    measured = {name: tuple(fit.measurement for fit in each) for name, each in fits.items()}
    if len(set(measured.values())) != 1:
        raise DataError(
            f"models were compared with different measurements: {measured}",
            where="compare.rank",
            do="fit every model to every measurement",
        )
    names = list(fits)
    logs = np.array([sum(fit.log_evidence for fit in fits[name]) for name in names])
    probabilities = np.exp(logs - logsumexp(logs))
    order = np.argsort(-logs, kind="stable")
    return tuple(
        ModelResult(
            name=names[i],
            probability=float(probabilities[i]),
            log_evidence=float(logs[i]),
            fits=tuple(fits[names[i]]),
        )
        for i in order
    )


def alone(models: Sequence[ModelResult]) -> dict[str, dict[str, float]]:
    """Probabilities of the models from each measurement alone: measurement to model to probability."""
    table: dict[str, dict[str, float]] = {}
    for i, fit in enumerate(models[0].fits):
        logs = np.array([model.fits[i].log_evidence for model in models])
        probabilities = np.exp(logs - logsumexp(logs))
        table[fit.measurement] = {m.name: float(p) for m, p in zip(models, probabilities, strict=True)}
    return table


def contradictions(models: Sequence[ModelResult], *, odds: float = 20.0) -> tuple[str, ...]:
    """Sentences on measurements that, alone, prefer another model to the best one by at least ``odds``."""
    best, found = models[0].name, []
    for measurement, chances in alone(models).items():
        rival = max(chances, key=lambda name: chances[name])
        if chances[rival] > odds * chances[best]:
            found.append(
                f"{measurement} alone prefers {rival!r} to {best!r}, which all measurements together prefer"
            )
    return tuple(found)


def decide(
    models: tuple[ModelResult, ...],
    *,
    odds: float = 20.0,
    p_threshold: float = 0.01,
    warnings: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
) -> Verdict:
    """Apply the rule of the verdict.

    ``none fits``: the best model's misfit to some measurement is so large that, were the model right, noise
    and theory error would make it so with a probability below ``p_threshold`` (divided by the number of
    measurements). ``supported``: otherwise, and the best model is at least ``odds`` times as probable as
    every other. ``undecided``: otherwise.

    Parameters
    ----------
    models
        Most probable first, as from `rank`.
    odds
        Threshold of the odds between the best two.
    p_threshold
        Threshold for the misfit.
    warnings, settings
        Handed on.
    """
    best = models[0]
    misfits = [fit for fit in best.fits if fit.p_value < p_threshold / len(best.fits)]
    verdict: Literal["supported", "undecided", "none fits"]
    if misfits:
        verdict, reason = "none fits", _none_fits(best, misfits)
    elif len(models) == 1:
        verdict, reason = "undecided", f"{best.name!r} fits, but no other model was offered for comparison"
    else:
        lead = float(np.exp(min(best.log_evidence - models[1].log_evidence, 700.0)))
        verdict = "supported" if lead >= odds else "undecided"
        reason = (
            f"{best.name!r} is {_odds(lead)} times as probable as {models[1].name!r}, the next best "
            f"(threshold {odds:g})"
        )
    return Verdict(
        verdict=verdict,
        best=None if verdict == "none fits" else best.name,
        models=models,
        reason=reason,
        warnings=(*warnings, *contradictions(models, odds=odds)),
        settings={**(settings or {}), "odds_threshold": odds, "p_threshold": p_threshold},
    )


def _odds(lead: float) -> str:
    return f"{lead:.1f}" if lead < 100 else "more than 1000" if lead > 1000 else f"{lead:.0f}"


def _none_fits(best: ModelResult, misfits: Sequence[MeasurementFit]) -> str:
    where = " and ".join(f"{fit.measurement} (p = {fit.p_value:.2g})" for fit in misfits)
    return (
        f"even the best model, {best.name!r}, misfits {where} "
        "by more than noise and the stated theory error explain"
    )
