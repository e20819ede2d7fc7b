"""Thousands of spectra on energy grids of their own: normalise, AUTOBK background, Fourier transform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.quantities import step
from shortrange.reduce.many import Many, to_r
from shortrange.units import HBAR2_2ME

__all__ = ["Each", "reduce_each"]

Array = NDArray[Any]

_K_STEP = 0.05
_MIN_POINTS = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Each(Many):
    """Result of `reduce_each`; ``k`` goes as far as the longest spectrum.

    Attributes
    ----------
    e0
        eV, shape (m,).
    norm
        Normalised mu of each spectrum on its own energies.
    """

    e0: Array
    norm: tuple[Array, ...]


def reduce_each(
    energies: Sequence[Array],
    mus: Sequence[Array],
    *,
    near: float | None = None,
    e0: float | None = None,
    k_range: tuple[float, float],
    r_bkg: float = 1.0,
    k_weight: float = 2.0,
    dk: float = 1.0,
    window: str = "kaiser",
    r_max: float = 6.0,
    clamps: tuple[float, float] = (0.0, 1.0),
    n_clamp: int = 3,
) -> Each:
    """Reduce spectra one by one in compiled code; equal to `normalise`, `autobk` and `xftf`, without errors.

    Parameters
    ----------
    energies, mus
        eV and absorption, one array for each spectrum.
    near
        Tabulated edge energy, eV: E0 of each is looked for within 40 eV of it; everywhere if None.
    e0
        eV, of all, if it should not be found.
    k_range, k_weight, dk, window, r_max
        Of the transform to R, as `shortrange.transform.fourier.xftf`.
    r_bkg, clamps, n_clamp
        Of the background, as `autobk`.

    Raises
    ------
    DataError
        If there are no spectra, or as many energies as mus. A fault of one spectrum is in ``reasons``.
    """
    from shortrange.reduce.each_kernel import FAULTS, reduce_one

    if not len(energies) == len(mus) > 0 or r_bkg <= 0:
        raise DataError(
            f"{len(energies)} energies, {len(mus)} mus, r_bkg = {r_bkg:g}",
            where="reduce_each",
            do="give one array of energies for each of mu, and a positive r_bkg",
        )
    grids = [np.ascontiguousarray(energy, dtype=float) for energy in energies]
    values = [np.ascontiguousarray(mu, dtype=float) for mu in mus]
    longest = max((float(np.ptp(g[np.isfinite(g)])) for g in grids if np.isfinite(g).any()), default=0.0)
    k = _K_STEP * np.arange(int(1.01 + np.sqrt(longest / HBAR2_2ME) / _K_STEP))
    waves = _waves(k, r_bkg)
    chi = np.full((len(grids), k.size), np.nan)
    norm = tuple(np.full(mu.size, np.nan) for mu in values)
    e0s, steps, ends = np.full(len(grids), np.nan), np.full(len(grids), np.nan), np.zeros(len(grids), int)
    reasons = []
    given, around = np.nan if e0 is None else float(e0), np.nan if near is None else float(near)
    for i, (grid, mu) in enumerate(zip(grids, values, strict=True)):
        if grid.ndim != 1 or mu.shape != grid.shape or grid.size < _MIN_POINTS:
            reasons.append(f"energies of shape {grid.shape}, mu of shape {mu.shape}")
            continue
        fault, e0s[i], steps[i], ends[i] = reduce_one(
            grid, mu, given, around, 40.0, r_bkg, clamps, n_clamp, _K_STEP, waves, norm[i], chi[i]
        )
        reasons.append(FAULTS[fault])
    last = max(int(ends.max()), 2)
    k, chi = k[:last], chi[:, :last]
    used: dict[str, Any] = {"k_range": k_range, "k_weight": k_weight, "dk": dk, "window": window}
    r, chi_r = to_r(k, chi, r_max=r_max, **used)
    failed = sum(bool(reason) for reason in reasons)
    done = step("reduce spectra one by one", spectra=len(grids), failed=failed, r_bkg=r_bkg, **used)
    return Each(
        e0=e0s, edge_step=steps, norm=norm, k=k, chi=chi, r=r, chi_r=chi_r, reasons=tuple(reasons),
        history=(done,),
    )  # fmt: skip


def _waves(k: Array, r_bkg: float) -> Array:
    """Cosines and sines of the transform that AUTOBK makes small, for the largest range of R it takes."""
    r_step = np.pi / (_K_STEP * 2048)
    # Five knots at least, over the shortest range of k that 100 eV above the edge give (5 1/angstrom).
    most = 2 + int(max(r_bkg, 4.0 * np.pi / (2.0 * 5.0)) / r_step)
    r = r_step * np.arange(most)
    phase = 2.0 * np.outer(k, r)
    return np.ascontiguousarray(_K_STEP / np.sqrt(np.pi) * np.stack([np.cos(phase), -np.sin(phase)], axis=1))
