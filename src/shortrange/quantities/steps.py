"""The history of data: every operation with its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shortrange._version import __version__

__all__ = ["Step", "doubts", "step"]


@dataclass(frozen=True, slots=True)
class Step:
    """One operation in the life of the data.

    Attributes
    ----------
    name
        What was done, in the imperative.
    settings
        Every setting that had an influence, defaults included, JSON-like.
    version
        The version of the package that did it.
    """

    name: str
    settings: Mapping[str, Any]
    version: str


def step(name: str, **settings: Any) -> Step:
    """Record of an operation by this version of the package."""
    return Step(name, dict(settings), __version__)


def doubts(history: tuple[Step, ...]) -> tuple[str, ...]:
    """Sentences of the steps whose names begin with "warning: ", each once."""
    texts = []
    for done in history:
        if done.name.startswith("warning: "):
            details = ", ".join(f"{key} = {_short(value)}" for key, value in done.settings.items())
            texts.append(done.name.removeprefix("warning: ") + (f" ({details})" if details else ""))
    return tuple(dict.fromkeys(texts))


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_short(part) for part in value) + "]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
