"""What would decide: measurements that were not made, and what they would say about the best two models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.compare.foresight import Prospect, prospect
from shortrange.compare.theory_error import EXAFS_THEORY_ERROR, PDF_THEORY_ERROR
from shortrange.compare.verdict import ModelResult
from shortrange.fit.exafs_term import exafs_term
from shortrange.fit.pdf_term import pdf_term
from shortrange.fit.term import Term
from shortrange.quantities import GR, ChiK, Trajectory
from shortrange.run.comparison import Comparison
from shortrange.run.xas import R_MAX, R_RANGE
from shortrange.simulate.exafs import ensemble_exafs, potentials_for
from shortrange.simulate.pairs import pair_histograms
from shortrange.simulate.pdf import PdfModel

__all__ = ["foresee"]

Array = NDArray[Any]

Q_RANGE, R_COMPARED = (0.8, 22.0), (1.9, 5.5)
PDF_NOISE, EXAFS_NOISE = 0.03, 0.03
"""Assumed of a measurement that was not made, relative to its signal."""
LIGHT_K_RANGE = (3.0, 9.0)
"""What edges below 5 keV give in practice, 1/angstrom."""


def foresee(
    models: Sequence[ModelResult],
    comparisons: Sequence[Comparison],
    snapshots: Mapping[str, Trajectory],
    *,
    edges: Sequence[tuple[str, str]] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Prospect, ...]:
    """Say what further measurements are expected to tell about the two most probable models.

    Parameters
    ----------
    models
        Most probable first; mixtures are passed over.
    comparisons
        Of the measurements that were made.
    snapshots
        Of every model.
    edges
        Other edges to consider, as (element, edge); simulating them takes a minute.
    tell
        Told what is being tried.

    Returns
    -------
    tuple of Prospect
        Most telling first. Empty for a single model.
    """
    names = [model.name for model in models if not model.shares][:2]
    if len(names) < 2:
        return ()
    found = []
    for comparison in comparisons:
        for what, make in comparison.variants.items():
            terms = make()
            found.append(prospect(what, *(terms[n] for n in names), theory_error=comparison.theory_error))
    techniques = {term.technique for c in comparisons for term in c.terms.values()}
    if "total-scattering" not in techniques:
        tell("try total scattering that was not measured")
        found.append(_total_scattering(names, snapshots))
    for element, edge in edges:
        if all(element in snapshots[n].composition for n in names):
            tell(f"try the {element} {edge} edge")
            found.append(_edge(names, snapshots, element, edge))
    return tuple(sorted(found, key=lambda p: -p.expected))


def _total_scattering(names: Sequence[str], snapshots: Mapping[str, Trajectory]) -> Prospect:
    r = np.arange(R_COMPARED[0], R_COMPARED[1], 0.02)
    models = [PdfModel(pair_histograms(snapshots[n], r_max=20.0), r, Q_RANGE[1], Q_RANGE[0]) for n in names]
    g = models[0](q_damp=0.03)
    data = GR(r=r, g=g, sigma=np.full(r.size, PDF_NOISE * np.sqrt(np.mean(g**2))))
    terms = [
        pdf_term(data, model, measurement="total scattering", r_range=R_COMPARED, q_range=Q_RANGE)
        for model in models
    ]
    return prospect(
        f"total scattering, Q up to {Q_RANGE[1]:g} 1/angstrom",
        *terms,
        theory_error=PDF_THEORY_ERROR,
        assumed=f"noise of {PDF_NOISE:.0%} of G(r)",
    )


def _edge(names: Sequence[str], snapshots: Mapping[str, Trajectory], element: str, edge: str) -> Prospect:
    potentials = potentials_for(snapshots[names[0]], absorber=element, edge=edge, r_max=R_MAX)
    shared = set(snapshots[names[1]].species) <= set(snapshots[names[0]].species)
    ensembles = [
        ensemble_exafs(
            snapshots[n], absorber=element, edge=edge, r_max=R_MAX, check=False,
            potentials=potentials if i == 0 or shared else None,
        )
        for i, n in enumerate(names)
    ]  # fmt: skip
    first = ensembles[0]
    inside = (first.k >= LIGHT_K_RANGE[0]) & (first.k <= LIGHT_K_RANGE[1])
    size = EXAFS_NOISE * np.sqrt(np.mean((first.k**2 * first.chi)[inside] ** 2))
    # Photons make noise that is even in chi, hence rising in k^2 chi; of the stated size in the mean.
    sigma = np.full(first.k.size, size / np.sqrt(np.mean(first.k[inside] ** 4)))
    data = ChiK(k=first.k, chi=first.chi, sigma=sigma)
    terms: list[Term] = [
        exafs_term(data, e, measurement=f"{element} {edge}", k_range=LIGHT_K_RANGE, r_range=R_RANGE)
        for e in ensembles
    ]
    return prospect(
        f"EXAFS at the {element} {edge} edge, k up to {LIGHT_K_RANGE[1]:g} 1/angstrom",
        *terms,
        theory_error=EXAFS_THEORY_ERROR,
        assumed=f"noise of {EXAFS_NOISE:.0%} of k^2 chi",
    )
