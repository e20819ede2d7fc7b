"""What the statistics need to know of one measurement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shortrange.compare.theory_error import TheoryError
from shortrange.fit.term import Term

__all__ = ["Comparison", "counted_longer"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """One measurement against all models.

    Attributes
    ----------
    terms
        By model.
    theory_error
        Prior of the relative theory error of this technique.
    settings
        Ranges and choices, JSON-like.
    warnings
        Doubts.
    strengths
        By model, what its atoms weigh in this measurement: absorbers for each atom, or the mean scattering
        amplitude of an atom. For mixtures.
    variants
        The same measurement made longer or further, by a name for the reader: calling one gives its terms by
        model, whose curves are not data.
    controls
        The same comparison made in another way that ought not to matter, by name; terms by model.
    """

    terms: Mapping[str, Term]
    theory_error: TheoryError
    settings: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    strengths: Mapping[str, float] = field(default_factory=dict)
    variants: Mapping[str, Callable[[], Mapping[str, Term]]] = field(default_factory=dict)
    controls: Mapping[str, Mapping[str, Term]] = field(default_factory=dict)


def counted_longer(terms: Mapping[str, Term], times: float) -> dict[str, Term]:
    """Return terms of the same measurement with the noise of longer counting."""
    return {name: replace(term, noise=term.noise / times) for name, term in terms.items()}
