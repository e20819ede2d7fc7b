"""Evidence by place: it adds up to the whole, and a misfit shows where it is."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from shortrange.compare.regions import evidence_by_place, localised
from shortrange.fit.laplace import fit_term
from shortrange.fit.modes import exafs_modes, pdf_modes
from shortrange.fit.parameters import Parameter
from shortrange.fit.term import Term

K = np.arange(3.0, 12.51, 0.05)
MODES = exafs_modes(K, r_range=(1.2, 4.4))
SHAPE = np.sin(2 * K * 2.4)


def term(curve):
    m = MODES.shape[1]
    return Term(
        measurement="Ta L3",
        technique="xas",
        x=K,
        curve=curve,
        modes=MODES,
        noise=0.01 * np.eye(m),
        sampling=np.zeros((m, m)),
        model=lambda theta: theta[0] * SHAPE,
        parameters=(Parameter(name="S02", unit="1", value=0.9, lower=0.0, upper=2.0, prior=(0.9, 0.1)),),
    )


def test_functions_of_a_place_are_where_they_say():
    centres, rotation = localised(MODES, K)
    functions = MODES @ rotation
    np.testing.assert_allclose(functions.T @ functions, np.eye(centres.size), atol=1e-10)
    spread = np.sqrt(np.sum(functions**2 * (K[:, None] - centres) ** 2, axis=0))
    assert np.median(spread) < 1.2
    assert K[0] < centres[0] < centres[-1] < K[-1]


def test_conjugate_places_are_distances():
    centres, rotation = localised(MODES, K, conjugate=True)
    # What there is of one distance lies in the functions around it (frequency 2 R).
    weights = (MODES @ rotation).T @ (SHAPE * np.hanning(K.size))
    assert np.sum(weights**2 * centres) / np.sum(weights**2) / 2 == pytest.approx(2.4, abs=0.05)
    r = np.arange(2.0, 6.0, 0.02)
    q, turned = localised(pdf_modes(r, q_range=(1.0, 20.0)), r, conjugate=True)
    weights = (pdf_modes(r, q_range=(1.0, 20.0)) @ turned).T @ (np.sin(12.0 * r) * np.hanning(r.size))
    assert np.sum(weights**2 * q) / np.sum(weights**2) == pytest.approx(12.0, abs=0.3)


def test_places_add_up_to_the_evidence():
    given = term(0.95 * SHAPE + 0.05 * np.cos(2 * K * 3.1))
    fit = fit_term(given, given.noise)
    expected = multivariate_normal.logpdf(
        given.y,
        0.9 * MODES.T @ SHAPE,
        given.noise + 0.01 * np.outer(MODES.T @ SHAPE, MODES.T @ SHAPE),
    )
    for places in evidence_by_place(given, given.noise, fit):
        assert places.nats.sum() == pytest.approx(expected, abs=1e-4)
        assert places.nats.sum() == pytest.approx(fit.log_evidence, abs=1e-3)


@pytest.mark.parametrize(("axis", "where", "add"), [
    (0, 10.0, 0.5 * np.cos(2 * K * 2.0) * np.exp(-((K - 10.0) ** 2))),
    (1, 3.6, 0.3 * np.cos(2 * K * 3.6) * np.hanning(K.size)),
])  # fmt: skip
def test_a_misfit_costs_where_it_is(axis, where, add):
    good, bad = term(0.9 * SHAPE), term(0.9 * SHAPE + add)
    here = [evidence_by_place(t, t.noise, fit_term(t, t.noise))[axis] for t in (good, bad)]
    loss = here[0].nats - here[1].nats
    assert here[0].axis == ("k", "R")[axis]
    centre = np.sum(loss * here[0].centres) / loss.sum()
    assert centre == pytest.approx(where, abs=0.5)
