"""Many patterns of one series, reduced with the same settings; a faulty one does not stop the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from shortrange.errors import ShortrangeError
from shortrange.quantities import IQ
from shortrange.reduce.scattering import ScatteringReduction, reduce_scattering

__all__ = ["reduce_patterns"]


def reduce_patterns(
    patterns: Iterable[IQ], *, covariance: bool = False, **settings: Any
) -> Iterator[ScatteringReduction | ShortrangeError]:
    """Reduce patterns one after the other, in their order.

    Parameters
    ----------
    patterns
        May be a generator that reads files: one is held at a time.
    covariance
        Whether each G(r) carries its full covariance: of a thousand of them, that is gigabytes.
    settings
        As for `reduce_scattering`, the same for all.

    Yields
    ------
    ScatteringReduction or ShortrangeError
        For a pattern that cannot be reduced: why.
    """
    # In one thread: the work is many small steps, and two threads that wait for each other took longer.
    for pattern in patterns:
        try:
            yield reduce_scattering(pattern, covariance=covariance, **settings)
        except ShortrangeError as error:
            yield error
