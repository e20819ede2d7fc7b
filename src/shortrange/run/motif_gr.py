"""Motifs beside measured G(r): pairs within the unit, and a prior for what lies around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shortrange.config import Sample, TotalScatteringMeasurement
from shortrange.errors import DataError
from shortrange.fit.motif_gr_term import MOTIF_GR_WIDTHS, motif_gr_term
from shortrange.fit.parameters import Parameter
from shortrange.fit.pdf_term import PDF_PARAMETERS
from shortrange.fit.term import Term
from shortrange.numeric.sine import Window
from shortrange.quantities import GR
from shortrange.reduce.scattering import ScatteringReduction
from shortrange.simulate.motifs import MotifHypothesis
from shortrange.simulate.motifs.scattering import PAIR_KINDS, MotifGr
from shortrange.simulate.motifs.surroundings import SURROUNDINGS_END, Surroundings, typical_surroundings
from shortrange.units import HC

__all__ = ["MotifsInSample", "motifs_in_sample"]

_FOOT = 0.42
"""Angstrom from a mean bond to the foot of its peak at 600 K."""

_POOLED = frozenset({"Na", "Ta", "Cl", "S"})
"""Elements of the structures that the prior was taken from."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MotifsInSample:
    """Motifs, and what is known of the sample around them.

    Attributes
    ----------
    units
        By model.
    composition
        Of the sample.
    number_density
        Atoms per cubic angstrom.
    surroundings
        Prior for the pairs between units.
    """

    units: Mapping[str, MotifHypothesis]
    composition: Mapping[str, float]
    number_density: float
    surroundings: Surroundings

    @property
    def r_range(self) -> tuple[float, float]:
        """Where they can be compared, angstrom: from the foot of the shortest bond."""
        bonds = [p.value for u in self.units.values() for p in u.structural if "_" in p.name]
        return min(bonds) - _FOOT, SURROUNDINGS_END

    def models(
        self, measurement: TotalScatteringMeasurement, r: np.ndarray, q_range: tuple[float, float],
        window: Window | None,
    ) -> dict[str, MotifGr]:  # fmt: skip
        """G(r) of every motif at ``r``."""
        energy = HC / measurement.wavelength if measurement.wavelength else None
        q_damp = PDF_PARAMETERS[1].value if measurement.qdamp is None else measurement.qdamp
        return {
            name: MotifGr(
                unit, r=r, q_range=q_range, composition=self.composition, energy=energy, window=window,
                q_damp=q_damp,
            )
            for name, unit in self.units.items()
        }  # fmt: skip

    def scales(
        self, g: np.ndarray, models: Mapping[str, MotifGr], q_range: tuple[float, float],
        window: Window | None,
    ) -> list[float]:  # fmt: skip
        """Least-squares scale of each motif at the mean of its priors."""
        *widths, c3_bond = (p.value for p in MOTIF_GR_WIDTHS)
        found = []
        for model in models.values():
            start = {p.name: p.value for p in model.hypothesis.structural}
            simulated = model(start, sigma2=dict(zip(PAIR_KINDS, widths, strict=True)), c3_bond=c3_bond)
            simulated = simulated + self.surroundings.expected(
                model.r, q_range=q_range, number_density=self.number_density, window=window
            )
            found.append(max(float(simulated @ g) / float(simulated @ simulated), 1e-3))
        return found

    def terms(
        self, measurement: TotalScatteringMeasurement, gr: GR, models: Mapping[str, MotifGr], *,
        q_range: tuple[float, float], window: Window | None, scale: Parameter,
    ) -> dict[str, Term]:  # fmt: skip
        """State the comparison of every motif."""
        return {
            name: motif_gr_term(
                gr, model, surroundings=self.surroundings, number_density=self.number_density,
                measurement=measurement.name, q_range=q_range, window=window, scale=scale,
            )
            for name, model in models.items()
        }  # fmt: skip

    def describe(self, r_range: tuple[float, float]) -> dict[str, Any]:
        """Describe what stands for the surroundings, JSON-like."""
        inside = (self.surroundings.r >= r_range[0]) & (self.surroundings.r <= r_range[1])
        sigma = 4 * np.pi * self.number_density * self.surroundings.sigma[inside]
        return {
            "source": self.surroundings.source,
            "number_density": self.number_density,
            "sigma": [float(sigma[0]), float(sigma[-1])],
        }

    def doubts(self, r_range: tuple[float, float]) -> list[str]:
        """Say what a reader has to know."""
        names = ", ".join(map(repr, self.units))
        found = [
            f"{names}: bare units, compared from {r_range[0]:g} to {r_range[1]:g} angstrom; between units "
            "lies an unknown curve, its prior from simulated structures of Na, Ta, Cl and S"
        ]
        foreign = sorted(set(self.composition) - _POOLED)
        if foreign:
            found.append(
                f"the sample holds {', '.join(foreign)}, which those structures do not: the prior is a guess"
            )
        return found


def motifs_in_sample(
    measurement: TotalScatteringMeasurement, reduction: ScatteringReduction | GR,
    units: Mapping[str, MotifHypothesis], sample: Sample,
) -> MotifsInSample:  # fmt: skip
    """Bring motifs together with composition and density of the sample.

    Raises
    ------
    DataError
        If its density is not known.
    """
    if isinstance(reduction, ScatteringReduction):
        density: float | None = reduction.number_density.value
    else:
        density = sample.number_density or reduction.number_density
    if density is None:
        raise DataError(
            "the number density of the sample is not known, by which pairs between the units of a motif grow",
            where=f"measurement {measurement.name!r}",
            do="state number_density under [sample], atoms per cubic angstrom",
        )
    return MotifsInSample(
        units=units, composition=sample.atoms, number_density=density, surroundings=typical_surroundings()
    )
