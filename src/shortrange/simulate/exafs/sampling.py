"""How far the mean over some absorbers is from the mean over infinitely many."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["sampling_error"]

Array = NDArray[Any]

_K_RANGE = (3.0, 12.0)


def sampling_error(chi: Array, k: Array) -> tuple[Array | None, float | None]:
    """Covariance of the mean of spectra of the same atoms in several frames.

    The covariance of n independent spectra is S / n. Spectra of one atom at different times, and of atoms in
    one frame, resemble each other: the variance clustered both ways (Cameron, Gelbach, Miller, J. Bus. Econ.
    Stat. 29, 238 (2011)), V = V_atom + V_frame - V_independent, is compared with it over k^2 chi in k 3-12,
    and its ratio, if above 1, multiplies the covariance.

    Parameters
    ----------
    chi
        Spectra, shape (n_frames, n_atoms, n_k).
    k
        1/angstrom, shape (n_k,).

    Returns
    -------
    covariance
        Of the mean, (n_k, n_k); None for a single spectrum.
    design_effect
        The ratio, at least 1; None where there is neither a second atom nor a second frame to tell.
    """
    n_frames, n_atoms, n_k = chi.shape
    n = n_frames * n_atoms
    if n < 2:
        return None, None
    off = chi - chi.mean(axis=(0, 1))
    flat = off.reshape(n, n_k)
    covariance = flat.T @ flat / (n * (n - 1))
    if n_frames < 2 or n_atoms < 2:
        return covariance, None
    inside = (k >= _K_RANGE[0]) & (k <= _K_RANGE[1])
    weight = (k**4)[inside]

    def size(sums: Array, groups: int) -> float:
        return float(np.sum(sums[:, inside] ** 2 @ weight) / n**2 * groups / (groups - 1))

    independent = size(flat, n)
    clustered = size(off.sum(axis=0), n_atoms) + size(off.sum(axis=1), n_frames) - independent
    # Atoms that are equivalent and do not move leave no variance to compare.
    effect = max(1.0, clustered / independent) if independent > 1e-30 else 1.0
    return covariance * effect, effect
