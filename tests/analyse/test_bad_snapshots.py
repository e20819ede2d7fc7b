"""Bad input: each says what is wrong, where, and what to do."""

import numpy as np
import pytest
from snapshots import OCTAHEDRON, brownian, frames

from shortrange.analyse.analysis import analyse_trajectory
from shortrange.analyse.angles import bond_angles
from shortrange.analyse.arrhenius import arrhenius, check_conductivity, nernst_einstein
from shortrange.analyse.density import probability_density, symmetrised
from shortrange.analyse.jumps import find_jumps
from shortrange.analyse.roles import find_roles
from shortrange.analyse.shells import count_distances
from shortrange.analyse.topology import compare_persistence, persistence
from shortrange.errors import ShortrangeError
from shortrange.load import open_frames

TA = ["Ta", *["Cl"] * 6, "Na"]
AT = np.vstack([np.zeros(3), 2.4 * OCTAHEDRON, [5.0, 5.0, 5.0]]) + 2.6


def run(n=24, *, cell=(12.0, 12.0, 12.0), step=1.0, seed=0):
    noise = np.random.default_rng(seed).normal(scale=0.02, size=(n, 8, 3)).cumsum(axis=0)
    return frames(TA, AT + noise, cell=None if cell is None else list(cell), time_step=step)


def shuffled():
    walk = brownian(200, 30, 1e-3)
    order = np.random.default_rng(1).permutation(200)
    return frames(walk.species, walk.positions[order], cell=[12.0] * 3, time_step=1.0)


def with_gap():
    walk = brownian(400, 30, 1e-3)
    kept = np.r_[0:100, 300:400]
    return frames(walk.species, walk.positions[kept], cell=[12.0] * 3, time_step=1.0)


def wrapped_without_cell():
    return frames(["Na"] * 30, brownian(200, 30, 2e-2).positions, time_step=1.0)


def pure(symbol):
    return frames(
        [symbol] * 4, np.random.default_rng(0).uniform(0, 9, (12, 4, 3)), cell=[9.0] * 3, time_step=1.0
    )


def few_ligands():
    return frames(["Ta", "Cl", "Cl", "Na"], [(0, 0, 0), (2.4, 0, 0), (0, 2.4, 0), (5, 5, 5)])


def bars(distances="minimum image", n=8):
    return persistence(pure("Na"), ("Na",), distances=distances) if n == 8 else persistence(
        frames(["Na"] * 4, np.random.default_rng(0).uniform(0, 9, (n, 4, 3)), cell=[9.0] * 3), ("Na",),
        distances=distances,
    )  # fmt: skip


def only(part, trajectory=None, **more):
    return lambda: analyse_trajectory(run() if trajectory is None else trajectory, only=[part], **more)


NO_GROUP = [(np.eye(3), np.zeros(3)), (np.eye(3), np.full(3, 0.5)), (-np.eye(3), np.zeros(3))]

