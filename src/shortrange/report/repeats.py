"""Repeats of an absorption measurement beside their mean, and whether they say that they are simulated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from shortrange.load.history import is_simulated
from shortrange.quantities import Scan, step
from shortrange.reduce.mu import to_mu
from shortrange.reduce.normalise import normalise
from shortrange.reduce.xas import XasReduction

__all__ = ["aligned_repeats", "say_simulated"]

Array = NDArray[Any]


def aligned_repeats(
    scans: Sequence[Scan], reduction: XasReduction, *, mode: str
) -> list[tuple[str, Array, Array]]:
    """Return (label, energy, flattened absorption) of each scan that was merged, on the merged axis.

    Parameters
    ----------
    scans
        As given to `reduce_xas`, in the same order.
    reduction
        Its result.
    mode
        As given to it.
    """
    curves = []
    for scan, report in zip(scans, reduction.reports, strict=True):
        if not report.used or report.energy_shift is None:
            continue
        mu = to_mu(scan, mode=mode)
        shifted = mu.after(step("shift", energy=report.energy_shift), energy=mu.energy + report.energy_shift)
        own = normalise(shifted, e0=reduction.normalised.e0)
        curves.append((Path(report.file).name or report.file, own.energy, own.flat))
    return curves


def say_simulated(scans: Iterable[Scan]) -> bool:
    """Whether a header of the scans names its facility, sample or program as simulated."""
    return any(is_simulated(scan.history) for scan in scans)
