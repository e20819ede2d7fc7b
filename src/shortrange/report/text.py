"""Words and numbers for the reader, the same on the page, in the figures and on the terminal."""

from __future__ import annotations

import math

from shortrange.compare.verdict import FittedParameter, MeasurementFit, ModelResult, Verdict

__all__ = [
    "OFFERED",
    "compact",
    "fixed",
    "headline",
    "leading",
    "misfit_name",
    "percent",
    "plus_minus",
    "prior_text",
    "significant",
]

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


OFFERED = (
    "Probabilities are among the models offered, with equal prior odds. They say which of these is the best, "
    "not that one of them is right: that is what the verdict says."
)


def headline(verdict: Verdict) -> str:
    """Give the answer in one short sentence."""
    if verdict.verdict == "none fits":
        return "None of the models offered fits the data."
    leader = leading(verdict)
    if verdict.verdict == "supported":
        return f"The data support {leader.name}."
    chance = f"{percent(leader.probability)} among the models offered"
    return f"The data do not decide; {leader.name} leads with {chance}."


def leading(verdict: Verdict) -> ModelResult:
    """Return the model to look at first: the best, or the most probable if none fits."""
    named = [model for model in verdict.models if model.name == verdict.best]
    return named[0] if named else verdict.models[0]


def misfit_name(fit: MeasurementFit) -> str:
    """Name the misfit as the field does: feffit's R-factor, or its square root, PDFgui's Rw."""
    return "R" if fit.technique == "xas" else "Rw"


def percent(probability: float) -> str:
    """Write a probability as a percentage that never claims 0 or 100.

    Small ones keep their power of ten, since one in a thousand and one in a million differ.
    """
    if not math.isfinite(probability):
        return "n/a"
    if probability > 0.999:
        return "> 99.9 %"
    if probability >= 0.001:
        return f"{100 * probability:.1f} %"
    if probability < 1e-300:
        return "< 10⁻³⁰⁰"
    # The decade above: "< 10⁻⁵" is true and is all that such a number is worth.
    exponent = math.floor(math.log10(probability)) + 1
    return f"< 10{str(exponent).translate(_SUPERSCRIPT)}"


def fixed(value: float, places: int) -> str:
    """Write a number with a fixed number of decimals and a true minus sign."""
    return f"{value:.{places}f}".replace("-", "−")


def significant(value: float, digits: int = 3) -> str:
    """Write a number with a few significant digits, without needless exponents."""
    if not math.isfinite(value):
        return "n/a"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        places = 0 if value == 0 else max(0, digits - 1 - math.floor(math.log10(abs(value))))
        return fixed(value, places)
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa.replace('-', '−')} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def compact(value: float) -> str:
    """Write a number that somebody chose: no more digits than it has."""
    return f"{value:.3g}".replace("-", "−") if math.isfinite(value) else "∞".rjust(1 + (value < 0), "−")


def plus_minus(value: float, sigma: float | None) -> str:
    """Write a value with its standard error, cut after the error's second digit."""
    if sigma is None or not math.isfinite(sigma) or sigma <= 0:
        return significant(value, 4)
    places = 1 - math.floor(math.log10(sigma))
    if places < 0 and max(abs(value), sigma) < 1e5:
        return f"{fixed(round(value, places), 0)} ± {round(sigma, places):.0f}"
    exponent = math.floor(math.log10(max(abs(value), sigma)))
    if 0 <= places <= 6 or -1 <= exponent < 5:
        return f"{fixed(value, places)} ± {sigma:.{places}f}"
    # Both are small, or both large: one power of ten for them together.
    scale = 10.0**exponent
    places = max(0, places + exponent)
    power = str(exponent).translate(_SUPERSCRIPT)
    return f"({fixed(value / scale, places)} ± {sigma / scale:.{places}f}) × 10{power}"


def prior_text(parameter: FittedParameter) -> str:
    """Put the prior of a parameter into words."""
    if parameter.prior is None:
        return "flat"
    mean, width = parameter.prior
    return f"{compact(mean)} ± {compact(width)}"
