"""A linear model with normal errors and priors has a closed-form evidence: Laplace must be exact there."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from shortrange.errors import DataError
from shortrange.fit.laplace import fit_series, fit_term
from shortrange.fit.parameters import Parameter, changed
from shortrange.fit.term import Term, shrunk_covariance_of_mean

X = np.linspace(0.0, 1.0, 12)
DESIGN = np.stack([np.ones_like(X), X], axis=1)
NOISE = 0.3**2 * np.exp(-np.abs(X[:, None] - X[None, :]) / 0.1)
PRIORS = ((1.0, 0.5), (-2.0, 0.8))


def linear_term(y, *, limits=(-50.0, 50.0)):
    parameters = tuple(
        Parameter(name=name, unit="1", value=0.0, lower=limits[0], upper=limits[1], prior=prior)
        for name, prior in zip("ab", PRIORS, strict=True)
    )
    return Term(
        measurement="line",
        technique="xas",
        x=X,
        curve=y,
        modes=np.eye(X.size),
        noise=NOISE,
        sampling=np.zeros_like(NOISE),
        model=lambda theta: DESIGN @ theta,
        parameters=parameters,
    )


@pytest.fixture
def y():
    rng = np.random.default_rng(1)
    return DESIGN @ [1.3, -1.1] + rng.multivariate_normal(np.zeros(X.size), NOISE)


def test_evidence_equals_the_closed_form(y):
    fit = fit_term(linear_term(y), NOISE)
    mean = DESIGN @ [p[0] for p in PRIORS]
    marginal = NOISE + DESIGN @ np.diag([p[1] ** 2 for p in PRIORS]) @ DESIGN.T
    assert fit.log_evidence == pytest.approx(multivariate_normal.logpdf(y, mean, marginal), abs=1e-6)


def test_estimate_and_covariance_equal_the_closed_form(y):
    fit = fit_term(linear_term(y), NOISE)
    inverse, weight = np.linalg.inv(NOISE), np.diag([1 / p[1] ** 2 for p in PRIORS])
    covariance = np.linalg.inv(DESIGN.T @ inverse @ DESIGN + weight)
    expected = covariance @ (DESIGN.T @ inverse @ y + weight @ [p[0] for p in PRIORS])
    np.testing.assert_allclose(fit.theta, expected, atol=1e-6)
    np.testing.assert_allclose(fit.covariance, covariance, rtol=1e-5)


def test_a_value_at_its_limit_is_marked(y):
    fit = fit_term(linear_term(y, limits=(-0.5, 0.5)), NOISE)
    assert fit.at_bound.tolist() == [True, False]
    assert fit.theta[0] == pytest.approx(0.5, abs=1e-3)


def test_rotating_the_modes_changes_nothing(y):
    rotation = np.linalg.qr(np.random.default_rng(2).normal(size=(X.size, X.size)))[0]
    turned = Term(
        **{
            **{name: getattr(linear_term(y), name) for name in Term.__dataclass_fields__},
            "modes": rotation,
            "noise": rotation.T @ NOISE @ rotation,
        }
    )
    plain, rotated = fit_term(linear_term(y), NOISE), fit_term(turned, turned.noise)
    assert rotated.log_evidence == pytest.approx(plain.log_evidence, abs=1e-6)


def test_covariance_of_the_mean_approaches_the_sample_covariance_with_many_samples():
    rng = np.random.default_rng(3)
    samples = rng.multivariate_normal(np.zeros(12), NOISE, size=20000)
    np.testing.assert_allclose(shrunk_covariance_of_mean(samples) * 20000, NOISE, atol=0.01)


def test_covariance_of_the_mean_is_positive_definite_with_few_samples():
    samples = np.random.default_rng(4).normal(size=(5, 12))
    covariance = shrunk_covariance_of_mean(samples)
    assert np.linalg.eigvalsh(covariance).min() > 0.0
    # Trace is kept by the shrinkage: the mean of 5 unit normals has variance 1/5 each.
    assert np.trace(covariance) == pytest.approx(12 / 5, rel=0.5)


def test_two_snapshots_have_no_sampling_error():
    with pytest.raises(DataError, match="2 snapshots cannot tell"):
        shrunk_covariance_of_mean(np.zeros((2, 12)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lower": 2.0}, "limits are 2"),
        ({"value": 9.0}, "start 9"),
        ({"prior": (0.0, 0.0)}, "positive error"),
        ({"prior": (float("nan"), 1.0)}, "finite mean"),
    ],
)
def test_an_impossible_parameter_is_refused(change, message):
    given = {
        "name": "S02",
        "unit": "1",
        "value": 0.9,
        "lower": 0.5,
        "upper": 1.2,
        "prior": (0.9, 0.1),
        **change,
    }
    with pytest.raises(DataError, match=message):
        Parameter(**given)


def test_changing_an_unknown_parameter_is_refused():
    with pytest.raises(DataError, match="no parameter 's02'"):
        changed(linear_term(np.zeros(X.size)).parameters, "s02", value=1.0)


def test_a_series_of_fits_equals_the_fits_one_by_one(y):
    covariances = [NOISE * factor for factor in (4.0, 2.0, 1.0, 0.5)]
    term = linear_term(y)
    for fit, covariance in zip(fit_series(term, covariances), covariances, strict=True):
        one = fit_term(term, covariance)
        assert fit.log_evidence == pytest.approx(one.log_evidence, abs=1e-4)
        np.testing.assert_allclose(fit.theta, one.theta, atol=0.005)


def test_a_series_of_fits_stops_at_limits(y):
    fits = fit_series(linear_term(y, limits=(-0.5, 0.5)), [NOISE, NOISE / 2])
    assert all(fit.at_bound.tolist() == [True, False] for fit in fits)
