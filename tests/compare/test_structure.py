"""Numbers, lengths and bridges of the best model, against counts by hand and draws of random errors."""

import numpy as np
import pytest

from shortrange.analyse.analysis import analyse_trajectory
from shortrange.compare.structure import Stretch, common_stretch, length_error, surroundings
from shortrange.compare.verdict import FittedParameter, MeasurementFit, ModelResult
from shortrange.quantities import Trajectory
from shortrange.simulate.motifs import motif

PARTS = ("coordination", "connectivity")


def unit(kind, **options):
    """A motif at rest in a box, in frames that breathe by a thousandth."""
    start = motif(kind, **options).trajectory()
    centre = start.positions[0].mean(axis=0)
    x = np.stack([centre + f * (start.positions[0] - centre) for f in (0.999, 1.0, 1.001)])
    return Trajectory(species=start.species, positions=x, cells=None, label=kind)


def parameter(name, value, sigma, prior=(0.0, 0.01)):
    return FittedParameter(
        name=name,
        unit="1",
        value=value,
        sigma=sigma,
        prior=prior,
        bounds=(-0.03, 0.03),
        at_bound=sigma is None,
    )


def fit(value, sigma, name="stretch"):
    zero = np.zeros(2)
    return MeasurementFit(
        measurement="x", technique="xas", x=zero, data=zero, sigma=None, model=zero, theory_sigma=None,
        fit_range=(0.0, 1.0), R=0.0, chi2_reduced=1.0, p_value=1.0, log_evidence=0.0,
        parameters=(parameter("S02", 0.9, 0.1), parameter(name, value, sigma)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def models():
    return {
        "corner": unit("corner", bridge="S", angle=150.0),
        "isolated": unit("octahedron"),
    }


@pytest.fixture(scope="module")
def contents(models):
    return {name: analyse_trajectory(model, only=PARTS, strict=False) for name, model in models.items()}


@pytest.fixture(scope="module")
def absorbers(models):
    return {
        name: {e: n / model.n_atoms for e, n in model.composition.items()} for name, model in models.items()
    }


def result(name, *fits, shares=()):
    return ModelResult(name=name, probability=1.0, log_evidence=0.0, fits=fits, shares=shares)


def test_a_corner_counted_by_hand(models, contents, absorbers):
    (found,) = surroundings(result("corner", fit(0.01, 0.004)), contents, ["Ta"], absorbers=absorbers)
    # Ta2SCl10: each Ta binds five Cl and the S, and shares it.
    assert {k: n.value for k, n in found.numbers.items()} == pytest.approx({"S": 1.0, "Cl": 5.0, "all": 6.0})
    assert found.bridged.value == 1.0
    x, species = models["corner"].positions[1], np.array(models["corner"].species)
    ta, s = x[species == "Ta"], x[species == "S"][0]
    assert found.lengths["S"].value == pytest.approx(1.01 * np.linalg.norm(ta[0] - s), rel=1e-6)
    assert found.lengths["Ta, bridged"].value == pytest.approx(1.01 * np.linalg.norm(ta[0] - ta[1]), rel=1e-6)


def test_an_isolated_octahedron_has_no_bridge(contents, absorbers):
    (found,) = surroundings(result("isolated", fit(0.0, 0.004)), contents, ["Ta"], absorbers=absorbers)
    assert found.bridged.value == 0.0
    assert list(found.lengths) == ["Cl"]
    # One kind of bond: its error is that of the stretch.
    assert found.lengths["Cl"].sigma == pytest.approx(0.004 * found.lengths["Cl"].value, rel=0.05)


def test_a_mixture_is_an_average_over_absorbers(contents, absorbers):
    shares = (parameter("corner", 0.6, 0.1, None), parameter("isolated", 0.4, 0.1, None))
    mixed = result("both", fit(0.0, 0.004), shares=shares)
    (found,) = surroundings(mixed, contents, ["Ta"], absorbers=absorbers)
    # Of 13 atoms 2 are Ta in the corner unit, of 7 one in the octahedron.
    part = 0.6 * 2 / 13 / (0.6 * 2 / 13 + 0.4 / 7)
    assert found.numbers["S"].value == pytest.approx(part)
    assert found.numbers["Cl"].value == pytest.approx(5.0 * part + 6.0 * (1.0 - part))
    assert found.bridged.value == pytest.approx(part)
    high, low = (
        x * 2 / 13 / (x * 2 / 13 + (1.0 - x) / 7) for x in (0.6 + 1e-4, 0.6 - 1e-4)
    )  # the slope by differences
    assert found.bridged.sigma == pytest.approx(0.1 * (high - low) / 2e-4, rel=1e-3)


def test_stretches_of_several_measurements_are_averaged():
    one = common_stretch([fit(0.002, 0.004), fit(0.004, 0.003)])
    assert one.value == pytest.approx((0.002 / 16 + 0.004 / 9) / (1 / 16 + 1 / 9))
    assert one.sigma == pytest.approx(0.0024)
    # Measurements that disagree by five errors: their mean is not better than their difference tells.
    apart = common_stretch([fit(-0.0125, 0.003), fit(0.0125, 0.004)])
    assert apart.sigma == pytest.approx(0.0024 * 5.0)
    assert common_stretch([fit(0.002, 0.004), fit(0.03, None)]).sigma is None
    assert common_stretch([fit(150.0, 3.0, name="angle")]) is None


def test_kinds_of_bond_err_apart():
    rng = np.random.default_rng(1)
    parts, prior = np.array([5.0, 1.0]) / 6.0, 0.01
    errors = rng.normal(0.0, prior, (200_000, 2))
    found = errors @ parts + rng.normal(0.0, 0.003, 200_000)
    stretch = Stretch(value=0.0, sigma=0.003, prior=prior)
    for j in (0, 1):
        expected = length_error(stretch, parts[j], float(np.sum(parts**2)))
        assert np.std(errors[:, j] - found) == pytest.approx(expected, rel=0.01)


def test_without_an_analysis_nothing_is_stated(contents, absorbers):
    known = {"corner": "no bond is found: name other centres"}
    assert surroundings(result("corner", fit(0.0, 0.01)), known, ["Ta"], absorbers=absorbers) == ()
    assert surroundings(result("corner", fit(0.0, 0.01)), contents, ["Nb"], absorbers=absorbers) == ()
