"""Scattering paths: files against runs, derivatives, xraylarch's equation and its models of disorder."""

import tempfile
from pathlib import Path

import numpy as np
import pytest

from shortrange.errors import SimulationError
from shortrange.quantities import Trajectory
from shortrange.simulate.feff import Cluster, feff_input
from shortrange.simulate.feff_programs import run_program
from shortrange.simulate.paths import (
    PATH_PARAMETERS,
    correlated_debye,
    einstein,
    path_chi,
    path_of_geometry,
    paths_of_cluster,
    paths_of_structure,
    read_feff_dat,
)

AXES = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1.0]])
CLUSTER = Cluster("Ta", ("Cl",) * 6, 2.32 * AXES)
K = 0.05 * np.arange(321)
VALUES = np.array([0.93, 4.2, 0.013, 0.0047, 2e-4, 3e-5, 0.7])


@pytest.fixture(scope="module")
def made():
    return paths_of_cluster(CLUSTER, edge="L3", r_max=5.0)


@pytest.fixture(scope="module")
def files():
    """The same paths in files that FEFF itself wrote."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = feff_input(CLUSTER, edge="L3", r_path=5.0).replace("PRINT 1 0 0 0 0 0", "PRINT 1 0 0 0 0 3")
        (folder / "feff.inp").write_text(text)
        for module in ("rdinp", "pot", "xsph", "pathfinder", "genfmt", "ff2x"):
            run_program(module, folder=folder)
        yield sorted(folder.glob("feff0*.dat"))


def test_files_and_runs_are_the_same_paths(made, files):
    assert len(files) == len(made) > 4
    for path, file in zip(made, files, strict=True):
        twin = read_feff_dat(file)
        assert twin.symbols == path.symbols
        assert twin.reff == pytest.approx(path.reff, abs=2e-4)
        assert twin.degeneracy == path.degeneracy
        assert twin.rnorman == pytest.approx(path.rnorman, abs=2e-4)
        ours, theirs = (path_chi(p, K, VALUES)[0] for p in (path, twin))
        # Files have four digits.
        assert np.abs(ours - theirs)[K > 2].max() < 2e-3 * np.abs(theirs)[K > 2].max()


def test_derivatives_are_those_of_the_curve(made):
    _, slopes = path_chi(made[0], K, VALUES)
    for i, (name, h) in enumerate(
        zip(PATH_PARAMETERS, (1e-5, 1e-4, 1e-6, 1e-7, 1e-8, 1e-9, 1e-4), strict=True)
    ):
        up, down = (path_chi(made[0], K, VALUES + sign * h * np.eye(7)[i])[0] for sign in (1, -1))
        numeric = (up - down) / (2 * h)
        assert np.abs(slopes[i] - numeric)[K > 2].max() < 1e-6 * np.abs(numeric)[K > 2].max(), name


def test_the_equation_is_xraylarchs(files):
    from larch.xafs import feffpath

    theirs = feffpath(str(files[0]), **dict(zip(
        ("s02", "e0", "deltar", "sigma2", "third", "fourth", "ei"), VALUES, strict=True)))  # fmt: skip
    theirs.create_path_params()
    theirs._calc_chi(k=K)
    ours, _ = path_chi(read_feff_dat(files[0]), K, VALUES)
    assert np.abs(ours - theirs.chi).max() < 1e-6 * np.abs(theirs.chi).max()


def test_a_single_distance_is_a_damped_sine(made):
    """A longer path turns the phase by 2 p dr; sigma2 damps by exp(-2 p^2 sigma2), to first order in 1/R."""
    still, _ = path_chi(made[0], K, np.array([1.0, 0, 0, 0, 0, 0, 0]))
    damped, _ = path_chi(made[0], K, np.array([1.0, 0, 2 * 0.005 / made[0].reff, 0.005, 0, 0, 0]))
    p = np.interp(K, made[0].k, made[0].p.real)
    # delr also lengthens 1/R^2 by a known factor
    factor = (made[0].reff / (made[0].reff + 0.01 / made[0].reff)) ** 2
    inside = K > 4
    expected = still * np.exp(-2 * p**2 * 0.005) * factor
    assert np.abs(damped - expected)[inside].max() < 0.02 * np.abs(expected)[inside].max()


def test_models_of_disorder_are_those_of_xraylarch(made):
    from types import SimpleNamespace

    from larch.xafs.sigma2_models import sigma2_debye, sigma2_eins

    from shortrange.fit.paths.by_feffit import _feffdat

    for path in made[:4]:
        model = SimpleNamespace(_feffdat=_feffdat(path))
        for t, theta in ((10.0, 233.0), (300.0, 500.0)):
            assert correlated_debye(path, t, theta)[0] == pytest.approx(
                sigma2_debye(t, theta, model), rel=1e-5
            )
            assert einstein(path, t, theta)[0] == pytest.approx(sigma2_eins(t, theta, model), rel=1e-5)


@pytest.mark.parametrize("model", [correlated_debye, einstein])
def test_derivatives_of_the_models(made, model):
    _, by_t, by_theta = model(made[0], 77.0, 233.0)
    assert by_t == pytest.approx(
        (model(made[0], 77.01, 233.0)[0] - model(made[0], 76.99, 233.0)[0]) / 0.02, rel=1e-5
    )
    assert by_theta == pytest.approx(
        (model(made[0], 77.0, 233.01)[0] - model(made[0], 77.0, 232.99)[0]) / 0.02, rel=1e-5
    )


def test_einstein_at_high_temperature_is_classical(made):
    """sigma2 goes to k_B T / (mu omega^2)."""
    reduced = 1 / np.sum(1 / made[0].masses) * 1.66053906660e-27
    omega = 1.380649e-23 * 50.0 / 1.054571817e-34
    classical = 1.380649e-23 * 2000.0 / (reduced * omega**2) * 1e20
    assert einstein(made[0], 2000.0, 50.0)[0] == pytest.approx(classical, rel=1e-3)


def test_one_path_with_given_potentials_is_that_of_the_run(made):
    alone = path_of_geometry(
        CLUSTER, edge="L3", symbols=("Ta", "Cl"), positions=np.array([[0, 0, 0], [2.32, 0, 0]]), degeneracy=6
    )
    ours, theirs = (path_chi(p, K, VALUES)[0] for p in (alone, made[0]))
    assert np.abs(ours - theirs)[K > 1].max() < 1e-4 * np.abs(theirs)[K > 1].max()


def test_paths_of_a_crystal_have_its_shells():
    a = 3.61
    fcc = a * np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    copper = Trajectory(species=("Cu",) * 4, positions=fcc[None], cells=a * np.eye(3)[None])
    found = paths_of_structure(copper, absorber="Cu", edge="K", r_max=3.7, n_legs=2)
    assert [(round(p.reff, 3), p.degeneracy) for p in found] == [(2.553, 12), (3.61, 6)]
    with pytest.raises(SimulationError, match="no atom 4 of Cu"):
        paths_of_structure(copper, absorber="Cu", edge="K", site=4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: "", "no feffNNNN.dat"),
        (lambda t: t[: len(t) // 4], "no feffNNNN.dat|breaks off|cannot read"),
        (lambda t: t.replace("real[p]", "rael[p]"), "no feffNNNN.dat"),
        (lambda t: "\n".join(line for line in t.splitlines() if "absorbing" not in line), "legs"),
        (lambda t: t.rstrip() + "\n 1.0 2.0 wide\n", "cannot read"),
        (lambda t: t.rstrip() + "\n" + " ".join(["nan"] * 7) + "\n", "not finite"),
        (lambda t: t.replace(" 17 Cl", " 999 Cl"), "cannot read"),
        (lambda t: "\n".join(t.splitlines()[:-1] + t.splitlines()[-2:-1]), "does not rise"),
    ],
)
def test_damaged_files_are_refused(files, tmp_path, change, said):
    bad = tmp_path / "feff0001.dat"
    bad.write_text(change(files[0].read_text("latin-1")))
    with pytest.raises(SimulationError, match=said) as caught:
        read_feff_dat(bad)
    assert str(bad) in caught.value.where


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(SimulationError, match="cannot be read"):
        read_feff_dat(tmp_path / "feff0001.dat")


def test_k_beyond_the_table_is_refused(made):
    with pytest.raises(SimulationError, match="beyond the table"):
        path_chi(made[0], 0.05 * np.arange(500), VALUES)
