"""The mean of phase shifts: FEFF's file format, what averaging must not depend on, and that it serves."""

from dataclasses import replace

import numpy as np
import pytest

from shortrange.errors import SimulationError
from shortrange.quantities import Trajectory
from shortrange.simulate.exafs import ensemble_exafs, potentials_for
from shortrange.simulate.exafs.check import chi_of_paths, relative_rms
from shortrange.simulate.exafs.potentials import choose_potentials
from shortrange.simulate.exafs.representative import cluster_around
from shortrange.simulate.exafs.survey import survey
from shortrange.simulate.feff import feff_potentials, run_feff
from shortrange.simulate.feff_mean import mean_phases, mean_potentials, parse_phases, write_phases
from shortrange.simulate.feff_pad import decode_pad, encode_pad
from shortrange.simulate.pieces import Workers

OCTAHEDRON = 2.35 * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1.0]])
K = np.arange(2.0, 13.0, 0.05)
INSIDE = (K >= 3) & (K <= 12)


def molecules(n: int = 6) -> Trajectory:
    """TaCl6 whose atoms are displaced by 0.1 angstrom along each direction."""
    rng = np.random.default_rng(2)
    places = OCTAHEDRON + rng.normal(0, 0.1, (n, 6, 3))
    positions = np.concatenate([np.zeros((n, 1, 3)), places], axis=1)
    return Trajectory(species=("Ta",) + ("Cl",) * 6, positions=positions)


@pytest.fixture(scope="module")
def each(feff_cache):
    frames = molecules()
    clusters = [cluster_around(frames, frame=i, atom=0, radius=4.0) for i in range(frames.n_frames)]
    return [feff_potentials(cluster, edge="L3") for cluster in clusters]


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0, 0.999999999999, 0.1, 3.7e-21, -2.5e17, 9.999999999e-5])
def test_packed_numbers_come_back(value):
    assert decode_pad(encode_pad(np.array([value])))[0] == pytest.approx(value, rel=2e-12, abs=1e-300)


def test_packed_numbers_of_any_size_come_back():
    rng = np.random.default_rng(0)
    values = rng.normal(size=2000) * 10.0 ** rng.integers(-20, 20, 2000)
    np.testing.assert_allclose(decode_pad(encode_pad(values)), values, rtol=2e-12)


