"""Which distances of a structure are bonds, from its pair histograms."""

from __future__ import annotations

import numpy as np

from shortrange.simulate.pairs import PairHistograms

__all__ = ["bond_shells"]


def bond_shells(
    h: PairHistograms, *, longest: float = 3.2, closed: float = 0.05
) -> dict[str, tuple[float, float]]:
    """Distances of the bonds: first shells of unlike atoms that end, as those of Ta-Cl, before others begin.

    Parameters
    ----------
    h
        Pairs.
    longest
        Where a bond has ended, angstrom.
    closed
        A shell has ended where its pairs, smoothed over 0.1 angstrom, are below this part of its maximum.

    Returns
    -------
    dict
        Pair to the range of its distances, angstrom; none for pairs without a closed shell.
    """
    width = max(1, round(0.1 / h.r_step))
    inside = h.r <= longest
    found = {}
    for (a, b), counts in zip(h.pairs, h.mean_counts(), strict=True):
        smooth = np.convolve(counts, np.ones(width) / width, mode="same")[inside]
        top = int(np.argmax(smooth))
        ended = np.flatnonzero(smooth[top:] < closed * smooth[top])
        if a != b and smooth[top] > 0 and ended.size:
            begin = h.r[np.flatnonzero(counts)[0]]
            found[f"{a}-{b}"] = (float(begin), float(h.r[top + ended[0]]))
    return found
