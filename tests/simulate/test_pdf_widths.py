"""Peak widths that vary with distance, balls, derivatives: against the plain path and differences."""

import numpy as np
import pytest
from ase.build import bulk

from shortrange.errors import DataError
from shortrange.quantities import Trajectory
from shortrange.simulate.pairs import pair_histograms
from shortrange.simulate.pdf import PdfModel, simulate_gr
from shortrange.simulate.pdf_peaks import Widths, sphere

R = np.arange(1.5, 9, 0.02)
U = {"Na": 0.004, "Cl": 0.006, "Ta": 0.005}


@pytest.fixture(scope="module")
def salt():
    atoms = bulk("NaCl", "rocksalt", a=5.64, cubic=True).repeat((2, 2, 2))
    atoms.symbols[::9] = "Ta"
    rng = np.random.default_rng(0)
    positions = atoms.positions + 0.08 * rng.normal(size=(12, len(atoms), 3))
    cells = np.repeat(np.array(atoms.cell)[None], 12, axis=0)
    species = tuple(atoms.get_chemical_symbols())
    return pair_histograms(Trajectory(species=species, positions=positions, cells=cells), r_max=12.0)


def test_widths_that_hardly_vary_change_nothing(salt):
    """Two ways to the same sum, with true form factors: in Q with one width, in r with a width for each r."""
    model = PdfModel(salt, R, 22.0, 0.7)
    for stretch in (0.0, 0.012, -0.012):
        plain = model.contributions(u_iso=U, stretch=stretch, q_damp=0.03)
        other = model.contributions(u_iso=U, stretch=stretch, q_damp=0.03, widths=Widths(delta2=1e-12))
        for pair, g in plain.items():
            inside = R < 6.5  # the two switch off the end of the histogram in different ways
            assert other[pair][inside] == pytest.approx(g[inside], abs=2e-3 * np.abs(g).max()), pair


def test_correlated_motion_sharpens_near_peaks_only(salt):
    plain = simulate_gr(salt, r=R, q_max=25.0, u_iso=U).gr.g
    sharp = simulate_gr(salt, r=R, q_max=25.0, u_iso=U, delta2=3.0)
    broad = simulate_gr(salt, r=R, q_max=25.0, u_iso=U, q_broad=0.1).gr.g
    near, far = (R > 2.5) & (R < 3.2), R > 7
    assert sharp.gr.g[near].max() > 1.05 * plain[near].max()
    assert np.abs(sharp.gr.g - plain)[far].max() < 0.1 * np.abs(plain[far]).max()
    assert np.abs(broad - plain)[far].max() > 0.2 * np.abs(plain[far]).max()
    assert sum(sharp.contributions.values()) == pytest.approx(sharp.gr.g)
    # The error of the mean goes the same way.
    assert sharp.gr.sigma[near].max() > simulate_gr(salt, r=R, q_max=25.0, u_iso=U).gr.sigma[near].max()
    assert any("delta2" in s.settings for s in sharp.history)


def test_a_ball_of_sharp_distances(salt):
    """Without U the ball multiplies each pair: with a wide range of Q it is the envelope of G."""
    diameter, r = 9.0, np.arange(2.0, 10.5, 0.02)
    plain = simulate_gr(salt, r=r, q_max=40.0)
    ball = simulate_gr(salt, r=r, q_max=40.0, diameter=diameter)
    expected = plain.gr.g * sphere(r, diameter)
    assert ball.gr.g == pytest.approx(expected, abs=2e-2 * np.abs(plain.gr.g).max())
    assert np.abs(ball.gr.g[r > 9.5]).max() < 0.02 * np.abs(plain.gr.g).max()


def test_a_particle_of_any_shape(salt):
    """The ball as a function is the ball; a slab (1 - r / 2d, then d / 2r) multiplies each pair."""
    r = np.arange(2.0, 10.5, 0.02)
    ball = simulate_gr(salt, r=r, q_max=25.0, diameter=9.0)
    same = simulate_gr(salt, r=r, q_max=25.0, diameter=lambda x: sphere(x, 9.0))
    np.testing.assert_allclose(same.gr.g, ball.gr.g, atol=1e-12)

    def slab(x):
        x = np.asarray(x)
        return np.where(x <= 9.0, 1 - x / 18.0, 4.5 / np.maximum(x, 9.0))

    plate = simulate_gr(salt, r=r, q_max=40.0, diameter=slab)
    plain = simulate_gr(salt, r=r, q_max=40.0)
    assert plate.gr.g == pytest.approx(plain.gr.g * slab(r), abs=2e-2 * np.abs(plain.gr.g).max())


@pytest.mark.parametrize("shape", [lambda x: 2 - x, lambda x: np.zeros_like(x), lambda _: np.ones(3)])
def test_a_shape_that_is_none_is_refused(salt, shape):
    with pytest.raises(DataError, match="does not give the share of pairs"):
        simulate_gr(salt, r=np.arange(2.0, 5.0, 0.02), q_max=20.0, diameter=shape)


def test_sphere_counts_pairs_of_points_in_a_ball():
    """Share of the pairs within dr of r that a uniform ball keeps, by counting random points."""
    rng = np.random.default_rng(3)
    points = rng.uniform(-1, 1, (6000, 3))
    points = points[np.linalg.norm(points, axis=1) < 1]
    d = np.linalg.norm(points[:, None] - points[None], axis=2)
    edges = np.linspace(0.2, 1.9, 12)
    counted, _ = np.histogram(d[d > 0], edges)
    density = len(points) / (4 / 3 * np.pi)
    free = len(points) * density * 4 / 3 * np.pi * np.diff(edges**3)
    assert counted / free == pytest.approx(sphere((edges[:-1] + edges[1:]) / 2, 2.0), abs=0.02)


@pytest.mark.parametrize("name", ["scale", "stretch", "u_iso", "q_damp"])
def test_derivatives_equal_differences(salt, name):
    model = PdfModel(salt, R, 22.0, 0.7)
    at = {"scale": 0.8, "stretch": 0.004, "u_iso": 0.003, "q_damp": 0.04}
    step = {"scale": 1e-3, "stretch": 1e-5, "u_iso": 1e-5, "q_damp": 1e-4}[name]
    difference = (model(**at | {name: at[name] + step}) - model(**at | {name: at[name] - step})) / (2 * step)
    assert model.derivatives(**at)[name] == pytest.approx(difference, abs=1e-5 * np.abs(difference).max())


def test_messages(salt):
    with pytest.raises(DataError, match="modify the width that u_iso gives, which is 0"):
        simulate_gr(salt, r=R, q_max=20.0, delta2=1.0)
    with pytest.raises(DataError, match="diameter = -3"):
        simulate_gr(salt, r=R, q_max=20.0, diameter=-3.0)
    with pytest.raises(DataError, match="or count pairs with a finer r_step"):
        simulate_gr(salt, r=R, q_max=20.0, u_iso=1e-6, q_broad=0.01)
    with pytest.raises(DataError, match=r"square of the width of the .* peak at 2\.\d+ angstrom is -"):
        simulate_gr(salt, r=R, q_max=20.0, u_iso=0.003, delta2=9.0)
    with pytest.raises(DataError, match="use finite differences"):
        PdfModel(salt, R, 20.0, diameter=20.0).derivatives()
