"""Frozen carriers: one class for each physical quantity, so that the type fixes the units.

Arrays are copied and made read-only (mappings are copied: plain dicts, so that carriers travel between
processes); nothing here computes physics. A carrier has an optional standard
error (``sigma``), an optional full covariance (``cov``), and the ``history`` of the operations that made it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from shortrange._version import __version__
from shortrange.errors import DataError
from shortrange.shown import Shown

__all__ = ["GR", "IQ", "SQ", "ChiK", "ChiR", "MuE", "Scan", "Step", "Trajectory", "doubts", "step"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One operation in the life of the data.

    Attributes
    ----------
    name
        What was done, in the imperative.
    settings
        Every setting that had an influence, defaults included, JSON-like.
    version
        The version of the package that did it.
    """

    name: str
    settings: Mapping[str, Any]
    version: str


def step(name: str, **settings: Any) -> Step:
    """Record of an operation by this version of the package."""
    return Step(name, dict(settings), __version__)


def doubts(history: tuple[Step, ...]) -> tuple[str, ...]:
    """Sentences of the steps whose names begin with "warning: ", each once."""
    texts = []
    for done in history:
        if done.name.startswith("warning: "):
            details = ", ".join(f"{key} = {_short(value)}" for key, value in done.settings.items())
            texts.append(done.name.removeprefix("warning: ") + (f" ({details})" if details else ""))
    return tuple(dict.fromkeys(texts))


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_short(part) for part in value) + "]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _own(value: Any, dtype: type = float) -> Array:
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
class _Carrier(Shown):
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
                object.__setattr__(self, name, _own(value, dtype))
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
        own = _own(cov)
        if own.shape != (size, size):
            raise DataError(
                f"cov has shape {own.shape}, not ({size}, {size})",
                where=self._where(),
                do="give a square matrix",
            )
        object.__setattr__(self, "cov", own)

    def after(self, done: Step, **changes: Any) -> Self:
        """Return a copy with ``changes`` and one more step in its history."""
        return replace(self, history=(*self.history, done), **changes)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scan(_Carrier):
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
        _Carrier.__post_init__(self)
        own = {name: _own(values) for name, values in self.columns.items()}
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
class MuE(_Carrier):
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
class ChiK(_Carrier):
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
        _Carrier.__post_init__(self)
        self._check_cov(self.cov, self.k.size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChiR(_Carrier):
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
        _Carrier.__post_init__(self)
        self._check_cov(self.cov, 2 * self.r.size)

    @property
    def magnitude(self) -> Array:
        """|chi(R)|, shape (n,)."""
        return np.abs(self.chi)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IQ(_Carrier):
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
class SQ(_Carrier):
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
        _Carrier.__post_init__(self)
        self._check_cov(self.cov, self.q.size)
        if self.shared is None:
            return
        shared = _own(self.shared)
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
class GR(_Carrier):
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
        _Carrier.__post_init__(self)
        self._check_cov(self.cov, self.r.size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trajectory(Shown):
    """Snapshots of the same atoms; a crystal or a molecule is a trajectory of one frame.

    Attributes
    ----------
    species
        Element symbol of each atom, length n_atoms, the same in all frames.
    positions
        angstrom, Cartesian, shape (n_frames, n_atoms, 3).
    cells
        Lattice vectors as rows, angstrom, shape (n_frames, 3, 3); None for a molecule.
    time_step
        fs between frames, or None if unknown.
    source
        File.
    """

    species: tuple[str, ...]
    positions: Array
    cells: Array | None = None
    time_step: float | None = None
    label: str = ""
    source: str = ""
    history: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "species", tuple(self.species))
        object.__setattr__(self, "positions", _own(self.positions))
        if self.cells is not None:
            object.__setattr__(self, "cells", _own(self.cells))
        self._check()

    def _check(self) -> None:
        where = self.source or f"Trajectory(label={self.label!r})"
        if self.positions.ndim != 3 or self.positions.shape[1:] != (len(self.species), 3):
            raise DataError(
                f"positions have shape {self.positions.shape} for {len(self.species)} atoms",
                where=where,
                do="give an array of shape (n_frames, n_atoms, 3)",
            )
        if self.positions.size == 0:
            raise DataError("there is no frame or no atom", where=where, do="give at least one of each")
        bad = np.flatnonzero(~np.isfinite(self.positions).all(axis=(1, 2)))
        if bad.size:
            raise DataError(
                f"a position is not a finite number in frame {bad[0]}",
                where=where,
                do="repair or drop the frame",
            )
        if self.cells is None:
            return
        if self.cells.shape != (self.n_frames, 3, 3):
            raise DataError(
                f"cells have shape {self.cells.shape} for {self.n_frames} frames",
                where=where,
                do="give an array of shape (n_frames, 3, 3), or None for a molecule",
            )
        flat = np.flatnonzero(~(np.abs(np.linalg.det(self.cells)) > 1e-6))
        if flat.size:
            raise DataError(
                f"the cell of frame {flat[0]} has no volume",
                where=where,
                do="give three independent lattice vectors",
            )

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return int(self.positions.shape[0])

    @property
    def n_atoms(self) -> int:
        """Number of atoms in a frame."""
        return len(self.species)

    @property
    def composition(self) -> dict[str, int]:
        """Atoms of each element in a frame, in order of first appearance."""
        return dict(Counter(self.species))

    @property
    def number_density(self) -> float | None:
        """Mean of atoms per cubic angstrom; None for a molecule."""
        if self.cells is None:
            return None
        return float(np.mean(self.n_atoms / np.abs(np.linalg.det(self.cells))))

    @property
    def half_width(self) -> float | None:
        """Half the smallest distance between opposite cell faces, angstrom; None for a molecule.

        Pair correlations beyond it repeat those of the periodic images.
        """
        if self.cells is None:
            return None
        heights = 1.0 / np.linalg.norm(np.linalg.inv(self.cells), axis=1)
        return float(heights.min() / 2.0)

    def after(self, done: Step, **changes: Any) -> Trajectory:
        """Return a copy with ``changes`` and one more step in its history."""
        return replace(self, history=(*self.history, done), **changes)
