import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortrange import atoms, units
from shortrange.errors import DataError, did_you_mean
from shortrange.quantities import ChiK, ChiR, MuE, Scan, Trajectory, step


def test_a_message_says_what_where_and_what_to_do():
    error = DataError("mu is NaN", where="a.xdi, line 3", do="remove the row")
    assert str(error) == "mu is NaN\n  where: a.xdi, line 3\n  do:    remove the row"


def test_an_error_survives_the_way_to_another_process():
    error = pickle.loads(pickle.dumps(DataError("a", where="b", do="c")))
    assert (type(error), error.what, error.where, error.do) == (DataError, "a", "b", "c")


def test_a_near_name_is_proposed():
    assert did_you_mean("xdy", ["xdi", "spec"]) == "did you mean 'xdi'?"
    assert did_you_mean("zzz", ["xdi", "spec"]) == "choose from ['spec', 'xdi']"


@given(st.floats(0.0, 40.0), st.floats(100.0, 2e4))
def test_k_and_energy_are_inverse(k, e0):
    assert units.k_from_energy(units.energy_from_k(k, e0), e0) == pytest.approx(k, abs=1e-4)


def test_k_of_one_hartree():
    # 27.211386 eV is a wavenumber of sqrt(2) / bohr.
    assert units.k_from_energy(27.211386246, 0.0) == pytest.approx(np.sqrt(2.0) / 0.529177210903, rel=1e-7)


def test_bragg_angle_of_the_copper_edge():
    # Si(111), d = 3.1356 angstrom: 8979 eV lies at a Bragg angle of 12.72 degrees.
    assert units.bragg_energy(2 * 12.7204, 3.1356) == pytest.approx(8979.0, abs=1.0)


def test_q_of_the_backscattered_beam():
    assert units.q_from_two_theta(180.0, 0.5) == pytest.approx(4 * np.pi / 0.5)


def test_composition():
    assert atoms.parse_composition("NaTaCl\u2086") == {"Na": 1.0, "Ta": 1.0, "Cl": 6.0}
    assert atoms.parse_composition("NaTaCl5S0.5") == {"Na": 1.0, "Ta": 1.0, "Cl": 5.0, "S": 0.5}
    assert atoms.parse_composition("CH3CH2OH") == {"C": 2.0, "H": 6.0, "O": 1.0}


@pytest.mark.parametrize("formula", ["natacl6", "NATACL6", "NaTaCL6", "NaTacl6"])
def test_letters_of_the_wrong_case_are_respelled(formula):
    with pytest.raises(DataError) as caught:
        atoms.parse_composition(formula)
    assert caught.value.do == "did you mean 'NaTaCl6'?"


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("", "empty"),
        ("NaTa(Cl)", "cannot read"),
        ("Na0Cl", "amount of Na"),
        ("NaQx", "not a chemical element"),
        ("nacl", "cannot read 'nacl'"),
    ],
)
def test_a_composition_that_is_none(formula, message):
    with pytest.raises(DataError, match=message):
        atoms.parse_composition(formula)


def test_form_factors_at_q_zero_are_the_electrons():
    for symbol, z in [("Na", 11), ("S", 16), ("Cl", 17), ("Ta", 73)]:
        assert atoms.form_factor(symbol, 0.0) == pytest.approx(z, abs=0.05)


@pytest.mark.parametrize("symbol", ["Na", "S", "Cl", "Ta"])
def test_form_factor_equals_an_independent_table(symbol):
    # xraylib tabulates Hubbell and Overbo (1979), another calculation than Waasmaier and Kirfel: relativistic
    # for heavy atoms, hence 3.3 % apart for Ta at the largest s.
    import xraylib

    s = np.array([0.1, 0.3, 0.5, 1.0, 1.9])
    other = [xraylib.FF_Rayl(atoms.atomic_number(symbol), x) for x in s]
    np.testing.assert_allclose(atoms.form_factor(symbol, 4 * np.pi * s), other, rtol=0.04)


