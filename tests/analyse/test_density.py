"""Densities on a grid, sites, jumps and percolation of made-up ions; files that others read."""

from itertools import pairwise

import numpy as np
import pytest
from ase.calculators.vasp import VaspChargeDensity
from ase.io.cube import read_cube_data
from ase.units import Bohr
from snapshots import frames

from shortrange.analyse.analysis import analyse_trajectory
from shortrange.analyse.density import (
    probability_density,
    symmetrised,
    symmetry_operations,
    write_chgcar,
    write_cube,
)
from shortrange.analyse.jumps import find_jumps, find_sites

SKEW = np.array([[9.0, 0, 0], [3.0, 10.0, 0], [-2.0, 1.5, 11.0]])


def still(cell=SKEW, at=(0.5, 0.25, 0.75)):
    positions = np.array([np.array(at) @ cell, [0.0, 0.0, 0.0]])
    return frames(["Na", "Ta"], positions, cell=cell, n=3)


@pytest.mark.parametrize("smoothing", [0.0, 0.4])
def test_integral_is_the_number_of_ions(smoothing):
    rng = np.random.default_rng(0)
    run = frames(["Na"] * 7, rng.uniform(-9, 19, (20, 7, 3)), cell=SKEW)
    density = probability_density(run, ("Na",), smoothing=smoothing)
    volume = abs(np.linalg.det(SKEW)) / density.values.size
    assert density.values.sum() * volume == pytest.approx(7.0, rel=1e-3)


def test_still_ion_is_a_gaussian():
    """Height of a Gaussian of unit integral: (2 pi s^2)^(-3/2), at the place of the ion."""
    density = probability_density(still(), ("Na",), smoothing=0.6, spacing=0.1)
    peak = np.unravel_index(density.values.argmax(), density.values.shape)
    assert np.array(peak) / density.values.shape == pytest.approx([0.5, 0.25, 0.75], abs=0.02)
    assert density.values.max() == pytest.approx((2 * np.pi * 0.36) ** -1.5, rel=0.03)


def test_files_are_read_by_ase(tmp_path):
    density = probability_density(still(), ("Na",), spacing=0.5)
    data, atoms = read_cube_data(str(write_cube(tmp_path / "d.cube", density)))
    assert data / Bohr**3 == pytest.approx(density.values, abs=1e-5)
    assert atoms.cell.array == pytest.approx(SKEW, abs=1e-4)
    assert atoms.get_chemical_symbols() == ["Ta"]
    chg = VaspChargeDensity(str(write_chgcar(tmp_path / "CHGCAR", density)))
    assert chg.chg[0] == pytest.approx(density.values, abs=1e-6)


def test_symmetry_average():
    """Inversion puts half of the ion at the opposite place."""
    density = probability_density(still(), ("Na",), spacing=0.25)
    both = symmetrised(density, [(np.eye(3), np.zeros(3)), (-np.eye(3), np.zeros(3))])
    assert both.values.sum() == pytest.approx(density.values.sum(), rel=1e-2)
    assert len(find_sites(density)) == 1
    assert len(find_sites(both)) == 2


def close_packed(n=4):
    """Cubic close packing of Cl that rattles, one cell, and one Na at a general place."""
    cl = 5.6 * np.array([(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)])
    noise = np.random.default_rng(0).normal(scale=0.02, size=(n, 5, 3))
    return frames(["Cl"] * 4 + ["Na"], np.vstack([cl, [[0.5, 1.0, 1.7]]]) + noise, cell=[5.6] * 3)


def test_symmetry_of_a_rattling_crystal():
    """Close packing has 48 operations at each of its 4 lattice points, and no more."""
    density = probability_density(close_packed(), ("Na",), spacing=0.28)
    operations = symmetry_operations(density, tolerance=0.3)
    assert len(operations) == 48 * 4
    assert len(symmetry_operations(density, tolerance=1e-4)) == 1
    averaged = symmetrised(density, operations)
    assert averaged.operations == 48 * 4
    scale = averaged.values.max()
    turned = np.transpose(averaged.values, (2, 0, 1))  # a threefold axis along 111
    assert turned == pytest.approx(averaged.values, abs=0.02 * scale)
    moved = np.roll(averaged.values, np.array(averaged.values.shape[:2]) // 2, axis=(0, 1))
    assert moved == pytest.approx(averaged.values, abs=0.02 * scale)
    assert np.transpose(density.values, (2, 0, 1)) != pytest.approx(density.values, abs=0.02 * scale)


def test_symmetry_on_request():
    found = analyse_trajectory(close_packed(), only=["density"], mobile=["Na"], symmetrise=0.3)
    assert found.density.operations == 48 * 4
    assert found.history[-1].settings["symmetrise"] == 0.3


def hopper(path, *, cell=12.0, hold=10, seed=0):
    """One ion that visits places (fractions) in turn, with a little rattling."""
    path = np.array(path, dtype=float)
    legs = [np.linspace(a, b, hold // 2 + 1)[1:-1] for a, b in pairwise(path)]
    stays = [np.repeat(p[None], hold, axis=0) for p in path]
    order = [part for pair in zip(stays, [*legs, stays[0][:0]], strict=True) for part in pair]
    places = np.concatenate(order) * cell
    return frames(
        ["Na"],
        (places + np.random.default_rng(seed).normal(scale=0.1, size=places.shape))[:, None] % cell,
        cell=[cell] * 3,
    )


def jumps_of(run):
    density = probability_density(run, ("Na",))
    return find_jumps(run, ("Na",), find_sites(density))


def test_jumps_and_percolation_along_one_axis():
    """To and fro between two sites does not percolate; on through the face does, along a only."""
    there_and_back = jumps_of(hopper([(0.1, 0.5, 0.5), (0.4, 0.5, 0.5)] * 4))
    assert there_and_back.jumps == 7
    assert there_and_back.length.mean == pytest.approx(3.6, abs=0.15)
    assert there_and_back.percolates == (False, False, False)
    through = jumps_of(hopper([(x, 0.5, 0.5) for x in (0.1, 0.4, 0.7, 1.1, 1.4)]))
    assert through.jumps == 4
    assert sorted(through.lengths) == pytest.approx([3.6, 3.6, 4.8], abs=0.3)  # one across the face
    assert through.percolates == (True, False, False)
    assert through.dimension == 1
    assert len(through.sites) == 3


def test_rattling_is_no_jump():
    found = jumps_of(hopper([(0.3, 0.3, 0.3)]))
    assert found.jumps == 0
    assert found.length is None
    assert found.dimension == 0


def test_percolation_along_a_diagonal_is_neither_axis():
    found = jumps_of(hopper([(x, x, 0.5) for x in (0.0, 0.33, 0.67, 1.0, 1.33)]))
    assert found.percolates == (False, False, False)
    assert found.dimension == 1
