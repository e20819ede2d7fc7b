"""Laplace's evidence against nested sampling, on the comparisons that a verdict rests on."""

from pathlib import Path

import numpy as np
import pytest

from shortrange.config import read_project
from shortrange.fit.laplace import fit_term
from shortrange.fit.nested import nested_evidence
from shortrange.run import load_inputs
from shortrange.run.pipeline import reduce
from shortrange.run.scattering import compare_gr, simulate_pairs

EXAMPLE = Path(__file__).parents[2] / "examples" / "tacl5-na2s-bridge"


@pytest.fixture(scope="module")
def terms():
    """G(r) of the shipped simulated case against its models."""
    project = read_project(EXAMPLE / "project.toml")
    inputs = load_inputs(project)
    measurement = project.measurement[1]
    pairs = simulate_pairs(measurement, inputs.models, tell=lambda _: None)
    return compare_gr(measurement, reduce(measurement, project, inputs), pairs).terms


@pytest.mark.parametrize(
    ("model", "theory_error"),
    [("corner-sharing mu-S", 0.05), ("corner-sharing mu-S", 0.2), ("isolated TaCl6", 0.2)],
)
def test_laplace_agrees_within_one_nat(terms, model, theory_error):
    pytest.importorskip("dynesty", reason="dynesty is an extra")
    term = terms[model]
    covariance = term.known_covariance() + theory_error**2 * term.signal_power * np.eye(term.y.size)
    sampled, sigma = nested_evidence(term, covariance)
    assert sigma < 0.35
    assert fit_term(term, covariance).log_evidence == pytest.approx(sampled, abs=1.0)
