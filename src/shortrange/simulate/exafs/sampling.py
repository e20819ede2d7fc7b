"""How far the mean over some absorbers is from the mean over infinitely many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.numeric.blocking import variance_of_mean

__all__ = ["ScatterSums", "convergence", "sampling_error"]

Array = NDArray[Any]

_K_RANGE = (3.0, 12.0)


@dataclass(frozen=True, slots=True, eq=False)
class ScatterSums:
    """Sums over the spectra of the same atoms in several frames, all less one spectrum near their mean.

    Attributes
    ----------
    frames
        Over the atoms of each frame, shape (n_frames, n_k).
    atoms
        Over the frames of each atom, shape (n_atoms, n_k).
    products
        Over all, of the products of two points, shape (n_k, n_k).
    """

    frames: Array
    atoms: Array
    products: Array

    @classmethod
    def of(cls, chi: Array) -> ScatterSums:
        """Sum spectra of shape (n_frames, n_atoms, n_k)."""
        flat = chi.reshape(-1, chi.shape[2])
        return cls(chi.sum(axis=1), chi.sum(axis=0), flat.T @ flat)

    @property
    def mean(self) -> Array:
        """Mean less the spectrum that was subtracted, shape (n_k,)."""
        return np.asarray(self.frames.sum(axis=0) / (len(self.frames) * len(self.atoms)))


def sampling_error(sums: ScatterSums, k: Array) -> tuple[Array | None, float | None]:
    """Covariance of the mean of spectra of the same atoms in several frames.

    The covariance of n independent spectra is S / n. Spectra of one atom at different times, and of atoms in
    one frame, resemble each other: the variance clustered both ways (Cameron, Gelbach, Miller, J. Bus. Econ.
    Stat. 29, 238 (2011)), V = V_atom + V_frame - V_independent, is compared with it over k^2 chi in k 3-12,
    and its ratio, if above 1, multiplies the covariance.

    Parameters
    ----------
    sums
        Of the spectra.
    k
        1/angstrom, shape (n_k,).

    Returns
    -------
    covariance
        Of the mean, (n_k, n_k); None for a single spectrum.
    design_effect
        The ratio, at least 1; None where there is neither a second atom nor a second frame to tell.
    """
    n_frames, n_atoms = len(sums.frames), len(sums.atoms)
    n = n_frames * n_atoms
    if n < 2:
        return None, None
    mean = sums.mean
    scatter = sums.products - n * np.outer(mean, mean)
    covariance = scatter / (n * (n - 1))
    if n_frames < 2 or n_atoms < 2:
        return covariance, None
    inside = (k >= _K_RANGE[0]) & (k <= _K_RANGE[1])
    weight = (k**4)[inside]

    def size(squares: Array, groups: int) -> float:
        return float(squares[inside] @ weight / n**2 * groups / (groups - 1))

    independent = size(np.diag(scatter), n)
    of_atoms = ((sums.atoms - n_frames * mean) ** 2).sum(axis=0)
    of_frames = ((sums.frames - n_atoms * mean) ** 2).sum(axis=0)
    clustered = size(of_atoms, n_atoms) + size(of_frames, n_frames) - independent
    # Atoms that are equivalent and do not move leave no variance to compare.
    effect = max(1.0, clustered / independent) if independent > 1e-30 else 1.0
    return covariance * effect, effect


def convergence(frame_chi: Array, k: Array) -> Array | None:
    """Tell how the sampling error falls with the number of frames.

    The error is the rms standard error of k^2 chi over the rms of k^2 chi, k 3-12, from the scatter of
    frames, which may be correlated (`variance_of_mean`).

    Parameters
    ----------
    frame_chi
        Mean spectrum of each frame, shape (n_frames, n_k).
    k
        1/angstrom, shape (n_k,).

    Returns
    -------
    Array or None
        Frames from the start (8, 16, 32, ... and all) and error, shape (n, 2); None for fewer than 8.
    """
    n = len(frame_chi)
    if n < 8:
        return None
    inside = (k >= _K_RANGE[0]) & (k <= _K_RANGE[1])
    weighted = (k**2 * frame_chi)[:, inside]
    size = np.sqrt(np.mean(weighted.mean(axis=0) ** 2))
    numbers = [2**i for i in range(3, 40) if 2**i < n] + [n]
    return np.array([(m, np.sqrt(np.mean(variance_of_mean(weighted[:m]))) / size) for m in numbers])
