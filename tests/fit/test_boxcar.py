from dataclasses import replace

import numpy as np
import pytest

from shortrange.errors import DataError, ProjectError, SimulationError
from shortrange.fit import boxcar_windows, least_squares
from shortrange.fit.boxcar import boxcar
from shortrange.fit.boxcar_windows import window_edges
from shortrange.fit.coherence import coherence
from shortrange.fit.fractions import mass_weights
from shortrange.load import load_crystal, load_gr
from shortrange.quantities import GR
from shortrange.simulate.crystal_gr import crystal_pdf
from two_phases import composite as two_phase_composite
from two_phases import measured, nickel, oxide, white_noise


def start():
    return {"Ni": nickel(3.523, 0.006), "NiO": oxide(4.177, 0.006)}


@pytest.fixture(scope="module")
def flat(mixture):
    """A true mixture: nothing fades."""
    return boxcar(mixture(), start(), r_range=(2.0, 26.0), window=6.0, free=["scale", "cell", "u_iso"])


R_FINE = np.arange(1, 4500) * 0.01


@pytest.fixture(scope="module")
def fading():
    """The order of the oxide ends at 12 angstrom: the box-car, and its true mass share along ``R_FINE``."""
    g, share = two_phase_composite(1 / (1 + np.exp((R_FINE - 12.0) / 0.7)), R_FINE)
    return boxcar(measured(g, sigma=0.03, seed=1), start(), r_range=(2.0, 26.0), window=5.0), share


def test_every_window_of_a_true_mixture_finds_it(flat):
    shares = np.array([w.share("Ni") for w in flat.windows])
    assert len(flat.windows) == 19
    # Once in 100 one of 19 is off by more.
    assert np.all(np.abs(shares[:, 0] - 0.54640) < 3.5 * shares[:, 1])
    lattice = [w.refinement["NiO.a"] for w in flat.windows]
    assert all(abs(a.value - 4.185) < 3.5 * a.sigma for a in lattice)


def test_the_companion_is_the_model_of_the_whole_range_with_its_scales_alone(flat):
    window = flat.windows[5]
    r, g = window.refinement.r, window.refinement.g
    beyond = r[0] + (r[1] - r[0]) * np.arange(int((26.0 - r[0]) / (r[1] - r[0])))
    columns = []
    for name, phase in start().items():
        model = crystal_pdf(phase, r_max=26.0)
        values = np.array([flat.trend.values[f"{name}.{own}"] for own in model.names])
        columns.append(model.curve(values, beyond, q_max=24.0)[: r.size])
    curves = np.array(columns).T
    rest = g - curves @ np.linalg.lstsq(curves, g, rcond=None)[0]
    assert window.rw_fixed == pytest.approx(np.linalg.norm(rest) / np.linalg.norm(g), rel=0.01)


def test_a_true_mixture_has_no_coherence_length(flat):
    for found in flat.coherence.values():
        assert found.half is None
        assert "does not fall" in found.reason
        assert found.lower_limit == pytest.approx(flat.trend.knots[-1])


def test_a_phase_that_fades_is_followed_down(fading):
    result, truth = fading
    shares = {w.r_center: w.share("NiO") for w in result.windows}
    assert abs(shares[4.5][0] - truth[0]) < 3 * shares[4.5][1]
    beyond = [w.share("NiO") for w in result.windows if w.r_min > 17]
    assert all(abs(value) < 3 * sigma for value, sigma in beyond), beyond
    found, trend = result.coherence["NiO"], result.trend
    assert abs(found.half - R_FINE[np.argmax(truth < truth[0] / 2)]) < 3 * found.sigma
    # None of it, as far as errors tell.
    errors = np.sqrt(np.diag(trend.mass_covariance[1]))
    at_end = np.interp(found.zero, R_FINE, truth)
    assert at_end < (2 + 3) * np.interp(found.zero, trend.knots, errors)
    assert result.coherence["Ni"].half is None


