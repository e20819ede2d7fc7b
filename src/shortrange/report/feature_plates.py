"""Plates of single features of an absorption spectrum: the split white line, the wavelet map."""

from __future__ import annotations

from shortrange.reduce.edge_splitting import Splitting
from shortrange.reduce.normalise import Normalised
from shortrange.report.figures.xas_features import (
    plot_derivative,
    plot_second_derivative,
    plot_wavelet,
    plot_white_line,
)
from shortrange.report.plates import Plate, make_plate, slug
from shortrange.report.style import finish, new_figure
from shortrange.transform.wavelet import WaveletMap

__all__ = ["derivative_plate", "splitting_plate", "wavelet_plate"]


def splitting_plate(
    name: str, data: Normalised, splitting: Splitting, *, title: str, simulated: bool
) -> Plate:
    """White line above its second derivative, the two minima marked."""
    figure = new_figure(5.8)
    upper, lower = figure.subplots(2, 1, sharex=True)
    plot_white_line(ax=upper, data=data, splitting=splitting)
    plot_second_derivative(ax=lower, splitting=splitting)
    return make_plate(
        f"{slug(name)}_second_derivative",
        finish(figure, title=title, subject=f"{name}: second derivative", simulated=simulated),
        caption="White line and its second derivative with one of the smoothings and its error by noise. The "
        "dashed lines and bands are the two minima without smoothing and their errors, from all smoothings.",
    )


def derivative_plate(name: str, data: Normalised, *, title: str, simulated: bool) -> Plate:
    """First and second derivative near the edge."""
    figure = new_figure(5.8)
    upper, lower = figure.subplots(2, 1, sharex=True)
    plot_derivative(ax=upper, data=data, order=1)
    plot_derivative(ax=lower, data=data, order=2)
    upper.set_xlabel("")
    return make_plate(
        f"{slug(name)}_derivatives",
        finish(figure, title=title, subject=f"{name}: derivatives", simulated=simulated),
        caption="First and second derivative of normalised absorption, smoothed by local polynomials under "
        "a Gaussian of the width given, with their error by noise; the dotted line is E0.",
    )


def wavelet_plate(name: str, data: WaveletMap, *, title: str, simulated: bool) -> Plate:
    """Wavelet map."""
    figure = new_figure(3.6)
    plot_wavelet(ax=figure.subplots(), data=data)
    return make_plate(
        f"{slug(name)}_wavelet",
        finish(figure, title=title, subject=f"{name}: wavelet map", simulated=simulated),
        caption=f"Wavelet transform ({data.settings['kind']}) of the EXAFS: the amplitude with which each "
        "distance shows at each k; distances are not corrected for phase shifts.",
    )
