r"""G(r) of a crystal with its derivatives by every parameter that a refinement floats.

For each unordered pair ab of elements the shells make a sum of Gaussians on a grid of distances,

.. math::
    h_{ab}(r) = \frac{1}{N} \sum_{ij \in ab} \frac{o_i o_j}{r_{ij}} N(r - r_{ij}, \sigma_{ij}^2)
                - 4\pi\rho_0 c_{ab} r, \qquad
    \sigma^2 = (U_i + U_j) \left(1 - \frac{\delta_1}{r} - \frac{\delta_2}{r^2} + Q_{broad}^2 r^2\right)

(Farrow et al. 2007, PDFgui), times the envelopes 1 - 3r/2D + (r/D)^3/2 of a sphere of diameter D
(Kodama et al. 2006) and exp(-(r Q_damp)^2 / 2) of the resolution; a matrix then applies f_a f_b / <f>^2 and
the range of Q exactly. The resolution comes first, as in an experiment: the ends of F(Q) are cut sharply
afterwards, so the ripples of the cut are not damped.
The grid reaches past the compared range and is switched off smoothly, so that ripples of peaks outside stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shortrange.crystal import Crystal
from shortrange.errors import DataError, SimulationError
from shortrange.numeric.band_kernel import BandTables, band_curve, band_tables
from shortrange.numeric.lattice import CellMap, cell_map
from shortrange.quantities import Step, step
from shortrange.simulate.pdf_weights import Weights, scattering_amplitude
from shortrange.simulate.shells import Shells, find_shells

__all__ = ["MARGIN", "CrystalPdf", "CrystalWindow", "Peaks", "crystal_pdf"]

Array = NDArray[Any]
Peaks = Literal["debye", "pdffit"]

MARGIN = 4.0
"""Angstrom by which a window is computed past its edges; the last `SWITCH` of it fade out. Ripples of what
lies beyond are added as they are at the start, see `CrystalWindow.with_outside`."""
FAR = 7.0
"""Angstrom past the last point to which those ripples are counted."""
SWITCH = 2.0
GRID = 0.035
"""Angstrom; a Gaussian of `NARROWEST` on it is exact to 1e-6 below Q = 30, a wider one to rounding."""
NARROWEST = 0.035
_COMMON = ("delta1", "delta2", "q_broad", "diameter", "q_damp")
_GROWTH = 1.03  # distances may grow by so much before shells are missing


@dataclass(frozen=True, eq=False, kw_only=True)
class CrystalPdf:
    """One phase: its shells, its parameters, its weights. Make it with `crystal_pdf`.

    Attributes
    ----------
    crystal, cell, shells
        What it is made of.
    names
        All parameters but scale: free lattice parameters, ``u_iso_X`` for each element, delta1, delta2,
        q_broad, diameter, q_damp.
    start
        Their values, shape (p,); a diameter of 0 means no envelope.
    weights, energy, composition
        See `crystal_pdf`.
    peaks
        Whether a peak carries 1 / r_ij (``"debye"``) or 1 / r (``"pdffit"``).
    """

    crystal: Crystal
    cell: CellMap
    shells: Shells
    names: tuple[str, ...]
    start: Array
    weights: Weights | Mapping[str, float] = "xray"
    energy: float | None = None
    composition: Mapping[str, float] | None = None
    peaks: Peaks = "debye"

    @property
    def history(self) -> tuple[Step, ...]:
        """Of the crystal and its shells."""
        return self.shells.history

    def mean_amplitude(self, q: Array, composition: Mapping[str, float]) -> Array:
        """Return |<f>|^2 of a composition, shape of ``q``."""
        total = sum(composition.values())
        parts = [n * scattering_amplitude(s, q, self.weights, self.energy) for s, n in composition.items()]
        return np.asarray(np.abs(np.sum(parts, axis=0) / total) ** 2)

    @cached_property
    def power(self) -> float:
        """Square of the mean scattering amplitude at Q = 0: atoms of a phase ~ scale / power."""
        return float(self.mean_amplitude(np.zeros(1), self.crystal.composition)[0])

    def pair_weights(self, q: Array) -> Array:
        """Weights of the pairs of elements over Q, shape (n_pairs, n)."""
        sample = self.composition or self.crystal.composition
        norm, at_zero = self.mean_amplitude(q, sample), self.mean_amplitude(np.zeros(1), sample)[0]
        if not (np.all(norm > 0) and self.power > 0):
            raise SimulationError(
                "the mean scattering length is zero",
                where=self.crystal.source or self.crystal.label,
                do="G(r) cannot be divided by <b>^2 here",
            )
        f = {s: scattering_amplitude(s, q, self.weights, self.energy) for s in self.shells.elements}
        factor = at_zero / self.power / norm
        return np.array([(f[a] * np.conj(f[b])).real * factor for a, b in self.shells.pairs])

    def tables(self, r: Array, *, q_max: float, q_min: float = 0.0, width: float | None = None) -> BandTables:
        """Kernel for all windows on the points ``r`` (uniform), each at most ``width`` wide.

        Parameters
        ----------
        r
            angstrom, shape (n,).
        q_max, q_min
            Range of F(Q) that was transformed, 1/angstrom. Below its first reflection a crystal has F = -Q:
            cutting that off leaves a slow ripple, which at large r is most of the misfit without it.
        width
            angstrom; by default that of ``r``.
        """
        spacing = _spacing(r)
        start, fine, size = _grid_of(r, spacing, below=float(r[0]), above=MARGIN)
        reach = (float(r[-1] - r[0]) if width is None else width) + 2 * MARGIN + 2 * GRID
        return band_tables(
            self.pair_weights, q_range=(q_min, q_max), first=start, step=fine, last=start + fine * (size + 1),
            width=min(reach, float(r[-1]) + MARGIN),
        )  # fmt: skip

    def on(
        self, r: Array, tables: BandTables, *, active: tuple[str, ...] | None = None, margin: float = MARGIN
    ) -> CrystalWindow:
        """Prepare the model on the points ``r``.

        Parameters
        ----------
        r
            Uniform, angstrom, shape (n,); some or all points of those that ``tables`` were made for.
        tables
            From `tables`.
        active
            Parameters by which derivatives are wanted; all by default.
        margin
            Angstrom computed past the ends of ``r``.

        Raises
        ------
        DataError
            If ``r`` is not uniform, or reaches beyond the shells.
        """
        spacing = _spacing(r)
        start, fine, size = _grid_of(r, spacing, below=margin, above=margin)
        matrix = tables.matrix((float(r[0]), spacing, r.size), (start, fine, size))
        # Pairs side by side, so that one product sums over them.
        matrix = np.concatenate(list(matrix), axis=1)
        active = self.names if active is None else active
        return self._window(r, start, fine, size, active, matrix, width=min(SWITCH, margin / 2))

    def _window(
        self, r: Array, start: float, fine: float, size: int, active: tuple[str, ...], matrix: Array, *,
        width: float,
    ) -> CrystalWindow:  # fmt: skip
        end = start + (size - 1) * fine
        if end > self.shells.r_max / _GROWTH + 1e-6:
            raise DataError(
                f"the window ends at {r[-1]:g} angstrom, with its margin at {end:g}",
                where="CrystalPdf.on", do=f"make it with r_max of {r[-1]:g} or more",
            )  # fmt: skip
        m = self.cell.geometry(self.cell.start)[0]
        distance = np.sqrt(self.shells.coefficients @ m)
        near = (distance > (start - 2.0) / _GROWTH) & (distance < (end + 2.0) * _GROWTH)
        grid = start + fine * np.arange(size)
        return CrystalWindow(
            phase=self, r=r, grid=grid, active=active, matrix=matrix, outside=np.zeros(r.size),
            coefficients=np.ascontiguousarray(self.shells.coefficients[near]),
            amplitude=self.shells.amplitude[near], pair=self.shells.pair[near],
            switch=_switch(grid, low=start > 1.5 * fine, width=width),
        )  # fmt: skip

    def curve(self, values: Array, r: Array, *, q_max: float, q_min: float = 0.0) -> Array:
        """G of all shells on ``r`` (uniform), for a scale of 1, shape (n_r,)."""
        spacing = _spacing(r)
        start, fine, size = _grid_of(r, spacing, below=float(r[0]), above=FAR)
        window = self._window(r, start, fine, size, (), np.zeros((0, 0)), width=2 * SWITCH)
        return band_curve(
            self.pair_weights, window.density(values)[:, 0], q_range=(q_min, q_max),
            r=(float(r[0]), spacing, r.size), grid=(start, fine, size),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CrystalWindow:
    """G(r) of a phase on given points; see `CrystalPdf.on`."""

    phase: CrystalPdf
    r: Array
    grid: Array
    active: tuple[str, ...]
    matrix: Array
    coefficients: Array
    amplitude: Array
    pair: Array
    switch: Array
    outside: Array

    def with_outside(self, values: Array, whole: Array) -> CrystalWindow:
        """Return the window with the ripples of what lies beyond its margin.

        Parameters
        ----------
        values
            Where ``whole`` was computed.
        whole
            G of all shells on the points of the window, from `CrystalPdf.curve`, shape (n_r,). The difference
            to the window's own G is kept, and scales with the phase.
        """
        own, _ = replace(self, active=(), outside=np.zeros_like(whole))(values)
        return replace(self, outside=whole - own)

    def __call__(self, values: Array) -> tuple[Array, Array]:
        """G for a scale of 1, and its derivatives.

        Parameters
        ----------
        values
            In the order of ``phase.names``, shape (p,).

        Returns
        -------
        g, jacobian
            angstrom^-2, shapes (n_r,) and (n_r, n_active).

        Raises
        ------
        SimulationError
            If a peak gets narrower than can be sampled (U too small, delta1 or delta2 too large).
        """
        columns = self.density(values)
        # One product for the sum and all derivatives.
        stacked = np.ascontiguousarray(columns.transpose(0, 2, 1)).reshape(-1, columns.shape[1])
        out = self.matrix @ stacked
        return out[:, 0] + self.outside, out[:, 1:]

    def density(self, values: Array) -> Array:
        """h_ab on the grid and its derivatives, shape (n_pairs, 1 + n_active, n_grid)."""
        from shortrange.simulate.shell_kernel import spread_shells

        phase = self.phase
        shells, n_cell = phase.shells, len(phase.cell.names)
        place = {name: i for i, name in enumerate(self.active)}
        m, dm, volume, d_log_volume = phase.cell.geometry(values[:n_cell])
        n_el, n_p = len(shells.elements), len(self.active)
        u = values[n_cell : n_cell + n_el]
        delta1, delta2, q_broad, diameter, q_damp = values[n_cell + n_el :]
        first, second = np.array([[shells.elements.index(e) for e in pair] for pair in shells.pairs]).T
        du, slopes = np.zeros((len(shells.pairs), n_p)), np.zeros((m.size, n_p))
        d_volume = np.zeros(n_p)
        for k, name in enumerate(self.active):
            if name in phase.cell.names:
                i = phase.cell.names.index(name)
                slopes[:, k], d_volume[k] = dm[:, i], d_log_volume[i]
            elif name.startswith("u_iso_"):
                i = shells.elements.index(name.removeprefix("u_iso_"))
                du[:, k] = (first == i).astype(float) + (second == i)
        out = np.zeros((len(shells.pairs), 1 + n_p, self.grid.size))
        smallest = spread_shells(
            self.coefficients, self.amplitude, self.pair, m, slopes, u[first] + u[second], du,
            np.array([delta1, delta2, q_broad]),
            np.array([place.get(name, -1) for name in ("delta1", "delta2", "q_broad")]),
            phase.peaks == "debye", self.grid[0], self.grid[1] - self.grid[0], out,
        )  # fmt: skip
        if not smallest > NARROWEST**2:
            raise SimulationError(
                f"a peak has the variance {smallest:.2g} angstrom^2, less than {NARROWEST**2:.2g}",
                where=phase.crystal.label or phase.crystal.source or "crystal",
                do="raise U, or lower delta1 or delta2",
            )
        if phase.peaks == "pdffit":
            out /= np.maximum(self.grid, GRID / 2)
        baseline = -4 * np.pi * phase.crystal.n_atoms / volume * self.grid
        each = shells.ideal[:, None] * baseline
        out[:, 0] += each
        out[:, 1:] -= d_volume[None, :, None] * each[:, None, :]
        self._resolve(out, q_damp, place.get("q_damp"))
        self._envelope(out, diameter, place.get("diameter"))
        return out

    def _resolve(self, out: Array, q_damp: float, column: int | None) -> None:
        """Apply the envelope of the resolution, in place."""
        if column is not None:
            out[:, 1 + column] -= self.grid**2 * q_damp * out[:, 0]
        if q_damp > 0:
            out *= np.exp(-0.5 * (self.grid * q_damp) ** 2)

    def _envelope(self, out: Array, diameter: float, column: int | None) -> None:
        """Switch off the ends of the grid and apply the form of a sphere, in place."""
        if diameter <= 0:
            out *= self.switch
            return
        x = np.minimum(self.grid / diameter, 1.0)
        shape = 1 - 1.5 * x + 0.5 * x**3
        if column is not None:
            out[:, 1 + column] += (
                out[:, 0] * (1.5 * x - 1.5 * x**3) / diameter / np.where(shape > 0, shape, 1.0)
            )
        out *= self.switch * shape


def crystal_pdf(
    crystal: Crystal,
    *,
    r_max: float,
    isotropic: bool = False,
    weights: Weights | Mapping[str, float] = "xray",
    energy: float | None = None,
    composition: Mapping[str, float] | None = None,
    peaks: Peaks = "debye",
    u_start: float = 0.008,
) -> CrystalPdf:
    """Prepare a phase for G(r) up to ``r_max``.

    Parameters
    ----------
    crystal
        From `shortrange.load_crystal`.
    r_max
        End of the compared range, angstrom.
    isotropic
        One ``stretch`` in place of lattice parameters.
    weights, energy
        See `shortrange.simulate.pdf_weights.pair_weights`.
    composition
        Of the sample, whose <f(Q)>^2 the data were divided by; that of the phase by default. The scale is
        that of PDFgui at Q = 0 either way.
    peaks
        ``"debye"`` (1 / r_ij, as the Debye equation and diffpy.srreal) or ``"pdffit"`` (1 / r, as PDFgui).
    u_start
        Where the crystal gives no U, angstrom^2.
    """
    cell = cell_map(crystal.lattice, crystal.system, isotropic=isotropic)
    shells = find_shells(crystal, cell, r_max=(r_max + FAR + 0.1) * _GROWTH)
    species = np.array(crystal.species)
    u, unknown = [], []
    for element in shells.elements:
        mine = species == element
        known = mine & np.isfinite(crystal.u_iso) & (crystal.u_iso > 0)
        if known.any():
            u.append(float(np.average(crystal.u_iso[known], weights=crystal.occupancies[known])))
        else:
            u.append(u_start)
            unknown.append(element)
    if unknown:
        done = step("start unknown displacements", elements=unknown, u_iso=u_start)
        shells = replace(shells, history=(*shells.history, done))
    names = (*cell.names, *(f"u_iso_{e}" for e in shells.elements), *_COMMON)
    return CrystalPdf(
        crystal=crystal, cell=cell, shells=shells, names=names,
        start=np.array([*cell.start, *u, 0.0, 0.0, 0.0, 0.0, 0.0]), weights=weights, energy=energy,
        composition=composition, peaks=peaks,
    )  # fmt: skip


def _spacing(r: Array) -> float:
    steps = np.diff(r)
    # A table of r with few digits is uniform to those digits.
    if r.size < 3 or not (steps.mean() > 0 and np.allclose(steps, steps.mean(), rtol=0.02)):
        raise DataError("the points r are not uniform", where="CrystalPdf.on", do="give a uniform grid")
    return float((r[-1] - r[0]) / (r.size - 1))


def _grid_of(r: Array, spacing: float, *, below: float, above: float) -> tuple[float, float, int]:
    """First point, step and size of a grid around ``r`` whose step and that of ``r`` are multiples."""
    if spacing > GRID:
        fine = spacing / np.ceil(spacing / GRID - 1e-9)
    else:
        fine = spacing * int(GRID / spacing + 1e-9)
    before = int(min(below, float(r[0])) / fine + 1e-9)
    size = before + round((float(r[-1] - r[0]) + above) / fine) + 1
    return float(r[0]) - before * fine, float(fine), size


def _switch(grid: Array, *, low: bool, width: float) -> Array:
    """1 within, and half a cosine at the upper end and, if ``low``, at the lower."""
    up = np.clip((grid[-1] - grid) / width, 0.0, 1.0)
    down = np.clip((grid - grid[0]) / width, 0.0, 1.0) if low else np.ones_like(grid)
    return np.asarray(0.25 * (1 - np.cos(np.pi * up)) * (1 - np.cos(np.pi * down)))
