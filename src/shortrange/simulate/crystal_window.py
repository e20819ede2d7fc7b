"""G(r) of a phase on the points of a window, with its derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError
from shortrange.simulate.pdf_weights import scattering_amplitude
from shortrange.simulate.shapes import characteristic
from shortrange.simulate.sites import SitePairs

if TYPE_CHECKING:
    from shortrange.simulate.crystal_gr import CrystalPdf

__all__ = ["CrystalWindow", "Rows"]

Array = NDArray[Any]

NARROWEST = 0.035
"""Angstrom; a narrower peak cannot be sampled on the grid."""
MANY = 1500
"""Shells from which on those beyond `FAR_ENOUGH`, angstrom, are summed by their moments."""
FAR_ENOUGH = 6.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Rows:
    """Shells or single pairs that reach into a window; see `shortrange.simulate.shell_kernel`.

    Attributes
    ----------
    coefficients, amplitude, kind
        Of the shells, where sites are fixed, nearest first.
    single
        How many of them are summed one by one; the others by their moments.
    pairs, column, move, tensor, fill
        Of single pairs and of what moves them, where sites are free; ``pairs`` is None otherwise.
    """

    coefficients: Array
    amplitude: Array
    kind: Array
    single: int
    pairs: SitePairs | None
    column: Array
    move: Array
    tensor: Array
    fill: Array

    @classmethod
    def near(cls, phase: CrystalPdf, limits: tuple[float, float], active: tuple[str, ...]) -> Rows:
        """Rows whose distance at the start lies within limits, angstrom."""
        shells, none = phase.shells, np.zeros((0, 0))
        if phase.sites is None or phase.pairs is None:
            # They are sorted by distance: views are enough.
            low, high = np.searchsorted(shells.distance, limits)
            chosen, n = slice(int(low), int(high)), int(high - low)
            near = int(np.searchsorted(shells.distance[chosen], FAR_ENOUGH))
            return cls(
                coefficients=shells.coefficients[chosen],
                amplitude=shells.amplitude[chosen], kind=shells.pair[chosen],
                single=near if n > MANY else n, pairs=None,
                column=np.zeros((n, 0), dtype=np.int64), move=none, tensor=none, fill=none,
            )  # fmt: skip
        first, last = phase.split
        start, m = phase.start[first:last], phase.cell.geometry(phase.cell.start)[0]
        keep = _between(phase.cell.coefficients(phase.pairs.vectors(phase.sites, start)) @ m, limits)
        pairs = phase.pairs.part(keep)
        place = {name: k for k, name in enumerate(active)}
        column, move, tensor, fill = pairs.columns(phase.sites, place)
        return cls(
            coefficients=none, amplitude=none, kind=pairs.kind, single=pairs.kind.size, pairs=pairs,
            column=column, move=move, tensor=tensor, fill=fill,
        )  # fmt: skip

    def fixed(self) -> Rows:
        """Return the rows without what moves them."""
        n = self.kind.size
        return replace(
            self, column=np.zeros((n, 0), dtype=np.int64), move=np.zeros((n, 0, 3)), tensor=np.zeros((n, 0)),
            fill=np.zeros((n, 0)),
        )  # fmt: skip


def _between(squares: Array, limits: tuple[float, float]) -> Array:
    distance = np.sqrt(squares)
    return np.asarray((distance > limits[0]) & (distance < limits[1]))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CrystalWindow:
    """G(r) of a phase on given points; see `shortrange.simulate.crystal_gr.CrystalPdf.on`."""

    phase: CrystalPdf
    r: Array
    grid: Array
    active: tuple[str, ...]
    matrix: Array
    rows: Rows
    switch: Array
    outside: Array
    narrowest: float = 0.0
    """Standard deviation of the narrowest peaks for which the grid is fine enough, angstrom."""
    finest: Callable[[], CrystalWindow] | None = None
    """The same window on a grid for narrower ones; None if this is it."""

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
        return replace(self, outside=whole - replace(self, outside=np.zeros_like(whole)).curve(values))

    def curve(self, values: Array) -> Array:
        """G for a scale of 1 without its derivatives, shape (n_r,)."""
        able = self._able(values)
        return replace(able, active=(), rows=able.rows.fixed())(values)[0]

    def _able(self, values: Array) -> CrystalWindow:
        """Return this window, or where its grid is too coarse the one with a finer."""
        if self.finest is None or self.phase.narrowest(values, float(self.grid[0])) >= self.narrowest:
            return self
        return replace(self.finest(), outside=self.outside)

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
        able = self._able(values)
        if able is not self:
            return able(values)
        # One product for the sum and all derivatives.
        out = self.carried(self.density(values).transpose(0, 2, 1))
        out[:, 0] += self.phase.surroundings(values, self.r)
        if not self.phase.crystal.periodic and "density" in self.active:
            out[:, 1 + self.active.index("density")] = -4 * np.pi * self.r
        return out[:, 0] + self.outside, out[:, 1:]

    def carried(self, columns: Array) -> Array:
        """G on the points of columns on the grid, shapes (n_r, n) and (n_pairs, n_grid, n)."""
        return np.asarray(self.matrix @ np.ascontiguousarray(columns).reshape(-1, columns.shape[2]))

    def varied(self, values: Array, curves: Array, knots: Array) -> tuple[Array, Array]:
        """G that fades along r: for scales that follow curves, and its derivatives for a sum of them.

        The order fades before F(Q) is cut at its ends, so that ripples of the cut are not faded.

        Parameters
        ----------
        values
            In the order of ``phase.names``, shape (p,).
        curves
            Of ``grid``, which ``knots`` weigh, shape (n_grid, k).
        knots
            Shape (k,).

        Returns
        -------
        columns, jacobian
            G for each curve, shape (n_r, k), and derivatives of their sum, shape (n_r, n_active).
        """
        density = self.density(values)
        slopes = self.carried((density[:, 1:] * (curves @ knots)).transpose(0, 2, 1))
        # A curve is zero away from its knot: what it carries is a small part of the matrix.
        matrix = self.matrix.reshape(self.r.size, density.shape[0], self.grid.size)
        columns = np.empty((self.r.size, knots.size))
        for k, curve in enumerate(curves.T):
            own = np.flatnonzero(curve)
            part = slice(own[0], own[-1] + 1) if own.size else slice(0, 0)
            columns[:, k] = np.tensordot(matrix[:, :, part], density[:, 0, part] * curve[part], 2)
        inside = np.searchsorted(self.grid, self.r - 1e-9)
        return columns + self.outside[:, None] * curves[inside], slopes

    def density(self, values: Array) -> Array:
        """h_ab on the grid and its derivatives, shape (n_pairs, 1 + n_active, n_grid)."""
        from shortrange.simulate.gathered_kernel import spread_gathered
        from shortrange.simulate.shell_kernel import spread_shells

        phase = self.phase
        first, last = phase.split
        place = {name: i for i, name in enumerate(self.active)}
        m, dm, volume, d_log_volume = phase.cell.geometry(values[:first])
        delta1, delta2, q_broad, *form, q_damp = values[last:]
        slopes, d_volume = np.zeros((m.size, len(place))), np.zeros(len(place))
        for i, name in enumerate(phase.cell.names):
            if name in place:
                slopes[:, place[name]], d_volume[place[name]] = dm[:, i], d_log_volume[i]
        moved = self._rows(m, values[first:last], values[:first])
        out = np.zeros((len(phase.shells.pairs), 1 + len(place), self.grid.size))
        kind, one = self.rows.kind, self.rows.single
        common = (
            np.array([delta1, delta2, q_broad]),
            np.array([place.get(name, -1) for name in ("delta1", "delta2", "q_broad")]),
            phase.peaks == "debye", self.grid[0], self.grid[1] - self.grid[0],
        )  # fmt: skip
        smallest = spread_shells(
            moved.coefficients[:one], moved.amplitude[:one], kind[:one], m, slopes, moved.u[:one], moved.du,
            *common, self.rows.column[:one], moved.own_r[:one], moved.own_u[:one], moved.own_a[:one], out,
        )  # fmt: skip
        if one < kind.size:
            u = np.zeros(len(phase.shells.pairs))
            u[kind] = moved.u
            gathered = spread_gathered(
                moved.coefficients[one:],
                moved.amplitude[one:],
                kind[one:],
                m,
                slopes,
                u,
                moved.du,
                *common,
                out,
            )
            smallest = min(smallest, gathered)
        if not smallest > NARROWEST**2:
            raise SimulationError(
                f"a peak has the variance {smallest:.2g} angstrom^2, less than {NARROWEST**2:.2g}",
                where=phase.crystal.label or phase.crystal.source or "crystal",
                do="raise U, or lower delta1 or delta2",
            )
        if phase.peaks == "pdffit":
            out /= np.maximum(self.grid, 0.5 * (self.grid[1] - self.grid[0]))
        self._add_baseline(out, volume, d_volume, values[first:last], place)
        self._resolve(out, q_damp, place.get("q_damp"))
        self._envelope(out, np.array(form), place)
        return out

    def _rows(self, m: Array, own: Array, cell: Array) -> _Moved:
        """Rows of the kernel at some values of the parameters."""
        phase, rows, place = self.phase, self.rows, {name: i for i, name in enumerate(self.active)}
        shells = phase.shells
        first, second = np.array([[shells.elements.index(e) for e in pair] for pair in shells.pairs]).T
        du = np.zeros((len(shells.pairs), len(place)))
        if phase.sites is None or rows.pairs is None:
            for i, element in enumerate(shells.elements):
                if f"u_iso_{element}" in place:
                    du[:, place[f"u_iso_{element}"]] = (first == i).astype(float) + (second == i)
            if "u_iso" in place:
                du[:, place["u_iso"]] = 2.0
            none = np.zeros((rows.kind.size, 0))
            return _Moved(rows.coefficients, rows.amplitude, (own[first] + own[second])[rows.kind], du,
                          none, none, none)  # fmt: skip
        pairs, sites = rows.pairs, phase.sites
        vectors, tensors = pairs.vectors(sites, own), sites.displacements(own)
        occupied = sites.occupancies(own)
        c = phase.cell.coefficients(vectors)
        r = np.sqrt(c @ m)
        toward = vectors @ phase.cell.metric(cell) / r[:, None]
        u = np.einsum("nk,nk->n", pairs.along, tensors[pairs.first] + tensors[pairs.second])
        amplitude = pairs.count * occupied[pairs.first] * occupied[pairs.second] / phase.crystal.n_atoms
        half = rows.fill.shape[1] // 2
        filled = np.repeat(np.stack([occupied[pairs.first], occupied[pairs.second]], axis=1), half, axis=1)
        return _Moved(
            np.ascontiguousarray(c), amplitude, u, du, np.einsum("nk,nmk->nm", toward, rows.move),
            rows.tensor, rows.fill / filled,
        )  # fmt: skip

    def _add_baseline(
        self, out: Array, volume: float, d_volume: Array, own: Array, place: dict[str, int]
    ) -> None:
        """Add -4 pi r rho0 for each pair of elements, and bring all to one mean scattering length."""
        phase, sites = self.phase, self.phase.sites
        line = -4 * np.pi * phase.crystal.n_atoms / volume * self.grid
        if sites is None:
            each = phase.shells.ideal[:, None] * line
            out[:, 0] += each
            out[:, 1:] -= d_volume[None, :, None] * each[:, None, :]
            return
        elements, n_0 = phase.shells.elements, phase.crystal.n_atoms
        kind = np.array([elements.index(s) for s in phase.crystal.species])
        f = np.array([scattering_amplitude(s, np.zeros(1), phase.weights, phase.energy)[0] for s in elements])
        occupied = sites.occupancies(own)
        n = np.bincount(kind, occupied, minlength=len(elements))
        a, b = np.array([[elements.index(e) for e in pair] for pair in phase.shells.pairs]).T
        twice = 2.0 - (a == b)
        ideal = twice * n[a] * n[b] / n_0**2
        out[:, 0] += ideal[:, None] * line
        out[:, 1:] -= d_volume[None, :, None] * (ideal[:, None] * line)[:, None, :]
        start = np.bincount(kind, phase.crystal.occupancies, minlength=len(elements))
        factor = float(n.sum() / n_0 * abs(start @ f) ** 2 / abs(n @ f) ** 2)
        for index in dict.fromkeys(sites.fill.tolist()):
            column = place.get(sites.names[index])
            if column is None:
                continue
            dn = np.bincount(kind, (sites.fill == index).astype(float), minlength=len(elements))
            d_ideal = twice * (dn[a] * n[b] + n[a] * dn[b]) / n_0**2
            d_log = dn.sum() / n.sum() - 2 * ((dn @ f) * np.conj(n @ f)).real / abs(n @ f) ** 2
            out[:, 1 + column] += d_ideal[:, None] * line + d_log * out[:, 0]
        out *= factor

    def _resolve(self, out: Array, q_damp: float, column: int | None) -> None:
        """Apply the envelope of the resolution, in place."""
        if column is not None:
            out[:, 1 + column] -= self.grid**2 * q_damp * out[:, 0]
        if q_damp > 0:
            out *= np.exp(-0.5 * (self.grid * q_damp) ** 2)

    def _envelope(self, out: Array, form: Array, place: dict[str, int]) -> None:
        """Apply the form of the particles and switch off the ends of the grid, in place."""
        sized = form.any() or any(name in place for name in self.phase.shape_names)
        if not (sized and self.phase.crystal.periodic):
            out *= self.switch  # particles without an end, and molecules
            return
        gamma, slopes = characteristic(self.phase.shape, self.grid, form)
        bare = {k: out[:, 0].copy() for k, name in enumerate(self.phase.shape_names) if name in place}
        out *= self.switch * gamma
        for k, whole in bare.items():
            out[:, 1 + place[self.phase.shape_names[k]]] += whole * self.switch * slopes[k]


@dataclass(frozen=True, slots=True, eq=False)
class _Moved:
    """Arguments of the kernel that depend on the parameters."""

    coefficients: Array
    amplitude: Array
    u: Array
    du: Array
    own_r: Array
    own_u: Array
    own_a: Array
