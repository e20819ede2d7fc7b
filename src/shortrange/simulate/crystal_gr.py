r"""G(r) of a crystal with its derivatives by every parameter that a refinement floats.

For each unordered pair ab of elements the shells make a sum of Gaussians on a grid of distances,

.. math::
    h_{ab}(r) = \frac{1}{N} \sum_{ij \in ab} \frac{o_i o_j}{r_{ij}} N(r - r_{ij}, \sigma_{ij}^2)
                - 4\pi\rho_0 c_{ab} r, \qquad
    \sigma^2 = (U_i + U_j) \left(1 - \frac{\delta_1}{r} - \frac{\delta_2}{r^2} + Q_{broad}^2 r^2\right)

(Farrow et al. 2007, PDFgui), times the envelopes 1 - 3r/2D + (r/D)^3/2 of a sphere of diameter D
(Kodama et al. 2006) and exp(-(r Q_damp)^2 / 2) of the resolution; a matrix then applies f_a f_b / <f>^2 and
the range of Q exactly. The resolution comes first, as in an experiment: the ends of F(Q) are cut sharply
afterwards, so the ripples of the cut are not damped. A molecule has no size, and its baseline is
-4 pi r times a density of its own, that of the sample around it. What a cut of F(Q) at its lower end takes of
it is not in the model: it is among the forms that `shortrange.fit.gr_points.GrData.window` gives no weight.
The grid reaches past the compared range and is switched off smoothly, so that ripples of peaks outside stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shortrange.crystal import Crystal
from shortrange.errors import DataError, SimulationError, did_you_mean
from shortrange.numeric.band_kernel import BandTables, band_curve, band_tables
from shortrange.numeric.lattice import CellMap, cell_map
from shortrange.quantities import Step, step
from shortrange.simulate.crystal_window import CrystalWindow, Rows
from shortrange.simulate.pdf_weights import Weights, scattering_amplitude
from shortrange.simulate.shapes import SHAPES, Shape
from shortrange.simulate.shells import Shells, find_shells, kinds_of_pairs
from shortrange.simulate.sites import SiteModel, SitePairs, crystal_tensors, site_model, site_pairs

__all__ = ["MARGIN", "CrystalPdf", "Peaks", "crystal_pdf"]

Array = NDArray[Any]
Peaks = Literal["debye", "pdffit"]

MARGIN = 4.0
"""Angstrom by which a window is computed past its edges; the last `SWITCH` of it fade out. Ripples of what
lies beyond are added as they are at the start, see
`shortrange.simulate.crystal_window.CrystalWindow.with_outside`."""
FAR = 7.0
"""Angstrom past the last point to which those ripples are counted."""
SWITCH = 2.0
GRID = 0.035
"""Angstrom; a Gaussian as wide as that on it is exact to 1e-6 below Q = 30, a wider one to rounding."""
ALIAS = 5.2
"""Standard deviations in Q beyond which the transform of a Gaussian is nothing: 1e-6 of its height."""
SPARE = 0.7
"""Part of their width at the start to which peaks may narrow before a grid made for them gets finer."""
AROUND = ("density",)
_WIDTHS = ("delta1", "delta2", "q_broad")
_GROWTH = 1.03  # distances may grow by so much before shells are missing


@dataclass(frozen=True, eq=False, kw_only=True)
class CrystalPdf:
    """One phase: its shells, its parameters, its weights. Make it with `crystal_pdf`.

    Attributes
    ----------
    crystal, cell, shells
        What it is made of.
    names
        All parameters but scale: free lattice parameters, those of the sites (``u_iso_X`` for each element,
        or what `shortrange.simulate.sites.SiteModel` names), delta1, delta2, q_broad, those of the form,
        q_damp.
    start
        Their values, shape (p,); a form of size 0 means no envelope.
    groups
        Names that mean several parameters: each a mapping of a free name to its members.
    sites, pairs
        Where sites are free; else None.
    shape
        Of the particles, see `shortrange.simulate.shapes.SHAPES`.
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
    groups: Mapping[str, Mapping[str, tuple[str, ...]]]
    sites: SiteModel | None = None
    pairs: SitePairs | None = None
    shape: Shape = "sphere"
    weights: Weights | Mapping[str, float] = "xray"
    energy: float | None = None
    composition: Mapping[str, float] | None = None
    peaks: Peaks = "debye"

    @property
    def history(self) -> tuple[Step, ...]:
        """Of the crystal and its shells."""
        return self.shells.history

    @property
    def shape_names(self) -> tuple[str, ...]:
        """Parameters of the form of the particles; a molecule has the density around it instead."""
        return SHAPES[self.shape] if self.crystal.periodic else AROUND

    @property
    def split(self) -> tuple[int, int]:
        """Where the parameters of the sites begin and end among all."""
        first = len(self.cell.names)
        return first, len(self.names) - len(_WIDTHS) - len(self.shape_names) - 1

    def index(self, name: str) -> int:
        """Place of a parameter among all; of a group that moves together that of its first member."""
        return self.names.index(name if name in self.names else next(iter(self.groups[name].values()))[0])

    def crystal_at(self, values: Array) -> Crystal:
        """Return the crystal that a vector of parameters describes.

        Parameters
        ----------
        values
            In the order of ``names``, shape (p,).
        """
        first, last = self.split
        lattice = tuple(float(x) for x in self.cell.six(values[:first]))
        crystal, own = self.crystal, values[first:last]
        if self.sites is None:
            u = np.array([own[self.shells.elements.index(s)] for s in crystal.species])
            return replace(crystal, lattice=lattice, u_iso=u, u_aniso=None)
        tensors = self.sites.displacements(own)
        return replace(
            crystal, lattice=lattice, positions=self.sites.positions(own),
            occupancies=self.sites.occupancies(own), u_iso=tensors[:, :3].mean(axis=1),
            u_aniso=crystal_tensors(tensors, crystal.lattice) if self.sites.anisotropic else None,
        )  # fmt: skip

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
        self, r: Array, tables: BandTables, *, active: tuple[str, ...] | None = None, margin: float = MARGIN,
        around: Array | None = None,
    ) -> CrystalWindow:  # fmt: skip
        """Prepare the model on the points ``r``.

        Parameters
        ----------
        r
            Uniform, angstrom, shape (n,); some or all points of those that ``tables`` were made for.
        tables
            From `tables`.
        active
            Parameters by which derivatives are wanted; all by default. The name of a group means that its
            members move together.
        margin
            Angstrom computed past the ends of ``r``.
        around
            Values near which the model will be used, shape (p,): its grid is then no finer than widths near
            those need. Where they get narrower the model goes back to the finest.

        Raises
        ------
        DataError
            If ``r`` is not uniform, or reaches beyond the shells.
        """
        spacing = _spacing(r)
        start, fine, size = grid = _grid_of(r, spacing, below=margin, above=margin)
        active = self.names if active is None else active
        narrowest, finest = 0.0, None
        if around is not None and self.sites is None:
            narrowest = SPARE * self.narrowest(around, start)
            grid = _coarser(grid, narrowest, tables.q_max)
            finest = cache(lambda: self.on(r, tables, active=active, margin=margin))
        matrix = tables.matrix((float(r[0]), spacing, r.size), grid)
        # Pairs side by side, so that one product sums over them.
        matrix = np.concatenate(list(matrix), axis=1)
        # Both grids end in the same way, or the ripples of what lies beyond would not fit both.
        switch = partial(_switch, first=start, step=fine, size=size, width=min(SWITCH, margin / 2))
        window = self._window(r, *grid, active, matrix, switch)
        return window if grid[1] == fine else replace(window, narrowest=narrowest, finest=finest)

    def narrowest(self, values: Array, r: float) -> float:
        """Return the standard deviation of the narrowest peak from ``r`` on, angstrom, for fixed sites.

        0 if a variance is not positive.
        """
        first, last = self.split
        r = max(r, self.shells.shortest) / _GROWTH
        delta1, delta2 = values[last : last + 2]
        # Beyond, peaks are wider: what the deltas take gets less, and q_broad adds.
        return float(np.sqrt(max(2 * values[first:last].min() * (1 - delta1 / r - delta2 / r**2), 0.0)))

    def _window(
        self, r: Array, start: float, fine: float, size: int, active: tuple[str, ...], matrix: Array,
        switch: Callable[[Array], Array],
    ) -> CrystalWindow:  # fmt: skip
        end = start + (size - 1) * fine
        if end > self.shells.r_max / _GROWTH + 1e-6:
            raise DataError(
                f"the window ends at {r[-1]:g} angstrom, with its margin at {end:g}",
                where="CrystalPdf.on", do=f"make it with r_max of {r[-1]:g} or more",
            )  # fmt: skip
        grid = start + fine * np.arange(size)
        limits = ((start - 2.0) / _GROWTH, (end + 2.0) * _GROWTH)
        return CrystalWindow(
            phase=self, r=r, grid=grid, active=active, matrix=matrix, outside=np.zeros(r.size),
            rows=Rows.near(self, limits, active), switch=switch(grid),
        )  # fmt: skip

    def surroundings(self, values: Array, r: Array) -> Array:
        """Baseline of a molecule on ``r``, zero for a crystal, whose shells hold theirs, shape (n_r,)."""
        return -4 * np.pi * r * (0.0 if self.crystal.periodic else values[self.names.index(AROUND[0])])

    def curve(self, values: Array, r: Array, *, q_max: float, q_min: float = 0.0) -> Array:
        """G of all shells on ``r`` (uniform), for a scale of 1, shape (n_r,)."""
        spacing = _spacing(r)
        start, fine, size = _grid_of(r, spacing, below=float(r[0]), above=FAR)
        switch = partial(_switch, first=start, step=fine, size=size, width=2 * SWITCH)
        window = self._window(r, start, fine, size, (), np.zeros((0, 0)), switch)
        return self.surroundings(values, r) + band_curve(
            self.pair_weights, window.density(values)[:, 0], q_range=(q_min, q_max),
            r=(float(r[0]), spacing, r.size), grid=(start, fine, size),
        )  # fmt: skip


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
    sites: bool = False,
    anisotropic: bool = False,
    shape: Shape = "sphere",
) -> CrystalPdf:
    """Prepare a phase for G(r) up to ``r_max``.

    Parameters
    ----------
    crystal
        From `shortrange.load_crystal`. A molecule has one ``stretch``, and no single sites.
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
    sites, anisotropic
        Whether coordinates, displacements of single sites and occupancies are parameters, and whether
        displacements are tensors then.
    shape
        Of the particles: ``"sphere"``, ``"shell"`` or ``"sheet"``.

    Raises
    ------
    DataError
        If the form is unknown, or a molecule is to have one.
    """
    if shape not in SHAPES:
        raise DataError(f"unknown shape {shape!r}", where="crystal_pdf", do=did_you_mean(shape, SHAPES))
    if shape != "sphere" and not crystal.periodic:
        raise DataError(f"a molecule is to be a {shape}", where=crystal.source or crystal.label,
                        do="remove shape: its atoms say how large it is")  # fmt: skip
    cell = cell_map(crystal.lattice, crystal.system, isotropic=isotropic or not crystal.periodic)
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
    common = (*_WIDTHS, *(SHAPES[shape] if crystal.periodic else AROUND), "q_damp")
    groups: dict[str, Mapping[str, tuple[str, ...]]] = {"cell": {name: (name,) for name in cell.names}}
    model = pairs = None
    if crystal.periodic and (sites or anisotropic):
        model = site_model(crystal, anisotropic=anisotropic, u_start=u_start)
        own, values, groups = model.names, list(model.start), groups | dict(model.groups)
        place = kinds_of_pairs(shells.elements)[1]
        pairs = site_pairs(crystal, cell, model, place, r_max=(r_max + FAR + 0.1) * _GROWTH)
    else:
        own, values = tuple(f"u_iso_{e}" for e in shells.elements), u
        groups["u_iso"] = {"u_iso": own}
    return CrystalPdf(
        crystal=crystal, cell=cell, shells=shells, names=(*cell.names, *own, *common), groups=groups,
        start=np.array([*cell.start, *values, *np.zeros(len(common))]), sites=model, pairs=pairs, shape=shape,
        weights=weights, energy=energy, composition=composition, peaks=peaks,
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


def _coarser(grid: tuple[float, float, int], narrowest: float, q_max: float) -> tuple[float, float, int]:
    """Take every so many points of a grid as Gaussians not narrower than ``narrowest``, angstrom, allow."""
    start, fine, size = grid
    # The transform of a Gaussian comes back at 2 pi / step - Q.
    step = 2 * np.pi / (q_max + ALIAS / narrowest) if narrowest > 0 else 0.0
    times, zeros, first = int(step / fine + 1e-9), start / fine, 0
    if start < 1.5 * times * fine:
        # From zero on, where G is odd, only points at multiples of the step are exact.
        first = -round(zeros) % max(times, 1)
        times = times if abs(zeros - round(zeros)) < 1e-6 else 1
    if times < 2:
        return grid
    return start + first * fine, times * fine, (size - 1 - first) // times + 1


def _switch(r: Array, *, first: float, step: float, size: int, width: float) -> Array:
    """1 within a grid, and half a cosine at its upper end and, unless that is zero, at the lower."""
    up = np.clip((first + (size - 1) * step - r) / width, 0.0, 1.0)
    down = np.clip((r - first) / width, 0.0, 1.0) if first > 1.5 * step else np.ones_like(r)
    return np.asarray(0.25 * (1 - np.cos(np.pi * up)) * (1 - np.cos(np.pi * down)))
