"""Windows and kernels: closed forms, and xraylarch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortrange.errors import DataError
from shortrange.numeric.splines import interpolation_weights, spline_matrix
from shortrange.numeric.windows import WINDOWS, ft_window
from shortrange.numeric.xafs_fourier import back_fourier_matrix, fourier_matrix, k_window, larch_r_grid

K = 0.05 * np.arange(281)


@pytest.mark.filterwarnings("ignore")  # xraylarch's own imports warn
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("k_range", [(0.0, 20.0), (2.0, 12.0), (3.0, 11.37), (2.01, 14.0)])
@pytest.mark.parametrize("dk", [0.1, 1.0, 2.5, 4.0])
def test_xraylarch_agrees(window, k_range, dk, agreement):
    from larch import Group
    from larch.xafs import ftwindow, xftf, xftr

    chi = np.random.default_rng(1).normal(size=K.size)
    theirs = ftwindow(K, xmin=k_range[0], xmax=k_range[1], dx=dk, window=window)
    np.testing.assert_allclose(ft_window(K, x_range=k_range, dx=dk, window=window), theirs, atol=1e-9)
    g = Group()
    xftf(K, chi, group=g, kmin=k_range[0], kmax=k_range[1], dk=dk, kweight=2, window=window)
    np.testing.assert_allclose(larch_r_grid(0.05), g.r, atol=1e-12)
    ours = fourier_matrix(K, g.r, k_weight=2, k_range=k_range, dk=dk, window=window) @ chi
    np.testing.assert_allclose(ours, g.chir, atol=1e-9)
    if (window, k_range, dk) == ("kaiser", (3.0, 11.37), 1.0):
        agreement(
            "Fourier transform of noise, Kaiser window, k 3 to 11.37 1/A: largest difference",
            differ=np.abs(ours - g.chir).max(),
            below=1e-9,
            by="xraylarch, xftf",
            part="EXAFS",
        )
    xftr(g.r, g.chir, group=g, rmin=1, rmax=3, dr=dk / 2, window=window)
    back = back_fourier_matrix(g.r, g.q, r_range=(1, 3), dr=dk / 2, window=window) @ g.chir
    np.testing.assert_allclose(back, g.chiq, atol=1e-9)


def test_one_distance_peaks_there_with_the_phase_of_a_sine():
    chi = np.sin(2 * K * 2.5) / np.maximum(K, 1e-9) ** 2
    chi[0] = 0.0
    value = fourier_matrix(K, np.array([2.5]), k_weight=2, k_range=(3, 12), dk=1, window="hanning") @ chi
    # The integral of w sin(2kR) exp(-2ikR) is -i/2 of the integral of w, which is 9 for tapers of width 1.
    assert value[0].imag == pytest.approx(-0.5 * 9 / np.sqrt(np.pi), rel=0.01)
    assert abs(value[0].real) < 0.02


def test_a_cut_grid_has_the_same_window():
    whole = k_window(K, k_range=(3, 12), dk=1.5)
    np.testing.assert_allclose(k_window(K[40:250], k_range=(3, 12), dk=1.5), whole[40:250], atol=1e-12)


def test_parseval():
    chi = np.random.default_rng(2).normal(size=K.size)
    r = np.pi / (2048 * 0.05) * np.arange(2048)
    window = k_window(K, k_range=(3, 12))
    power_r = np.sum(np.abs(fourier_matrix(K, r, k_range=(3, 12)) @ chi) ** 2) * r[1]
    # The whole circle of 2048 points holds the energy once; (1/pi) |..|^2 dk sums to it.
    assert power_r == pytest.approx(np.sum((window * K**2 * chi) ** 2) * 0.05)


@settings(max_examples=25)
@given(st.floats(-5, 5), st.floats(-5, 5), st.integers(0, 99))
def test_linear(a, b, seed):
    x, y = np.random.default_rng(seed).normal(size=(2, K.size))
    m = fourier_matrix(K, np.linspace(0, 6, 20), k_range=(2, 12))
    np.testing.assert_allclose(m @ (a * x + b * y), a * (m @ x) + b * (m @ y), atol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": "hannig"}, "did you mean 'hanning'"),
        ({"x_range": (5.0, 4.0)}, "increasing range"),
        ({"dx": -1.0}, "positive tapers"),
        ({"x": K[1:]}, "starts at 0.05"),
        ({"x": np.array([0.0, 0.1, 0.3])}, "not uniform"),
        ({"x": np.array([0.0])}, "has 1 points"),
    ],
)
def test_bad_windows(change, message):
    good = {"x": K, "x_range": (3.0, 12.0), "dx": 1.0, "window": "kaiser"}
    arguments = {**good, **change}
    with pytest.raises(DataError, match=message):
        ft_window(arguments.pop("x"), **arguments)


def test_spline_is_fitpacks():
    from scipy.interpolate import UnivariateSpline

    rng = np.random.default_rng(3)
    x = np.sort(rng.uniform(0, 10, 150))
    new = np.linspace(-0.1, 10, 77)
    np.testing.assert_allclose(
        spline_matrix(x, new) @ np.sin(x), UnivariateSpline(x, np.sin(x), s=0)(new), atol=1e-10
    )


def test_interpolation_is_exact_for_quintics_and_never_amplifies_noise():
    rng = np.random.default_rng(4)
    x = np.cumsum(rng.uniform(0.9, 1.1, 60))
    new = rng.uniform(x[3], x[-4], 200)
    index, weight = interpolation_weights(x, new)
    y = (x / 50) ** 5 - (x / 50) ** 2
    exact = (new / 50) ** 5 - (new / 50) ** 2
    np.testing.assert_allclose((weight * y[index]).sum(axis=1), exact, atol=1e-10)
    jump = np.concatenate([np.arange(0, 60, 6.0), np.arange(60, 70, 0.25)])
    index, weight = interpolation_weights(jump, rng.uniform(0, 69, 500))
    assert (weight**2).sum(axis=1).max() <= 1 + 1e-6
    np.testing.assert_allclose(weight.sum(axis=1), 1.0)
