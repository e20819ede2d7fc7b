"""Against numbers that plain numpy and scipy gave for the same trajectories (facts.json, see its _method)."""

import json

import numpy as np
import pytest

from shortrange.analyse.connectivity import connect
from shortrange.analyse.distortion import distortion
from shortrange.analyse.frames import every
from shortrange.analyse.roles import find_roles
from shortrange.analyse.shells import count_distances, first_shells
from shortrange.analyse.topology import persistence
from shortrange.analyse.transport import transport
from shortrange.load import load_trajectory

NAMES = ("NTC_crystal_600K_chgnet", "NTSC_corner_600K_chgnet", "NTSC_edge_SCl_start_600K_chgnet")
# The facts count g(r) in bins of 0.02 angstrom below the cutoff: 3.95 ends at 3.94.
BINNED = {3.95: 3.94}


@pytest.fixture(scope="module", params=NAMES)
def run(request, shared_data):
    folder = shared_data.parent / "trajectories"
    if not folder.is_dir():
        pytest.skip("the simulated trajectories are not beside the measured data")
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    trajectory = load_trajectory(folder / f"{request.param}.extxyz.gz")
    facts = facts["trajectories"][request.param]
    cutoffs = {pair: BINNED.get(v["cutoff"], v["cutoff"]) for pair, v in facts["partials"].items()}
    found = count_distances(trajectory, cutoffs=cutoffs)
    return trajectory, facts, found


def close(spread, fact, rel=1e-9):
    for mine, theirs in (
        ("mean", "mean"),
        ("std", "std"),
        ("median", "median"),
        ("p05", "p05"),
        ("p95", "p95"),
    ):
        assert getattr(spread, mine) == pytest.approx(fact[theirs], rel=rel), mine
    assert spread.n == fact["n"]


def test_coordination_and_cumulants(run):
    trajectory, facts, found = run
    shells = {(s.centre, s.ligand): s for s in first_shells(trajectory, found.cutoffs)}
    for pair, fact in facts["partials"].items():
        shell = shells[tuple(pair.split("-"))]
        assert shell.coordination.value == pytest.approx(fact["CN"], abs=1e-9), pair
        assert shell.cutoff.origin == "given"
    shell, fact = shells["Ta", "Cl"], facts["TaCl_first_shell"]
    assert shell.n == fact["n"]
    assert shell.mean.value == pytest.approx(fact["mean"], abs=1e-12)
    assert shell.variance.value == pytest.approx(fact["var"], abs=1e-12)
    assert shell.third.value == pytest.approx(fact["C3_A3"], abs=1e-12)


def test_partial_g(run):
    """Height and place of the first maximum, as the facts found them in bins of 0.02 angstrom."""
    _, facts, found = run
    for pair in ("Ta-Cl", "Na-Cl"):
        g, fact = found.g[pair], facts["partials"][pair]
        smooth = np.convolve(g, [0.25, 0.5, 0.25], mode="same")
        k = int(np.argmax(smooth))
        assert found.r[k] == pytest.approx(fact["g_peak_r"], abs=0.03)
        assert smooth[k] == pytest.approx(fact["g_peak_height"], rel=0.03)


def test_connectivity(run):
    trajectory, facts, found = run
    joined = connect(every(trajectory, 5), find_roles(trajectory), found.cutoffs)
    for sharing in joined.sharing:
        fact = facts["TaTa_by_shared_ligands"][sharing.name]
        assert (sharing.distance is None) == (fact is None)
        if fact is not None:
            close(sharing.distance, fact)
    assert {s.name for s in joined.by_bridge} == set(facts["TaTa_by_bridge"])
    for bridge in joined.by_bridge:
        close(bridge.distance, facts["TaTa_by_bridge"][bridge.name])
    if "Ta-S-Ta_angle" in facts:
        close(joined.angles["S"], facts["Ta-S-Ta_angle"])


def test_numbers_of_ligands(run):
    trajectory, facts, found = run
    joined = connect(trajectory, find_roles(trajectory), found.cutoffs)
    counted = {str(n): int(k) for n, k in enumerate(joined.coordination) if k}
    assert counted == facts["Ta_CN_hist(Cl+S<3.1)"]
    if "S_nTa_hist(<3.1)" in facts:
        counted = {str(n): int(k) for n, k in enumerate(joined.ligand_bonds["S"]) if k}
        assert counted == facts["S_nTa_hist(<3.1)"]