def test_what_feff_wrote_comes_back_unchanged(each):
    first = parse_phases(each[0].files["phase.pad"])
    again = parse_phases(write_phases(first))
    for a, b in zip((*first.phases, first.elements), (*again.phases, again.elements), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(first.energy, again.energy)
    assert (first.head, first.names) == (again.head, again.names)
    assert each[0].settings["atoms"] == 7


def test_feff_takes_our_file_for_its_own(each):
    """Paths with the rewritten file equal those with FEFF's own to its last digit."""
    written = write_phases(parse_phases(each[0].files["phase.pad"]))
    ours = replace(each[0], files={**each[0].files, "phase.pad": written})
    cluster = cluster_around(molecules(), frame=0, atom=0, radius=4.0)
    spectra = [run_feff(cluster, edge="L3", r_path=4.0, potentials=p)[1] for p in (each[0], ours)]
    np.testing.assert_allclose(spectra[1], spectra[0], atol=1e-10)


def test_phases_are_averaged_modulo_pi(each):
    """A phase shift and the same plus pi are one; so is a matrix element of the other sign."""
    first = parse_phases(each[0].files["phase.pad"])
    turned = replace(first, phases=tuple(p + np.pi for p in first.phases), elements=-first.elements)
    mean = mean_phases([first, turned])
    np.testing.assert_allclose(mean.phases[1], first.phases[1], atol=1e-12)
    np.testing.assert_allclose(mean.elements, first.elements, atol=1e-12)


def test_the_mean_of_one_is_itself(each):
    assert mean_potentials(each[:1]) is each[0]


def test_potentials_of_other_elements_are_not_averaged(each):
    other = replace(each[1], kinds=("S",))
    with pytest.raises(SimulationError, match="not of one absorber, edge and set of elements"):
        mean_potentials([each[0], other])


def test_the_mean_spectrum_is_that_of_the_mean_phases(each):
    """Full FEFF with own potentials, averaged, against FEFF with the mean phases: better than with one."""
    frames = molecules()
    clusters = [cluster_around(frames, frame=i, atom=0, radius=4.0) for i in range(frames.n_frames)]

    def mean_chi(potentials):
        both = zip(clusters, potentials, strict=True)
        pads = [run_feff(c, edge="L3", r_path=4.0, potentials=p)[2] for c, p in both]
        return np.mean([chi_of_paths(pad, K) for pad in pads], axis=0)[INSIDE]

    truth = mean_chi(each)
    averaged = relative_rms(mean_chi([mean_potentials(each)] * len(each)), truth, K[INSIDE])
    single = relative_rms(mean_chi([each[0]] * len(each)), truth, K[INSIDE])
    assert averaged < 0.01
    assert averaged < 0.5 * single


def test_as_many_clusters_as_needed_and_why(feff_cache):
    frames = molecules()
    choice = choose_potentials(survey(frames, absorber="Ta", r_max=4.0), edge="L3", r_max=4.0)
    assert choice.number == 6
    assert choice.reason == "all absorbers there are" or choice.error < 4e-3
    assert 0 < choice.error < choice.spread
    one = choose_potentials(survey(frames, absorber="Ta", r_max=4.0), edge="L3", r_max=4.0, number=1)
    assert (one.number, one.error) == (1, None)
    alike = replace(frames, positions=np.repeat(frames.positions[:1], 3, axis=0))
    same = choose_potentials(survey(alike, absorber="Ta", r_max=4.0), edge="L3", r_max=4.0)
    assert (same.number, same.reason) == (1, "all absorbers are alike")


def test_an_interrupted_ensemble_goes_on(feff_cache):
    frames = molecules(400)
    settings = {"absorber": "Ta", "edge": "L3", "r_max": 4.0, "k": K, "stretches": (), "check": False}
    settings["potentials"] = potentials_for(molecules(), absorber="Ta", edge="L3", r_max=4.0)
    whole = ensemble_exafs(frames, workers=1, **settings)

    def stop(progress):
        if progress.what == "sum paths" and progress.frames >= 160:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensemble_exafs(frames, workers=Workers(1, tell=stop, keep=True), **settings)
    seen = []
    again = ensemble_exafs(frames, workers=Workers(2, tell=seen.append, keep=True), **settings)
    assert seen[-1].reused >= 160
    for name in ("chi", "standard_error", "frame_chi", "absorber_chi"):
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))
    assert (again.n_paths, again.n_absorbers) == (whole.n_paths, whole.n_absorbers)


@pytest.mark.parametrize("atoms", [[1], [], [99]])
def test_chosen_absorbers_must_be_absorbers(feff_cache, atoms):
    with pytest.raises(SimulationError, match="are no Ta"):
        ensemble_exafs(molecules(), absorber="Ta", edge="L3", r_max=4.0, atoms=atoms)


def test_two_processes_of_a_cluster_change_nothing(feff_cache):
    """Separate processes on loopback: work and tables must travel."""
    distributed = pytest.importorskip("distributed")
    frames = molecules(400)
    settings = {"absorber": "Ta", "edge": "L3", "r_max": 4.0, "k": K, "stretches": (), "check": False}
    settings["potentials"] = potentials_for(molecules(), absorber="Ta", edge="L3", r_max=4.0)
    alone = ensemble_exafs(frames, workers=1, **settings)
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, processes=True
    )
    with cluster:
        workers = Workers(number=1, scheduler=cluster.scheduler_address)
        many = ensemble_exafs(frames, workers=workers, **settings)
    np.testing.assert_array_equal(many.chi, alone.chi)
    # A product of matrices: dask gives its workers one BLAS thread, and their number sets the order of sums.
    scale = np.abs(alone.covariance).max()
    np.testing.assert_allclose(many.covariance, alone.covariance, rtol=0, atol=1e-13 * scale)
