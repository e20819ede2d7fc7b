"""What xraylarch computes for us: closed forms, measured pairs, and its silent failures as errors."""

import numpy as np
import pytest
from xas_samples import E0, mu_scan

from shortrange.errors import DataError
from shortrange.load import load_scans
from shortrange.reduce.by_xraylarch import correct_over_absorption, mback
from shortrange.reduce.mu import to_mu
from shortrange.reduce.normalise import normalise


@pytest.mark.parametrize(("name", "edge"), [("W_L3/W_metal_rt_01.xdi", "L3"), ("other/cu_metal_rt.xdi", "K")])
def test_mback_of_foils_gives_tabulated_f2(shared_data, name, edge):
    import xraydb

    (scan,) = load_scans(shared_data / "xas_xdi" / name)
    mu = to_mu(scan)
    found = mback(mu, element=scan.element, edge=edge)
    e0 = xraydb.xray_edge(scan.element, edge).energy
    far = (mu.energy < e0 - 60) | (mu.energy > e0 + 200)
    table = xraydb.f2_chantler(scan.element, mu.energy)
    assert np.sqrt(np.mean((found.mu - table)[far] ** 2)) < 0.03 * table.max()


def test_mback_that_takes_half_of_the_edge_is_refused():
    with pytest.raises(DataError, match="match to f'' failed"):
        mback(mu_scan(noise=1e-4), element="Ta", edge="L3")


def test_mback_of_the_wrong_element():
    with pytest.raises(DataError, match="does not lie well inside"):
        mback(mu_scan(), element="Cl", edge="K")


def over_absorbed(norm, alpha):
    """What fluorescence of a thick sample shows of the true spectrum."""
    return norm * (alpha + 1) / (alpha + norm)


def test_over_absorption_in_closed_form():
    """Correction undoes norm (a + 1) / (a + norm), a from tabulated cross sections."""
    import xraydb

    data = normalise(mu_scan(noise=1e-4), near=E0)
    formula = "TaCl5"
    at = [xraydb.xray_line("Ta", "La").energy, xraydb.xray_edge("Ta", "L3").energy - 10]
    at.append(xraydb.xray_edge("Ta", "L3").energy + 10)
    fluorescence, below, above = xraydb.material_mu(formula, np.array(at), density=1)
    alpha = (fluorescence + below) / (above - below)
    from dataclasses import replace

    seen = over_absorbed(data.norm, alpha)
    measured = replace(data, norm=seen, sigma=np.full(seen.size, 1e-3))
    found = correct_over_absorption(measured, formula=formula, element="Ta", edge="L3", line="La")
    np.testing.assert_allclose(found.norm, data.norm, atol=0.02)
    white = np.argmax(data.norm)
    assert found.sigma[white] > 1.2 * measured.sigma[white]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"formula": "NaCl"}, "holds no Ta"),
        ({"angles": (0.0, 45.0)}, "angles"),
        ({"line": "Qx"}, "xraylarch failed"),
    ],
)
def test_refusals(settings, words):
    data = normalise(mu_scan(noise=1e-4), near=E0)
    with pytest.raises(DataError, match=words):
        correct_over_absorption(
            data, **{"formula": "TaCl5", "element": "Ta", "edge": "L3", "line": "La", **settings}
        )
