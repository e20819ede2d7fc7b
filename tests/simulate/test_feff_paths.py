"""Path amplitudes: against the feffNNNN.dat of an independent FEFF run, and a full run of our own."""

import numpy as np
import pytest
from ase.build import bulk

from shortrange.errors import SimulationError
from shortrange.quantities import Trajectory
from shortrange.simulate.exafs.representative import cluster_around
from shortrange.simulate.feff import Cluster, feff_potentials, run_feff
from shortrange.simulate.feff_pad import decode_pad, read_feff_pad
from shortrange.simulate.feff_paths import FeffPath, calculate_paths

TACL6 = Cluster("Ta", ("Cl",) * 6, 2.35 * np.vstack([np.eye(3), -np.eye(3)]))


def read_feff_dat(path):
    """Complex chi(k) without exp(2ikr) from the columns of feffNNNN.dat: the EXAFS equation."""
    lines = path.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if "real[2*phc]" in line)
    head = next(line for line in lines if "nleg, deg" in line).split()
    k, central, magnitude, phase, reduction, mean_free_path, _ = np.array(
        [line.split() for line in lines[start + 1 :]], float
    ).T
    return (
        int(head[0]),
        float(head[1]),
        float(head[2]),
        k,
        central,
        magnitude,
        phase,
        reduction,
        mean_free_path,
    )


def pack(number: float) -> bytes:
    """One number as FEFF's padlib writes it: exponent, sign with the first digit, digits in base 90."""
    exponent = 0 if number == 0 else int(np.floor(np.log10(abs(number)))) + 1
    rest = abs(number) / 10.0**exponent
    characters = [exponent + 37 + 45]
    rest *= 45.0
    digit = int(rest)
    characters.append(2 * digit + (number >= 0) + 37)
    rest -= digit
    for _ in range(6):
        rest *= 90.0
        digit = int(rest + 1e-9)
        characters.append(digit + 37)
        rest -= digit
    return bytes(characters)


@pytest.mark.parametrize("number", [1.0, -1.0, 0.1, 3.25, -273.15, 6.25e-7, -1e12, 0.0])
def test_numbers_in_packed_ascii(number):
    assert decode_pad(pack(number))[0] == pytest.approx(number, rel=1e-11)
    np.testing.assert_allclose(decode_pad(pack(number) + pack(2.0)), [number, 2.0], rtol=1e-11)


def test_copper_path_by_path(shared_data, feff_cache):
    """Each path of another build of FEFF 8.50L, whose Fermi level is 0.3 meV away, to 0.1-0.35 %.

    It prints 4 digits of the reduction factor and 5e-4 of each of two phases. The wrong path of equal length
    and degeneracy would be 60 % off.
    """
    atoms = bulk("Cu", "fcc", a=3.61)
    copper = Trajectory(
        species=("Cu",), positions=atoms.positions[None], cells=np.array(atoms.cell)[None], source="fcc Cu"
    )
    cluster = cluster_around(copper, frame=0, atom=0, radius=8.0)
    assert len(cluster.species) + 1 == 177
    _, _, ours = run_feff(cluster, edge="K", r_path=5.2)
    files = sorted((shared_data / "feff_fits" / "Copper" / "noSCF").glob("feff00*.dat"))
    assert len(files) == 14
    for path in files:
        legs, degeneracy, r, k, central, magnitude, phase, reduction, mean_free_path = read_feff_dat(path)
        r_near = np.abs(ours.half_length - r) < 1e-4
        same = np.flatnonzero(r_near & (ours.legs == legs) & (ours.degeneracy == degeneracy))
        theirs = magnitude * reduction * np.exp(1j * (central + phase)) / r**2
        errors = []
        for i in same:
            mine = ours.cchi[i] * ours.k * np.exp(2 * ours.half_length[i] / mean_free_path)
            errors.append(np.abs(mine - theirs).max() / np.abs(theirs).max())
        assert min(errors) < 4e-3, path.name
        np.testing.assert_allclose(ours.k, k, atol=5.1e-4)


def test_single_paths_equal_those_of_a_full_run(feff_cache):
    potentials = feff_potentials(TACL6, edge="L3")
    _, _, full = run_feff(TACL6, edge="L3", r_path=4.8, potentials=potentials)
    paths = [
        FeffPath((1,), ((0.0, 0.0, 2.35),)),
        FeffPath((1, 0, 1), ((2.35, 0, 0), (0, 0, 0), (-2.35, 0, 0))),
    ]
    ours = calculate_paths(potentials, paths, workers=1)
    np.testing.assert_allclose(ours.cchi[0], full.cchi[0], rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(ours.half_length, [2.35, 4.7], atol=1e-6)
    hinge = np.abs(full.cchi - ours.cchi[1]).max(axis=1).min()
    assert hinge < 1e-6 * np.abs(ours.cchi[1]).max()


def test_two_processes_give_what_one_gives(feff_cache):
    potentials = feff_potentials(TACL6, edge="L3")
    paths = [FeffPath((1,), ((0.0, 0.0, r),)) for r in np.linspace(2.0, 4.0, 120)]
    one, two = (calculate_paths(potentials, paths, workers=n) for n in (1, 2))
    np.testing.assert_array_equal(one.cchi, two.cchi)


def test_no_path_is_an_error(feff_cache):
    with pytest.raises(SimulationError, match="no path"):
        calculate_paths(feff_potentials(TACL6, edge="L3"), [])


def test_workers_below_one_are_an_error(feff_cache):
    with pytest.raises(SimulationError, match="workers = 0"):
        calculate_paths(feff_potentials(TACL6, edge="L3"), [FeffPath((1,), ((0, 0, 2.3),))], workers=0)


@pytest.mark.parametrize(
    "text", ["", "#_feff.bin\n", "#_feff.pad v03: x\n#_ 1\n", "#_feff.pad v03: x\n#_ 1 83 8\n"]
)
def test_a_broken_file_is_a_message(tmp_path, text):
    (tmp_path / "feff.pad").write_text(text)
    with pytest.raises(SimulationError, match=r"feff\.pad cannot be read"):
        read_feff_pad(tmp_path / "feff.pad")