def test_shape_measures(run):
    trajectory, facts, _ = run
    (found,) = distortion(trajectory, find_roles(trajectory), stride=5)
    for mine, theirs in (("atom", "center"), ("ligands", "centroid"), ("all", "centroid7")):
        close(found.spreads[mine], facts["CSM_octahedron"][theirs], rel=1e-7)
    (found,) = distortion(trajectory, find_roles(trajectory))
    assert found.distances == pytest.approx(facts["near6_mean_by_rank"], abs=1e-4)


def test_diffusion(run):
    trajectory, facts, _ = run
    found = transport(trajectory, find_roles(trajectory, mobile=[]), time_step=8.0)
    for element in found.elements:
        fact = facts["MSD"][element.element]
        assert element.d.value == pytest.approx(fact["D_cm2_s"], rel=1e-9)
        assert element.intercept == pytest.approx(fact["intercept_A2"], rel=1e-6)
    assert [t / 1000 for t in found.window] == pytest.approx(facts["MSD"]["Na"]["fit_window_ps"])


def test_homology(run, agreement):
    trajectory, facts, _ = run
    few = every(trajectory, 5)
    for distances, name in (("minimum image", "periodic"), ("bare cloud", "nonperiodic")):
        found = persistence(few, ("Na",), distances=distances)
        fact = facts[f"H0_deaths_Na_{name}"]
        close(found.h0_deaths, fact)
        agreement(
            f"mean H0 death of Na, {distances}, {trajectory.label} (simulated)",
            within=1e-9,
            unit="Å",
            ours=found.h0_deaths.mean,
            theirs=fact["mean"],
            by="scipy, spanning tree",
            part="Snapshots",
        )
    frame = every(trajectory, trajectory.n_frames - 1)  # first and last
    elements = tuple(s for s in trajectory.composition if s != "Na")
    found = persistence(frame, elements)
    bars, fact = found.h1[-1], facts["H1_framework_last_snapshot"]
    lasting = bars[bars[:, 1] - bars[:, 0] > 0.5]
    assert (len(bars), len(lasting)) == (fact["n"], fact["n_pers_gt_0p5"])
    assert np.sort(lasting[:, 0]) == pytest.approx(np.sort(fact["births_pers_gt_0p5"]), abs=6e-4)
    assert np.sort(lasting[:, 1]) == pytest.approx(np.sort(fact["deaths_pers_gt_0p5"]), abs=6e-4)


def distortion_of(folder, name):
    run = load_trajectory(folder / name)
    (found,) = distortion(run, find_roles(run, centres=["Ta"]))
    return found.spreads["all"]


def test_order_of_distortion(shared_data):
    """Hot > quenched from the melt > packed and never heated > crystal.

    The files hold one quench of each glass: of two quenches from different temperatures nothing can be said.
    """
    folder = shared_data.parent / "trajectories"
    if not folder.is_dir():
        pytest.skip("the simulated trajectories are not beside the measured data")
    crystal = distortion_of(folder, "structures/NaTaCl6_128_l3i5.extxyz")
    hot_crystal = distortion_of(folder, f"{NAMES[0]}.extxyz.gz")
    order = [hot_crystal.mean]
    for glass, name in (("NTSC_corner", NAMES[1]), ("NTSC_edge_SCl_start", NAMES[2])):
        never = distortion_of(folder, f"structures/{glass}_relaxed0.extxyz")
        quenched = distortion_of(folder, f"structures/{glass}_quench_chgnet.extxyz")
        hot = distortion_of(folder, f"{name}.extxyz.gz")
        medians = [each.median for each in (crystal, never, quenched, hot)]
        assert medians == sorted(medians), glass
        # At rest, where no thermal motion adds to it, the mean says the same.
        assert crystal.mean < never.mean < quenched.mean, glass
        assert hot_crystal.median < 0.8 * hot.median
        order.append(hot.mean)
    assert crystal.median < 0.6 * hot_crystal.median
    assert order == sorted(order)
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    known = facts["static"]["NaTaCl6_128_l3i5"]["CSM_centre_centroid_centroid7"][2]
    assert crystal.median == pytest.approx(known, abs=1e-4)
