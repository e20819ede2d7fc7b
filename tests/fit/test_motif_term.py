"""Motifs against chi(k) made from motifs: structure and kind are found as far as EXAFS can tell them."""

import numpy as np
import pytest

from shortrange.fit.laplace import fit_term
from shortrange.fit.mixture import mix_terms
from shortrange.fit.motif_term import find_angles, motif_term
from shortrange.quantities import ChiK
from shortrange.simulate.exafs.motif import MotifExafs
from shortrange.simulate.motifs import motif_hypothesis

K = np.arange(0.0, 15.01, 0.05)
NOISE = 0.0005
WIDTHS = {"sigma2_bond": 0.005, "sigma2_metal": 0.008, "sigma2_far": 0.015}


@pytest.fixture(scope="module")
def models():
    unit = motif_hypothesis("edge", bridge="S2", angle=(97.0, 4.0))
    edge = MotifExafs(unit, absorber="Ta", edge="L3", r_max=4.5)
    alone = MotifExafs(
        motif_hypothesis("octahedron"), absorber="Ta", edge="L3", r_max=4.5, potentials=edge.potentials
    )
    return {"edge": edge, "alone": alone}


def measured(model, **structure):
    chi = model(K, structure, s02=0.92, delta_e0=2.0, **WIDTHS)
    noise = NOISE * np.random.default_rng(4).normal(size=K.size)
    return ChiK(k=K, chi=chi + noise, sigma=np.full(K.size, NOISE))


def state(model, data):
    return motif_term(data, model, measurement="Ta L3", k_range=(3.0, 13.0), r_range=(1.2, 3.6))


def fitted(term, theory_error):
    """Fit at one size of the theory error."""
    size = theory_error**2 * term.signal_power
    return fit_term(term, term.known_covariance() + size * np.eye(term.modes.shape[1]))


def test_the_structure_is_found(models):
    truth = {"angle": 98.0, "terminal_Cl": 2.34, "bridging_S": 2.45}
    data = measured(models["edge"], **truth)
    term, maxima = find_angles(state(models["edge"], data), theory_error=0.01)
    fit = fitted(term, 0.01)
    assert any(abs(m.angle - 98.0) < 4 * m.sigma for m in maxima)
    names = [p.name for p in term.parameters]
    sigma = np.sqrt(np.diag(fit.covariance))
    for name, value in truth.items():
        i = names.index(name)
        assert abs(fit.theta[i] - value) < 4 * sigma[i], name
    assert fit.theta[names.index("terminal_Cl")] == pytest.approx(2.34, abs=0.015)


def test_how_far_a_metal_is_off_the_centre_is_found(models):
    """Bonds that differ by 0.2 angstrom beat; a width alone damps, and does not meet them."""
    model = MotifExafs(
        motif_hypothesis("octahedron", distortion=(0.1, 0.1)), absorber="Ta", edge="L3", r_max=4.5,
        potentials=models["alone"].potentials,
    )  # fmt: skip
    data = measured(model, terminal_Cl=2.36, distortion=0.17)
    term = state(model, data)
    fit = fitted(term, 0.01)
    at = [p.name for p in term.parameters].index("distortion")
    assert fit.theta[at] == pytest.approx(0.17, abs=4 * np.sqrt(fit.covariance[at, at]))
    assert np.sqrt(fit.covariance[at, at]) < 0.03
    assert fit.log_evidence > fitted(state(models["alone"], data), 0.01).log_evidence + 5.0
    theta, step = fit.theta, 0.03 * 0.1 * np.eye(fit.theta.size)[at]
    numeric = (term.model(theta + step) - term.model(theta - step)) / (2 * step[at])
    assert np.abs(term.slopes(theta)[:, at] - numeric).max() < 0.02 * np.abs(numeric).max()


def test_slopes_are_the_derivatives_of_the_curve(models):
    term = state(models["edge"], measured(models["edge"], angle=97.0, terminal_Cl=2.32, bridging_S=2.46))
    theta = np.array([p.value for p in term.parameters])
    slopes = term.slopes(theta)
    assert slopes.shape == (term.x.size, theta.size)
    for i, p in enumerate(term.parameters):
        step = 0.03 * p.prior[1] * np.eye(theta.size)[i]
        numeric = (term.model(theta + step) - term.model(theta - step)) / (2 * step[i])
        assert np.abs(slopes[:, i] - numeric).max() < 0.02 * np.abs(numeric).max() + 1e-9, p.name


@pytest.mark.parametrize(("truth", "structure"), [
    ("edge", {"angle": 96.0, "terminal_Cl": 2.34, "bridging_S": 2.45}),
    ("alone", {"terminal_Cl": 2.34}),
])  # fmt: skip
def test_the_right_kind_has_the_higher_evidence(models, truth, structure):
    data = measured(models[truth], **structure)
    evidence = {}
    for name, model in models.items():
        term, maxima = find_angles(state(model, data), theory_error=0.06)
        evidence[name] = maxima[0].log_evidence if maxima else fitted(term, 0.06).log_evidence
    assert max(evidence, key=evidence.get) == truth


def test_units_side_by_side_have_amplitude_and_bonds_in_common(models):
    structure = {"terminal_Cl": 2.33}
    curves = [
        models["edge"](K, {"angle": 97.0, "bridging_S": 2.45, **structure}, s02=0.92, delta_e0=2.0, **WIDTHS),
        models["alone"](K, structure, s02=0.92, delta_e0=2.0, **WIDTHS),
    ]
    chi = 0.65 * curves[0] + 0.35 * curves[1] + NOISE * np.random.default_rng(5).normal(size=K.size)
    data = ChiK(k=K, chi=chi, sigma=np.full(K.size, NOISE))
    terms = {name: find_angles(state(model, data), theory_error=0.02)[0] for name, model in models.items()}
    evidence = []
    for share in (0.3, 0.65, 1.0):
        mixed = mix_terms(terms, (share, 1.0 - share))
        fit = fitted(mixed, 0.02)
        evidence.append(fit.log_evidence)
        if share == 0.65:
            found = dict(zip((p.name for p in mixed.parameters), fit.theta, strict=True))
            theta, slopes = fit.theta, mixed.slopes(fit.theta)
            at = [p.name for p in mixed.parameters].index("terminal_Cl")
            step = 0.03 * mixed.parameters[at].prior[1] * np.eye(theta.size)[at]
            numeric = (mixed.model(theta + step) - mixed.model(theta - step)) / (2 * step[at])
            assert np.abs(slopes[:, at] - numeric).max() < 0.02 * np.abs(numeric).max()
    assert np.argmax(evidence) == 1
    # Of each only one: what is stated alike is the same for both units.
    assert {"S02", "terminal_Cl", "sigma2_bond"} < set(found)
    assert found["terminal_Cl"] == pytest.approx(2.33, abs=0.015)
