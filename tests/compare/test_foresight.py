"""Expected gains against a simulation of the measurement they promise."""

from dataclasses import replace

import numpy as np
import pytest

from shortrange.compare.evidence import judge
from shortrange.compare.foresight import expected_gain, prospect
from shortrange.compare.theory_error import TheoryError
from shortrange.fit.laplace import fit_term
from shortrange.fit.parameters import Parameter
from shortrange.fit.term import Term

X = np.linspace(0.0, 3.0, 15)


def term(shape, *, noise=0.1, curve=None):
    return Term(
        measurement="a",
        technique="xas",
        x=X,
        curve=shape if curve is None else curve,
        modes=np.eye(X.size),
        noise=noise**2 * np.eye(X.size),
        sampling=np.zeros((X.size, X.size)),
        model=lambda theta: theta[0] * shape,
        parameters=(Parameter(name="S02", unit="1", value=0.9, lower=-9.0, upper=9.0, prior=(0.9, 0.1)),),
    )


FIXED = TheoryError(median=0.05, log_sigma=1e-6, source="test")
FIRST, SECOND = np.sin(X), np.sin(1.15 * X)


def test_the_expected_gain_is_the_mean_over_simulated_measurements():
    rng = np.random.default_rng(7)
    power = 0.05**2 * float(np.mean((0.9 * FIRST) ** 2))
    total = 0.1**2 * np.eye(X.size) + power * np.eye(X.size)
    gains = []
    for curve in 0.9 * FIRST + rng.multivariate_normal(np.zeros(X.size), total, size=300):
        gains.append(
            fit_term(term(FIRST, curve=curve), total).log_evidence
            - fit_term(term(SECOND, curve=curve), total).log_evidence
        )
    expected = expected_gain(term(FIRST), term(SECOND), theory_error=FIXED)
    assert expected == pytest.approx(np.mean(gains), abs=4 * np.std(gains) / np.sqrt(300))


def test_a_model_gains_nothing_over_itself():
    assert expected_gain(term(FIRST), term(FIRST), theory_error=FIXED) == pytest.approx(0.0, abs=1e-9)


def test_a_measurement_that_counts_in_part_tells_in_part():
    gain, part = (
        expected_gain(term(FIRST), term(SECOND), theory_error=replace(FIXED, independent=n))
        for n in (1.0, 0.6)
    )
    assert part == pytest.approx(0.6 * gain)


def test_less_noise_tells_more_until_theory_is_the_limit():
    gains = [
        prospect(
            "x",
            term(FIRST, noise=n),
            term(SECOND, noise=n),
            theory_error=TheoryError(median=0.1, log_sigma=0.3, source="test"),
        ).expected
        for n in (0.4, 0.1, 1e-3, 1e-6)
    ]
    assert gains[0] < gains[1] < gains[2]
    assert gains[3] == pytest.approx(gains[2], rel=0.01)


def test_a_theory_error_that_is_integrated_out_tells_less():
    rng = np.random.default_rng(8)
    theory = TheoryError(median=0.05, log_sigma=0.5, source="test")
    truth = 0.9 * FIRST
    total = (0.02**2 + 0.05**2 * float(np.mean(truth**2))) * np.eye(X.size)
    gains = [
        judge(term(FIRST, noise=0.02, curve=y), theory_error=theory).log_evidence
        - judge(term(SECOND, noise=0.02, curve=y), theory_error=theory).log_evidence
        for y in truth + rng.multivariate_normal(np.zeros(X.size), total, size=30)
    ]
    found = expected_gain(term(FIRST, noise=0.02), term(SECOND, noise=0.02), theory_error=theory)
    fixed = expected_gain(term(FIRST, noise=0.02), term(SECOND, noise=0.02), theory_error=FIXED)
    assert found == pytest.approx(np.mean(gains), rel=0.2)
    assert fixed > 1.5 * found
