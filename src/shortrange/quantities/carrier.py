"""What all carriers share: own read-only arrays, equal lengths, history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.quantities.steps import Step
from shortrange.shown import Shown

__all__ = ["Carrier", "owned"]

Array = NDArray[Any]


def owned(value: Any, dtype: type = float) -> Array:
    """Return a read-only copy: the caller's array is never frozen, nor ours changed from outside.

    An array that is read-only and owns its data needs no copy: carriers are made from carriers.
    """
    if (
        isinstance(value, np.ndarray)
        and value.dtype == dtype
        and value.flags.owndata
        and not value.flags.writeable
    ):
        return value
    array: Array = np.array(value, dtype=dtype)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Carrier(Shown):
    """What the carriers share: own arrays, equal lengths, history."""

    _arrays: ClassVar[tuple[str, ...]] = ()
    label: str = ""
    history: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        axis = self._arrays[0]
        for name in self._arrays:
            value = getattr(self, name)
            if value is not None:
                dtype = complex if np.iscomplexobj(value) else float
                object.__setattr__(self, name, owned(value, dtype))
        n = getattr(self, axis).shape
        if len(n) != 1:
            raise DataError(f"{axis} has {len(n)} dimensions", where=self._where(), do="give a 1-d array")
        for name in self._arrays[1:]:
            value = getattr(self, name)
            if value is not None and value.shape != n:
                raise DataError(
                    f"{name} has shape {value.shape} but {axis} has {n[0]} points",
                    where=self._where(),
                    do=f"give one value of {name} for each point of {axis}",
                )

    def _where(self) -> str:
        return f"{type(self).__name__}(label={self.label!r})"

    def _check_cov(self, cov: Any, size: int) -> None:
        if cov is None:
            return
        square = owned(cov)
        if square.shape != (size, size):
            raise DataError(
                f"cov has shape {square.shape}, not ({size}, {size})",
                where=self._where(),
                do="give a square matrix",
            )
        object.__setattr__(self, "cov", square)

    def after(self, done: Step, **changes: Any) -> Self:
        """Return a copy with ``changes`` and one more step in its history."""
        return replace(self, history=(*self.history, done), **changes)
