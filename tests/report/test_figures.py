"""Figures: what must be on them, and that nothing is shared between them."""

import re
from dataclasses import replace
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from made_up_results import make_chi_r, make_reduction_xas, make_sq_gr, make_verdict
from matplotlib.collections import PolyCollection
from matplotlib.image import imread

from shortrange.quantities import IQ
from shortrange.report.figures.fits import plot_contributions, plot_distances, plot_fit, plot_residual
from shortrange.report.figures.scattering import plot_gr, plot_iq, plot_sq
from shortrange.report.figures.verdict import (
    contributions_figure,
    distances_figure,
    fits_figure,
    odds_figure,
)
from shortrange.report.figures.xas import plot_chi_k, plot_chi_r, plot_mu, plot_normalised
from shortrange.report.style import MODELS, SIMULATED, finish, new_figure, png_bytes, svg_text


def bands(ax):
    return [artist for artist in ax.collections if isinstance(artist, PolyCollection)]


def band_height(ax, at):
    """Height of the first error band at x."""
    points = bands(ax)[0].get_paths()[0].vertices
    heights = points[np.isclose(points[:, 0], at)][:, 1]
    return heights.max() - heights.min()


@pytest.fixture
def ax():
    return new_figure(3.0).subplots()


def texts(figure):
    return " ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def test_mu_has_its_lines_and_units(ax):
    n = make_reduction_xas().normalised
    artists = plot_mu(
        ax=ax, energy=n.energy, mu=n.mu, sigma=n.sigma, pre_edge=n.pre_edge, post_edge=n.post_edge, e0=n.e0
    )
    assert {line.get_label() for line in ax.lines} >= {"merged μ(E)", "pre-edge line", "post-edge line"}
    assert len(artists) == 5
    assert band_height(ax, n.energy[100]) == pytest.approx(2 * n.sigma[100])
    assert ax.get_xlabel() == "energy (eV)"
    assert "arb. units" in ax.get_ylabel()
    post = next(line for line in ax.lines if line.get_label() == "post-edge line")
    assert post.get_xdata().min() >= n.e0  # below the edge it means nothing
    low, high = ax.get_ylim()
    assert low < n.mu.min() < n.mu.max() < high


def test_repeats_are_drawn_beneath_their_mean(ax):
    n = make_reduction_xas().normalised
    repeats = [("one", n.energy, n.norm), ("two", n.energy, n.norm)]
    artists = plot_normalised(ax=ax, energy=n.energy, norm=n.norm, repeats=repeats, e0=n.e0)
    assert [artist.get_label() for artist in artists] == ["one", "two", "merged"]
    assert ax.get_xlim() == pytest.approx((n.e0 - 30, n.e0 + 90))


@pytest.mark.parametrize(
    ("k_weight", "unit"), [(0, ""), (1, r"(Å$^{-1}$)"), (2, r"(Å$^{-2}$)"), (3, r"(Å$^{-3}$)")]
)
def test_chi_k_is_weighted_with_its_band(ax, k_weight, unit):
    chi = make_reduction_xas().chi
    plot_chi_k(ax=ax, data=chi, k_weight=k_weight, k_range=(3.0, 12.5))
    curve = next(line for line in ax.lines if line.get_label() == "data")
    np.testing.assert_allclose(curve.get_ydata(), chi.k**k_weight * chi.chi)
    at = 200
    assert band_height(ax, chi.k[at]) == pytest.approx(2 * chi.k[at] ** k_weight * chi.sigma[at])
    assert ax.get_ylabel().endswith(unit)
    assert ax.get_xlabel() == "$k$ (Å$^{-1}$)"


def test_chi_r_names_its_peak_and_its_unit(ax):
    data = make_chi_r()
    plot_chi_r(ax=ax, data=data, sigma=np.full(data.r.size, 0.1))
    assert "no phase correction" in ax.get_xlabel()
    assert ax.get_ylabel().endswith("(Å$^{-3}$)")
    peak = data.r[np.argmax(data.magnitude)]
    assert f"{peak:.2f} Å" in texts(ax.figure)
    assert band_height(ax, data.r[60]) == pytest.approx(0.2)