def test_windows_do_not_depend_on_the_number_of_threads(mixture):
    one, two = (
        boxcar(mixture(), start(), r_range=(2.0, 14.0), window=6.0, workers=workers) for workers in (1, 3)
    )
    assert [w.share("Ni") for w in one.windows] == [w.share("Ni") for w in two.windows]


def test_an_interrupted_run_goes_on_where_it_stopped(mixture, tmp_path, monkeypatch):
    settings = {"r_range": (2.0, 12.0), "window": 5.0, "resume": tmp_path / "windows.jsonl"}
    whole = boxcar(mixture(), start(), **settings)
    lines = (tmp_path / "windows.jsonl").read_text().splitlines()
    assert len(lines) == len(whole.windows)
    # Two windows were solved, and the third was being written.
    (tmp_path / "windows.jsonl").write_text("\n".join([*lines[:2], lines[2][:40]]))
    solved = []
    solve = boxcar_windows.solve

    def counted(problem, **more):
        solved.append(problem.data.r[0])
        return solve(problem, **more)

    monkeypatch.setattr(boxcar_windows, "solve", counted)
    again = boxcar(mixture(), start(), **settings)
    assert [w.share("Ni") for w in again.windows] == [w.share("Ni") for w in whole.windows]
    assert len({round(r) for r in solved}) == len(whole.windows) - 2
    # Other data are not mistaken for these.
    other = boxcar(mixture(seed=7), start(), **settings)
    assert other.windows[0].share("Ni") != whole.windows[0].share("Ni")


def test_growing_and_shrinking_windows():
    assert window_edges((2, 10), window=4, step=2, scan="growing") == [(2, 6), (2, 8), (2, 10)]
    assert window_edges((2, 10), window=4, step=2, scan="shrinking") == [(2, 10), (4, 10), (6, 10)]
    assert window_edges((2, 10), window=4, step=2) == [(2, 6), (4, 8), (6, 10)]


def test_the_width_of_growing_windows_sharpens_the_lattice(mixture):
    found = boxcar(mixture(), start(), r_range=(2.0, 20.0), window=5.0, step=5.0, scan="growing",
                   free=["scale", "cell", "u_iso"])  # fmt: skip
    errors = [w.refinement["Ni.a"].sigma for w in found.windows]
    assert errors == sorted(errors, reverse=True)


def test_a_window_that_fails_says_why_and_spoils_no_other(mixture, monkeypatch):
    solve = boxcar_windows.solve

    def fragile(problem, **settings):
        if problem.data.r[0] < 3.0:
            raise SimulationError("no peak fits", where="here", do="nothing")
        return solve(problem, **settings)

    monkeypatch.setattr(boxcar_windows, "solve", fragile)
    found = boxcar(mixture(), start(), r_range=(2.0, 12.0), window=5.0)
    assert found.windows[0].refinement is None
    assert found.windows[0].reason == "no peak fits (here)"
    assert np.isnan(found.windows[0].share("Ni")[0])
    assert all(w.refinement is not None for w in found.windows[1:])
    assert found.warnings == ("1 of 6 windows failed, the first: no peak fits (here)",)


def test_a_fit_that_does_not_converge_is_a_value_with_a_reason(mixture, monkeypatch):
    monkeypatch.setattr(least_squares, "_MAX_EVALUATIONS", 1)
    found = boxcar(mixture(), start(), r_range=(2.0, 12.0), window=5.0, free=["scale", "cell", "u_iso"])
    assert all(w.refinement is None and "did not converge" in w.reason for w in found.windows)
    assert found.trend is None
    assert not found.coherence


def test_a_trial_step_to_where_the_model_ends_is_taken_back(mixture):
    # delta2 and a small U together leave no width for the nearest shell.
    found = boxcar(mixture(), start(), r_range=(1.5, 12.0), window=5.0, free=["scale", "u_iso", "delta2"])
    assert all(w.refinement is not None for w in found.windows)


