"""How far EXAFS is simulated: as far as it acts on the distances that are compared."""

from pathlib import Path

import numpy as np
import pytest

from shortrange.compare.theory_error import EXAFS_THEORY_ERROR
from shortrange.config import read_project
from shortrange.load import load_scans, load_trajectory
from shortrange.quantities import ChiK
from shortrange.run.xas import (
    R_MAX,
    SimulatedExafs,
    beyond_paths,
    compare_exafs,
    longest_path,
    reduce_scans,
)
from shortrange.simulate.exafs import ensemble_exafs, potentials_for
from shortrange.simulate.motifs import motif
from shortrange.transform.fourier import xftf

EXAMPLE = Path(__file__).parents[2] / "examples" / "tacl5-na2s-bridge"


def up_to(end):
    """The example's absorption, compared up to this distance without phase correction, angstrom."""
    xas = read_project(EXAMPLE / "project.toml").measurement[0]
    return xas.model_copy(update={"r_range": (1.2, end)})


def test_paths_reach_beyond_what_is_compared():
    assert longest_path(up_to(3.2)) == pytest.approx(4.8)
    assert longest_path(up_to(4.4)) == longest_path(up_to(6.0)) == R_MAX


def test_distances_beyond_the_paths_are_doubted():
    assert beyond_paths((1.2, 4.4)) == beyond_paths((1.0, 3.0)) == []
    assert "half path lengths up to 5.5 only" in beyond_paths((1.2, 4.6))[0]


def test_a_comparison_says_so():
    scans = tuple(s for path in sorted(EXAMPLE.glob("ta_l3_*.xdi")) for s in load_scans(path))
    octahedron = motif("octahedron").trajectory()
    ensemble = ensemble_exafs(octahedron, absorber="Ta", edge="L3", r_max=3.5, check=False)
    simulated = SimulatedExafs(
        ensembles={"unit": ensemble}, potentials_of={"unit": "unit"}, absorber_parts={"unit": 1 / 7}
    )
    said = {
        end: compare_exafs(up_to(end), reduce_scans(up_to(end), scans), simulated).warnings
        for end in (4.4, 4.8)
    }
    assert set(said[4.8]) - set(said[4.4]) == set(beyond_paths((1.2, 4.8)))


def test_paths_end_where_they_no_longer_act_on_what_is_compared():
    # What is left out must be small beside the error of the theory: less than a third of it.
    frame = load_trajectory(EXAMPLE / "models" / "corner.extxyz", frames=slice(0, 1))
    metals = np.flatnonzero(np.array(frame.species) == "Ta")[:4].tolist()
    potentials = potentials_for(frame, absorber="Ta", edge="L3", n_potentials=1)

    def transform(r_max):
        chi = ensemble_exafs(
            frame, absorber="Ta", edge="L3", r_max=r_max, potentials=potentials, stretches=(), check=False,
            atoms=metals,
        )  # fmt: skip
        return xftf(ChiK(k=chi.k, chi=chi.chi), k_range=(3.0, 12.5), k_weight=2)

    whole = transform(R_MAX)
    for end in (2.9, 3.1, 3.4, 3.6):
        inside = (whole.r >= 1.2) & (whole.r <= end)
        left_out = (transform(longest_path(up_to(end))).chi - whole.chi)[inside]
        size = np.linalg.norm(left_out) / np.linalg.norm(whole.chi[inside])
        assert size < EXAFS_THEORY_ERROR.median / 3, (end, size)
