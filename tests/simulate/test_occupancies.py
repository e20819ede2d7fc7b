"""Sampled supercells of shared and partly empty sites, against the average structure."""

import numpy as np
import pytest

from shortrange.crystal import Crystal
from shortrange.errors import DataError
from shortrange.simulate.occupancies import sample_occupancies
from shortrange.simulate.pairs import pair_histograms
from shortrange.simulate.pdf import PdfModel

FCC = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])


def crystal(*shared: tuple[str, float], extra: tuple[str, float] | None = None) -> Crystal:
    """Return an fcc lattice whose places are shared, with a second one at its octahedral sites."""
    species = [s for s, _ in shared for _ in FCC]
    occupied = [o for _, o in shared for _ in FCC]
    places = np.concatenate([FCC] * len(shared))
    if extra is not None:
        species += [extra[0]] * 4
        occupied += [extra[1]] * 4
        places = np.concatenate([places, FCC + np.array([0.5, 0, 0])])
    return Crystal(
        lattice=(4.0, 4.0, 4.0, 90, 90, 90), species=tuple(species), positions=places,
        occupancies=np.array(occupied), u_iso=np.full(len(species), 0.005), system="cubic",
    )  # fmt: skip


def test_composition_is_that_of_the_crystal():
    asked = crystal(("Ni", 0.75), ("Au", 0.15), extra=("O", 0.5))
    made = sample_occupancies(asked, repeat=(5, 5, 4), seed=1, frames=3)
    cells = 100
    assert made.composition == pytest.approx({s: n * cells for s, n in asked.composition.items()})
    assert made.number_density == pytest.approx(asked.number_density)
    # At every place at most one atom: none nearer than the octahedral site.
    assert pair_histograms(made, r_max=2.5).mean_counts()[:, :180].max() < 1e-6


def test_the_seed_decides():
    asked = crystal(("Ni", 0.5), ("Au", 0.5))
    one, again, other = (sample_occupancies(asked, repeat=(2, 2, 2), seed=s, frames=2) for s in (4, 4, 5))
    assert np.array_equal(one.positions, again.positions)
    assert not np.array_equal(one.positions, other.positions)
    assert not np.array_equal(one.positions[0], one.positions[1])


def test_pairs_are_those_of_independent_filling():
    """Ni-Au pairs in the first shell: 12 x (1 - x) per place, over 1 - 1/m for a fixed number of atoms."""
    made = sample_occupancies(crystal(("Ni", 0.75), ("Au", 0.25)), repeat=(4, 4, 4), seed=2, frames=60)
    h = pair_histograms(made, r_max=3.3)
    found = h.mean_counts()[h.index("Ni-Au")].sum()
    places = 256
    expected = places * 12 * 0.75 * 0.25 * places / (places - 1)
    # The standard deviation of one frame is about the root of the number of bonds.
    assert found == pytest.approx(expected, abs=4 * np.sqrt(expected / 60))


def test_gr_is_that_of_the_average_structure():
    """Without order, an alloy scatters as one mean atom on each place; a vacancy weighs nothing."""
    r = np.arange(1.5, 9.0, 0.01)
    mean = sample_occupancies(crystal(("Ni", 1.0)), repeat=(1, 1, 1), seed=0)
    average = PdfModel(pair_histograms(mean, r_max=10.5), r, 20.0, weights={"Ni": 1.0})(u_iso=0.005)
    alloy = sample_occupancies(crystal(("Ni", 0.75), ("Au", 0.25)), repeat=(4, 4, 4), seed=3, frames=40)
    found = PdfModel(pair_histograms(alloy, r_max=10.5), r, 20.0, weights={"Ni": 1.0, "Au": 3.0})(u_iso=0.005)
    assert np.abs(found - average).max() < 0.015 * np.abs(average).max()
    # Vacancies thin atoms and density alike: G of the places that are left is x times that of all of them.
    thinned = sample_occupancies(crystal(("Ni", 0.75)), repeat=(4, 4, 4), seed=3, frames=40)
    found = PdfModel(pair_histograms(thinned, r_max=10.5), r, 20.0, weights={"Ni": 1.0})(u_iso=0.005)
    assert np.abs(found - 0.75 * average).max() < 0.015 * np.abs(average).max()


def test_bad_input():
    with pytest.raises(DataError, match=r"occupied 1\.3 times"):
        sample_occupancies(crystal(("Ni", 0.9), ("Au", 0.4)), repeat=(2, 2, 2), seed=0)
    with pytest.raises(DataError, match="larger repeat"):
        sample_occupancies(crystal(("Ni", 0.9), ("Au", 0.1)), repeat=(1, 1, 1), seed=0)
    with pytest.raises(DataError, match="three whole numbers"):
        sample_occupancies(crystal(("Ni", 0.5)), repeat=(2, 2, 0), seed=0)
