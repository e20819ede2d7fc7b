"""From the evidence of each model to the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from scipy.special import logsumexp

from shortrange.compare.mixture import MixtureFit
from shortrange.compare.verdict import MeasurementFit, ModelResult, Verdict
from shortrange.errors import DataError

__all__ = ["UNASKED", "alone", "contradictions", "decide", "leading", "rank", "upper_limit"]

UNASKED = 0.5
"""Prior odds of a mixture that nobody offered, against the model it mainly consists of. Bond lengths that are
off look like some of another model: by up to 20 in odds for the right models of 17 simulated truths, where
mixtures gain 30 and more but for one in seven (studies/calibration/chosen)."""

_ONE_SIDED = 1.645
"""Standard deviations of a normal distribution below which 95 % of it lie."""


def rank(
    fits: Mapping[str, Sequence[MeasurementFit]], *, mixtures: Mapping[str, MixtureFit] | None = None
) -> tuple[ModelResult, ...]:
    """Posterior probabilities of models with equal prior odds, most probable first.

    Parameters
    ----------
    fits
        For each model, its fit to every measurement, in one order for all.
    mixtures
        Hypotheses whose measurements share a parameter, so that their evidences do not multiply.

    Raises
    ------
    DataError
        If models were compared with different measurements: their evidences are then not comparable.
    """
    if not fits:
        raise DataError("there is no model", where="compare.rank", do="offer at least one model")
    shared = mixtures or {}
    fits = {**fits, **{name: mixture.fits for name, mixture in shared.items()}}
    measured = {name: tuple(fit.measurement for fit in each) for name, each in fits.items()}
    if len(set(measured.values())) != 1:
        raise DataError(
            f"models were compared with different measurements: {measured}",
            where="compare.rank",
            do="fit every model to every measurement",
        )
    names = list(fits)
    logs = np.array(
        [
            shared[name].log_evidence if name in shared else sum(fit.log_evidence for fit in fits[name])
            for name in names
        ]
    )
    probabilities = np.exp(logs - logsumexp(logs))
    order = np.argsort(-logs, kind="stable")
    return tuple(
        ModelResult(
            name=names[i],
            probability=float(probabilities[i]),
            log_evidence=float(logs[i]),
            fits=tuple(fits[names[i]]),
            shares=shared[names[i]].shares if names[i] in shared else (),
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
    admixtures: Mapping[str, MixtureFit] | None = None,
    incomplete: Mapping[str, str] | None = None,
    warnings: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
) -> Verdict:
    """Apply the rule of the verdict.

    ``none fits``: the leading model's misfit to some measurement is so large that, were the model right,
    noise and theory error would make it so with a probability below ``p_threshold`` (divided by the number
    of measurements). ``supported``: otherwise, if three things hold. The leading model is at least ``odds``
    times as probable as every rival. Its misfit is at least ``odds`` times as likely for a right model as
    that of the next best: where wrong models fit as well as the best one, the data could not have told that
    the right one is missing. And no mixture with another model is ``odds`` times as probable as it, given
    that nobody asked for one (`UNASKED`). A model that is known to be incomplete is not supported either.
    ``undecided``: otherwise.

    The leading model is the most probable one. A mixture that consists mainly of a model is no rival of it:
    if neither beats the other by ``odds``, the model leads, with some of the other possibly beside it.

    Parameters
    ----------
    models
        Most probable first, as from `rank`.
    odds
        Threshold of the odds.
    p_threshold
        Threshold for the misfit.
    admixtures
        By model, the mixture of the leading one with it, where it was tried without having been asked for.
    incomplete
        By model, why it cannot be the whole sample, such as an element that it lacks.
    warnings, settings
        Handed on.
    """
    best = leading(models, odds=odds)
    rivals = [m for m in models if m is not best and not _mainly(m, best)]
    misfits = [fit for fit in best.fits if fit.p_value < p_threshold / len(best.fits)]
    mixed = _better_mixture(best, admixtures or {}, odds)
    verdict: Literal["supported", "undecided", "none fits"]
    if misfits:
        verdict, reason = "none fits", _none_fits(best, misfits) + (f"; but {mixed}" if mixed else "")
    elif not rivals:
        verdict, reason = "undecided", f"{best.name!r} fits, but no other model was offered for comparison"
    elif mixed:
        verdict, reason = "undecided", f"{best.name!r} leads the models offered, but {mixed}"
    elif best.name in (incomplete or {}):
        verdict = "undecided"
        reason = f"{best.name!r} leads the models offered, but {(incomplete or {})[best.name]}"
    else:
        lead = float(np.exp(np.clip(best.log_evidence - rivals[0].log_evidence, -700.0, 700.0)))
        # What a mixture holds fits nearly as well as it: there the odds decide.
        others = [m for m in rivals if m.name not in {share.name for share in best.shares}]
        refuted = not others or _chance(best) >= odds * _chance(others[0])
        verdict = "supported" if lead >= odds and refuted else "undecided"
        reason = (
            f"{best.name!r} is {_odds(lead)} times as probable as {rivals[0].name!r}, the next best "
            f"(threshold {odds:g})"
        )
        if lead >= odds and not refuted:
            reason += (
                f"; but {others[0].name!r} fits as a right model may (p = {_chance(others[0]):.2g} "
                f"against {_chance(best):.2g}): the data cannot tell whether the right one was offered"
            )
        if verdict == "supported":
            reason += _beside(admixtures or {})
    return Verdict(
        verdict=verdict,
        best=None if verdict == "none fits" else best.name,
        models=models,
        reason=reason,
        warnings=(*warnings, *contradictions(models, odds=odds)),
        settings={**(settings or {}), "odds_threshold": odds, "p_threshold": p_threshold},
    )


def leading(models: tuple[ModelResult, ...], *, odds: float = 20.0) -> ModelResult:
    """Return the most probable model, or the simpler one that it mainly consists of and does not beat."""
    best = models[0]
    simpler = [m for m in models[1:] if _mainly(best, m)]
    if simpler and best.log_evidence - simpler[0].log_evidence < np.log(odds):
        return simpler[0]
    return best


def _chance(model: ModelResult) -> float:
    """Chance of the worst of a model's misfits, were it right; allowing for their number."""
    return min(1.0, len(model.fits) * min(fit.p_value for fit in model.fits))


