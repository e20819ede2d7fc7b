"""Crystals whose sites move, and particles of finite form."""

from dataclasses import replace

import numpy as np
import pytest

from derivatives import assert_derivatives, slope
from shortrange.crystal import Crystal
from shortrange.errors import DataError, SimulationError
from shortrange.simulate.crystal_gr import crystal_pdf
from shortrange.simulate.shapes import SHAPES, characteristic

R = np.arange(2.5, 5.0, 0.05)
# P 2_1/c and a mirror plane z -> 1/2 - z of P m m m, with sites on and off symmetry elements.
P21C = [
    np.column_stack([np.diag(d), t])
    for d, t in (
        ((1, 1, 1), (0, 0, 0)), ((-1, 1, -1), (0, 0.5, 0.5)), ((-1, -1, -1), (0, 0, 0)),
        ((1, -1, 1), (0, 0.5, 0.5)),
    )
]  # fmt: skip


def salt() -> Crystal:
    """Monoclinic: Na on an inversion centre, Cl anywhere, K and Rb sharing a place."""
    sites = {
        "Na1": ("Na", (0.0, 0.0, 0.0), 1.0), "Cl1": ("Cl", (0.21, 0.14, 0.37), 1.0),
        "K1": ("K", (0.63, 0.31, 0.18), 0.6), "Rb1": ("Rb", (0.63, 0.31, 0.18), 0.4),
    }  # fmt: skip
    species, labels, positions, occupancies = [], [], [], []
    for label, (element, xyz, filled) in sites.items():
        seen: list[np.ndarray] = []
        for op in P21C:
            image = (op[:, :3] @ xyz + op[:, 3]) % 1.0
            if not any(np.allclose(image, other) for other in seen):
                seen.append(image)
        species += [element] * len(seen)
        labels += [label] * len(seen)
        positions += seen
        occupancies += [filled] * len(seen)
    return Crystal(
        lattice=(6.1, 5.2, 7.3, 90, 97, 90), species=species, labels=labels, positions=positions,
        occupancies=occupancies, u_iso=np.full(len(species), 0.012), system="monoclinic", operations=P21C,
        space_group="P2(1)/c",
    )  # fmt: skip


def prepare(crystal: Crystal, **settings):
    phase = crystal_pdf(crystal, r_max=float(R[-1]), **settings)
    return phase, phase.on(R, phase.tables(R, q_max=22.0))


def somewhere(phase) -> np.ndarray:
    """Parameters away from all special values."""
    values = phase.start.copy()
    away = {"delta1": 0.1, "delta2": 0.5, "q_broad": 0.02, "diameter": 25.0, "q_damp": 0.04}
    for name, value in away.items():
        values[phase.names.index(name)] = value
    for k, name in enumerate(phase.names):
        if name[:4] in ("u12_", "u13_", "u23_"):
            values[k] += 0.001
        if name.startswith("occ_"):
            values[k] *= 0.9
        if name[:2] in ("x_", "y_", "z_"):
            values[k] += 0.004
    return values


def test_symmetry_leaves_the_known_parameters():
    phase, _ = prepare(salt(), sites=True, anisotropic=True)
    own = phase.names[slice(*phase.split)]
    # Na on the inversion centre has no free coordinate; K and Rb share theirs but not their displacements.
    assert [n for n in own if n[:2] in ("x_", "y_", "z_")] == [
        "x_Cl1", "y_Cl1", "z_Cl1", "x_K1", "y_K1", "z_K1",
    ]  # fmt: skip
    assert sum(n.startswith("u") for n in own) == 4 * 6
    assert {n for n in own if n.startswith("occ")} == {"occ_Na1", "occ_Cl1", "occ_K1", "occ_Rb1"}


def test_merged_shells_are_the_pairs_they_came_from():
    # Of a cubic crystal with three kinds of atoms, some sharing a place: many equal distances of many kinds.
    places = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    mixed = Crystal(
        lattice=(5.6, 5.6, 5.6, 90, 90, 90), species=("Na",) * 4 + ("K",) * 4 + ("Cl",) * 4, system="cubic",
        positions=np.vstack([places, places, places + 0.5]), u_iso=np.full(12, 0.01),
        occupancies=[0.7] * 4 + [0.3] * 4 + [1.0] * 4,
    )  # fmt: skip
    r = np.arange(10.0, 16.0, 0.05)
    curves = []
    for sites in (False, True):
        phase = crystal_pdf(mixed, r_max=float(r[-1]), sites=sites)
        curves.append(phase.curve(phase.start, r, q_max=22.0))
    assert np.abs(curves[0] - curves[1]).max() < 1e-6 * np.abs(curves[1]).max()


