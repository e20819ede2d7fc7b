"""Sums and values of all frames in a memory that does not grow with their number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.estimate import Spread, ratio_of

__all__ = ["TABLE_FRAMES", "BlockSums", "Pool", "kept_every"]

Array = NDArray[Any]

TABLE_FRAMES = 5000
"""Frames at most that tables of atoms or of pairs hold; of longer runs every second, third, ..."""
_BLOCKS = 4096
_HELD = 2**16
_BINS = 2**15
_EQUAL = 1e-12


def kept_every(n_frames: int) -> int:
    """Every which frame of so many a table holds."""
    return max(1, -(-n_frames // TABLE_FRAMES))


class BlockSums:
    """Sums over blocks of consecutive frames: of one frame each up to 4096, of 2, 4, 8, ... in longer runs.

    An error by blocks (Flyvbjerg and Petersen 1989) is the same from sums of such blocks, but for the
    averages of fewer frames than a block holds, which neighbouring frames make too small anyway.

    Parameters
    ----------
    n_frames
        Of the run.
    shape
        Of what is added for a frame.
    """

    def __init__(self, n_frames: int, shape: tuple[int, ...] = ()) -> None:
        self._length = 1
        while -(-n_frames // self._length) > _BLOCKS:
            self._length *= 2
        self.frames = np.diff(np.append(np.arange(0, n_frames, self._length), n_frames))
        """Frames in each block, shape (n_blocks,)."""
        self.sums = np.zeros((self.frames.size, *shape))
        """Shape (n_blocks, *shape)."""

    def add(self, frames: Array, values: Array) -> None:
        """Add values, shape (n, *shape), to the blocks of their frames, shape (n,)."""
        np.add.at(self.sums, frames // self._length, values)


class Pool:
    """Values of all frames together: their distribution, and the error of their mean.

    Mean and standard deviation are exact. So are percentiles up to 65 536 values; of more they are read from
    32 768 bins.

    Parameters
    ----------
    n_frames
        Of the run.
    low, high
        Between which all values lie.
    """

    def __init__(self, n_frames: int, *, low: float, high: float) -> None:
        self._low, self._width = low, (high - low) / _BINS
        self._powers = BlockSums(n_frames, (3,))  # number, sum and sum of squares about the first value
        self._origin = 0.0
        self._held: list[Array] = []
        self._counts: Array | None = None
        self.n = 0

    @property
    def counts(self) -> Array:
        """Values in each block of frames, shape (n_blocks,)."""
        return self._powers.sums[:, 0]

    @property
    def frames(self) -> Array:
        """Frames in each block, shape (n_blocks,)."""
        return self._powers.frames

    def add(self, values: Array, frames: Array) -> None:
        """Add values and the frame of each, both of shape (n,)."""
        if not values.size:
            return
        if not self.n:
            self._origin = float(values[0])
        self.n += values.size
        about = values - self._origin
        self._powers.add(frames, np.column_stack([np.ones(about.size), about, about**2]))
        self._held.append(values)
        if self._counts is not None or self.n > _HELD:
            places = (np.concatenate(self._held) - self._low) / self._width
            found = np.bincount(np.clip(places.astype(int), 0, _BINS - 1), minlength=_BINS)
            self._counts = found if self._counts is None else self._counts + found
            self._held = []

    def spread(self) -> Spread | None:
        """Distribution of the values; None if there are none."""
        if not self.n:
            return None
        n, first, second = self._powers.sums.sum(axis=0)
        mean = first / n
        std = float(np.sqrt(max(second / n - mean**2, 0.0)))
        if self._counts is None:
            values = np.concatenate(self._held)
            low, middle, high = (float(x) for x in np.percentile(values, [5, 50, 95]))
            std = float(values.std())
        else:
            edges = self._low + self._width * np.arange(_BINS + 1)
            below = np.append(0.0, np.cumsum(self._counts)) / self.n
            low, middle, high = (float(np.interp(q, below, edges)) for q in (0.05, 0.5, 0.95))
        centre = self._origin + float(mean)
        if std <= _EQUAL * max(abs(centre), abs(self._low)):
            std = 0.0
        error = ratio_of(self._powers.sums[:, 1], self.counts)
        return Spread(self.n, centre, std, middle, low, high, None if error is None else error.sigma)