def _mainly(mixture: ModelResult, model: ModelResult) -> bool:
    """Whether a mixture consists of a model by more than half."""
    return any(share.name == model.name and share.value > 0.5 for share in mixture.shares)


def _better_mixture(best: ModelResult, admixtures: Mapping[str, MixtureFit], odds: float) -> str:
    """Say which mixture beats the leading model by the threshold, or nothing."""
    gains = {
        other: fit.log_evidence - best.log_evidence + np.log(UNASKED) for other, fit in admixtures.items()
    }
    if not gains or max(gains.values()) < np.log(odds):
        return ""
    other = max(gains, key=lambda name: gains[name])
    share = next(s for s in admixtures[other].shares if s.name == other)
    return (
        f"a mixture of it with {other!r} ({share.value:.2f}({_error(share.sigma)}) of the atoms) is "
        f"{_odds(float(np.exp(min(gains[other], 700.0))))} times as probable: offer it as a [[mixture]]"
    )


def _beside(admixtures: Mapping[str, MixtureFit]) -> str:
    """Say how much of another model the data allow beside the supported one: support does not exclude it."""
    limits = {
        other: limit for other, fit in admixtures.items() if (limit := upper_limit(fit, other)) is not None
    }
    if not limits:
        return ""
    other = max(limits, key=lambda name: limits[name])
    return f"; beside it, up to {limits[other]:.0%} of the atoms as {other!r} are not excluded"


def upper_limit(fit: MixtureFit, name: str) -> float | None:
    """Share of the atoms of one model of a mixture that is exceeded with a chance of 5 %; None if unknown."""
    share = next(s for s in fit.shares if s.name == name)
    return None if share.sigma is None else min(1.0, share.value + _ONE_SIDED * share.sigma)


def _error(sigma: float | None) -> str:
    """Error in the last of two digits."""
    return "?" if sigma is None else f"{max(1, round(100 * sigma))}"


def _odds(lead: float) -> str:
    return f"{lead:.1f}" if lead < 100 else "more than 1000" if lead > 1000 else f"{lead:.0f}"


def _none_fits(best: ModelResult, misfits: Sequence[MeasurementFit]) -> str:
    where = " and ".join(f"{fit.measurement} (p = {fit.p_value:.2g})" for fit in misfits)
    return (
        f"even the best model, {best.name!r}, misfits {where} "
        "by more than noise and the stated theory error explain"
    )
