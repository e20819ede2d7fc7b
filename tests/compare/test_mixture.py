"""Mixtures of hypotheses: weights in closed form, shares found again, and what a verdict makes of them."""

from dataclasses import replace

import numpy as np
import pytest

from shortrange.compare.evidence import judge
from shortrange.compare.mixture import SHARE_THEORY, Component, MixtureFit, judge_mixture, mixture_weights
from shortrange.compare.rank import decide, rank
from shortrange.compare.theory_error import TheoryError
from shortrange.compare.verdict import FittedParameter, MeasurementFit
from shortrange.errors import DataError
from shortrange.fit.mixture import mix_terms
from shortrange.fit.parameters import Parameter
from shortrange.fit.term import Term

X = np.linspace(0.0, 3.0, 20)
SMALL = TheoryError(median=0.02, log_sigma=0.3, source="test")
SCALE = Parameter(name="scale", unit="1", value=1.0, lower=0.5, upper=1.5, prior=(1.0, 0.02))


def term(curve, shape, *, technique="xas", parameters=(SCALE,)):
    return Term(
        measurement=technique,
        technique=technique,
        x=X,
        curve=curve,
        modes=np.eye(X.size),
        noise=0.02**2 * np.eye(X.size),
        sampling=1e-4 * np.eye(X.size),
        model=lambda theta: theta[0] * shape,
        parameters=parameters,
        contributions=lambda theta: {"all": theta[0] * shape},
    )


FIRST, SECOND = np.sin(X), np.cos(2 * X)


def component(share, rng, *, technique="xas", strengths=(1.0, 1.0)):
    w = mixture_weights(technique, np.array([share, 1 - share]), np.array(strengths))
    curve = w[0] * FIRST + w[1] * SECOND + 0.02 * rng.normal(size=X.size)
    return Component(
        terms={
            "a": term(curve, FIRST, technique=technique),
            "b": term(curve, SECOND, technique=technique),
        },
        strengths=dict(zip("ab", strengths, strict=True)),
        theory_error=SMALL,
    )


def test_absorption_is_an_average_over_absorbers():
    # Half the atoms in each: one in 8 absorbs in the first, one in 4 in the second.
    np.testing.assert_allclose(
        mixture_weights("xas", np.array([0.5, 0.5]), np.array([1 / 8, 1 / 4])), [1 / 3, 2 / 3]
    )


def test_scattering_goes_with_the_square_of_the_amplitude_over_the_mean_squared():
    # 0.5 * 10^2 / 15^2 and 0.5 * 20^2 / 15^2: they add up to more than 1, as <f^2> exceeds <f>^2.
    np.testing.assert_allclose(
        mixture_weights("total-scattering", np.array([0.5, 0.5]), np.array([10.0, 20.0])), [2 / 9, 8 / 9]
    )


def test_shares_are_found_by_all_measurements_together():
    rng = np.random.default_rng(11)
    both = [
        component(0.3, rng),
        component(0.3, rng, technique="total-scattering", strengths=(20.0, 24.0)),
    ]
    found = judge_mixture(both, ("a", "b"))
    alone = judge_mixture(both[:1], ("a", "b"))
    share, other = found.shares
    assert (share.name, other.name) == ("a", "b")
    assert share.value + other.value == pytest.approx(1.0)
    assert abs(share.value - 0.3) < 3 * share.sigma
    assert SHARE_THEORY < share.sigma < alone.shares[0].sigma


def test_shares_are_right_as_often_as_their_errors_say():
    rng = np.random.default_rng(12)
    inside = []
    for _ in range(16):
        truth = rng.uniform(0.2, 0.8)
        share = judge_mixture([component(truth, rng)], ("a", "b")).shares[0]
        # Nothing is wrong with these models: the statistical part alone must be right.
        inside.append(abs(share.value - truth) < np.sqrt(share.sigma**2 - SHARE_THEORY**2))
    assert 0.3 < np.mean(inside) < 0.98


def test_evidence_is_the_mean_over_shares():
    rng = np.random.default_rng(13)
    one = component(0.6, rng)
    weights = [mixture_weights("xas", np.array([x, 1 - x]), np.ones(2)) for x in np.linspace(0, 1, 101)]
    each = [judge(mix_terms(one.terms, list(w)), theory_error=SMALL).log_evidence for w in weights]
    expected = np.log(np.trapezoid(np.exp(each), np.linspace(0, 1, 101)))
    assert judge_mixture([one], ("a", "b")).log_evidence == pytest.approx(expected, abs=0.1)


def test_a_measurement_that_counts_in_part_widens_the_share():
    """The posterior of the share is the product of the evidences as they are counted, Z(x)^0.6 here."""
    rng = np.random.default_rng(14)
    one = component(0.6, rng)
    other = component(0.6, rng, technique="total-scattering", strengths=(20.0, 24.0))
    in_part = replace(one, theory_error=replace(SMALL, independent=0.6))
    x = np.linspace(0, 1, 201)
    weights = {
        c: [mixture_weights(t, np.array([s, 1 - s]), np.array(list(c.strengths.values()))) for s in x]
        for c, t in ((one, "xas"), (other, "total-scattering"))
    }
    plain = [
        [judge(mix_terms(c.terms, list(w)), theory_error=SMALL).log_evidence for w in each]
        for c, each in weights.items()
    ]
    logs = 0.6 * np.array(plain[0]) + np.array(plain[1])
    posterior = np.exp(logs - logs.max()) / np.exp(logs - logs.max()).sum()
    mean = posterior @ x
    found = judge_mixture([in_part, other], ("a", "b"))
    sigma = np.sqrt(found.shares[0].sigma ** 2 - SHARE_THEORY**2)
    assert found.shares[0].value == pytest.approx(mean, abs=1e-3)
    assert sigma == pytest.approx(np.sqrt(posterior @ (x - mean) ** 2), rel=0.02)
    assert found.log_evidence == pytest.approx(np.log(np.trapezoid(np.exp(logs), x)), abs=0.02)
    alone = np.log(np.trapezoid(np.exp(0.6 * np.array(plain[0])), x))
    assert found.fits[0].log_evidence == pytest.approx(alone, abs=0.02)
    full = judge_mixture([one, other], ("a", "b"))
    assert sigma > 1.05 * np.sqrt(full.shares[0].sigma ** 2 - SHARE_THEORY**2)


