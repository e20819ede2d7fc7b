"""What an ensemble simulation of EXAFS results in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.load.history import marked
from shortrange.quantities import ChiK, Step
from shortrange.shown import Shown
from shortrange.simulate.exafs.envelopes import chi_from_envelopes
from shortrange.simulate.exafs.model import ExafsModel

__all__ = ["EnsembleExafs"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EnsembleExafs(Shown):
    """Mean chi(k) over the absorbers of some snapshots, with S02 = 1 and no Debye-Waller factor but theirs.

    Attributes
    ----------
    k
        1/angstrom from FEFF's Fermi level, shape (n_k,).
    chi
        Mean over absorbers and frames, (n_k,).
    stretches, chi_by_stretch
        Distance scales less one (n_s,), and the mean chi with all distances scaled so (n_s, n_k).
    frame_chi, absorber_chi
        Mean over the absorbers of each frame (n_frames, n_k), and over the frames of each absorber
        (n_atoms, n_k).
    standard_error, covariance
        Of ``chi`` as a mean over a sample of absorbers, (n_k,) and (n_k, n_k); None for one absorber only.
        Absorbers of a frame, and the same atom in different frames, are not taken to be independent: the
        covariance of independent absorbers is multiplied by ``design_effect``.
    design_effect
        Ratio (at least 1) of the two-way clustered variance (by atom and by frame) to that of independent
        absorbers, averaged over k^2 chi between 3 and 12; None where it cannot be known.
    convergence
        Number of frames from the start and the relative rms sampling error of their mean (k^2 chi, k 3-12),
        shape (n, 2); None for fewer than 8 frames.
    contributions
        Parts that add up to ``chi``, by name such as ``"Ta-Cl"`` or ``"Cl-Ta-Cl hinge"``, each (n_k,).
    absorber, edge
        For example ``"Ta"``, ``"L3"``.
    n_absorbers, n_frames, n_paths
        Spectra averaged, frames, and scattering paths summed.
    mu
        FEFF's Fermi level, eV, on its own scale: where its k begins.
    method_error
        rms of the difference to a full FEFF calculation (4 legs, no filter, same potentials) over the rms of
        chi, both k^2-weighted for k 3-12, for the representative absorber; None if not checked.
    potentials
        Over how many clusters phase shifts were averaged, and why that is enough.
    bounds
        Relative rms of k^2 chi, k 3-12, of the paths that were left out, by kind, for the representative
        absorber; empty if not checked.
    bond_lengths
        Mean distance of the neighbours that are bonds, by pair, angstrom.
    envelopes, bonds, bond_steps
        What `model` needs.
    """

    k: Array
    chi: Array
    stretches: Array
    chi_by_stretch: Array
    frame_chi: Array
    absorber_chi: Array
    standard_error: Array | None
    covariance: Array | None
    design_effect: float | None
    convergence: Array | None
    contributions: Mapping[str, Array]
    absorber: str
    edge: str
    n_absorbers: int
    n_frames: int
    n_paths: int
    mu: float
    potentials: Mapping[str, Any]
    method_error: float | None
    bounds: Mapping[str, float]
    envelopes: Mapping[str, Array] = field(repr=False)
    bonds: Mapping[str, Array] = field(repr=False)
    bond_steps: tuple[float, float, float]
    bond_lengths: Mapping[str, float]
    label: str = ""
    source: str = ""
    history: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        for name in ("k", "chi", "stretches", "chi_by_stretch", "frame_chi", "standard_error", "covariance"):
            value = getattr(self, name)
            if value is not None:
                value.setflags(write=False)

    def model(self) -> ExafsModel:
        """Chi as a function of S02, dE0, stretch and extra sigma2."""
        return ExafsModel(
            _total(self.envelopes), self.stretches, bonds=self.bonds, bond_steps=self.bond_steps,
            bond_lengths=self.bond_lengths, where=self._name,
        )  # fmt: skip

    def part(self, name: str) -> ExafsModel:
        """Return the same for one contribution."""
        return ExafsModel(self.envelopes[name], self.stretches, where=self._name)

    def chi_k(self) -> ChiK:
        """Return the mean as a spectrum."""
        return ChiK(
            k=self.k, chi=self.chi, sigma=self.standard_error, cov=self.covariance, label=self.label,
            history=marked(self.history),
        )  # fmt: skip

    @property
    def _name(self) -> str:
        return f"EXAFS of {self.label or self.source or self.absorber}"


def _total(envelopes: Mapping[str, Array]) -> Array:
    return np.asarray(np.sum(list(envelopes.values()), axis=0))


def spectra(envelopes: Mapping[str, Array], stretches: Array, k: Array) -> tuple[Array, dict[str, Array]]:
    """Mean chi by stretch (n_s, n_k), contributions at stretch 0; of envelopes (n_bins, n_s, n_k_grid)."""
    total = _total(envelopes)
    by_stretch = np.stack([chi_from_envelopes(total[:, s], k, stretch=x) for s, x in enumerate(stretches)])
    at_rest = int(np.argmin(np.abs(stretches)))
    return by_stretch, {name: chi_from_envelopes(part[:, at_rest], k) for name, part in envelopes.items()}
