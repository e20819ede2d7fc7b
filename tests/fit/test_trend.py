import numpy as np
import pytest
from scipy.stats import chi2

from shortrange.fit.boxcar import boxcar
from shortrange.fit.coherence import coherence
from shortrange.fit.ramps import Ramps
from shortrange.simulate.crystal_gr import crystal_pdf
from two_phases import Q_MAX, R, composite, measured, nickel, oxide


def start():
    return {"Ni": nickel(3.523, 0.006), "NiO": oxide(4.177, 0.006)}


def test_a_phase_that_does_not_fade_is_the_phase():
    model, r = crystal_pdf(oxide(), r_max=20.0), np.arange(30, 200) * 0.06
    window = model.on(r, model.tables(r, q_max=Q_MAX))
    whole = model.curve(model.start, r, q_max=Q_MAX)
    window = window.with_outside(model.start, whole)
    g, slopes = window(model.start)
    curves = np.array([np.interp(window.grid, [2.0, 12.0], row) for row in np.eye(2)]).T
    columns, faded = window.varied(model.start, curves, np.array([0.4, 0.4]))
    assert columns @ [0.4, 0.4] == pytest.approx(0.4 * g, abs=1e-12)
    assert faded == pytest.approx(0.4 * slopes, abs=1e-9)


def test_order_fades_before_the_ends_of_q():
    # The sum over F(Q) knows nothing of windows: a phase that ends within 1 angstrom, between two peaks.
    r = np.arange(1, 4500) * 0.01
    fade = np.interp(r, [9.0, 10.0], [1.0, 0.0])
    g = composite(fade, r)[0]
    points = R[199:2000:6]
    total = np.zeros(points.size)
    for scale, crystal, falls in ((0.65, nickel(), False), (0.35, oxide(), True)):
        model = crystal_pdf(crystal, r_max=float(points[-1]))
        values = np.array([*model.start[:-1], 0.03])
        window = model.on(points, model.tables(points, q_max=Q_MAX))
        window = window.with_outside(values, model.curve(values, points, q_max=Q_MAX))
        curves = np.stack(
            [np.interp(window.grid, [9.0, 10.0], [1.0, 0.0]) if falls else np.ones(window.grid.size)]
        ).T
        total += scale * window.varied(values, curves, np.ones(1))[0][:, 0]
    expected = np.interp(points, R, g)
    # 0.4 % is what ripples of what has ended, scaled with the last knot, may leave: the margin of windows.
    assert np.abs(total - expected).max() < 4e-3 * np.abs(expected).max()


def test_the_error_of_the_coherence_length_is_that_of_repeated_noise():
    r = np.arange(1, 4500) * 0.01
    g, share = composite(1 / (1 + np.exp((r - 12.0) / 0.7)), r)
    truth = r[np.argmax(share < share[0] / 2)]
    misfits, fractions = [], []
    for seed in range(8):
        found = boxcar(measured(g, sigma=0.15, seed=seed), start(), r_range=(2.0, 26.0), window=5.0, step=6.0)
        length = found.coherence["NiO"]
        misfits.append((length.half - truth) / length.sigma)
        errors = np.sqrt(np.diag(found.trend.mass_covariance[1]))
        fractions.append((found.trend.mass[1] - np.interp(found.trend.knots, r, share)) / errors)
        assert found.coherence["Ni"].half is None
    # One time in 500 by chance.
    assert chi2.ppf(1e-3, 8) < np.sum(np.square(misfits)) < chi2.ppf(0.999, 8), misfits
    # Of the 40 values of a curve some ten are independent.
    assert chi2.ppf(1e-3, 80) / 80 < np.mean(np.square(fractions)) < chi2.ppf(0.999, 80) / 80


def test_a_mixture_is_flat_within_its_errors():
    r = np.arange(1, 4500) * 0.01
    g, share = composite(np.ones(r.size), r)
    found = boxcar(measured(g, sigma=0.15, seed=0), start(), r_range=(2.0, 26.0), window=5.0, step=6.0)
    away = found.trend.mass[1] - share[0]
    # Nothing asks for a bend: the curve is a line, known as well as two numbers.
    value = away @ np.linalg.pinv(found.trend.mass_covariance[1], rcond=1e-6, hermitian=True) @ away
    assert value < chi2.ppf(0.999, found.trend.knots.size)
    assert np.abs(np.diff(found.trend.mass[1], n=2)).max() < 1e-3
    assert found.coherence["NiO"].half is None


def test_the_error_of_the_length_knows_of_sudden_ends():
    # SIMULATED ends between distances and upon them, and a slower one. A smooth curve is up to 0.23 off.
    r, misfits, errors = np.arange(1, 4500) * 0.01, [], []
    for seed, (end, width) in enumerate(
        [(7.85, 0.05), (9.87, 0.05), (10.05, 0.3), (11.3, 0.05), (12.6, 0.7)]
    ):
        g, share = composite(np.clip((end - r) / width + 0.5, 0.0, 1.0), r)
        truth = r[np.argmax(share < share[0] / 2)]
        found = boxcar(
            measured(g, sigma=0.15, seed=20 + seed), start(), r_range=(2.0, 26.0), window=5.0, step=6.0
        )
        length = found.coherence["NiO"]
        misfits.append((length.half - truth) / length.sigma)
        errors.append(length.sigma)
    # One time in 500 by chance.
    assert chi2.ppf(1e-3, 5) < np.sum(np.square(misfits)) < chi2.ppf(0.999, 5), misfits
    assert max(errors) < 0.1


def test_a_slow_fade_is_no_ramp():
    r = np.arange(1, 4500) * 0.01
    g, _ = composite(1 / (1 + np.exp((r - 12.0) / 0.7)), r)
    found = boxcar(measured(g, sigma=0.05, seed=3), start(), r_range=(2.0, 26.0), window=5.0, step=6.0)
    assert found.trend.ramps[0] is None
    assert found.trend.ramps[1].weight < 1e-3


def test_a_length_is_the_mean_over_both_forms_of_an_end():
    knots = np.arange(2.0, 12.0, 0.5)
    fraction = np.interp(knots, [6.0, 8.0], [0.4, 0.0])
    covariance = 1e-4 * np.eye(knots.size)

    def length(weight):
        return coherence(knots, fraction, covariance, ramps=Ramps(half=7.3, sigma=0.02, weight=weight))

    smooth = coherence(knots, fraction, covariance)
    assert (length(0.0).half, length(0.0).sigma) == (smooth.half, smooth.sigma)
    assert (length(1.0).half, length(1.0).sigma) == pytest.approx((7.3, 0.02))
    between = length(0.5)
    draws = np.concatenate([smooth.half + smooth.sigma * np.array([-1, 1]), 7.3 + 0.02 * np.array([-1, 1])])
    assert (between.half, between.sigma) == pytest.approx((draws.mean(), draws.std()))