def test_parameters_stated_alike_are_shared_and_others_are_not():
    wide = Parameter(name="scale", unit="1", value=1.0, lower=0.2, upper=1.5, prior=(1.0, 0.5))
    same = mix_terms({"a": term(FIRST, FIRST), "b": term(FIRST, SECOND)}, (0.5, 0.5))
    apart = mix_terms({"a": term(FIRST, FIRST), "b": term(FIRST, SECOND, parameters=(wide,))}, (0.5, 0.5))
    assert [p.name for p in same.parameters] == ["scale"]
    assert [p.name for p in apart.parameters] == ["scale (a)", "scale (b)"]
    np.testing.assert_allclose(apart.model(np.array([1.0, 2.0])), 0.5 * FIRST + SECOND)
    np.testing.assert_allclose(apart.contributions(np.array([1.0, 2.0]))["all"], 0.5 * FIRST + SECOND)
    np.testing.assert_allclose(same.sampling, 0.5e-4 * np.eye(X.size))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mix_terms({"a": term(FIRST, FIRST)}, (0.5, 0.5)), "2 weights for 1 models"),
        (
            lambda: mix_terms({"a": term(FIRST, FIRST), "b": term(SECOND, FIRST)}, (0.5, 0.5)),
            "different data",
        ),
    ],
)
def test_impossible_mixtures_are_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()


def fit(log_evidence=0.0, p_value=0.5):
    return MeasurementFit(
        measurement="PDF", technique="total-scattering", x=X, data=X, sigma=None, model=X, theory_sigma=None,
        fit_range=(0.0, 1.0), R=0.1, chi2_reduced=1.0, p_value=p_value, log_evidence=log_evidence,
    )  # fmt: skip


def mixture(log_evidence, share, *, p_value=0.5, other="b"):
    shares = tuple(
        FittedParameter(name=n, unit="1", value=v, sigma=0.05, prior=None, bounds=(0.0, 1.0))
        for n, v in (("a", share), (other, 1 - share))
    )
    return MixtureFit(log_evidence=log_evidence, shares=shares, fits=(fit(log_evidence, p_value),))


PURE = {"a": [fit(0.0)], "b": [fit(-30.0, 1e-4)], "c": [fit(-40.0, 1e-4)]}


def test_a_mixture_that_is_mainly_the_best_is_no_rival_of_it():
    verdict = decide(rank(PURE, mixtures={"a and b": mixture(-1.0, 0.9)}))
    assert (verdict.verdict, verdict.best) == ("supported", "a")


def test_the_simpler_model_leads_where_its_mixture_is_not_clearly_better():
    verdict = decide(rank(PURE, mixtures={"a and b": mixture(1.0, 0.9)}))
    assert (verdict.verdict, verdict.best) == ("supported", "a")
    assert verdict.models[0].name == "a and b"


def test_a_mixture_that_is_clearly_better_is_supported():
    verdict = decide(rank(PURE, mixtures={"a and b": mixture(8.0, 0.6)}))
    assert (verdict.verdict, verdict.best) == ("supported", "a and b")


def test_a_mixture_nobody_offered_leaves_the_question_open():
    # 20:1 at prior odds of 1:2 is 3.7 nats.
    assert decide(rank(PURE), admixtures={"b": mixture(3.6, 0.8)}).verdict == "supported"
    assert decide(rank(PURE), admixtures={"b": mixture(3.8, 0.8)}).verdict == "undecided"
    verdict = decide(rank(PURE), admixtures={"b": mixture(12.0, 0.6)})
    assert verdict.verdict == "undecided"
    assert "0.40(5) of the atoms" in verdict.reason
    assert "[[mixture]]" in verdict.reason


def test_support_says_how_much_of_another_model_it_does_not_exclude():
    verdict = decide(rank(PURE), admixtures={"b": mixture(-1.0, 0.95), "c": mixture(1.0, 0.8, other="c")})
    # The larger of 0.05 + 1.645 x 0.05 and 0.20 + 1.645 x 0.05.
    assert verdict.verdict == "supported"
    assert "beside it, up to 28% of the atoms as 'c' are not excluded" in verdict.reason
    assert "excluded" not in decide(rank(PURE)).reason


def test_a_mixture_may_explain_what_no_model_fits():
    none = {"a": [fit(0.0, 1e-5)], "b": [fit(-3.0, 1e-5)]}
    verdict = decide(rank(none), admixtures={"b": mixture(12.0, 0.6)})
    assert (verdict.verdict, verdict.best) == ("none fits", None)
    assert "but a mixture of it with 'b'" in verdict.reason