def test_a_scale_that_is_not_free_is_refused(mixture):
    with pytest.raises(DataError, match="scale is fixed"):
        boxcar(mixture(), start(), r_range=(2.0, 14.0), free=["Ni.scale", "u_iso"])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"window": 0.5}, "shorter than a peak"),
        ({"window": 30.0}, "wide, a window"),
        ({"step": 0.0}, "step is 0"),
        ({"step": 0.05, "r_range": (0, 200)}, "windows"),
        ({"r_range": (9, 3)}, "0 <= low < high"),
        ({"scan": "sideways"}, "unknown scan"),
    ],
)
def test_impossible_windows_are_refused(settings, words):
    with pytest.raises(ProjectError, match=words):
        window_edges(**{"r_range": (2.0, 20.0), "window": 6.0, "step": 1.0, **settings})


def test_half_of_a_straight_decline():
    # From 0.4 to 0 over 10 angstrom with equal independent errors: half at 5, error by hand.
    knots = np.linspace(0.0, 20.0, 21)
    fraction = np.maximum(0.4 - 0.04 * knots, 0.0)
    sigma = 0.0004
    found = coherence(knots, fraction, sigma**2 * np.eye(21))
    assert found.half == pytest.approx(5.0)
    # At the knot the crossing moves by (d f - d f0 / 2) / slope; 4000 draws tell a spread to 1.1 %, and the
    # slopes on both sides differ by 1.4 %.
    assert found.sigma == pytest.approx(sigma * np.sqrt(1.25) / 0.04, rel=0.05)
    assert found.zero == pytest.approx(10.0)


def test_one_fraction_off_by_chance_does_not_move_the_end():
    knots = np.arange(10.0)
    fraction = np.array([0.4, 0.4, 0.2, 0.0, 0.01, -0.03, 0.022, -0.01, 0.0, 0.005])
    assert coherence(knots, fraction, 0.01**2 * np.eye(10)).zero == 3.0
    # What stays above zero to the end is not nothing, though no single knot says so.
    fraction = np.where(knots < 3, fraction, 0.015)
    assert coherence(knots, fraction, 0.01**2 * np.eye(10)).zero > 7.0


def test_no_coherence_length_without_the_phase():
    found = coherence(np.arange(5.0), np.full(5, 0.01), 0.01**2 * np.eye(5))
    assert found.half is None
    assert "none of it" in found.reason


def test_where_a_phase_has_ended_its_fraction_is_zero_within_honest_errors():
    # Nickel, and oxide whose order ends at 9 angstrom, through F(Q) from 0.7 to 22 with noise: SIMULATED.
    r, q = np.arange(1, 5001) * 0.01, np.arange(0.7, 22.0, 0.01)
    whole = 0.0
    for scale, crystal, end in ((0.5, nickel(), None), (0.3, oxide(), 9.0)):
        model = crystal_pdf(crystal, r_max=50.0, composition={"Ni": 2, "O": 1})
        g = scale * model.curve(model.start, r, q_max=40.0) * np.exp(-0.5 * (0.04 * r) ** 2)
        whole = whole + (g if end is None else g * np.clip((end - r) / 2.0, 0.0, 1.0))
    clean, points = np.sin(np.outer(q, r)) @ whole * 0.01, r[:2700]
    back = 2 / np.pi * np.sin(np.outer(points, q)) * 0.01
    wrong = []
    for seed in range(12):
        f = clean + np.random.default_rng(seed).normal(0, 0.15, q.size)
        gr = GR(r=points, g=back @ f, q_min=0.7, q_max=22.0, q_damp=0.04, label="simulated")
        found = boxcar(gr, start(), r_range=(1.5, 26.5), window=5.0, step=5.0, trend=False,
                       composition={"Ni": 2, "O": 1})  # fmt: skip
        wrong += [value / sigma for value, sigma in (w.share("NiO") for w in found.windows[2:])]
    wrong = np.array(wrong)
    assert 0.55 < np.mean(np.abs(wrong) < 1) < 0.85, wrong
    assert np.abs(wrong).max() < 4
    assert abs(wrong.mean()) < 0.5


# The simulated composite with a known truth, see cases/P4_boxcar.


