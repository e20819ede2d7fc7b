"""Linear combinations, principal components, white lines: simulated mixtures with known answers."""

from dataclasses import replace

import numpy as np
import pytest

from shortrange.errors import DataError
from shortrange.reduce.series import combine_references, principal_components, white_line_area
from white_lines import E0, normalised, white_line

ENERGY = np.arange(E0 - 40.0, E0 + 80.0, 0.4)
A = {"splitting": 2.8, "ratio": 1.1, "gamma": 1.8, "sigma": 0.5}
B = {"splitting": 3.6, "ratio": 0.5, "gamma": 2.4, "sigma": 0.5}


def spectrum(a, b, *, noise=2e-3, seed=0, energy=ENERGY):
    pure = a * white_line(energy, **A) + b * white_line(energy, **B)
    return normalised(energy, pure + noise * np.random.default_rng(seed).normal(size=energy.size), noise)


REFERENCES = {"a": spectrum(1, 0, seed=10), "b": spectrum(0, 1, seed=11)}


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_mixture(share):
    found = combine_references(spectrum(share, 1 - share), REFERENCES)
    assert found.weights["a"] == pytest.approx(share, abs=max(1e-9, 4 * found.sigmas["a"], 0.01))
    assert found.total == pytest.approx(1, abs=0.01)
    assert found.reduced_chi2 < 1.5
    held = combine_references(spectrum(share, 1 - share), REFERENCES, sum_to_one=True)
    assert sum(held.weights.values()) == pytest.approx(1, abs=1e-6)


def test_errors_are_those_of_repeats():
    found = [combine_references(spectrum(0.3, 0.7, seed=s), REFERENCES) for s in range(40)]
    spread = np.std([f.weights["a"] for f in found], ddof=1)
    # The noise of the references is common to all of these, so that the stated error is larger.
    assert 0.9 < np.median([f.sigmas["a"] for f in found]) / spread < 2.5


def test_what_is_missing_shows():
    found = combine_references(spectrum(0.3, 0.7), {"a": REFERENCES["a"]})
    assert found.reduced_chi2 > 5
    assert found.r_factor > 1e-4
    np.testing.assert_allclose(found.fit + found.residual, spectrum(0.3, 0.7).norm[_inside(found)])


def _inside(found):
    return (found.energy[0] <= ENERGY) & (found.energy[-1] >= ENERGY)


def test_other_grids():
    other = np.arange(E0 - 45.0, E0 + 90.0, 0.31)
    references = {
        "a": spectrum(1, 0, energy=other, noise=1e-4),
        "b": spectrum(0, 1, energy=other, noise=1e-4),
    }
    found = combine_references(spectrum(0.3, 0.7, noise=1e-4), references)
    assert found.weights["a"] == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(
    ("data", "references", "settings", "words"),
    [
        (spectrum(1, 0), {}, {}, "0 references"),
        (replace(spectrum(1, 0), sigma=None), REFERENCES, {}, "unknown"),
        (spectrum(1, 0), {"a": REFERENCES["a"], "again": REFERENCES["a"]}, {}, "too alike"),
        (spectrum(1, 0), REFERENCES, {"window": (E0, E0 + 1)}, "in the window"),
        (
            spectrum(1, 0),
            {"short": spectrum(1, 0, energy=np.arange(E0 - 10, E0 + 20, 0.4))},
            {},
            "that all spectra cover",
        ),
    ],
)
def test_refused_combinations(data, references, settings, words):
    with pytest.raises(DataError, match=words):
        combine_references(data, references, **settings)


@pytest.mark.parametrize("n", [1, 2])
def test_number_of_components(n):
    shares = np.linspace(0, 1, 8) if n == 2 else np.zeros(8)
    found = principal_components([spectrum(s, 1 - s, seed=i) for i, s in enumerate(shares)])
    assert found.n_significant == n
    np.testing.assert_allclose(found.components @ found.components.T, np.eye(8), atol=1e-9)
    assert found.variances.sum() == pytest.approx(1)
    rebuilt = found.scores[:, :n] @ found.components[:n]
    np.testing.assert_allclose(
        rebuilt[3], spectrum(shares[3], 1 - shares[3], noise=0).norm[_inside(found)], atol=6e-3
    )


def test_refused_components():
    with pytest.raises(DataError, match="1 spectra"):
        principal_components([spectrum(1, 0)])


def test_white_line_of_a_lorentzian():
    """Area in closed form: a Lorentzian of height h and half width g on the very step that is taken off."""
    energy = np.arange(E0 - 60.0, E0 + 100.0, 0.2)
    g, height, centre = 1.5, 1.4, E0 + 2.0
    norm = 0.5 + np.arctan(energy - E0) / np.pi + height / (1 + ((energy - centre) / g) ** 2)
    found = white_line_area(normalised(energy, norm, 1e-3), window=(-10, 15))
    low, high = ((E0 + edge - centre) / g for edge in (-10, 15))
    assert found["area"] == pytest.approx(height * g * (np.arctan(high) - np.arctan(low)), abs=0.05)
    assert found["centroid"] == pytest.approx(centre + 0.3, abs=0.3)
    assert 0 < found["sigma_area_noise"] < found["sigma_area"]
    flat = normalised(energy, 0.5 + np.arctan(energy - E0) / np.pi, 1e-3)
    with pytest.raises(DataError, match="no white line"):
        white_line_area(flat)
