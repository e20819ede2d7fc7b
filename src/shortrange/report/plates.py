"""Which figures a result is shown by: each with a name for its file and a caption for the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from shortrange.compare.verdict import MeasurementFit, Verdict
from shortrange.quantities import GR, ChiR
from shortrange.reduce.scattering import ScatteringReduction
from shortrange.reduce.xas import XasReduction
from shortrange.report.figures.scattering import plot_gr, plot_sq
from shortrange.report.figures.verdict import (
    contributions_figure,
    distances_figure,
    fits_figure,
    odds_figure,
)
from shortrange.report.figures.xas import plot_chi_k, plot_chi_r, plot_mu, plot_normalised
from shortrange.report.style import finish, new_figure, png_bytes
from shortrange.report.text import leading
from shortrange.transform.fourier import sigma_magnitude, xftf

__all__ = [
    "Plate",
    "chi_r_of",
    "fit_plates",
    "odds_plate",
    "save_plates",
    "scattering_plates",
    "slug",
    "xas_plates",
]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """A figure with its place in a report.

    Attributes
    ----------
    name
        Of its file, without suffix.
    png
        The picture.
    caption
        What it shows.
    """

    name: str
    png: bytes
    caption: str


def slug(name: str) -> str:
    """Turn the name of a measurement into part of a file name."""
    kept = "".join(c if c.isalnum() and c.isascii() else "_" for c in name.lower())
    return "_".join(part for part in kept.split("_") if part) or "measurement"


def chi_r_of(reduction: XasReduction, *, k_weight: float = 2.0) -> ChiR | None:
    """Fourier transform over the k-range of a reduction; None if there is no EXAFS."""
    if reduction.chi is None or reduction.k_range is None:
        return None
    return xftf(reduction.chi, k_range=reduction.k_range, k_weight=k_weight)


def xas_plates(
    name: str,
    reduction: XasReduction,
    *,
    title: str,
    simulated: bool,
    repeats: Sequence[tuple[str, Array, Array]] = (),
    k_weight: float = 2.0,
) -> list[Plate]:
    """Figures of an XAS reduction.

    Parameters
    ----------
    name
        Of the measurement.
    reduction
        What is shown.
    title, simulated
        The sample, and whether its data were made from a model.
    repeats
        (label, energy, normalised absorption) of each scan, aligned.
    k_weight
        Power of k in chi(k) and its transform.
    """
    normalised = reduction.normalised
    figure = new_figure(5.8)
    upper, lower = figure.subplots(2, 1)
    plot_mu(
        ax=upper,
        energy=normalised.energy,
        mu=normalised.mu,
        sigma=normalised.sigma,
        pre_edge=normalised.pre_edge,
        post_edge=normalised.post_edge,
        background=None if reduction.background is None else reduction.background.bkg,
        e0=normalised.e0,
    )
    plot_normalised(
        ax=lower, energy=normalised.energy, norm=normalised.flat, repeats=repeats, e0=normalised.e0
    )
    used = sum(report.used for report in reduction.reports)
    plates = [
        Plate(
            name=f"{slug(name)}_mu",
            png=png_bytes(finish(figure, title=title, subject=f"{name}: absorption", simulated=simulated)),
            caption=f"Absorption, merged from {used} of {len(reduction.reports)} scans, with its pre-edge "
            "and post-edge lines, and normalised near the edge.",
        )
    ]
    chi_r = chi_r_of(reduction, k_weight=k_weight)
    if reduction.chi is not None and chi_r is not None:
        figure = new_figure(5.8)
        upper, lower = figure.subplots(2, 1)
        plot_chi_k(ax=upper, data=reduction.chi, k_weight=k_weight, k_range=reduction.k_range)
        plot_chi_r(ax=lower, data=chi_r, sigma=sigma_magnitude(chi_r))
        plates.append(
            Plate(
                name=f"{slug(name)}_exafs",
                png=png_bytes(finish(figure, title=title, subject=f"{name}: EXAFS", simulated=simulated)),
                caption="EXAFS with its standard error, and its Fourier transform over the white range of k; "
                "distances are not corrected for phase shifts.",
            )
        )
    return plates


def scattering_plates(
    name: str,
    reduction: ScatteringReduction | GR,
    *,
    title: str,
    simulated: bool,
    r_range: tuple[float, float] | None = None,
) -> list[Plate]:
    """Figures of a total-scattering reduction, or of a finished G(r).

    ``r_range`` is where models were compared, angstrom.
    """
    if isinstance(reduction, GR):
        figure = new_figure(3.2)
        plot_gr(ax=figure.subplots(), data=reduction, r_range=r_range)
        caption = "Pair distribution function G(r) as it was given."
    else:
        figure = new_figure(5.8)
        upper, lower = figure.subplots(2, 1)
        plot_sq(ax=upper, data=reduction.sq)
        density = reduction.number_density.value
        plot_gr(ax=lower, data=reduction.gr, number_density=density, r_range=r_range)
        caption = (
            "Structure factor S(Q) and pair distribution function G(r), with their standard errors; below "
            "the shortest distance G(r) must follow the dashed line."
        )
    return [
        Plate(
            name=f"{slug(name)}_scattering",
            png=png_bytes(
                finish(figure, title=title, subject=f"{name}: total scattering", simulated=simulated)
            ),
            caption=caption,
        )
    ]


def odds_plate(verdict: Verdict, *, title: str, simulated: bool) -> Plate:
    """Figure of the odds."""
    return Plate(
        name="odds",
        png=png_bytes(odds_figure(verdict, title=title, simulated=simulated)),
        caption="Probability of each model among those offered, with equal prior odds.",
    )


def fit_plates(
    verdict: Verdict, fit: MeasurementFit, *, title: str, simulated: bool, k_weight: float = 2.0
) -> list[Plate]:
    """Figures of one measurement: all models against it, and the parts of the best.

    Parameters
    ----------
    verdict
        All models.
    fit
        That of the leading model to the measurement.
    title, simulated
        The sample, and whether its data were made from a model.
    k_weight
        Power of k in the curves of EXAFS.
    """
    name, (low, high) = fit.measurement, fit.fit_range
    space = "R (no phase correction)" if fit.technique == "xas" else "r"
    best = leading(verdict).name
    figures: tuple[tuple[str, Callable[..., Figure | None], str], ...] = (
        (
            "fits",
            fits_figure,
            f"{name}: data (black, with error band), each model after its fit (colour, with the band of the "
            "theory error) and the residual in units of the total error. Models were compared for "
            f"{space} = {low:.2f} to {high:.2f} Å; the curves show what was compared.",
        ),
        (
            "distances",
            distances_figure,
            f"{name}: the same in R, by Fourier transform of the curves in k; models were compared in the "
            "white range.",
        ),
        (
            "parts",
            contributions_figure,
            f"{name}: what the parts of {best} contribute, each moved down and on the scale of the data.",
        ),
    )
    plates = []
    for kind, draw, caption in figures:
        figure = draw(verdict, measurement=name, title=title, simulated=simulated, k_weight=k_weight)
        if figure is not None:
            plates.append(Plate(name=f"{slug(name)}_{kind}", png=png_bytes(figure), caption=caption))
    return plates


def save_plates(plates: Sequence[Plate], folder: Path) -> list[Path]:
    """Write each figure as PNG into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{plate.name}.png" for plate in plates]
    for plate, path in zip(plates, paths, strict=True):
        path.write_bytes(plate.png)
    return paths
