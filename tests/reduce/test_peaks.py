"""Peaks on steps: simulated ones are found with their errors; the four features of a sulfide glass."""

import numpy as np
import pytest

from shortrange.errors import DataError
from shortrange.reduce.peaks import Peak, _peak_shape, fit_peaks
from white_lines import normalised

S_K = (2469.0, 2471.1, 2472.2, 2473.4)
"""Na2S-like shoulders at 2471.1 and 2473.4 eV, Ta-S features at 2469.0 and 2472.2 eV."""
ENERGY = np.arange(2455.0, 2482.0, 0.15)


def spectrum(areas, *, noise=2e-3, seed=0, width=1.0, centres=S_K):
    sigma = width / 2.3548
    norm = 0.02 + 0.9 * (0.5 + np.arctan((ENERGY - 2474.5) / 0.8) / np.pi)
    for centre, area in zip(centres, areas, strict=True):
        norm = norm + area * np.exp(-((ENERGY - centre) ** 2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
    data = normalised(ENERGY, norm + noise * np.random.default_rng(seed).normal(size=norm.size), noise)
    object.__setattr__(data, "e0", 2474.0)
    return data


PEAKS = [Peak(name=f"p{i}", centre=c + 0.1, reach=0.6) for i, c in enumerate(S_K)]


def test_sulfur_features():
    areas = (0.3, 1.0, 0.8, 1.2)
    fit = fit_peaks([spectrum(areas)], PEAKS, window=(2460, 2480))
    assert 0.7 < fit.reduced_chi2 < 1.4
    for peak, centre, area in zip(fit.peaks[0], S_K, areas, strict=True):
        assert peak.centre == pytest.approx(centre, abs=max(0.01, 4 * peak.sigma_centre))
        assert peak.area == pytest.approx(area, abs=max(0.01, 4 * peak.sigma_area))
        assert 0 < peak.sigma_centre < 0.2
    energy, curve, parts = fit.curves[0]
    np.testing.assert_allclose(curve, sum(parts.values()))
    assert set(parts) == {"line", "step", "p0", "p1", "p2", "p3"}
    assert energy[0] >= 2460


def test_errors_are_those_of_repeats():
    found = [fit_peaks([spectrum((0.3, 1, 0.8, 1.2), seed=s)], PEAKS, window=(2460, 2480)) for s in range(15)]
    areas = np.array([[p.area for p in f.peaks[0]] for f in found])
    stated = np.median([[p.sigma_area for p in f.peaks[0]] for f in found], axis=0)
    ratio = stated / areas.std(axis=0, ddof=1)
    assert np.all((ratio > 0.5) & (ratio < 2.2))


def test_shared_widths_and_centres():
    two = [spectrum((0.3, 1, 0.8, 1.2)), spectrum((0.1, 1.2, 0.3, 1.0), seed=1)]
    fit = fit_peaks(two, PEAKS, window=(2460, 2480), share=("width", "centre"))
    for a, b, first in zip(*fit.peaks, (0.3, 1, 0.8, 1.2), strict=True):
        assert a.width == b.width
        assert a.centre == b.centre
        assert a.area == pytest.approx(first, abs=max(0.01, 4 * a.sigma_area))
    alone = fit_peaks(two, PEAKS, window=(2460, 2480))
    assert alone.peaks[0][0].width != alone.peaks[1][0].width
    assert fit.peaks[1][0].sigma_area < alone.peaks[1][0].sigma_area


@pytest.mark.parametrize("shape", ["lorentzian", "voigt"])
def test_shapes_have_the_width_they_state(shape):
    x = np.linspace(-400, 400, 800001)
    y = _peak_shape(x, 1.5, shape)
    assert float(y.sum() * (x[1] - x[0])) == pytest.approx(1, abs=3e-3)
    above = x[y >= y.max() / 2]
    assert above[-1] - above[0] == pytest.approx(1.5, rel=2e-3)


def test_a_wrong_model_has_larger_errors():
    data = spectrum((0.3, 1, 0.8, 1.2))
    right = fit_peaks([data], PEAKS, window=(2460, 2480))
    wrong = fit_peaks([data], PEAKS[1:3], window=(2460, 2480))
    assert wrong.reduced_chi2 > 3 * right.reduced_chi2
    assert wrong.history[0].settings["errors_scaled_by"] > 1.5


@pytest.mark.parametrize(
    ("peaks", "settings", "words"),
    [
        ([], {}, "0|at least one"),
        ([PEAKS[0], PEAKS[0]], {}, "a name of its own"),
        ([Peak(name="a b", centre=2470)], {}, "cannot be fitted"),
        ([Peak(name="a", centre=2470, shape="box")], {}, "cannot be fitted"),
        (PEAKS, {"edge_step": "tanh"}, "no step 'tanh'"),
        (PEAKS, {"share": ("area",)}, "cannot be shared"),
        (PEAKS, {"window": (2470, 2471.5)}, "unknowns"),
        (PEAKS, {"window": (2570, 2580)}, "0 points"),
    ],
)
def test_refusals(peaks, settings, words):
    with pytest.raises(DataError, match=words):
        fit_peaks([spectrum((0.3, 1, 0.8, 1.2))], peaks, **{"window": (2460, 2480), **settings})