@pytest.fixture(scope="module")
def composite(shared_data):
    folder = shared_data.parent / "cases" / "P4_boxcar"
    models = folder / "models"
    phases = {
        "UCl3": load_crystal(models / "Na0.75Sm1.75Cl6_UCl3type.cif"),
        "NaTaCl6": load_crystal(models / "NaTaCl6_P21c.cif"),
    }
    return load_gr(folder / "composite.gr"), phases


SAMPLE = {"Na": 0.8447, "Sm": 1.087, "Ta": 0.3787, "Cl": 6.0}


def test_the_amorphous_part_of_the_composite_fades(composite, agreement):
    gr, phases = composite
    found = boxcar(gr, phases, r_range=(2.0, 26.5), window=5.0, composition=SAMPLE, values={"q_damp": 0.035})
    shares = {w.r_center: w.share("NaTaCl6")[0] for w in found.windows}
    assert len(shares) == 20
    assert 0.22 < shares[4.5] < 0.41  # 0.34 was put in; a crude fit found 0.29
    agreement(
        "mass fraction of the amorphous phase, first window of a simulated composite",
        within=0.07,
        ours=shares[4.5],
        theirs=0.34,
        by="truth that was put in",
        part="Total scattering",
    )
    assert shares[10.5] < 0.5 * shares[4.5]
    beyond = [w.share("NaTaCl6") for w in found.windows if w.r_min > 12]
    assert all(abs(value) < min(0.04, 3 * sigma) for value, sigma in beyond), beyond
    trend, errors = found.trend, np.sqrt(np.diag(found.trend.mass_covariance[1]))
    assert abs(trend.mass[1][0] - 0.34) < 3 * errors[0]
    # No zigzag: down to where there is none of it, and none of it from there on.
    assert np.all(np.diff(trend.mass[1])[trend.knots[1:] < 10] < 0)
    assert np.all(np.abs(trend.mass[1]) < 3 * errors, where=trend.knots > 12)
    # The crystal is not the amorphous phase, and this is said; of the crystalline mixture it is not.
    assert any("apparent" in w for w in found.warnings), found.warnings
    limits = found.coherence["NaTaCl6"]
    assert 5.0 < limits.half < 9.5
    assert limits.zero <= 18.0
    # The crystal's own parameters, which the models have a little wrong.
    window = found.windows[-6].refinement
    assert found.trend.values["UCl3.a"] == pytest.approx(7.47, abs=0.005)
    assert found.trend.values["UCl3.c"] == pytest.approx(4.195, abs=0.005)
    assert window["UCl3.u_iso"].value == pytest.approx(0.020, abs=0.001)


def test_a_crystalline_composite_stays_flat(composite):
    _, phases = composite
    cells = {"UCl3": (7.47, 7.47, 4.195, 90, 90, 120), "NaTaCl6": (6.71, 7.09, 19.86, 90, 90.69, 90)}
    r = np.arange(1, 2801) * 0.01
    models = {
        name: crystal_pdf(replace(phase, lattice=cells[name]), r_max=28.0, composition=SAMPLE)
        for name, phase in phases.items()
    }
    scales = np.array([0.66, 0.34]) / mass_weights(models)
    curves = [
        model.curve(np.array([*model.start[:-1], 0.035]), r, q_max=21.0, q_min=0.7)
        for model in models.values()
    ]
    g = 0.82 * scales / scales.sum() @ curves
    g = g + white_noise(np.random.default_rng(0), r, 0.016)
    gr = GR(r=r, g=g, q_min=0.7, q_max=21.0, q_damp=0.035, label="simulated")
    found = boxcar(gr, phases, r_range=(2.0, 26.0), window=5.0, step=2.0, composition=SAMPLE)
    shares = np.array([w.share("NaTaCl6") for w in found.windows])
    assert np.all(np.abs(shares[:, 0] - 0.34) < 3.5 * shares[:, 1]), shares
    assert found.coherence["NaTaCl6"].half is None
    assert found.coherence["NaTaCl6"].lower_limit > 20.0
    assert not any("apparent" in w for w in found.warnings)