def test_compton_scattering_tends_to_the_number_of_electrons():
    assert atoms.compton("Cl", 0.0) == 0.0
    assert atoms.compton("Cl", 150.0) == pytest.approx(17.0, rel=0.02)


def test_edges():
    assert atoms.edge_energy("Ta", "L3") == pytest.approx(9881.0, abs=1.0)
    with pytest.raises(DataError, match="Ta has no edge 'L9'"):
        atoms.edge_energy("Ta", "L9")


def test_mean_form_factors_of_one_element_are_equal():
    first, second = atoms.mean_form_factors({"Ni": 4}, np.array([0.0, 5.0, 20.0]))
    np.testing.assert_allclose(first, second, rtol=1e-12)


def test_mean_form_factors_weigh_by_amount():
    mean, square = atoms.mean_form_factors({"Na": 1, "Cl": 3}, np.zeros(1))
    f = {s: float(atoms.form_factor(s, 0.0)) for s in ("Na", "Cl")}
    assert mean[0] == pytest.approx(((f["Na"] + 3 * f["Cl"]) / 4) ** 2)
    assert square[0] == pytest.approx((f["Na"] ** 2 + 3 * f["Cl"] ** 2) / 4)


def test_a_carrier_owns_its_arrays():
    energy = np.array([1.0, 2.0, 3.0])
    mu = MuE(energy=energy, mu=energy)
    energy[0] = 99.0
    assert mu.energy[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        mu.energy[0] = 0.0


def test_a_change_is_a_new_value_with_one_more_step():
    mu = MuE(energy=[1.0, 2.0], mu=[0.0, 1.0])
    moved = mu.after(step("shift", by=1.0), energy=mu.energy + 1.0)
    assert mu.history == ()
    assert moved.history[-1].settings == {"by": 1.0}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MuE(energy=[1.0, 2.0], mu=[1.0]), "mu has shape"),
        (lambda: MuE(energy=[[1.0, 2.0]], mu=[[1.0, 2.0]]), "2 dimensions"),
        (lambda: ChiK(k=[1.0, 2.0], chi=[1.0, 2.0], cov=np.eye(3)), "cov has shape"),
        (lambda: ChiR(r=[1.0, 2.0], chi=[1j, 2.0], cov=np.eye(2)), r"not \(4, 4\)"),
        (lambda: Scan(energy=[1.0, 2.0], columns={"i0": [1.0]}), "column 'i0' has 1 points"),
        (lambda: Trajectory(species=("Na",), positions=np.zeros((1, 2, 3))), "for 1 atoms"),
        (lambda: Trajectory(species=("Na",), positions=np.full((2, 1, 3), np.nan)), "frame 0"),
        (lambda: Trajectory(species=(), positions=np.zeros((1, 0, 3))), "no frame or no atom"),
        (
            lambda: Trajectory(species=("Na",), positions=np.zeros((1, 1, 3)), cells=np.zeros((1, 3, 3))),
            "no volume",
        ),
    ],
)
def test_a_carrier_refuses_what_does_not_fit(make, message):
    with pytest.raises(DataError, match=message):
        make()


def test_half_width_of_a_skewed_cell_is_that_of_its_faces():
    cell = np.array([[10.0, 0.0, 0.0], [5.0, 5.0, 0.0], [0.0, 0.0, 10.0]])
    skewed = Trajectory(species=("Na",), positions=np.zeros((1, 1, 3)), cells=cell[None])
    assert skewed.half_width == pytest.approx(2.5)
    assert skewed.number_density == pytest.approx(1 / 500)


def test_edges_are_those_of_xraydb():
    """They are read from its database without it."""
    import xraydb
    from ase.data import chemical_symbols

    from shortrange.atoms import element_edges

    for symbol in chemical_symbols[1:98]:
        theirs = {name: edge.energy for name, edge in xraydb.xray_edges(symbol).items()}
        assert element_edges(symbol) == theirs