def test_scattering_axes_and_density_line(ax):
    sq, gr = make_sq_gr()
    plot_sq(ax=ax, data=sq)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$Q$ (Å$^{-1}$)", "$S$($Q$)")
    other = new_figure(3.0).subplots()
    plot_gr(ax=other, data=gr, r_range=(1.9, 7.0))
    line = next(line for line in other.lines if "ρ_0" in line.get_label())
    slope = line.get_ydata()[-1] / line.get_xdata()[-1]
    assert slope == pytest.approx(-4 * np.pi * 0.0335)
    assert other.get_ylabel() == "$G$($r$) (Å$^{-2}$)"
    assert len(other.patches) == 2  # grey below and above the compared range
    assert band_height(other, gr.r[500]) == pytest.approx(0.3)


def test_intensity_beside_its_background(ax):
    data = IQ(q=np.arange(1.0, 5.0), intensity=np.ones(4))
    assert len(plot_iq(ax=ax, data=data, background=data)) == 2


def test_fit_shows_both_error_bands(ax, verdict):
    fit = verdict.models[0].fits[0]
    plot_fit(ax=ax, fit=fit)
    assert {band.get_label() for band in bands(ax)} == {"theory error", "error of data"}
    assert {line.get_label() for line in ax.lines} >= {"data", "model"}


def test_residual_is_in_units_of_the_total_error(ax, verdict):
    fit = verdict.models[-1].fits[0]
    plot_residual(ax=ax, fit=fit)
    expected = (fit.data - fit.model) / np.hypot(fit.sigma, fit.theory_sigma)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), expected)
    assert "σ" in ax.get_ylabel()


def test_contributions_do_not_cover_each_other(ax, verdict):
    fit = verdict.models[0].fits[1]
    plot_contributions(ax=ax, fit=fit)
    curves = [line.get_ydata() for line in ax.lines if len(line.get_ydata()) == fit.x.size]
    assert len(curves) == 2 + len(fit.contributions)
    for upper, lower in pairwise(curves[1:]):
        assert np.all(lower < upper)
    assert all(name in texts(ax.figure) for name in fit.contributions)


@pytest.mark.parametrize("measurement", ["Ta L3", "PDF"])
def test_fits_figure_has_every_model_on_one_scale(verdict, measurement):
    figure = fits_figure(verdict, measurement=measurement, title="A question", simulated=True)
    words = texts(figure)
    for model in verdict.models:
        assert model.name.replace("$", r"\$") in words
    assert "A question" in words
    assert SIMULATED in words
    axes = figure.axes
    assert len({ax.get_ylim() for ax in axes[0::2]}) == 1
    assert len({ax.get_ylim() for ax in axes[1::2]}) == 1
    assert all(ax.get_ylabel() for ax in axes)
    assert axes[-1].get_xlabel()


def test_many_models_are_named_as_not_drawn(verdict):
    many = replace(verdict, models=verdict.models * 2)
    figure = fits_figure(many, measurement="PDF", title="", simulated=False)
    assert len(figure.axes) == 12
    assert "2 less probable models are not drawn" in texts(figure)


def test_no_parts_no_figure(verdict):
    model = verdict.models[0]
    bare = replace(model, fits=tuple(replace(fit, contributions={}) for fit in model.fits))
    assert (
        contributions_figure(replace(verdict, models=(bare,)), measurement="PDF", title="", simulated=False)
        is None
    )


def test_the_weakest_of_many_parts_are_summed(ax, verdict):
    fit = verdict.models[0].fits[1]
    weak = {f"weak {i}": np.full(fit.x.size, 0.01) * np.sin(fit.x) for i in range(20)}
    plot_contributions(ax=ax, fit=replace(fit, contributions={**fit.contributions, **weak}))
    words = texts(ax.figure)
    assert "16 others" in words
    assert "weak 3" in words
    assert "weak 4" not in words


