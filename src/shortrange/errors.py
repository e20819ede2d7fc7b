"""Messages that say what is wrong, where, and what to do; and the exceptions that carry them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "DataError",
    "ProjectError",
    "ShortrangeError",
    "SimulationError",
    "did_you_mean",
    "problem",
]


def problem(what: str, *, where: str, do: str) -> str:
    """Give a message its one shape: what is wrong, where, what to do now.

    Parameters
    ----------
    what
        The fault, with the offending value.
    where
        File, line, column, scan, or the call.
    do
        The remedy.
    """
    return f"{what}\n  where: {where}\n  do:    {do}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Advice for an unknown name: the nearest known one, or all of them."""
    options = sorted(known)
    alike = [option for option in options if option.lower() == name.lower()]
    near = alike or difflib.get_close_matches(name, options, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"choose from {options}" if len(options) <= 30 else "check the spelling"


class ShortrangeError(ValueError):
    """Base of every error that the package raises about its input.

    Parameters
    ----------
    what, where, do
        As for `problem`.
    """

    def __init__(self, what: str, *, where: str, do: str) -> None:
        super().__init__(problem(what, where=where, do=do))
        self.what = what
        self.where = where
        self.do = do

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling, which worker processes need.
        return (_rebuild, (type(self), self.what, self.where, self.do))


def _rebuild(kind: type[ShortrangeError], what: str, where: str, do: str) -> ShortrangeError:
    return kind(what, where=where, do=do)


class DataError(ShortrangeError):
    """A file or an array that cannot be what it is taken for."""


class ProjectError(ShortrangeError):
    """A project file that asks for something impossible or unknown."""


class SimulationError(ShortrangeError):
    """A simulation, or an external program it needs, that cannot give a result."""
