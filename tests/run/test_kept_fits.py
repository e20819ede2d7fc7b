"""Fits are made once; what is read back is what was kept, to the last bit, and of the same term only."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import shortrange.run.kept_fits as kept_fits
from shortrange.compare.mixture import Component
from shortrange.compare.theory_error import TheoryError
from shortrange.fit.parameters import Parameter
from shortrange.fit.term import Term
from shortrange.run.kept_fits import KeptFits, fingerprint

X = np.linspace(0.0, 3.0, 20)
SMALL = TheoryError(median=0.02, log_sigma=0.3, source="test")
SCALE = Parameter(name="scale", unit="1", value=1.0, lower=0.5, upper=1.5, prior=(1.0, 0.02))


def term(shape):
    curve = np.sin(X) + 0.02 * np.random.default_rng(1).normal(size=X.size)
    return Term(
        measurement="Ta L3", technique="xas", x=X, curve=curve, modes=np.eye(X.size),
        noise=4e-4 * np.eye(X.size), sampling=1e-4 * np.eye(X.size), parameters=(SCALE,),
        model=lambda theta: theta[0] * shape, spread=lambda theta: theta[0] * shape[:, None] ** 2,
        contributions=lambda theta: {"all": theta[0] * shape},
    )  # fmt: skip


FIRST, SECOND = np.sin(X), np.cos(2 * X)


@pytest.fixture
def calls(monkeypatch, tmp_path):
    """What is fitted, with a cache that nobody else fills."""
    monkeypatch.setenv("SHORTRANGE_CACHE", str(tmp_path))
    made = []
    for name in ("judge", "judge_mixture"):
        real = getattr(kept_fits, name)
        monkeypatch.setattr(
            kept_fits, name, lambda *a, real=real, name=name, **k: made.append(name) or real(*a, **k)
        )
    return made


def work(folder):
    """Fits of two models and of their mixture, as a process does that knows of no other."""
    terms = {"a": term(FIRST), "b": term(SECOND)}
    kept = KeptFits(folder)
    both = Component(terms=terms, strengths={"a": 1.0, "b": 0.5}, theory_error=SMALL)
    fits = [kept.judge(each, theory_error=SMALL) for each in terms.values()]
    return kept, fits, kept.judge_mixture([both], ("a", "b"), tell=lambda _: None)


def same(one, other):
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if hasattr(one, "__dataclass_fields__"):
        names = one.__dataclass_fields__
        return type(one) is type(other) and all(same(getattr(one, n), getattr(other, n)) for n in names)
    return one == other


def test_what_was_fitted_is_taken_as_it_was(calls, tmp_path):
    _, fits, mixture = work(tmp_path)
    assert calls == ["judge", "judge", "judge_mixture"]
    kept, again, mixed = work(tmp_path)
    assert len(calls) == 3
    assert all(map(same, fits, again))
    assert same(mixture, mixed)
    kept.store.clear()
    work(tmp_path)
    assert len(calls) == 6


def test_another_project_or_theory_error_has_its_own_fits(calls, tmp_path):
    work(tmp_path)
    work(Path(tmp_path) / "other")
    KeptFits(tmp_path).judge(term(FIRST), theory_error=replace(SMALL, median=0.03))
    assert calls.count("judge") == 5


def test_a_damaged_fit_is_made_again(calls, tmp_path):
    _, fits, _ = work(tmp_path)
    for path in tmp_path.glob("pieces-*/*.npz"):
        path.write_bytes(path.read_bytes()[:200])
    _, again, _ = work(tmp_path)
    assert len(calls) == 6
    assert all(map(same, fits, again))


def test_checks_are_kept(calls, tmp_path):
    asked = []

    def check(each, *, theory_error):
        asked.append(theory_error.median)
        return np.float64(0.25), 0.125

    for _ in range(2):
        assert KeptFits(tmp_path).check(check, term(FIRST), theory_error=SMALL) == (0.25, 0.125)
    assert asked == [0.02]


@pytest.mark.parametrize(
    "change",
    [
        {"model": lambda theta: theta[0] ** 1.001 * FIRST},
        {"curve": FIRST},
        {"noise": 4.001e-4 * np.eye(X.size)},
        {"parameters": (replace(SCALE, prior=(1.0, 0.021)),)},
        {"spread": None},
        {"left_out": 1e-4 * np.eye(X.size)},
        {"contributions": lambda theta: {"Ta-Cl": theta[0] * FIRST}},
        {"measurement": "Ta L2"},
        {"fit_range": (1.2, 4.4)},
    ],
)
def test_another_term_is_told_by_what_it_is(change):
    assert fingerprint(term(FIRST)) == fingerprint(term(FIRST))
    assert fingerprint(replace(term(FIRST), **change)) != fingerprint(term(FIRST))
