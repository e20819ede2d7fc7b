"""Functions of total scattering: formulas of Keen (2001) by hand, and round trips."""

from itertools import permutations
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortrange.errors import DataError
from shortrange.transform.conventions import QFunction, RFunction, convert_q, convert_r

RHO, B2 = 0.0662, 0.2758


def test_formulas_by_hand():
    """Keen (2001), eqs 10, 26, 28, 37 and 42, at r = 2 angstrom and g = 1.5."""
    r, g = np.array([2.0]), np.array([1.5])
    x = 4 * np.pi * 2.0 * RHO
    expected = {"G": 0.5 * x, "G_keen": 0.5 * B2, "D": 0.5 * B2 * x, "T": 1.5 * B2 * x, "RDF": 1.5 * x * 2.0}
    for name, value in expected.items():
        got = convert_r(r, g, source="g", target=name, number_density=RHO, mean_b_squared=B2)
        assert got == pytest.approx([value], rel=1e-14), name


@given(st.sampled_from(list(permutations(get_args(RFunction), 2))), st.floats(0.01, 0.2), st.floats(0.1, 5))
def test_there_and_back_in_r(names, density, b2):
    r = np.arange(0.1, 5, 0.1)
    y = np.sin(r) + 0.3
    settings = {"number_density": density, "mean_b_squared": b2}
    there = convert_r(r, y, source=names[0], target=names[1], **settings)
    np.testing.assert_allclose(
        convert_r(r, there, source=names[1], target=names[0], **settings), y, rtol=1e-9
    )


@given(st.sampled_from(list(permutations(get_args(QFunction), 2))), st.floats(0.1, 5))
def test_there_and_back_in_q(names, b2):
    q = np.arange(0.1, 5, 0.1)
    y = np.cos(q)
    there = convert_q(q, y, source=names[0], target=names[1], mean_b_squared=b2)
    back = convert_q(q, there, source=names[1], target=names[0], mean_b_squared=b2)
    np.testing.assert_allclose(back, y, rtol=1e-9, atol=1e-12)


def test_q_by_hand():
    q, s = np.array([2.0]), np.array([1.25])
    assert convert_q(q, s, source="S", target="F") == pytest.approx([0.5])
    assert convert_q(q, s, source="S", target="F_keen", mean_b_squared=B2) == pytest.approx([0.25 * B2])


def test_limits_of_a_glass(shared_data):
    """T(r) of vitreous SiO2 (ISIS) tends to 4 pi r rho0 <b>^2 with <b> = (4.149 + 2 x 5.803) / 3 fm."""
    table = np.loadtxt(shared_data / "pdf_gr/amorphous/SiO2_glass_ISIS_Tr.txt", skiprows=3)
    r, t = table[800:, 0], table[800:, 1]
    g = convert_r(r, t, source="T", target="g", number_density=RHO, mean_b_squared=0.2758)
    assert np.mean(g) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": "H"}, "unknown function 'H'"),
        ({"target": "t"}, "unknown function 't'"),
        ({"number_density": 0.0}, "number_density = 0"),
        ({"number_density": 66.0}, "number_density = 66"),
        ({"mean_b_squared": -1.0}, "mean_b_squared = -1"),
        ({"r": np.array([0.0, 1.0])}, "r = 0 does not determine"),
    ],
)
def test_bad_requests_in_r(change, message):
    settings = {"r": np.array([1.0, 2.0]), "values": np.ones(2), "source": "G", "target": "T"}
    settings |= {"number_density": RHO} | change
    with pytest.raises(DataError, match=message):
        convert_r(settings.pop("r"), settings.pop("values"), **settings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": "I"}, "unknown function 'I'"),
        ({"target": "s"}, "unknown function 's'"),
        ({"mean_b_squared": 0.0, "target": "F_keen"}, "mean_b_squared = 0"),
        ({"q": np.array([0.0, 1.0]), "source": "F"}, "Q = 0 does not determine"),
    ],
)
def test_bad_requests_in_q(change, message):
    settings = {"q": np.array([1.0, 2.0]), "values": np.ones(2), "source": "S", "target": "F"} | change
    with pytest.raises(DataError, match=message):
        convert_q(settings.pop("q"), settings.pop("values"), **settings)
