"""What the statistics need to know of one measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shortrange.compare.theory_error import TheoryError
from shortrange.fit.term import Term

__all__ = ["Comparison"]


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
    controls
        The same comparison made in another way that ought not to matter, by name; terms by model.
    """

    terms: Mapping[str, Term]
    theory_error: TheoryError
    settings: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    controls: Mapping[str, Mapping[str, Term]] = field(default_factory=dict)
