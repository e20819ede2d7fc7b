"""The splitting of a white line: closed forms, coverage of the truth, what is refused."""

import numpy as np
import pytest

from shortrange.errors import DataError
from shortrange.reduce.edge_splitting import compare_splittings, edge_splitting
from shortrange.reduce.xas import reduce_xas
from white_lines import E0, measured, normalised, scan, true_minima, white_line

TACL5 = {"splitting": 2.8, "ratio": 1.1, "gamma": 1.8, "sigma": 0.5}
WIDER = {"splitting": 3.2, "ratio": 1.1, "gamma": 2.0, "sigma": 0.5}


def truth(**shape):
    return float(np.diff(true_minima(**shape))[0])


def test_a_quartic_needs_no_extrapolation():
    """The second derivative of a polynomial of degree 6 is exact for local polynomials of degree 6."""
    energy = np.arange(E0 - 30.0, E0 + 40.0, 0.25)
    # f'' = (x^2 - a^2)^2 - 20 has its minima at x = -a and a.
    x, a = energy - E0 - 3.0, 1.4
    norm = x**6 / 30 - a**2 * x**4 / 6 + (a**4 - 20.0) * x**2 / 2
    near = np.abs(x) < 12
    found = edge_splitting(normalised(energy, np.where(near, norm, norm[near].max()), 1e-4), window=(0, 6))
    exact = [s for s in found.smoothings if s.degree == 6 and 3.5 * s.width < 8]
    assert exact
    for smoothed in exact:
        assert np.diff(smoothed.minima)[0] == pytest.approx(2 * a, abs=0.01)
    assert found.value == pytest.approx(2 * a, abs=4 * found.sigma)


@pytest.mark.parametrize("spacing", [0.2, 0.5])
def test_little_noise_gives_the_truth(spacing):
    found = edge_splitting(measured(np.random.default_rng(0), spacing=spacing, noise=1e-4, **TACL5))
    assert found.value == pytest.approx(truth(**TACL5), abs=min(0.08, 3 * found.sigma))
    np.testing.assert_allclose(found.minima, true_minima(**TACL5), atol=0.1)
    assert found.value == pytest.approx(found.minima[1] - found.minima[0], abs=found.sigma)
    assert found.sigma < 0.03 + 0.15 * spacing
    assert np.hypot(found.sigma_noise, found.sigma_smoothing) == pytest.approx(found.sigma)


def test_intervals_cover_the_truth():
    """Of 40 simulated spectra; `studies/edge_splitting.py` is the long version."""
    rng = np.random.default_rng(7)
    pulls, differences = [], []
    while len(pulls) < 40:
        shape = {
            "splitting": rng.uniform(2.4, 3.6),
            "ratio": float(np.exp(rng.uniform(-0.5, 0.5))),
            "gamma": rng.uniform(1.3, 2.4),
            "sigma": rng.uniform(0.3, 0.8),
        }
        other = {**shape, "splitting": shape["splitting"] + 0.4, "gamma": 1.15 * shape["gamma"]}
        if any(true_minima(**s).size != 2 for s in (shape, other)):
            continue
        grid = {"spacing": rng.choice([0.2, 0.35, 0.5]), "noise": 10 ** rng.uniform(-3.5, -2.5)}
        first, second = measured(rng, **grid, **shape), measured(rng, **grid, **other)
        try:
            found = edge_splitting(first)
            difference = compare_splittings(first, second)
        except DataError:
            continue
        pulls.append((found.value - truth(**shape)) / found.sigma)
        differences.append((difference.value - truth(**other) + truth(**shape)) / difference.sigma)
    for pull in (np.abs(pulls), np.abs(differences)):
        assert 0.5 < np.mean(pull < 1) <= 1
        assert np.mean(pull < 2) > 0.9
        assert np.max(pull) < 4
    assert np.mean(np.abs(pulls) < 1) < 0.95  # nor are they too wide


def test_difference_of_two_samples_from_scans():
    """0.4 eV between two samples of three scans each, as between TaCl5 and its glass with Na2S."""
    reductions = [
        reduce_xas(
            [scan(i + 10 * n, source=f"{n}-{i}", **shape) for i in range(3)],
            element="Ta",
            edge="L3",
        )
        for n, shape in enumerate((TACL5, WIDER))
    ]
    difference = compare_splittings(*(r.normalised for r in reductions))
    expected = truth(**WIDER) - truth(**TACL5)
    assert difference.value == pytest.approx(expected, abs=3 * difference.sigma)
    assert difference.value == pytest.approx(expected, abs=0.1)
    assert difference.z > 4
    assert difference.p < 1e-4
    same = compare_splittings(reductions[0].normalised, reductions[0].normalised)
    assert same.value == pytest.approx(0, abs=1e-9)


def test_the_same_data_give_the_same_numbers():
    data = measured(np.random.default_rng(1), spacing=0.35, noise=1e-3, **TACL5)
    assert edge_splitting(data).value == edge_splitting(data).value


def test_more_noise_gives_a_larger_error():
    rng = np.random.default_rng(3)
    quiet, loud = (edge_splitting(measured(rng, spacing=0.25, noise=n, **TACL5)) for n in (2e-4, 4e-3))
    assert loud.sigma > 2 * quiet.sigma


@pytest.mark.parametrize(
    ("shape", "noise", "words"),
    [
        ({**TACL5, "splitting": 0.3}, 1e-3, "one minimum only"),
        (TACL5, 0.08, "standard errors|one minimum|too large"),
    ],
    ids=["one line", "noise"],
)
def test_what_shows_no_splitting_is_refused(shape, noise, words):
    data = measured(np.random.default_rng(2), spacing=0.35, noise=noise, **shape)
    with pytest.raises(DataError, match=words):
        edge_splitting(data)


def test_coarse_scans_and_unknown_noise_are_refused():
    energy = np.arange(E0 - 60.0, E0 + 60.0, 3.0)
    with pytest.raises(DataError, match="points between"):
        edge_splitting(normalised(energy, white_line(energy, **TACL5), 1e-3))
    from dataclasses import replace

    data = replace(measured(np.random.default_rng(1), spacing=0.35, noise=1e-3, **TACL5), sigma=None)
    with pytest.raises(DataError, match="noise of mu is not known"):
        edge_splitting(data)
