"""Carriers of scattering: I(Q), S(Q), G(r)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.quantities.carrier import Carrier, owned

__all__ = ["GR", "IQ", "SQ"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IQ(Carrier):
    """Scattered intensity I(Q), arbitrary scale.

    Attributes
    ----------
    q
        Momentum transfer, 1/angstrom, strictly increasing, shape (n,).
    intensity
        Shape (n,).
    sigma
        Standard error, independent points, or None.
    wavelength
        angstrom, or None if unknown.
    source
        File.
    """

    _arrays: ClassVar[tuple[str, ...]] = ("q", "intensity", "sigma")
    q: Array
    intensity: Array
    sigma: Array | None = None
    wavelength: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SQ(Carrier):
    """Total-scattering structure factor S(Q), Faber-Ziman, S -> 1 at high Q (Keen 2001).

    Attributes
    ----------
    q
        1/angstrom, strictly increasing, shape (n,).
    s
        Shape (n,).
    sigma, cov
        Standard error (n,) and covariance (n, n), or None.
    shared
        Errors that points have in common, shape (n, k), where ``cov`` is not stated: the covariance is then
        ``shared @ shared.T`` and, on its diagonal, what ``sigma`` has beyond it. A compact form of (n, n).
    composition
        Atoms of each element, any common scale.
    number_density
        Atoms per cubic angstrom, or None.
    """

    _arrays: ClassVar[tuple[str, ...]] = ("q", "s", "sigma")
    q: Array
    s: Array
    sigma: Array | None = None
    cov: Array | None = None
    shared: Array | None = None
    composition: Mapping[str, float] = field(default_factory=dict)
    number_density: float | None = None

    def __post_init__(self) -> None:
        Carrier.__post_init__(self)
        self._check_cov(self.cov, self.q.size)
        if self.shared is None:
            return
        shared = owned(self.shared)
        if self.sigma is None or shared.ndim != 2 or shared.shape[0] != self.q.size:
            raise DataError(
                f"shared has shape {shared.shape} for {self.q.size} points",
                where=self._where(),
                do="give shape (n, k), and sigma",
            )
        object.__setattr__(self, "shared", shared)

    @property
    def independent_variance(self) -> Array | None:
        """Variance of each point that it does not share with others, shape (n,); None if unknown."""
        if self.sigma is None:
            return None
        common = 0.0 if self.shared is None else np.sum(self.shared**2, axis=1)
        return np.clip(self.sigma**2 - common, 0.0, None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GR(Carrier):
    """Reduced pair distribution function G(r) = 4 pi r (rho(r) - rho0), as PDFgui.

    Attributes
    ----------
    r
        angstrom, uniform, shape (n,).
    g
        angstrom^-2, shape (n,).
    sigma, cov
        Standard error (n,) and covariance (n, n), or None. Points closer than pi/q_max are correlated.
    q_min, q_max
        Range of F(Q) that was transformed, 1/angstrom, or None if unknown.
    q_damp
        Resolution damping stated by the file, 1/angstrom, or None.
    composition, number_density
        As for `SQ`.
    source
        File, or how it was made.
    """

    _arrays: ClassVar[tuple[str, ...]] = ("r", "g", "sigma")
    r: Array
    g: Array
    sigma: Array | None = None
    cov: Array | None = None
    q_min: float | None = None
    q_max: float | None = None
    q_damp: float | None = None
    composition: Mapping[str, float] = field(default_factory=dict)
    number_density: float | None = None
    source: str = ""

    def __post_init__(self) -> None:
        Carrier.__post_init__(self)
        self._check_cov(self.cov, self.r.size)
