"""Motifs against G(r) made from motifs and unknown surroundings: kind, structure and shares are found."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from shortrange.compare.evidence import judge
from shortrange.compare.mixture import Component, judge_mixture
from shortrange.compare.theory_error import TheoryError
from shortrange.errors import DataError
from shortrange.fit.laplace import fit_term
from shortrange.fit.mixture import mix_terms
from shortrange.fit.motif_gr_term import MOTIF_GR_WIDTHS, motif_gr_term
from shortrange.numeric.bands import noise_in_band, pdf_band
from shortrange.quantities import GR
from shortrange.simulate.motifs import motif_hypothesis
from shortrange.simulate.motifs.scattering import PAIR_KINDS, MotifGr
from shortrange.simulate.motifs.surroundings import typical_surroundings

R = np.arange(1.9, 5.001, 0.02)
Q_RANGE, DENSITY, NOISE = (0.8, 20.0), 0.0335, 0.02
SAMPLE = {"Na": 1.0, "Ta": 1.0, "Cl": 5.0, "S": 0.5}
AROUND = typical_surroundings()
WIDTHS = dict(zip(PAIR_KINDS, (0.011, 0.02, 0.055, 0.25), strict=True))
DRAWS = 12
SMALL = TheoryError(median=0.02, log_sigma=0.3, source="test")


def model_of(kind, **chosen):
    return MotifGr(motif_hypothesis(kind, **chosen), r=R, q_range=Q_RANGE, composition=SAMPLE)


EDGE, ALONE = model_of("edge", bridge="S2"), model_of("octahedron")
TRUE_EDGE = {"angle": 93.0, "terminal_Cl": 2.35, "bridging_S": 2.43}


def around_units():
    return AROUND.expected(R, q_range=Q_RANGE, number_density=DENSITY)


def curve_of(model, **structure):
    return model(structure, sigma2=WIDTHS, c3_bond=0.0006)


def measured(curve, seed, noise=NOISE):
    """Add surroundings as the prior has them, and noise of F(Q)."""
    rng = np.random.default_rng(seed)
    sigma = np.full(R.size, noise)
    unknown = AROUND.covariance(R, number_density=DENSITY)
    errors = noise_in_band(sigma, pdf_band(R, q_range=Q_RANGE))
    g = curve + around_units()
    for covariance in (unknown, errors):
        g = g + np.linalg.cholesky(covariance + 1e-9 * np.eye(R.size)) @ rng.normal(size=R.size)
    return GR(r=R, g=g, sigma=sigma)


def state(model, data, **changed):
    chosen = {"surroundings": AROUND, "number_density": DENSITY, "measurement": "PDF", "q_range": Q_RANGE}
    return motif_gr_term(data, model, **(chosen | changed))


def test_slopes_are_the_derivatives_of_the_curve():
    term = state(EDGE, measured(curve_of(EDGE, **TRUE_EDGE), 1))
    theta = np.array([p.value for p in term.parameters])
    slopes = term.slopes(theta)
    for i, p in enumerate(term.parameters):
        step = 1e-4 * p.prior[1] * np.eye(theta.size)[i]
        numeric = (term.model(theta + step) - term.model(theta - step)) / (2 * step[i])
        assert np.abs(slopes[:, i] - numeric).max() < 1e-3 * np.abs(numeric).max() + 1e-9, p.name


def test_parts_and_surroundings_add_up():
    term = state(EDGE, measured(curve_of(EDGE, **TRUE_EDGE), 1))
    theta = np.array([p.value for p in term.parameters])
    parts = term.contributions(theta)
    assert "between units" in parts
    assert sum(parts.values()) == pytest.approx(term.model(theta), abs=1e-12)


def fitted(data, start, **changed):
    term = replace(state(EDGE, data), **changed)
    return term, fit_term(term, term.known_covariance(), start=start)


def test_errors_hold_the_truth_only_if_the_surroundings_are_unknown():
    """Truths drawn from the priors: misfits as large as stated, parameters within their errors."""
    off, misfits, without = [], [], []
    rng = np.random.default_rng(11)
    parameters = state(EDGE, measured(0.0 * R, 1)).parameters
    means, sigmas = np.array([p.prior for p in parameters]).T
    curve = state(EDGE, measured(0.0 * R, 1)).model
    for seed in range(DRAWS):
        # Within 1.5 standard deviations, where none of them meets a limit.
        truth = means + sigmas * np.clip(rng.normal(size=means.size), -1.5, 1.5)
        # As noisy as a theory error of 0.05 would be: with less, widths and lengths are no longer linear.
        data = measured(curve(truth) - truth[3] * around_units(), seed, noise=0.07)
        term, fit = fitted(data, truth)
        off += list(((fit.theta - truth) / np.sqrt(np.diag(fit.covariance)))[~fit.at_bound])
        misfits.append(fit.chi2)
        without.append(fitted(data, truth, left_out=None)[1].chi2 / term.modes.shape[1])
    assert np.mean(np.abs(off) < 1) == pytest.approx(0.70, abs=0.15)
    assert np.mean(np.abs(off) < 2) > 0.9
    points = term.modes.shape[1]
    # With priors beside the data the squares of a right model sum to less than the number of points.
    assert chi2.ppf(0.001, DRAWS * (points - len(parameters))) < np.sum(misfits)
    assert np.sum(misfits) < chi2.ppf(0.999, DRAWS * points)
    assert np.median(without) > 3.0


@pytest.mark.parametrize(("truth", "structure", "sure"), [
    (EDGE, TRUE_EDGE, 3.0),
    (ALONE, {"terminal_Cl": 2.36}, 3.0),
])  # fmt: skip
def test_the_right_kind_has_the_higher_evidence(truth, structure, sure):
    data = measured(curve_of(truth, **structure), 3)
    logs = {m: judge(state(m, data), theory_error=SMALL).log_evidence for m in (EDGE, ALONE)}
    other = ALONE if truth is EDGE else EDGE
    assert logs[truth] > logs[other] + sure


def side_by_side(seed):
    curve = 0.6 * curve_of(EDGE, **TRUE_EDGE) + 0.4 * curve_of(ALONE, terminal_Cl=2.35)
    data = measured(curve, seed)
    return {"edge": state(EDGE, data), "alone": state(ALONE, data)}


def test_units_side_by_side_share_what_is_left_out():
    terms = side_by_side(8)
    mixed = mix_terms(terms, (0.6, 0.4))
    assert mixed.left_out is terms["edge"].left_out
    assert mixed.known_covariance() == pytest.approx(terms["edge"].known_covariance())
    # The mean of the surroundings counts once.
    theta = np.array([p.value for p in mixed.parameters])
    assert mixed.contributions(theta)["between units"] == pytest.approx(around_units())


def test_shares_are_within_their_errors():
    off = []
    for seed in range(1, 4):
        component = Component(
            terms=side_by_side(seed), strengths={"edge": 1.0, "alone": 1.0}, theory_error=SMALL
        )
        share = judge_mixture([component], ("edge", "alone")).shares[0]
        off.append((share.value - 0.6) / share.sigma)
        assert share.sigma < 0.25
    assert np.sum(np.square(off)) < chi2.ppf(0.99, len(off))


def test_too_few_points_and_too_far():
    data = measured(curve_of(ALONE, terminal_Cl=2.35), 1)
    near = MotifGr(motif_hypothesis("edge", bridge="SCl"), r=R[:30], q_range=Q_RANGE, composition=SAMPLE)
    with pytest.raises(DataError, match="any model would fit"):
        state(near, data)
    r = np.arange(1.9, 5.6, 0.02)
    far = MotifGr(motif_hypothesis("octahedron"), r=r, q_range=Q_RANGE, composition=SAMPLE)
    with pytest.raises(DataError, match="end r_range at 5"):
        state(far, GR(r=r, g=np.zeros(r.size), sigma=np.full(r.size, NOISE)))


def test_widths_have_priors_inside_their_limits():
    for p in MOTIF_GR_WIDTHS:
        assert p.lower <= p.prior[0] <= p.upper
