"""Keep the linear algebra library on one thread where the matrices are small."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["one_blas_thread"]


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Within it, or within a function that it decorates, BLAS uses one thread in this process.

    Products of matrices of a hundred rows gain nothing from threads, and the threads of a BLAS spin while
    they wait: on a busy machine small fits become ten times slower. Fits in parallel have threads of their
    own.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield
