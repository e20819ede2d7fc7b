"""Which figures a result is shown by: each with a name for its file and a caption for the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from shortrange.quantities import GR, ChiR
from shortrange.reduce.scattering import ScatteringReduction
from shortrange.reduce.xas import XasReduction
from shortrange.report.figures.scattering import plot_gr, plot_sq
from shortrange.report.figures.xas import plot_chi_k, plot_chi_r, plot_mu, plot_normalised
from shortrange.report.live.data import live_exafs, live_mu, live_scattering
from shortrange.report.style import WIDTH, finish, new_figure, png_bytes, svg_text
from shortrange.transform.fourier import sigma_magnitude, xftf

__all__ = [
    "Plate",
    "chi_r_of",
    "file_names",
    "make_plate",
    "save_plates",
    "scattering_plates",
    "slug",
    "xas_plates",
]

Array = NDArray[Any]

_LONGEST = 60  # letters of a name that go into that of a file


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """A figure with its place in a report.

    Attributes
    ----------
    name
        Of its file, without suffix.
    png, svg
        The picture, for slides and for print.
    caption
        What it shows.
    live
        The same as a figure of plotly (``data`` and ``layout``), or None.
    broad
        Whether it needs the whole width of a page.
    """

    name: str
    png: bytes
    svg: str
    caption: str
    live: Mapping[str, Any] | None = None
    broad: bool = False


def make_plate(name: str, figure: Figure, *, caption: str, live: Mapping[str, Any] | None = None) -> Plate:
    """Draw a finished figure."""
    broad = figure.get_figwidth() > 1.5 * WIDTH
    png = png_bytes(figure)
    return Plate(name=name, png=png, svg=svg_text(figure), caption=caption, live=live, broad=broad)


def slug(name: str) -> str:
    """Turn the name of a measurement or model into part of a file name."""
    kept = "".join(c if c.isalnum() and c.isascii() else "_" for c in name.lower())
    return "_".join(part for part in kept.split("_") if part)[:_LONGEST] or "unnamed"


def file_names(names: Iterable[str]) -> dict[str, str]:
    """Turn names into parts of file names, no two alike: many names share one `slug`."""
    found: dict[str, str] = {}
    for name in names:
        stem, count = slug(name), 1
        while (tried := stem if count == 1 else f"{stem}_{count}") in found.values():
            count += 1
        found[name] = tried
    return found


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
        make_plate(
            f"{slug(name)}_mu",
            finish(figure, title=title, subject=f"{name}: absorption", simulated=simulated),
            caption=f"Absorption, merged from {used} of {len(reduction.reports)} scans, with its pre-edge "
            "and post-edge lines, and normalised near the edge.",
            live=live_mu(
                normalised,
                background=None if reduction.background is None else reduction.background.bkg,
                repeats=repeats if len(repeats) <= 8 else (),
                simulated=simulated,
            ),
        )
    ]
    chi_r = chi_r_of(reduction, k_weight=k_weight)
    if reduction.chi is not None and chi_r is not None and reduction.k_range is not None:
        figure = new_figure(5.8)
        upper, lower = figure.subplots(2, 1)
        plot_chi_k(ax=upper, data=reduction.chi, k_weight=k_weight, k_range=reduction.k_range)
        plot_chi_r(ax=lower, data=chi_r, sigma=sigma_magnitude(chi_r))
        plates.append(
            make_plate(
                f"{slug(name)}_exafs",
                finish(figure, title=title, subject=f"{name}: EXAFS", simulated=simulated),
                caption="EXAFS with its standard error, and its Fourier transform over the white range of k; "
                "distances are not corrected for phase shifts.",
                live=live_exafs(
                    reduction.chi,
                    chi_r,
                    k_weight=k_weight,
                    k_range=reduction.k_range,
                    simulated=simulated,
                ),
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
    density = None
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
        make_plate(
            f"{slug(name)}_scattering",
            finish(figure, title=title, subject=f"{name}: total scattering", simulated=simulated),
            caption=caption,
            live=live_scattering(
                None if isinstance(reduction, GR) else reduction.sq,
                reduction if isinstance(reduction, GR) else reduction.gr,
                number_density=density,
                r_range=r_range,
                simulated=simulated,
            ),
        )
    ]


def save_plates(plates: Sequence[Plate], folder: Path) -> list[Path]:
    """Write each figure as PNG and as SVG into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for plate in plates:
        paths += [folder / f"{plate.name}.png", folder / f"{plate.name}.svg"]
        paths[-2].write_bytes(plate.png)
        paths[-1].write_text(plate.svg, encoding="utf-8", newline="\n")
    return paths
