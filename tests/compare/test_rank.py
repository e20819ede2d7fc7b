from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from shortrange.compare.evidence import judge
from shortrange.compare.rank import alone, contradictions, decide, rank
from shortrange.compare.theory_error import EXAFS_THEORY_ERROR, PDF_THEORY_ERROR, TheoryError
from shortrange.compare.verdict import MeasurementFit
from shortrange.errors import DataError
from shortrange.fit.parameters import Parameter
from shortrange.fit.term import Term


def fit(measurement="PDF", *, log_evidence=0.0, p_value=0.5):
    x = np.linspace(0.0, 1.0, 3)
    return MeasurementFit(
        measurement=measurement,
        technique="total-scattering",
        x=x,
        data=x,
        sigma=None,
        model=x,
        theory_sigma=None,
        fit_range=(0.0, 1.0),
        R=0.1,
        chi2_reduced=1.0,
        p_value=p_value,
        log_evidence=log_evidence,
    )


def test_probabilities_follow_the_summed_evidence():
    models = rank(
        {"a": [fit(log_evidence=1.0), fit("XAS", log_evidence=0.0)], "b": [fit(log_evidence=0.0), fit("XAS")]}
    )
    assert [m.name for m in models] == ["a", "b"]
    assert models[0].probability == pytest.approx(np.e / (1.0 + np.e))


def test_evidences_far_apart_do_not_overflow():
    models = rank({"a": [fit(log_evidence=-1e5, p_value=0.0)], "b": [fit(log_evidence=0.0)]})
    assert [m.probability for m in models] == [1.0, 0.0]
    assert decide(models).verdict == "supported"


@pytest.mark.parametrize(("lead", "verdict"), [(np.log(20.1), "supported"), (np.log(19.9), "undecided")])
def test_the_threshold_is_odds(lead, verdict):
    assert decide(rank({"a": [fit(log_evidence=lead)], "b": [fit(p_value=1e-3)]})).verdict == verdict


def test_data_that_refute_no_model_support_none():
    # Were the right model missing, the best of the others would look the same.
    verdict = decide(rank({"a": [fit(log_evidence=9.0, p_value=0.6)], "b": [fit(p_value=0.2)]}))
    assert verdict.verdict == "undecided"
    assert "cannot tell whether the right one was offered" in verdict.reason


def test_a_best_model_that_misfits_is_not_supported():
    models = rank({"a": [fit(log_evidence=50.0, p_value=1e-4), fit("XAS")], "b": [fit(), fit("XAS")]})
    verdict = decide(models)
    assert (verdict.verdict, verdict.best) == ("none fits", None)
    assert "PDF" in verdict.reason
    assert "XAS" not in verdict.reason


def test_a_misfit_of_a_worse_model_does_not_matter():
    assert decide(rank({"a": [fit(log_evidence=50.0)], "b": [fit(p_value=1e-9)]})).verdict == "supported"


def test_one_model_alone_is_never_supported():
    assert decide(rank({"a": [fit()]})).verdict == "undecided"


def test_models_compared_with_different_data_are_refused():
    with pytest.raises(DataError, match="different measurements"):
        rank({"a": [fit()], "b": [fit("XAS")]})


def opposed():
    """PDF: a by e^5; XAS: b by e^4; together a."""
    return rank(
        {"a": [fit(log_evidence=5.0), fit("XAS")], "b": [fit(), fit("XAS", log_evidence=4.0)]},
    )


def test_what_each_measurement_says_alone():
    table = alone(opposed())
    assert table["PDF"]["a"] == pytest.approx(1 / (1 + np.exp(-5)))
    assert table["XAS"]["b"] == pytest.approx(1 / (1 + np.exp(-4)))


def test_measurements_that_contradict_each_other_are_named():
    assert contradictions(opposed(), odds=20) == (
        "XAS alone prefers 'b' to 'a', which all measurements together prefer",
    )
    assert contradictions(opposed(), odds=100) == ()
    assert "XAS alone prefers" in decide(opposed()).warnings[0]


def test_no_model_is_refused():
    with pytest.raises(DataError, match="no model"):
        rank({})


