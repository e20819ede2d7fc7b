"""Key figures against pictures that were looked at and found right.

Pictures are compared after blurring, so that the edge of a letter does not matter, but a curve that moved, a
missing curve or another colour does. To accept new pictures
after looking at them: ``python tests/report/test_pictures.py`` writes them anew.
"""

import io
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from made_up_results import make_chi_r, make_reduction_xas, make_sq_gr, make_verdict
from PIL import Image, ImageFilter

from shortrange.report.figures.fits import plot_fit, plot_odds, plot_residual
from shortrange.report.figures.scattering import plot_gr
from shortrange.report.figures.verdict import contributions_figure, wavelets_figure
from shortrange.report.figures.xas import plot_chi_k, plot_chi_r, plot_mu
from shortrange.report.style import finish, new_figure, png_bytes

FOLDER = Path(__file__).parents[1] / "data" / "pictures"
DPI = 40
TOLERANCE = 2.0
"""Root mean square of the difference, of 255; another colour of one curve gives 4, a lost curve 7."""


def mu():
    n, figure = make_reduction_xas().normalised, new_figure(3.0)
    plot_mu(
        ax=figure.subplots(),
        energy=n.energy,
        mu=n.mu,
        sigma=n.sigma,
        pre_edge=n.pre_edge,
        post_edge=n.post_edge,
        e0=n.e0,
    )
    return finish(figure, title="A sample", simulated=True)


def exafs():
    figure = new_figure(5.0)
    upper, lower = figure.subplots(2, 1)
    plot_chi_k(ax=upper, data=make_reduction_xas().chi, k_range=(3.0, 12.5))
    plot_chi_r(ax=lower, data=make_chi_r(), sigma=np.full(make_chi_r().r.size, 0.1))
    return finish(figure, title="A sample", simulated=False)


def distribution():
    figure = new_figure(3.0)
    plot_gr(ax=figure.subplots(), data=make_sq_gr()[1], r_range=(1.9, 7.0))
    return finish(figure, title="A sample", simulated=False)


def fit():
    figure = new_figure(4.0)
    upper, lower = figure.subplots(2, 1)
    fitted = make_verdict().models[1].fits[1]
    plot_fit(ax=upper, fit=fitted)
    plot_residual(ax=lower, fit=fitted)
    return finish(figure, title="A sample", simulated=True)


def odds():
    figure = new_figure(2.4)
    plot_odds(ax=figure.subplots(), models=make_verdict("undecided").models)
    return finish(figure, title="A sample", simulated=False)


def parts():
    return contributions_figure(make_verdict(), measurement="PDF", title="A sample", simulated=True)


def wavelets():
    return wavelets_figure(make_verdict(), measurement="Ta L3", title="A sample", simulated=True)


FIGURES = {draw.__name__: draw for draw in (mu, exafs, distribution, fit, odds, parts, wavelets)}


def blurred(picture):
    return np.asarray(picture.convert("RGB").filter(ImageFilter.GaussianBlur(1.2)), dtype=float)


def difference(picture, expected):
    assert picture.size == expected.size
    return float(np.sqrt(np.mean((blurred(picture) - blurred(expected)) ** 2)))


@pytest.mark.skipif(
    tuple(map(int, matplotlib.__version__.split(".")[:2])) < (3, 11),
    reason="older matplotlib places labels otherwise",
)
@pytest.mark.parametrize("name", FIGURES)
def test_figure_looks_as_it_was_found_right(name):
    picture = Image.open(io.BytesIO(png_bytes(FIGURES[name](), dpi=DPI)))
    assert difference(picture, Image.open(FOLDER / f"{name}.png")) < TOLERANCE


def test_a_curve_that_moved_is_seen():
    """The tolerance is not so wide that anything passes."""
    figure = distribution()
    for line in figure.axes[0].lines:
        line.set_ydata(np.asarray(line.get_ydata()) * 0.7)
    moved = Image.open(io.BytesIO(png_bytes(figure, dpi=DPI)))
    assert difference(moved, Image.open(FOLDER / "distribution.png")) > TOLERANCE
    without = mu()
    for line in without.axes[0].lines[:1]:
        line.remove()
    picture = Image.open(io.BytesIO(png_bytes(without, dpi=DPI)))
    assert difference(picture, Image.open(FOLDER / "mu.png")) > TOLERANCE


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    FOLDER.mkdir(exist_ok=True)
    for each, draw in FIGURES.items():
        (FOLDER / f"{each}.png").write_bytes(png_bytes(draw(), dpi=DPI))
