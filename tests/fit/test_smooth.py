import numpy as np
import pytest
from scipy.stats import chi2

from shortrange.errors import ProjectError
from shortrange.fit.boxcar import boxcar
from shortrange.fit.refine import refine_gr
from shortrange.fit.smooth import parts_of_data
from two_phases import nickel, oxide

# Wide enough to say nothing: the limits below are then those of the data alone.
MASS = 0.54640  # as s M / <f(0)>^2
PRIORS = {"NiO.u_iso": (0.007, 1.0), "Ni.u_iso": (0.005, 1.0)}


def start():
    return {"Ni": nickel(), "NiO": oxide()}


def run(gr, **settings):
    return boxcar(gr, start(), r_range=(2.0, 22.0), window=5.0, step=1.0, shared=(), trend=False,
                  priors=PRIORS, **settings)  # fmt: skip


def column(found, name):
    return np.array([[w.refinement[name].value, w.refinement[name].sigma] for w in found.windows]).T


@pytest.fixture(scope="module")
def free(mixture):
    return run(mixture(sigma=0.1))


def test_an_infinite_width_leaves_the_windows_free(mixture, free):
    found = run(mixture(sigma=0.1), smooth={"NiO.u_iso": 1e3})
    for name in ("NiO.u_iso", "NiO.scale", "Ni.scale"):
        (value, sigma), (own, error) = column(found, name), column(free, name)
        assert np.abs(value - own).max() < 0.01 * error.min()
        assert sigma == pytest.approx(error, rel=0.02)


def test_a_width_of_zero_shares_the_parameter(mixture):
    gr = mixture(sigma=0.1)
    value, sigma = column(run(gr, smooth={"u_iso": 1e-9}), "NiO.u_iso")
    assert np.ptp(value) < 1e-7
    whole = refine_gr(gr, start(), r_range=(2.0, 22.0), free=["scale", "u_iso"])["NiO.u_iso"]
    # The whole range is the best use of the data (Gauss and Markov): nothing is surer, and from the best
    # estimate another one scatters by the root of the difference of their variances (Hausman 1978).
    assert np.all(sigma > 0.999 * whole.sigma)
    assert abs(value[0] - whole.value) < 3 * np.sqrt(sigma[0] ** 2 - whole.sigma**2)


def test_errors_in_the_limit_of_zero_are_those_of_repeated_noise(mixture):
    # Each point lies in four windows: errors that count it four times would be half as large.
    wrong = []
    for seed in range(20):
        value, sigma = column(run(mixture(sigma=0.1, seed=seed), smooth={"u_iso": 1e-9}), "NiO.u_iso")
        wrong.append((value[3] - 0.007) / sigma[3])
    assert chi2.ppf(1e-3, 20) < np.sum(np.square(wrong)) < chi2.ppf(0.999, 20), wrong


def test_a_width_between_follows_slowly_and_is_more_certain(mixture, free):
    found = run(mixture(sigma=0.1), smooth={"NiO.u_iso": 2e-5})
    (value, sigma), (own, error) = column(found, "NiO.u_iso"), column(free, "NiO.u_iso")
    # What is tied is smoother, and gains from its neighbours.
    assert np.sum(np.diff(value) ** 2) < np.sum(np.diff(own) ** 2)
    assert sigma.mean() < error.mean()
    # The shares stay those that were put in: once in 100 one of 16 windows is off by more.
    shares = np.array([w.share("Ni") for w in found.windows])
    assert np.all(np.abs(shares[:, 0] - MASS) < 3.5 * shares[:, 1])
    assert found.settings["smooth"] == {"NiO.u_iso": 2e-5}


def test_points_are_counted_once_whatever_the_windows():
    assert parts_of_data([(0.0, 5.0), (5.0, 10.0)]) == pytest.approx([1.0, 1.0])
    assert parts_of_data([(k, k + 5.0) for k in range(20)])[10] == pytest.approx(0.2)
    assert parts_of_data([(0.0, 5.0), (0.0, 10.0)]) == pytest.approx([0.5, 0.75])
    assert parts_of_data([(0.0, 4.0), (6.0, 10.0)]) == pytest.approx([1.0, 1.0])
    edges = np.array([(0.3 * k, 0.3 * k + 5.0) for k in range(20)])
    assert parts_of_data(edges) @ np.diff(edges).ravel() == pytest.approx(edges[-1, 1])


@pytest.mark.parametrize(
    ("smooth", "words"),
    [
        ({"NiO.u_is": 0.001}, "did you mean"),
        ({"NiO.delta2": 0.1}, "not free in the windows"),
        ({"u_iso": 0.0}, "name it in shared"),
        ({"u_iso": float("nan")}, "positive width"),
        ({"u_iso": 0.001, "NiO.u_iso": 0.002}, "two widths"),
    ],
)
def test_what_cannot_be_smooth_is_refused(mixture, smooth, words):
    with pytest.raises(ProjectError, match=words):
        run(mixture(), smooth=smooth)