def term(y, *, noise=0.1):
    m = y.size
    return Term(
        measurement="PDF",
        technique="total-scattering",
        x=np.arange(m, dtype=float),
        curve=y,
        modes=np.eye(m),
        noise=noise**2 * np.eye(m),
        sampling=np.zeros((m, m)),
        model=lambda theta: theta[0] * np.ones(m),
        parameters=(Parameter(name="scale", unit="1", value=1.0, lower=-9.0, upper=9.0, prior=(1.0, 0.5)),),
    )


def test_evidence_with_the_theory_error_integrated_out_equals_direct_integration():
    y = 1.2 + 0.2 * np.random.default_rng(5).normal(size=15)
    theory = TheoryError(median=0.1, log_sigma=0.4, source="test")
    sizes = theory.median * np.exp(theory.log_sigma * np.linspace(-6, 6, 2001))
    prior = np.exp(-0.5 * np.linspace(-6, 6, 2001) ** 2)
    power, one = np.mean(y**2), np.ones((15, 15))
    densities = [
        multivariate_normal.pdf(y, np.ones(15), (0.01 + s**2 * power) * np.eye(15) + 0.25 * one)
        for s in sizes
    ]
    expected = np.log(np.dot(prior, densities) / prior.sum())
    assert judge(term(y), theory_error=theory).log_evidence == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("independent", [1.0, 0.6, 0.25])
def test_points_that_are_alike_count_in_part(independent):
    """A linear model: ln Z is a normal density of all points, times the part that counts."""
    y = 1.2 + 0.2 * np.random.default_rng(5).normal(size=15)
    theory = TheoryError(median=0.1, log_sigma=1e-6, source="test", independent=independent)
    covariance = (0.1**2 + 0.1**2 * np.mean(y**2)) * np.eye(15) + 0.5**2 * np.ones((15, 15))
    expected = independent * multivariate_normal.logpdf(y, np.ones(15), covariance)
    found, whole = (
        judge(term(y), theory_error=theory),
        judge(term(y), theory_error=replace(theory, independent=1.0)),
    )
    assert found.log_evidence == pytest.approx(expected, abs=1e-4)
    for places in found.places:
        assert places.nats.sum() == pytest.approx(expected, abs=1e-3)
    # What the fit finds, and whether it fits, stays.
    assert found.parameters == whole.parameters
    assert (found.p_value, found.chi2_reduced) == (whole.p_value, whole.chi2_reduced)


def test_points_of_exafs_count_in_part_and_those_of_g_of_r_in_full():
    assert EXAFS_THEORY_ERROR.independent == 0.6
    assert PDF_THEORY_ERROR.independent == 1.0


def test_p_values_of_right_models_are_uniform():
    rng = np.random.default_rng(6)
    theory = TheoryError(median=1e-6, log_sigma=0.1, source="none: the model is exact")
    p = [judge(term(1.0 + 0.1 * rng.normal(size=15)), theory_error=theory).p_value for _ in range(60)]
    assert 0.35 < np.mean(p) < 0.65
    assert np.mean(np.array(p) < 0.1) < 0.25


def test_a_wrong_model_has_a_small_p_value():
    wrong = 1.0 + 0.5 * np.sin(np.arange(15.0))
    theory = TheoryError(median=0.05, log_sigma=0.3, source="test")
    assert judge(term(wrong, noise=0.02), theory_error=theory).p_value < 1e-3


def test_a_parameter_at_its_limit_has_no_error():
    found = judge(
        term(np.full(15, 20.0)), theory_error=TheoryError(median=0.01, log_sigma=0.1, source="test")
    )
    (scale,) = found.parameters
    assert scale.at_bound
    assert scale.sigma is None
    assert scale.note


def test_a_model_known_to_be_incomplete_is_not_supported():
    models = rank({"a": [fit(log_evidence=9.0)], "b": [fit(p_value=1e-3)]})
    assert decide(models).verdict == "supported"
    verdict = decide(models, incomplete={"a": "it has no S"})
    assert verdict.verdict == "undecided"
    assert "it has no S" in verdict.reason
    assert decide(models, incomplete={"b": "it has no S"}).verdict == "supported"
    misfit = rank({"a": [fit(log_evidence=9.0, p_value=1e-4)], "b": [fit(p_value=1e-5)]})
    assert decide(misfit, incomplete={"a": "it has no S"}).verdict == "none fits"