BAD = {
    # the request
    "unknown part": (only("coordinatoin"), "did you mean 'coordination'"),
    "no part": (lambda: analyse_trajectory(run(), only=[]), "no part is named"),
    "absent centre": (only("connectivity", centres=["Sm"]), "there is no Sm in the trajectory"),
    "absent mobile": (only("transport", mobile=["Li"]), "there is no Li in the trajectory"),
    "absent ligand": (only("coordination", ligands=["Br"]), "there is no Br"),
    "no element": (only("coordination", centres=["ta"]), "there is no ta in the trajectory"),
    "centre and ligand": (only("connectivity", centres=["Cl"]), "Cl is named a centre and a ligand"),
    "no centres": (only("connectivity", pure("Cl")), "no centres of polyhedra among Cl"),
    "no ligands": (only("connectivity", pure("Na")), "no ligands of polyhedra among Na"),
    "nothing bonded": (
        only("connectivity", centres=["Na"], cutoffs={"Na-Cl": 0.5}, ligands=["Ta"]),
        "no bond",
    ),
    # cutoffs
    "cutoff of an absent element": (only("coordination", cutoffs={"Sm-Cl": 3}), "no Sm for the cutoff"),
    "cutoff without a pair": (only("coordination", cutoffs={"Ta": 3.0}), "names no pair"),
    "cutoff of zero": (only("coordination", cutoffs={"Ta-Cl": 0.0}), "Ta-Cl = 0"),
    "cutoff not a number": (only("coordination", cutoffs={"Ta-Cl": float("nan")}), "Ta-Cl = nan"),
    "cell too small": (
        only("coordination", cutoffs={"Ta-Cl": 6.5}),
        "more than half the cell, 6.00 angstrom",
    ),
    # shapes
    "unknown polyhedron": (only("csm", polyhedron="octahedrn"), "did you mean 'octahedron'"),
    "too few ligands": (only("csm", few_ligands(), polyhedron="octahedron"), "has 2 of 6 ligands"),
    "no usual polyhedron": (only("csm", few_ligands()), "2.0 ligands on average"),
    "stride of zero": (only("csm", stride=0), "every 0-th frame"),
    "bins of angles": (lambda: bond_angles(run(), find_roles(run()), {}, width=0.0), "bins of 0"),
    # time
    "time step unknown": (only("transport", run(step=None)), "time between frames is unknown"),
    "time step contradicted": (only("transport", time_step=2.0), "given as 2 fs, but the file says 1"),
    "time step of zero": (only("transport", run(step=None), time_step=0.0), "time_step = 0"),
    "time step negative": (only("transport", run(step=None), time_step=-1.0), "time_step = -1"),
    "one frame": (only("transport", run(1)), "1 frames are too few"),
    "nine frames": (only("transport", run(9)), "9 frames are too few"),
    "shuffled frames": (only("transport", shuffled()), "out of order"),
    "frames missing": (only("transport", with_gap()), "from frame 99 to 100"),
    "wrapped without a cell": (only("transport", wrapped_without_cell()), "the file gives no cell"),
    "temperature of zero": (only("transport", temperature=0.0), "temperature = 0"),
    "window outside": (only("transport", window=(1e6, 2e6)), "holds 0 lags"),
    "window reversed": (only("transport", window=(8.0, 3.0)), "holds 0 lags"),
    "unknown drift": (only("transport", drift="wind"), "the drift 'wind' is not known"),
    "no framework": (only("transport", pure("Na"), drift="framework"), "every atom is mobile"),
    "hop length negative": (only("transport", hop_length=-1.0), "hop_length = -1"),
    # topology
    "too few atoms": (lambda: persistence(run(), ("Ta",)), "1 atoms have no topology"),
    "unknown distances": (only("topology", distances="periodic"), "distances 'periodic' are not known"),
    "lifetime too long": (lambda: persistence(run(), ("Cl",), threshold=5.0, lifetime=6.0), "lifetime = 6"),
    "two kinds of distances": (lambda: compare_persistence(bars(), bars("bare cloud")), "bare cloud"),
    "too few blocks": (lambda: compare_persistence(bars(), bars(n=3)), "3 blocks are too few"),
    # densities
    "density without a cell": (only("density", run(cell=None)), "needs a cell"),
    "density of nothing": (only("density", pure("Cl")), "no mobile ion"),
    "grid too coarse": (lambda: probability_density(run(), ("Na",), spacing=5.0), "spacing = 5"),
    "no sites": (lambda: find_jumps(run(), ("Na",), np.empty((0, 3))), "0 sites"),
    "no operation": (lambda: symmetrised(probability_density(run(), ("Na",)), []), "no symmetry operation"),
    "no group": (lambda: symmetrised(probability_density(run(), ("Na",)), NO_GROUP), "make no group"),
    "tolerance of zero": (only("density", symmetrise=0.0), "a tolerance of 0.0"),
    "no atoms at rest": (only("density", pure("Na"), symmetrise=0.5), "every atom moves"),
    # temperature laws
    "one temperature": (lambda: arrhenius([600, 600], [1e-5, 2e-5]), "all runs are at 600"),
    "negative D": (lambda: arrhenius([600, 800], [1e-5, -1e-6]), "D is not above zero"),
    "lengths": (lambda: arrhenius([600, 800], [1e-5]), "2 temperatures and 1 diffusion"),
    "error of zero": (lambda: arrhenius([600, 800], [1e-5, 2e-5], [0.0, 1e-6]), "error of D"),
    "absolute zero": (lambda: nernst_einstein(1e-6, carrier_density=0.01, temperature=0), "temperature is 0"),
    "no carriers": (
        lambda: nernst_einstein(1e-6, carrier_density=0, temperature=300),
        "carrier density is 0",
    ),
    "no conductivity": (
        lambda: check_conductivity(0.0, diffusion=1e-6, volume_per_carrier=200, temperature=300),
        "conductivity 0.0",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    attempt, message = BAD[name]
    with pytest.raises(ShortrangeError, match=message.replace("(", r"\(")) as caught:
        attempt()
    assert caught.value.where
    assert caught.value.do


def test_variable_composition(tmp_path):
    path = tmp_path / "run.xyz"
    path.write_text("2\n\nTa 0 0 0\nCl 2.4 0 0\n2\n\nTa 0 0 0\nS 2.4 0 0\n", encoding="utf-8")
    with pytest.raises(ShortrangeError, match="frame 1 has other atoms than frame 0") as caught:
        analyse_trajectory(open_frames(path))
    assert caught.value.where
    assert caught.value.do


def test_there_are_at_least_thirty():
    assert len(BAD) >= 30


def test_what_is_not_possible_is_left_out_with_its_reason():
    found = analyse_trajectory(run(4, cell=None, step=None))
    assert found.shells
    assert "4 frames are too few" in found.skipped["transport"]
    assert found.skipped["density"] == "the file gives no cell"
    found = analyse_trajectory(run(step=None))
    assert "give it in fs with --time-step" in found.skipped["transport"]


def test_an_absent_shell_is_said():
    found = count_distances(frames(["Na", "Cl"], [(0, 0, 0), (9.0, 0, 0)]))
    assert found.cutoffs["Na-Cl"].r is None
    assert found.cutoffs["Na-Cl"].origin
