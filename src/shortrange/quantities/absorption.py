"""Carriers of absorption: a scan, mu(E), chi(k), chi(R)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.quantities.carrier import Carrier, owned

__all__ = ["ChiK", "ChiR", "MuE", "Scan"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scan(Carrier):
    """One sweep of a beamline, as recorded.

    Attributes
    ----------
    energy
        Monochromator energy, eV, shape (n,), in the order of the file.
    columns
        Channels by role: ``i0``, ``it`` (transmitted), ``ir`` (behind the reference), ``if`` (fluorescence),
        ``tey`` (electron yield), ``mu`` and ``mu_ref`` (already computed), each of shape (n,).
    element, edge
        As the file states them, or None.
    source
        File, and scan within the file.
    metadata
        Header fields, by name.
    """

    _arrays: ClassVar[tuple[str, ...]] = ("energy",)
    energy: Array
    columns: Mapping[str, Array]
    element: str | None = None
    edge: str | None = None
    source: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        Carrier.__post_init__(self)
        own = {name: owned(values) for name, values in self.columns.items()}
        for name, values in own.items():
            if values.shape != self.energy.shape:
                raise DataError(
                    f"column {name!r} has {values.size} points but energy has {self.energy.size}",
                    where=self.source or self._where(),
                    do="give one value for each energy",
                )
        object.__setattr__(self, "columns", own)
        object.__setattr__(self, "metadata", dict(self.metadata))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MuE(Carrier):
    """Absorption mu(E), up to a constant factor.

    Attributes
    ----------
    energy
        eV, strictly increasing, shape (n,).
    mu
        Absorption, arbitrary scale, shape (n,).
    sigma
        Standard error of ``mu`` where points are independent, or None.
    reference
        mu(E) of the reference channel on the same energies, or None.
    element, edge, mode
        For example ``"Ta"``, ``"L3"``, ``"transmission"``; None if unknown.
    source
        File, and scan within the file.
    """

    _arrays: ClassVar[tuple[str, ...]] = ("energy", "mu", "sigma", "reference")
    energy: Array
    mu: Array
    sigma: Array | None = None
    reference: Array | None = None
    element: str | None = None
    edge: str | None = None
    mode: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChiK(Carrier):
    """EXAFS chi(k), not weighted.

    Attributes
    ----------
    k
        Photoelectron wavenumber, 1/angstrom, uniform, shape (n,).
    chi
        Dimensionless, shape (n,).
    sigma, cov
        Standard error (n,), and full covariance (n, n), of ``chi``; None if unknown.
    e0, edge_step
        The energy origin (eV) of ``k`` and the step by which ``chi`` was normalised.
    """

    _arrays: ClassVar[tuple[str, ...]] = ("k", "chi", "sigma")
    k: Array
    chi: Array
    sigma: Array | None = None
    cov: Array | None = None
    e0: float | None = None
    edge_step: float | None = None

    def __post_init__(self) -> None:
        Carrier.__post_init__(self)
        self._check_cov(self.cov, self.k.size)

    def covariance(self) -> Array | None:
        """Covariance of ``chi`` as stated, else of independent points with ``sigma``; None if unknown."""
        if self.cov is not None:
            return self.cov
        return None if self.sigma is None else np.diag(self.sigma**2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChiR(Carrier):
    """Fourier transform of k^n chi(k).

    Attributes
    ----------
    r
        Distance without phase correction, angstrom, shape (n,).
    chi
        Complex, units of angstrom^-(k_weight + 1), shape (n,).
    cov
        Covariance of (real part, imaginary part) stacked, shape (2n, 2n), or None.
    k_weight
        The power of k.
    k_range
        (kmin, kmax) of the window, 1/angstrom.
    """

    _arrays: ClassVar[tuple[str, ...]] = ("r", "chi")
    r: Array
    chi: Array
    cov: Array | None = None
    k_weight: float = 2.0
    k_range: tuple[float, float] = (0.0, 20.0)

    def __post_init__(self) -> None:
        Carrier.__post_init__(self)
        self._check_cov(self.cov, 2 * self.r.size)

    @property
    def magnitude(self) -> Array:
        """|chi(R)|, shape (n,)."""
        return np.abs(self.chi)