def test_distances_are_those_of_the_shells(ax, verdict):
    """The first shell, Ta-Cl at 2.33 and Ta-S at 2.47 angstrom without a phase shift that varies with k."""
    fit = verdict.models[0].fits[0]
    plot_distances(ax=ax, fit=fit)
    curve = next(line for line in ax.lines if line.get_label() == "data")
    peak = curve.get_xdata()[np.argmax(curve.get_ydata())]
    assert peak == pytest.approx(2.35, abs=0.05)
    assert "no phase correction" in ax.get_xlabel()
    assert len(ax.patches) == 2  # grey below and above the compared range
    assert bands(ax)


def test_distances_belong_to_exafs_alone(verdict):
    figure = distances_figure(verdict, measurement="Ta L3", title="", simulated=True)
    assert len(figure.axes) == len(verdict.models)
    assert distances_figure(verdict, measurement="PDF", title="", simulated=True) is None


def test_odds_bars_have_the_length_of_the_probability():
    verdict = make_verdict("undecided")
    figure = odds_figure(verdict, title="", simulated=False)
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert widths == pytest.approx([model.probability for model in verdict.models])
    assert SIMULATED not in texts(figure)


def test_figures_leave_no_trace_in_matplotlib(verdict):
    before = dict(matplotlib.rcParams)
    png_bytes(odds_figure(verdict, title="x", simulated=True))
    assert dict(matplotlib.rcParams) == before
    import sys

    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_a_name_in_any_script_is_drawn_without_a_word(verdict):
    figure = odds_figure(verdict, title="Übung \u6837\u54c1", simulated=True)
    assert png_bytes(figure).startswith(b"\x89PNG")
    assert "<svg" in svg_text(figure)


def test_the_same_figure_has_the_same_bytes(verdict):
    first, second = (png_bytes(odds_figure(verdict, title="x", simulated=True)) for _ in range(2))
    assert first == second
    assert first.startswith(b"\x89PNG")


def test_simulated_mark_is_visible_ink(tmp_path):
    """The mark must change pixels at the right edge, not only exist as an object."""

    def right_edge(simulated):
        figure = finish(new_figure(3.0), title="t", simulated=simulated)
        path = tmp_path / f"{simulated}.png"
        path.write_bytes(png_bytes(figure, dpi=100))
        return imread(path)[:, -18:, :3]

    assert np.all(right_edge(False) > 0.99)
    assert (right_edge(True) < 0.9).any()


def test_colours_are_okabe_ito():
    published = {"#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"}
    assert set(MODELS) <= published
    assert all(re.fullmatch("#[0-9A-F]{6}", color) for color in MODELS)


def test_derivatives_end_where_the_grid_is_too_coarse():
    """Steps of 0.5 eV over the edge, of 6 eV beyond: the curve ends before them, and peaks at E0."""
    from shortrange.quantities import MuE
    from shortrange.reduce.normalise import normalise
    from shortrange.report.figures.xas_features import plot_derivative

    energy = np.concatenate(
        [np.arange(7000, 7100, 6.0), np.arange(7100, 7132, 0.5), np.arange(7132, 7500, 6.0)]
    )
    mu = 0.5 + np.arctan((energy - 7112.0) / 1.5) / np.pi
    data = normalise(MuE(energy=energy, mu=mu, sigma=np.full(energy.size, 1e-3)))
    figure = new_figure(3.0)
    first, second = figure.subplots(2, 1)
    for ax, order in ((first, 1), (second, 2)):
        plot_derivative(ax=ax, data=data, order=order)
        x, y = ax.lines[0].get_data()
        assert np.isfinite(y).all()
        assert 7125 < x[-1] < 7133
    x, y = first.lines[0].get_data()
    assert x[np.argmax(y)] == pytest.approx(7112.0, abs=0.1)
    x, y = second.lines[0].get_data()
    assert x[np.argmax(y)] < 7112.0 < x[np.argmin(y)]
