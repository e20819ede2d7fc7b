"""I(Q) to G(r): closed forms, simulated patterns with known truth, and what must be refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from scipy.optimize import least_squares

from shortrange.atoms import compton, mean_form_factors, parse_composition
from shortrange.errors import DataError
from shortrange.load import load_iq, load_trajectory
from shortrange.quantities import IQ, SQ, Trajectory
from shortrange.reduce.scattering import reduce_scattering, shortest_distance
from shortrange.reduce.scattering_checks import local_noise
from shortrange.reduce.scattering_terms import compton_intensity
from shortrange.reduce.scattering_transform import gr_from_sq
from shortrange.simulate.pairs import pair_histograms
from shortrange.simulate.pdf import PdfModel
from shortrange.units import HC

WAVELENGTH = 0.251
TRUTH = {"scale": 0.7, "compton": 0.85, "fluorescence": 6.0, "background": 1.3}


@pytest.fixture(scope="module")
def sample():
    """Histograms of a disordered salt NaCl with some Ta."""
    atoms = bulk("NaCl", "rocksalt", a=5.64, cubic=True).repeat((3, 3, 3))
    atoms.symbols[::12] = "Ta"
    rng = np.random.default_rng(1)
    positions = atoms.positions + rng.normal(0, 0.14, (10, len(atoms), 3))
    cells = np.repeat(np.array(atoms.cell)[None], 10, axis=0)
    frames = Trajectory(species=tuple(atoms.get_chemical_symbols()), positions=positions, cells=cells)
    crystal = pair_histograms(frames, r_max=36.0)
    # Order dies out: a convolution of S(Q) with a Gaussian, which keeps it positive. (Within 4.5 angstrom
    # G(r) would leave its line at low r by 7 %, as that of no sample does.)
    order = (crystal.counts - crystal.ideal()) * np.exp(-0.5 * (crystal.r / 12.0) ** 2)
    return replace(crystal, counts=(crystal.ideal() + order).astype(np.float32))


def pattern(sample, *, noise=0.0, wobble=0.0, seed=0, q_end=23.0):
    """Simulated I(Q) of ``sample`` and of its container, with the factors of TRUTH."""
    q = np.arange(0.6, q_end, 0.02)
    energy = HC / WAVELENGTH
    f_q = PdfModel(sample, np.array([1.0, 2.0]), q_end, energy=energy).structure(q)
    squared, mean = mean_form_factors(sample.species, q, energy=energy)
    own = (
        mean
        + squared * f_q / q
        + TRUTH["compton"] * compton_intensity(sample.species, q, wavelength=WAVELENGTH)
    )
    empty = 3 + 20 * np.exp(-(((q - 1.6) / 0.5) ** 2)) + 10 * np.exp(-q / 6)
    own = TRUTH["scale"] * own * (1 + wobble * np.sin(0.35 * q + 0.4))
    total = own + TRUTH["fluorescence"] + TRUTH["background"] * empty
    total = total * (1 + noise * np.random.default_rng(seed).normal(size=q.size))
    return IQ(q=q, intensity=total, sigma=np.abs(total) * max(noise, 1e-5)), IQ(
        q=q, intensity=empty, sigma=empty * 1e-5
    )


def reduce(sample, iq, empty, **changes):
    settings = {
        "composition": sample.species, "number_density": sample.number_density, "wavelength": WAVELENGTH,
        "q_range": (0.8, 22.0), "r": np.arange(0, 10, 0.02),
    }  # fmt: skip
    return reduce_scattering(iq, background=empty, **(settings | changes))


def scale_of_g(sample, reduction):
    """Scale of G between 1.9 and 7 angstrom against the structure itself."""
    inside = (reduction.gr.r > 1.9) & (reduction.gr.r < 7)
    r, g = reduction.gr.r[inside], reduction.gr.g[inside]
    truth = PdfModel(sample, r, reduction.gr.q_max, reduction.gr.q_min, energy=HC / WAVELENGTH)()
    return float(g @ truth / (truth @ truth)), float(np.sqrt(np.mean((g - truth) ** 2)) / np.abs(truth).max())


def test_one_distance_in_closed_form():
    """S - 1 = sin(Q d) / (Q d): G is a difference of two sinc functions."""
    d, q = 2.4, np.arange(0.0, 24.0005, 0.002)
    sq = SQ(q=q, s=1 + np.sinc(q * d / np.pi))
    r = np.arange(0.3, 12, 0.05)
    expected = (np.sinc((r - d) * 24 / np.pi) - np.sinc((r + d) * 24 / np.pi)) * 24 / (np.pi * d)
    assert gr_from_sq(sq, r=r).g == pytest.approx(expected, abs=1e-3 * expected.max())


def test_covariance_of_g_by_simulation():
    rng = np.random.default_rng(3)
    q, r = np.arange(1.0, 20.0, 0.02), np.array([1.0, 2.5, 2.6, 5.0])
    sigma = 0.01 * (1 + q / 10)
    gr = gr_from_sq(SQ(q=q, s=np.ones_like(q), sigma=sigma), r=r, window="lorch")
    draws = [
        gr_from_sq(SQ(q=q, s=1 + sigma * rng.normal(size=q.size)), r=r, window="lorch").g for _ in range(3000)
    ]
    assert np.cov(np.transpose(draws)) == pytest.approx(gr.cov, abs=0.06 * gr.cov.max())


def test_scale_is_right_and_errors_hold_the_truth(sample):
    """Compton, fluorescence, background and scale at once; no smooth error."""
    reduction = reduce(sample, *pattern(sample, noise=3e-4))
    scale, shape = scale_of_g(sample, reduction)
    assert scale == pytest.approx(1.0, abs=0.01)
    assert shape < 0.02
    assert reduction.smooth_order == 0
    for name, estimate in (
        ("scale", reduction.scale), ("background", reduction.background_scale),
        ("compton", reduction.compton_scale), ("fluorescence", reduction.fluorescence),
    ):  # fmt: skip
        assert abs(estimate.value - TRUTH[name]) < 3 * estimate.sigma + 1e-9, name
    assert reduction.low_r_residual < 0.03


def test_smooth_error_is_found_and_its_correction_recorded(sample):
    """A slow wobble of 2 %, as of absorption or a flat field; without a correction G suffers."""
    iq, empty = pattern(sample, noise=3e-4, wobble=0.02)
    with_it, without = reduce(sample, iq, empty), reduce(sample, iq, empty, smooth=False)
    assert with_it.smooth_order > 0
    assert with_it.low_r_residual < without.low_r_residual / 3
    assert scale_of_g(sample, with_it)[0] == pytest.approx(1.0, abs=0.03)
    assert scale_of_g(sample, with_it)[1] < 0.05
    done = next(s for s in with_it.history if s.name == "reduce I(Q) to S(Q)")
    assert done.settings["smooth_order"] == with_it.smooth_order


def test_factor_of_intensity_does_not_matter(sample):
    iq, empty = pattern(sample, noise=3e-4)
    one = reduce(sample, iq, empty)
    many = reduce(
        sample, IQ(q=iq.q, intensity=1e5 * iq.intensity, sigma=1e5 * iq.sigma),
        IQ(q=empty.q, intensity=1e5 * empty.intensity, sigma=1e5 * empty.sigma),
    )  # fmt: skip
    assert many.scale.value == pytest.approx(1e5 * one.scale.value, rel=1e-6)
    assert many.gr.g == pytest.approx(one.gr.g, abs=1e-6)


def test_density_is_found_within_its_error(sample):
    reduction = reduce(sample, *pattern(sample, noise=3e-4), number_density=None)
    estimate = reduction.number_density
    assert abs(estimate.value - sample.number_density) < 3 * estimate.sigma
    assert any(s.name == "warning: number density fitted, not given" for s in reduction.history)


def test_noise_in_g_is_what_is_stated(sample):
    """Scatter of G over 24 noisy patterns against the error that G carries."""
    noisy = [reduce(sample, *pattern(sample, noise=2e-3, seed=s)) for s in range(24)]
    scatter = np.std([x.gr.g for x in noisy], axis=0, ddof=1)
    far = noisy[0].gr.r > 3  # the unknowns move G at low r together
    assert np.mean(scatter[far]) / np.mean(noisy[0].gr.sigma[far]) == pytest.approx(1.0, abs=0.15)


def test_noise_is_estimated_where_it_is_not_stated(sample):
    iq, empty = pattern(sample, noise=1e-3)
    assert np.median(local_noise(iq.intensity) / iq.intensity) == pytest.approx(1e-3, rel=0.1)
    reduction = reduce(sample, IQ(q=iq.q, intensity=iq.intensity), empty)
    assert any(s.name.startswith("estimate noise") for s in reduction.history)


def test_background_on_another_grid(sample):
    iq, empty = pattern(sample, noise=3e-4)
    q = np.arange(0.5, 24, 0.033)
    other = IQ(q=q, intensity=np.interp(q, empty.q, empty.intensity))
    reduction = reduce(sample, iq, other)
    assert any(s.name.startswith("interpolate background") for s in reduction.history)
    assert scale_of_g(sample, reduction)[0] == pytest.approx(1.0, abs=0.02)


def test_compton_of_a_heavy_and_a_light_atom():
    """All Z electrons at high Q, times the recoil factor (1 + 2 lambda_C / lambda sin^2 theta)^-2."""
    q = np.array([25.0])
    sine2 = (25 * WAVELENGTH / (4 * np.pi)) ** 2
    recoil = (1 + 2 * 0.02426310 / WAVELENGTH * sine2) ** -2
    got = compton_intensity({"Li": 2, "Na": 2}, q, wavelength=WAVELENGTH)
    assert got == pytest.approx((compton("Li", q) + compton("Na", q)) / 2 * recoil, rel=1e-6)
    assert compton("Li", q) == pytest.approx(3, rel=0.01)


def test_shortest_distance():
    assert shortest_distance({"Si": 1, "O": 2}) == pytest.approx(1.32)  # O-O, Cordero 2008


@pytest.mark.parametrize(
    ("case", "model", "density", "q_max"), [("P1", "corner", 0.0335, 23.0), ("P2", "isolated", 0.0331, 22.0)]
)
def test_simulated_cases(shared_data: Path, case: str, model: str, density: float, q_max: float):
    """Simulated patterns with a smooth 2 % error, against the right candidate (another potential).

    The scale that they were made with is that of the pattern but for the mean of the smooth error, which no
    pattern tells: it is in the stated error.
    """
    folder = shared_data.parent / "cases" / case
    composition = parse_composition("NaTaCl5S0.5" if case == "P1" else "NaTaCl6")
    reduction = reduce_scattering(
        load_iq(folder / "sample_iq.chi"), background=load_iq(folder / "capillary_iq.chi"),
        composition=composition, number_density=density, wavelength=WAVELENGTH, q_range=(0.8, q_max),
        r=np.arange(1.9, 7, 0.02),
    )  # fmt: skip
    histograms = pair_histograms(load_trajectory(folder / "models" / f"{model}.extxyz"), r_max=12.0)
    gr = reduction.gr
    simulated = PdfModel(histograms, gr.r, gr.q_max, gr.q_min, energy=HC / WAVELENGTH)
    fit = least_squares(
        lambda p: simulated(scale=p[0], stretch=p[1], u_iso=p[2], q_damp=0.04) - gr.g,
        [1, 0, 0],
        x_scale=[1, 0.01, 0.01],
    )
    assert fit.x[0] == pytest.approx(1.0, abs=0.02)
    assert np.sum(fit.fun**2) / np.sum(gr.g**2) < 0.035
    truth = {"scale": 1.0 if case == "P1" else 0.6, "background_scale": 1.0, "compton_scale": 0.9}
    truth["fluorescence"] = 8.0 if case == "P1" else 5.0
    for name, value in truth.items():
        estimate = getattr(reduction, name)
        assert abs(estimate.value - value) < 2.5 * estimate.sigma, name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"q": lambda q: q[::-1]}, "not positive and increasing"),
        ({"q": lambda q: q * 57.3 / 20}, "Q <= 4 pi / wavelength"),
        ({"q": lambda q: np.where(q > 10, q + 2, q)}, r"no points from Q = 9\.98 to 12"),
        (
            {"intensity": lambda i: np.where(np.arange(i.size) == 400, np.nan, i)},
            "1 intensities are not finite",
        ),
        ({"intensity": lambda i: i - 60}, "intensities are negative"),
        ({"intensity": lambda i: np.where(np.arange(i.size) > 900, 0, i)}, "zero over a run of points"),
    ],
)
def test_patterns_that_cannot_be(sample, change, message):
    iq, empty = pattern(sample)
    values = {"q": iq.q, "intensity": iq.intensity}
    for name, f in change.items():
        values[name] = f(values[name])
    with pytest.raises(DataError, match=message):
        reduce(sample, IQ(**values), empty)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"q_range": (0.8, 30.0)}, "q_range 0.8 to 30 does not lie in the data"),
        ({"wavelength": None}, "wavelength = None"),
        ({"composition": {}}, "the composition is empty"),
        ({"number_density": 33.5}, "number_density = 33.5"),
    ],
)
def test_settings_that_cannot_be(sample, changes, message):
    with pytest.raises(DataError, match=message):
        reduce(sample, *pattern(sample), **changes)


def test_background_that_does_not_cover_is_refused(sample):
    iq, _ = pattern(sample)
    _, short = pattern(sample, q_end=15.0)
    with pytest.raises(DataError, match=r"does not lie in the data, 0\.6 to 14\.98"):
        reduce(sample, iq, short)


def test_an_angle_taken_for_q_is_noticed(sample):
    """2theta in degrees under the title of Q: beyond what Q may be, or no scale fits."""
    iq, empty = pattern(sample, noise=3e-4)
    angle = 2 * np.degrees(np.arcsin(iq.q * WAVELENGTH / (4 * np.pi)))
    turned = [IQ(q=angle, intensity=x.intensity, sigma=x.sigma) for x in (iq, empty)]
    with pytest.raises(DataError, match=r"the axis reaches 54\.6454, but Q <= 4 pi / wavelength"):
        reduce(sample, *turned, q_range=(angle[10], angle[-10]))
    part = [IQ(q=x.q[:800], intensity=x.intensity[:800], sigma=x.sigma[:800]) for x in turned]
    with pytest.raises(DataError, match=r"(?s)no positive scale .*is the axis Q, and not 2theta"):
        reduce(sample, *part, q_range=(angle[10], angle[790]))


@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_a_wrong_density_is_doubted(sample, factor):
    iq, empty = pattern(sample, noise=3e-4)
    reduction = reduce(sample, iq, empty, number_density=factor * sample.number_density)
    doubt = next(s for s in reduction.history if s.name.startswith("warning: the number density does not"))
    assert doubt.settings["wanted"] == pytest.approx(sample.number_density, abs=3 * doubt.settings["sigma"])
    right = reduce(sample, iq, empty)
    assert not any("number density" in s.name for s in right.history)
