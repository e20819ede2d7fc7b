"""Mixtures of models as hypotheses: evidence and shares, from all measurements together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.special import logsumexp

from shortrange.compare.evidence import judge, log_evidence
from shortrange.compare.theory_error import TheoryError
from shortrange.compare.verdict import FittedParameter, MeasurementFit
from shortrange.fit.mixture import mix_terms
from shortrange.fit.term import Term

__all__ = ["SHARE_THEORY", "Component", "MixtureFit", "judge_mixture", "mixture_weights"]

Array = NDArray[Any]

SHARE_THEORY = 0.06
"""Standard deviation of a share from theory error that looks like another model, which a theory error without
structure does not know: the most probable value for 57 simulated mixtures (studies/calibration)."""

_FIRST = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Shares at which evidence is calculated to begin with; more follow where the posterior is narrow."""
_ROUNDS = 8
_FINE = np.linspace(0.0, 1.0, 2001)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Component:
    """One measurement of a mixture.

    Attributes
    ----------
    terms
        By model.
    strengths
        What an atom of each model weighs in the measurement.
    theory_error
        Prior of the relative theory error.
    """

    terms: Mapping[str, Term]
    strengths: Mapping[str, float]
    theory_error: TheoryError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MixtureFit:
    """A mixture after all measurements.

    Attributes
    ----------
    log_evidence
        Of all measurements, with the shares they have in common integrated out.
    shares
        Part of the atoms of each model, under its name, mean and standard deviation.
    fits
        One for each measurement, at the mean shares; their evidence is that of the measurement alone.
    """

    log_evidence: float
    shares: tuple[FittedParameter, ...]
    fits: tuple[MeasurementFit, ...]


def mixture_weights(technique: Literal["xas", "total-scattering"], shares: Array, strengths: Array) -> Array:
    r"""Weights of the components' curves for shares :math:`x_i` of the atoms.

    Absorption is an average over absorbers, :math:`x_i a_i / \sum x_j a_j` with a_i absorbers for each atom.
    S(Q) - 1 is divided by the mean scattering amplitude squared: :math:`x_i f_i^2 / (\sum x_j f_j)^2`, here
    with the amplitude f_i of an average atom of component i at Q = 0. Between domains nothing is ordered.

    Parameters
    ----------
    technique
        Of the measurement.
    shares
        Part of the atoms, shape (n,).
    strengths
        a_i or f_i, shape (n,).
    """
    x = shares * strengths
    if technique == "xas":
        return np.asarray(x / x.sum())
    return np.asarray(x * strengths / x.sum() ** 2)


def judge_mixture(
    components: Sequence[Component], of: tuple[str, str], *, tell: Callable[[str], None] = lambda _: None
) -> MixtureFit:
    """Find the shares of two models, and the evidence of their mixture.

    The prior of the share is flat. Evidence, with nuisance parameters and theory error integrated out, is
    calculated at some shares, more closely where it is large, and interpolated between; the share is then
    integrated out over all measurements together.

    Parameters
    ----------
    components
        One for each measurement.
    of
        Names of the two models.
    tell
        Told which share is being tried.
    """
    known = {x: _logs(components, of, x, tell) for x in _FIRST}
    for _ in range(_ROUNDS):
        together = np.sum(_interpolated(known), axis=0)
        posterior = np.exp(together - logsumexp(together))
        mean = float(posterior @ _FINE)
        sigma = float(np.sqrt(posterior @ (_FINE - mean) ** 2))
        wanted = _between(sorted(known), float(_FINE[np.argmax(together)]), sigma)
        if not wanted:
            break
        known |= {x: _logs(components, of, x, tell) for x in wanted}
    each = _interpolated(known)
    together, prior = np.sum(each, axis=0), -np.log(_FINE.size)
    posterior = np.exp(together - logsumexp(together))
    mean = float(posterior @ _FINE)
    sigma = float(np.sqrt(posterior @ (_FINE - mean) ** 2))
    fits = [
        replace(
            judge(_mixed(component, of, mean), theory_error=component.theory_error),
            log_evidence=float(logsumexp(alone) + prior),
        )
        for component, alone in zip(components, each, strict=True)
    ]
    return MixtureFit(
        log_evidence=float(logsumexp(together) + prior),
        shares=(_share(of[0], mean, sigma), _share(of[1], 1.0 - mean, sigma)),
        fits=tuple(fits),
    )


def _logs(
    components: Sequence[Component], of: tuple[str, str], share: float, tell: Callable[[str], None]
) -> list[float]:
    """Logarithm of the evidence of each measurement at a share of the first model."""
    tell(f"{share:.2f} of {of[0]}")
    return [log_evidence(_mixed(c, of, share), theory_error=c.theory_error) for c in components]


def _interpolated(known: Mapping[float, list[float]]) -> Array:
    """Evidence of each measurement at the fine shares, shape (n_measurements, n)."""
    nodes = sorted(known)
    return np.asarray(CubicSpline(nodes, np.array([known[x] for x in nodes]))(_FINE).T)


def _between(nodes: list[float], peak: float, sigma: float) -> list[float]:
    """Middles of the intervals beside the peak that are too wide for the posterior."""
    right = int(np.clip(np.searchsorted(nodes, peak), 1, len(nodes) - 1))
    beside = range(max(right - 1, 1), min(right + 2, len(nodes)))
    return [(nodes[i - 1] + nodes[i]) / 2 for i in beside if nodes[i] - nodes[i - 1] > 2.0 * sigma]


def _mixed(component: Component, of: tuple[str, str], share: float) -> Term:
    shares = np.array([share, 1.0 - share])
    terms = {name: component.terms[name] for name in of}
    strengths = np.array([component.strengths[name] for name in of])
    technique = next(iter(terms.values())).technique
    return mix_terms(terms, list(mixture_weights(technique, shares, strengths)))


def _share(name: str, mean: float, sigma: float) -> FittedParameter:
    return FittedParameter(
        name=name,
        unit="1",
        value=float(mean),
        sigma=float(np.hypot(sigma, SHARE_THEORY)),
        prior=None,
        bounds=(0.0, 1.0),
        note=f"part of the atoms (motifs: of the metal); flat prior; {SHARE_THEORY:g} of the error: theory",
    )