@pytest.mark.parametrize("anisotropic", [False, True])
def test_free_sites_begin_as_the_fixed_ones(anisotropic):
    fixed, window = prepare(salt())
    free, moving = prepare(salt(), sites=True, anisotropic=anisotropic)
    expected = window(fixed.start)[0]
    assert np.allclose(moving(free.start)[0], expected, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("anisotropic", [False, True])
@pytest.mark.parametrize("peaks", ["debye", "pdffit"])
def test_every_derivative_agrees_with_differences(anisotropic, peaks):
    phase, window = prepare(salt(), sites=True, anisotropic=anisotropic, peaks=peaks)
    values = somewhere(phase)
    assert_derivatives(window, values, phase.names)


@pytest.mark.parametrize("peaks", ["debye", "pdffit"])
def test_shells_summed_by_moments_are_those_summed_one_by_one(monkeypatch, peaks):
    r = np.arange(9.0, 14.0, 0.06)
    phase = crystal_pdf(salt(), r_max=float(r[-1]), peaks=peaks)
    tables, values = phase.tables(r, q_max=22.0), somewhere(phase)
    expected, slopes = phase.on(r, tables)(values)
    monkeypatch.setattr("shortrange.simulate.crystal_window.MANY", 0)
    window = phase.on(r, tables)
    assert window.rows.single < 0.2 * window.rows.kind.size
    g, jacobian = window(values)
    assert np.abs(g - expected).max() < 1e-7 * np.abs(expected).max()
    for k, name in enumerate(phase.names):
        scale = np.abs(slopes[:, k]).max()
        # delta1 and delta2 do little at these distances.
        assert np.abs(jacobian[:, k] - slopes[:, k]).max() < 2e-5 * scale, name
        assert np.abs(slope(window, values, k) - jacobian[:, k]).max() < 1e-6 * scale, name


def test_a_moved_crystal_is_the_one_that_has_those_sites():
    phase, window = prepare(salt(), sites=True)
    values = somewhere(phase)
    other, fresh = prepare(phase.crystal_at(values), sites=True)
    again = other.start.copy()
    again[-5:] = values[-5:]
    expected = fresh(again)[0]
    assert np.allclose(window(values)[0], expected, atol=1e-9 * np.abs(expected).max())


def test_a_tensor_along_a_bond_is_the_width_of_its_peak():
    # Two atoms along z with U33 = 0.02, U11 = U22 = 0.003: in P1 their peak at 2.5 has the variance 0.04.
    pair = Crystal(
        lattice=(20, 20, 20, 90, 90, 90), species=("Ni", "Ni"), positions=[[0, 0, 0], [0, 0, 0.125]],
        occupancies=[1, 1], u_iso=[0.005, 0.005], system="triclinic",
        u_aniso=[[0.003, 0.003, 0.02, 0, 0, 0]] * 2,
    )  # fmt: skip
    r = np.arange(1.0, 4.0, 0.01)
    phase = crystal_pdf(pair, r_max=4.0, anisotropic=True)
    g = phase.curve(phase.start, r, q_max=30.0)
    peak = np.exp(-0.5 * (r - 2.5) ** 2 / 0.04) / np.sqrt(2 * np.pi * 0.04) / 2.5
    assert np.allclose(g + 4 * np.pi * r * 2 / 20**3, peak, atol=1e-4)


def test_sites_against_their_symmetry_are_refused():
    wrong = salt()
    moved = wrong.positions.copy()
    moved[3] += 0.01
    with pytest.raises(SimulationError, match="do not obey the symmetry"):
        crystal_pdf(replace(wrong, positions=moved), r_max=5.0, sites=True)


def test_a_solid_sphere_is_a_shell_without_a_hole():
    r = np.linspace(0.01, 30.0, 200)
    sphere = characteristic("sphere", r, np.array([20.0]))[0]
    x = r / 20.0
    assert np.allclose(sphere, np.where(x < 1, 1 - 1.5 * x + 0.5 * x**3, 0.0))
    assert np.allclose(characteristic("shell", r, np.array([1e-9, 10.0]))[0], sphere, atol=1e-6)


def test_a_shell_by_counting_points():
    # Pairs of random points in a shell of radii 6 and 10: their distances follow r^2 gamma(r).
    rng = np.random.default_rng(0)
    points = rng.uniform(-10, 10, (2, 400_000, 3))
    radii = np.linalg.norm(points, axis=2)
    inside = [p[(d > 6) & (d < 10)] for p, d in zip(points, radii, strict=True)]
    n = min(len(p) for p in inside)
    counts, edges = np.histogram(
        np.linalg.norm(inside[0][:n] - inside[1][:n], axis=1), bins=10, range=(0, 20)
    )
    fine = np.linspace(1e-3, 20, 4001)
    density = fine**2 * characteristic("shell", fine, np.array([12.0, 4.0]))[0]
    expected = np.array([density[(fine >= a) & (fine < a + 2)].sum() for a in edges[:-1]])
    assert np.allclose(counts / counts.sum(), expected / expected.sum(), atol=4e-3)


@pytest.mark.parametrize(("shape", "values"), [("sphere", [18.0]), ("shell", [12.0, 4.0]), ("sheet", [9.0])])
def test_slopes_of_the_forms(shape, values):
    r = np.linspace(0.3, 22.0, 60)
    gamma, slopes = characteristic(shape, r, np.array(values))
    assert len(values) == len(SHAPES[shape])
    for k in range(len(values)):
        step = 1e-5 * np.eye(len(values))[k]
        up, down = (characteristic(shape, r, np.array(values) + s)[0] for s in (step, -step))
        assert np.allclose((up - down) / 2e-5, slopes[k], atol=1e-6), (shape, k)
    assert gamma[0] == pytest.approx(1.0, abs=0.05)


def test_an_unknown_form_is_refused():
    with pytest.raises(DataError, match="did you mean 'sphere'"):
        crystal_pdf(salt(), r_max=5.0, shape="spere")
