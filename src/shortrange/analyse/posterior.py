"""The diffusion coefficient and its posterior by kinisi (McCluskey, Coles and Morgan 2025)."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import ShortrangeError

__all__ = ["have_kinisi", "posterior_of_d"]

Array = NDArray[Any]

CM2_PER_S = 1e-1
"""1 angstrom^2/fs in cm2/s."""


def have_kinisi() -> bool:
    """Whether kinisi is installed."""
    return importlib.util.find_spec("kinisi") is not None


def posterior_of_d(
    time: Array, msd: Array, variance: Array, windows: Array, *, samples: int = 1000, seed: int = 0
) -> Array:
    """Draws of D from its posterior, cm2/s, given mean squared displacements in the diffusive range.

    Parameters
    ----------
    time, msd
        fs and angstrom^2, shape (n,).
    variance
        Of ``msd``, angstrom^4.
    windows
        Independent windows at each lag.
    samples, seed
        Steps of the sampler after 500 for settling, and the seed: the same input gives the same draws.

    Raises
    ------
    ShortrangeError
        If kinisi is not installed.
    """
    if not have_kinisi():
        raise ShortrangeError(
            "kinisi is not installed", where="transport", do='pip install "shortrange[diffusion]"'
        )
    import scipp as sc
    from kinisi.diffusion import Diffusion

    data = sc.DataArray(
        data=sc.Variable(dims=["time interval"], values=msd, variances=variance, unit="angstrom^2"),
        coords={
            "time interval": sc.array(dims=["time interval"], values=time, unit="fs"),
            "n_samples": sc.array(dims=["time interval"], values=windows),
        },
    )
    model = Diffusion(sc.DataGroup({"da": data, "dimensionality": sc.scalar(3)}))
    before = np.random.get_state()
    try:
        np.random.seed(seed)
        model.bayesian_regression(sc.scalar(float(time[0]), unit="fs"), n_samples=samples, progress=False)
    finally:
        np.random.set_state(before)
    return np.asarray(model.gradient.values) / 6.0 * CM2_PER_S
