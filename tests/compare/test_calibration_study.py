"""The truths of the calibration study are what they say: bonds shifted as asked, the rest in place."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shortrange.compare.evidence import judge
from shortrange.compare.theory_error import EXAFS_THEORY_ERROR
from shortrange.fit.parameters import Parameter
from shortrange.fit.term import Term

STUDY = Path(__file__).parents[2] / "studies" / "calibration"


@pytest.fixture(scope="module")
def truths():
    sys.path.insert(0, str(STUDY))
    import truths as module

    yield module
    sys.path.remove(str(STUDY))


def bonds(trajectory, other, longest=3.1):
    """Mean Ta-other bond, angstrom."""
    species, found = np.array(trajectory.species), []
    for x, cell in zip(trajectory.positions, trajectory.cells, strict=True):
        vector = x[species == "Ta"][:, None] - x[species == other][None]
        frac = vector @ np.linalg.inv(cell)
        distance = np.linalg.norm((frac - np.round(frac)) @ cell, axis=-1)
        found.append(distance[distance < longest])
    return float(np.mean(np.concatenate(found)))


def test_rates_are_averaged_over_the_spread(truths):
    """Errors that hold a slope of 0.1 times a spread of 0.15: right on average, whatever was drawn."""
    import analyse

    rng = np.random.default_rng(4)
    for drawn in (0.1, 0.15):
        split, other = rng.normal(0.0, drawn, 4000), rng.normal(0.0, 0.01, 4000)
        rows = [
            {"kind": "a", "bond": "2.4", "found_bond": str(2.4 + 0.1 * s + e), "split": str(s),
             "sigma_bond": str(np.hypot(0.015, 0.01))}
            for s, e in zip(split, other, strict=True)
        ]  # fmt: skip
        assert analyse.coverage_over_spread(rows, 1.0) == pytest.approx(0.683, abs=0.02)
        assert analyse.coverage_over_spread(rows, 1.96) == pytest.approx(0.95, abs=0.01)


def test_a_linear_model_has_the_evidence_of_a_verdict(truths):
    """Laplace's approximation is exact for it; a direction of the covariance is a parameter with a prior."""
    from covariances import KINDS, SPREAD, evidences

    rng = np.random.default_rng(3)
    x = np.linspace(3.0, 12.0, 60)
    first, second, bonds = np.sin(4.8 * x), np.cos(4.8 * x), np.cos(4.1 * x)
    names = {"a": (first, (1.0, 0.1)), "b": (second, (0.0, 0.2))}

    def term(**directions):
        shapes = np.array([shape for shape, _ in directions.values()])
        return Term(
            measurement="Ta L3", technique="xas", x=x, curve=0.95 * first + 0.05 * scatter,
            modes=np.eye(x.size), noise=1e-3 * np.eye(x.size), sampling=1e-4 * np.eye(x.size),
            model=lambda theta: theta @ shapes, spread=lambda _: bonds[:, None],
            parameters=tuple(
                Parameter(name=name, unit="1", value=prior[0], lower=-9.0, upper=9.0, prior=prior)
                for name, (_, prior) in directions.items()
            ),
        )  # fmt: skip

    scatter = rng.normal(size=x.size)
    plain, wider = term(**names), term(**names, spread=(bonds, (0.0, SPREAD)))
    found = evidences(plain)
    for each, kind in ((plain, "white"), (wider, "white + spread")):
        every_point = replace(EXAFS_THEORY_ERROR, independent=1.0)
        expected = judge(each, theory_error=every_point).log_evidence
        assert found[kind] == pytest.approx(expected, abs=0.01), kind
    assert set(found) == set(KINDS)


def test_a_power_of_the_evidence_undoes_what_made_it_too_sure(truths):
    """Truths drawn by their odds, and evidence that counts each point twice: half of it is right."""
    from tempered import log_odds

    rng = np.random.default_rng(5)
    true = rng.normal(0.0, 1.5, (4000, 4))
    chance = np.exp(true) / np.exp(true).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.exp(log_odds(true, 1.0)), chance)
    right = (rng.random(4000)[:, None] > chance.cumsum(axis=1)).sum(axis=1)
    misses = {p: -log_odds(2.0 * true, p)[np.arange(4000), right].mean() for p in (1.0, 0.7, 0.5, 0.35)}
    assert min(misses, key=misses.get) == 0.5


def test_older_truths_are_judged_by_evidence_as_it_is_counted(truths):
    """P from EXAFS alone: of ln Z with every point counted 0.6 counts, and the table holds what follows."""
    import rejudge

    fits = [row for row in rejudge.read(rejudge.EARLIER / "fits.csv") if row["truth"] == "250"]
    logs = {r["model"]: 0.6 * float(r["log_evidence"]) for r in fits if r["measurement"] == "Ta L3"}
    best = max(logs, key=logs.get)
    expected = 1.0 / sum(np.exp(value - logs[best]) for value in logs.values())
    tables = {name: {} for name in logs}
    for row in fits:
        tables[row["model"]][row["measurement"]] = rejudge.fit(row)
    made = rejudge.verdicts(tables, fits[0]["kind"], {name: {"Ta": 1, "Cl": 5, "S": 1} for name in logs})
    held = rejudge.read(rejudge.EARLIER / "verdicts.csv")
    for rows in (list(made), [row for row in held if row["truth"] == "250"]):
        row = next(r for r in rows if (r["data"], r["offered"]) == ("EXAFS", "right"))
        assert row["best"] == best
        assert float(row["probability"]) == pytest.approx(expected, rel=1e-3)
    assert expected < 0.9


@pytest.mark.parametrize("shift", [-0.03, 0.02])
def test_bonds_shift_by_what_is_asked(truths, shift):
    rng = np.random.default_rng(1)
    base = truths.load_base(truths.CANDIDATES["corner"], rng=rng, frames=3)
    moved = truths.changed(base, truths.Change(ta_cl=shift, ta_s=-shift, packing=0.05), rng=rng)
    # Pairs that are no bonds hold back a little.
    assert bonds(moved, "Cl") - bonds(base, "Cl") == pytest.approx(shift, abs=0.006)
    assert bonds(moved, "S") - bonds(base, "S") == pytest.approx(-shift, abs=0.008)


def test_no_change_changes_nothing(truths):
    rng = np.random.default_rng(2)
    base = truths.load_base(truths.CANDIDATES["isolated"], rng=rng, frames=2)
    same = truths.changed(base, truths.Change(), rng=rng)
    frac = (same.positions - base.positions) @ np.linalg.inv(base.cells[0])
    np.testing.assert_allclose(frac, np.round(frac), atol=1e-9)


@pytest.mark.parametrize(("kind", "sulphur", "bridged"), [("corner", 1.0, 1.0), ("isolated", 0.0, 0.0)])
def test_surroundings_are_counted_in_the_coordinates(truths, kind, sulphur, bridged):
    base = truths.load_base(truths.CANDIDATES[kind], rng=np.random.default_rng(3), frames=3)
    found = truths.local(base)
    assert found.sulphur == pytest.approx(sulphur, abs=0.02)
    assert found.bridged == pytest.approx(bridged, abs=0.05)
    assert found.bond == pytest.approx(bonds(base, "Cl") if kind == "isolated" else 2.40, abs=0.01)
