import numpy as np
import pytest

from shortrange.compare.evidence import judge
from shortrange.compare.theory_error import TheoryError
from shortrange.errors import DataError
from shortrange.fit.pdf_term import PDF_PARAMETERS, arbitrary_scale, pdf_term
from shortrange.numeric.bands import noise_in_band, pdf_band
from shortrange.quantities import GR, Trajectory
from shortrange.reduce.gr_noise import estimate_noise
from shortrange.simulate.pairs import pair_histograms
from shortrange.simulate.pdf import PdfModel

R = np.arange(0.0, 9.001, 0.02)
INSIDE = (R >= 1.9) & (R <= 6.0)
Q_RANGE = (0.8, 22.0)
TRUE = {"scale": 0.97, "q_damp": 0.05, "u_iso": 0.0008, "stretch": 0.004}
EXACT = TheoryError(median=1e-4, log_sigma=0.1, source="none: the data are made by the model")


@pytest.fixture(scope="module")
def histograms():
    rng = np.random.default_rng(3)
    sites = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    rest = 5.64 * np.vstack([sites, sites + np.array([0.5, 0, 0])])
    frames = rest + 0.1 * rng.normal(size=(12, 8, 3))
    snapshots = Trajectory(
        species=("Na",) * 4 + ("Cl",) * 4,
        positions=frames,
        cells=np.repeat(5.64 * np.eye(3)[None], 12, axis=0),
    )
    return pair_histograms(snapshots, r_max=12.0)


def simulated_data(histograms, *, noise=0.0):
    g = PdfModel(histograms, R, Q_RANGE[1], Q_RANGE[0])(**TRUE)
    q = np.arange(*Q_RANGE, 0.02)
    errors = noise * np.random.default_rng(4).normal(size=q.size)
    g = g + (2 / np.pi) * 0.02 * np.sin(np.outer(R, q)) @ errors
    return GR(r=R, g=g, sigma=np.full(R.size, max(noise, 1e-3)), q_min=Q_RANGE[0], q_max=Q_RANGE[1])


def term(histograms, data, **changes):
    model = PdfModel(histograms, R[INSIDE], Q_RANGE[1], Q_RANGE[0])
    return pdf_term(
        data,
        model,
        measurement="PDF",
        r_range=(1.9, 6.0),
        q_range=Q_RANGE,
        **{"parameters": PDF_PARAMETERS, **changes},
    )


def test_known_parameters_come_back(histograms):
    wide = tuple(
        type(p)(
            name=p.name, unit=p.unit, value=p.value, lower=p.lower, upper=p.upper, prior=(p.prior[0], 1.0)
        )
        for p in PDF_PARAMETERS
    )
    compared = term(histograms, simulated_data(histograms), parameters=wide)
    # Twelve snapshots know their own mean: here the model is the truth, without a sampling error.
    exact = type(compared)(
        **{
            **{n: getattr(compared, n) for n in type(compared).__dataclass_fields__},
            "sampling": 0 * compared.sampling,
        }
    )
    fit = judge(exact, theory_error=EXACT)
    for parameter, true in zip(fit.parameters, TRUE.values(), strict=True):
        assert parameter.value == pytest.approx(true, rel=0.02, abs=2e-4), parameter.name
    assert fit.R < 1e-3


def test_an_arbitrary_scale_is_found(histograms):
    data = simulated_data(histograms)
    data = GR(r=R, g=37.0 * data.g, sigma=37.0 * data.sigma)
    fit = judge(
        term(histograms, data, parameters=arbitrary_scale(PDF_PARAMETERS, estimate=30.0)), theory_error=EXACT
    )
    scale = fit.parameters[0]
    assert scale.value == pytest.approx(37.0 * 0.97, rel=0.03)
    assert not scale.at_bound


def test_a_model_on_other_points_is_refused(histograms):
    model = PdfModel(histograms, R[INSIDE] + 0.01, Q_RANGE[1], Q_RANGE[0])
    with pytest.raises(DataError, match="different points"):
        pdf_term(simulated_data(histograms), model, measurement="PDF", r_range=(1.9, 6.0), q_range=Q_RANGE)


def test_noise_is_found_from_the_ripples_at_low_r():
    noise, q = 0.2, np.arange(*Q_RANGE, 0.02)
    kernel = (2 / np.pi) * 0.02 * np.sin(np.outer(R, q))
    expected = noise * np.sqrt(np.sum(kernel[INSIDE] ** 2, axis=1))
    ratios = []
    for seed in range(20):
        g = -0.4 * R + kernel @ (noise * np.random.default_rng(seed).normal(size=q.size))
        found = estimate_noise(GR(r=R, g=g), r_cut=1.6, q_range=Q_RANGE)
        ratios.append(np.median(found.sigma[INSIDE] / expected) ** 2)
        assert found.history[-1].name.startswith("warning: G(r) has no errors")
    # Eleven points each, twenty times: the mean variance is known to a tenth.
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.25)


def test_noise_of_a_curve_that_begins_too_high_cannot_be_found(histograms):
    data = simulated_data(histograms)
    with pytest.raises(DataError, match="too high to estimate"):
        estimate_noise(GR(r=R[80:], g=data.g[80:]), r_cut=1.6, q_range=Q_RANGE)


def test_a_finer_grid_does_not_make_data_more_precise(histograms):
    # Noise fills the band: its variance per unit of r is shared by the points that the band has there.
    noise = []
    for every in (1, 4):
        r = R[::every]
        inside = (r >= 1.9) & (r <= 6.0)
        g = PdfModel(histograms, r, Q_RANGE[1], Q_RANGE[0])(**TRUE)
        data = GR(r=r, g=g, sigma=np.full(r.size, 0.03), q_min=Q_RANGE[0], q_max=Q_RANGE[1])
        model = PdfModel(histograms, r[inside], Q_RANGE[1], Q_RANGE[0])
        compared = pdf_term(data, model, measurement="PDF", r_range=(1.9, 6.0), q_range=Q_RANGE)
        noise.append(np.trace(compared.noise) / compared.modes.shape[1] * (r[1] - r[0]))
    assert noise[1] == pytest.approx(noise[0], rel=0.01)
    # All of the variance of the points is in the modes, but for what the ends of the range cut off.
    length = 6.0 - 1.9
    points = (Q_RANGE[1] - Q_RANGE[0]) * length / np.pi
    assert noise[0] == pytest.approx(0.03**2 * length / points, rel=0.1)


@pytest.mark.parametrize("q_range", [(0.8, 22.0), (0.0, 15.0)])
def test_noise_in_the_band_is_that_of_white_errors_of_f(q_range):
    r = np.arange(1.9, 6.0, 0.02)
    q = np.arange(q_range[0], q_range[1], 0.01) + 0.005
    kernel = (2 / np.pi) * 0.01 * np.sin(np.outer(r, q))
    expected = 0.2**2 * kernel @ kernel.T
    found = noise_in_band(np.sqrt(np.diag(expected)), pdf_band(r, q_range=q_range))
    assert found == pytest.approx(expected, abs=2e-3 * expected.max())
