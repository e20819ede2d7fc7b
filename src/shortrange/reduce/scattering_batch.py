"""Many patterns of one series, reduced with the same settings; a faulty one does not stop the others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any

from shortrange.errors import ShortrangeError
from shortrange.quantities import IQ
from shortrange.reduce.scattering import ScatteringReduction, reduce_scattering

__all__ = ["reduce_patterns"]


def reduce_patterns(
    patterns: Iterable[IQ], *, workers: int | None = None, covariance: bool = False, **settings: Any
) -> Iterator[ScatteringReduction | ShortrangeError]:
    """Reduce patterns one after the other, in their order.

    Parameters
    ----------
    patterns
        May be a generator that reads files: only a few are held at a time.
    workers
        Threads, by default one for each processor. The results do not depend on it.
    covariance
        Whether each G(r) carries its full covariance: of a thousand of them, that is gigabytes.
    settings
        As for `reduce_scattering`, the same for all.

    Yields
    ------
    ScatteringReduction or ShortrangeError
        For a pattern that cannot be reduced: why.
    """
    threads = max(1, workers or os.cpu_count() or 1)
    reduce_one: Callable[[IQ], ScatteringReduction | ShortrangeError] = partial(
        _try, {**settings, "covariance": covariance}
    )
    source = iter(patterns)
    with ThreadPoolExecutor(threads) as pool:
        while few := list(islice(source, 8 * threads)):
            yield from pool.map(reduce_one, few)


def _try(settings: dict[str, Any], pattern: IQ) -> ScatteringReduction | ShortrangeError:
    try:
        return reduce_scattering(pattern, **settings)
    except ShortrangeError as error:
        return error
