"""A sample that holds several structures side by side: their terms in stated proportions are one term."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.fit.parameters import Parameter
from shortrange.fit.term import Term

__all__ = ["mix_terms"]

Array = NDArray[Any]


def mix_terms(terms: Mapping[str, Term], weights: Sequence[float]) -> Term:
    """Add the curves of several models of one measurement, each times its weight.

    Parameters that are stated alike by all models (name, limits, prior) are shared; others are kept
    apart and carry the model's name, as the thermal width of a crystal beside that of snapshots.

    Parameters
    ----------
    terms
        By model, of the same data.
    weights
        Of each model's curve, in the same order. They need not add up to 1.

    Raises
    ------
    DataError
        If the terms are not of the same data, or the numbers of weights and terms differ.
    """
    names, parts = list(terms), list(terms.values())
    first = parts[0]
    if len(weights) != len(parts):
        raise DataError(
            f"{len(weights)} weights for {len(parts)} models", where="mix_terms", do="give one for each"
        )
    if any(t.curve.shape != first.curve.shape or not np.array_equal(t.curve, first.curve) for t in parts):
        raise DataError(
            "models were compared with different data", where="mix_terms", do="mix terms of one measurement"
        )
    parameters, places = _merge(names, parts)

    def model(theta: Array) -> Array:
        return np.asarray(sum(w * t.model(theta[p]) for w, t, p in zip(weights, parts, places, strict=True)))

    def contributions(theta: Array) -> dict[str, Array]:
        total: dict[str, Array] = {}
        for w, t, p in zip(weights, parts, places, strict=True):
            for name, part in t.contributions(theta[p]).items():
                total[name] = total.get(name, np.zeros_like(part)) + w * part
        return total

    def spread(theta: Array) -> Array:
        return np.column_stack(
            [
                w * t.spread(theta[p])
                for w, t, p in zip(weights, parts, places, strict=True)
                if t.spread is not None
            ]
        )

    def slopes(theta: Array) -> Array:
        total = np.zeros((first.curve.size, len(parameters)))
        for w, t, p in zip(weights, parts, places, strict=True):
            assert t.slopes is not None
            total[:, p] += w * t.slopes(theta[p])
        return total

    return replace(
        first,
        model=model,
        spread=None if all(t.spread is None for t in parts) else spread,
        slopes=None if any(t.slopes is None for t in parts) else slopes,
        parameters=parameters,
        contributions=contributions,
        sampling=np.asarray(sum(w**2 * t.sampling for w, t in zip(weights, parts, strict=True))),
    )


def _merge(names: Sequence[str], parts: Sequence[Term]) -> tuple[tuple[Parameter, ...], list[Array]]:
    """Parameters of all terms, and for each term where its own are among them."""
    # Where a fit starts is no part of what is stated: motifs start at their own maxima.
    stated = Counter(_stated(parameter) for term in parts for parameter in term.parameters)
    merged: dict[tuple[Any, str], int] = {}
    parameters: list[Parameter] = []
    places = []
    for name, term in zip(names, parts, strict=True):
        place = []
        for parameter in term.parameters:
            shared = stated[_stated(parameter)] == len(parts)
            key = (_stated(parameter), "" if shared else name)
            if key not in merged:
                merged[key] = len(parameters)
                parameters.append(
                    parameter if shared else replace(parameter, name=f"{parameter.name} ({name})")
                )
            place.append(merged[key])
        places.append(np.array(place))
    return tuple(parameters), places


def _stated(parameter: Parameter) -> tuple[Any, ...]:
    return parameter.name, parameter.unit, parameter.lower, parameter.upper, parameter.prior
