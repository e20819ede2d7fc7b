"""Finished fits of a run that may be interrupted: kept under the hash of what they depend on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.compare.evidence import judge
from shortrange.compare.mixture import Component, MixtureFit, judge_mixture
from shortrange.compare.regions import Places
from shortrange.compare.theory_error import TheoryError
from shortrange.compare.verdict import FittedParameter, MeasurementFit
from shortrange.errors import ShortrangeError
from shortrange.fit.term import Term
from shortrange.run.versions import versions
from shortrange.simulate.cache import content_key
from shortrange.simulate.pieces import PieceStore

__all__ = ["KeptFits", "fingerprint"]

Array = NDArray[Any]
_KINDS = {kind.__name__: kind for kind in (FittedParameter, MeasurementFit, MixtureFit, Places)}


class KeptFits:
    """Fits that are made once, and taken from the cache when the same run goes on after an interruption.

    A fit depends on its data, on its model and on the versions of the libraries. The model is a function: it
    is known by its curves at the start of the fit and at one standard deviation of each prior to either side.

    Parameters
    ----------
    project
        The project file: runs of other projects keep their fits elsewhere.
    """

    def __init__(self, project: Path) -> None:
        self.store = PieceStore(content_key("fits", str(project.resolve()), json.dumps(dict(versions()))))
        self._known: dict[int, tuple[Term, str]] = {}

    def judge(self, term: Term, *, theory_error: TheoryError) -> MeasurementFit:
        """As `shortrange.compare.evidence.judge`."""
        found = self._once(
            lambda: judge(term, theory_error=theory_error), "judge", self._of(term), repr(theory_error)
        )
        assert isinstance(found, MeasurementFit)
        return found

    def judge_mixture(
        self, components: Sequence[Component], of: tuple[str, str], *, tell: Callable[[str], None]
    ) -> MixtureFit:
        """As `shortrange.compare.mixture.judge_mixture`."""
        depends = [
            f"{self._of(c.terms[name])} {c.strengths[name]!r} {c.theory_error!r}"
            for c in components
            for name in of
        ]
        found = self._once(lambda: judge_mixture(components, of, tell=tell), "mixture", *of, *depends)
        assert isinstance(found, MixtureFit)
        return found

    def check(
        self, check: Callable[..., tuple[float, float]], term: Term, *, theory_error: TheoryError
    ) -> tuple[float, float]:
        """Return what a check of the evidence finds, as `shortrange.compare.evidence.check_evidence`."""
        off, sigma = self._once(
            lambda: tuple(float(x) for x in check(term, theory_error=theory_error)),
            check.__name__, self._of(term), repr(theory_error),
        )  # fmt: skip
        return off, sigma

    def _of(self, term: Term) -> str:
        # The term is held beside its hash: the id of one that is gone may become that of another.
        if id(term) not in self._known:
            self._known[id(term)] = term, fingerprint(term)
        return self._known[id(term)][1]

    def _once(self, make: Callable[[], Any], *depends: str) -> Any:
        name = f"pieces-{self.store.key}/{content_key(*depends)}"
        held = self.store.load(name)
        if held is None:
            made = make()
            self.store.save(name, _packed(made))
            return made
        return _unpacked(held)


def fingerprint(term: Term) -> str:
    """Hash of a term: its data, and its model at some values of the parameters.

    Parameters
    ----------
    term
        Two terms with the same hash have the same fit.
    """
    start = np.array([p.value for p in term.parameters])
    lower, upper = term.limits
    steps = np.diag(term.priors[1])
    curves = []
    for step in (0.0 * start, *steps, *-steps):
        # Units of some shapes cannot be built: a fit does not go there either.
        with suppress(ShortrangeError):
            curves.append(term.model(np.clip(start + step, lower, upper)))
    arrays = [term.x, term.curve, term.modes, term.noise, term.sampling, *curves]
    if term.left_out is not None:
        arrays.append(term.left_out)
    if term.spread is not None:
        arrays.append(term.spread(start))
    parts = term.contributions(start)
    head = repr((
        term.measurement, term.technique, term.fit_range, term.parameters, term.slopes is None, list(parts),
        [a.shape for a in arrays],
    ))  # fmt: skip
    return content_key(head, *(np.ascontiguousarray(a).tobytes() for a in (*arrays, *parts.values())))


def _packed(value: Any) -> dict[str, Array]:
    """Arrays as they are, and all else as JSON, in which a float is read back as it was."""
    arrays: dict[str, Array] = {}
    text = json.dumps(_plain(value, arrays))
    return {"text": np.frombuffer(text.encode(), dtype=np.uint8), **arrays}


def _plain(value: Any, arrays: dict[str, Array]) -> Any:
    if isinstance(value, np.ndarray):
        arrays[f"array{len(arrays)}"] = value
        return {"array": f"array{len(arrays) - 1}"}
    if is_dataclass(value):
        each = {f.name: _plain(getattr(value, f.name), arrays) for f in fields(value)}
        return {"kind": type(value).__name__, "fields": each}
    if isinstance(value, Mapping):
        return {"items": {name: _plain(each, arrays) for name, each in value.items()}}
    if isinstance(value, tuple):
        return [_plain(each, arrays) for each in value]
    return value


def _unpacked(held: Mapping[str, Array]) -> Any:
    return _built(json.loads(held["text"].tobytes()), held)


def _built(plain: Any, arrays: Mapping[str, Array]) -> Any:
    if isinstance(plain, list):
        return tuple(_built(each, arrays) for each in plain)
    if not isinstance(plain, dict):
        return plain
    if "array" in plain:
        return arrays[plain["array"]]
    if "items" in plain:
        return {name: _built(each, arrays) for name, each in plain["items"].items()}
    return _KINDS[plain["kind"]](**{name: _built(each, arrays) for name, each in plain["fields"].items()})
