"""Names of refined parameters: which are free, fixed or tied, with their starts, bounds and priors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.fit.parameter_names import INSTRUMENT, Resolver, fault
from shortrange.fit.wishes import Wishes
from shortrange.simulate.crystal_gr import CrystalPdf

__all__ = ["Book", "Free", "make_book"]

Array = NDArray[Any]

_UNITS = {
    "scale": "1", "stretch": "1", "a": "angstrom", "b": "angstrom", "c": "angstrom", "alpha": "degree",
    "beta": "degree", "gamma": "degree", "u_iso": "angstrom^2", "delta1": "angstrom", "delta2": "angstrom^2",
    "q_broad": "1/angstrom", "q_damp": "1/angstrom", "diameter": "angstrom", "inner_diameter": "angstrom",
    "thickness": "angstrom", "coordinate": "1", "u_tensor": "angstrom^2", "u_shear": "angstrom^2",
    "occupancy": "1", "density": "1/angstrom^3",
}  # fmt: skip
_KINDS = {
    r"u_iso": "u_iso", r"[xyz]_": "coordinate", r"u(11|22|33)_": "u_tensor", r"u(12|13|23)_": "u_shear",
    r"occ_": "occupancy",
}  # fmt: skip
_SIZES = {"diameter": 50.0, "inner_diameter": 50.0, "thickness": 20.0}  # and where a fit begins, angstrom


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """One free number of a fit.

    Attributes
    ----------
    name, unit
        ``"PHASE.parameter"`` or an instrument parameter.
    start, lower, upper
        Where the fit starts, and its limits.
    prior
        Mean and standard deviation, or None.
    size
        How far the parameter moves G as much as others do: the unit of the solver.
    targets
        Places in the vector of all parameters that take this value.
    """

    name: str
    unit: str
    start: float
    lower: float
    upper: float
    prior: tuple[float, float] | None
    size: float
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Book:
    """All parameters of a set of phases, and the free ones among them.

    Attributes
    ----------
    phases
        By name.
    names
        Of the vector of all parameters: for each phase scale and its own.
    base
        Values where nothing else is said, shape (n_all,).
    free
        The free ones.
    """

    phases: dict[str, CrystalPdf]
    names: tuple[str, ...]
    base: Array
    free: tuple[Free, ...]

    @property
    def matrix(self) -> Array:
        """d(all) / d(free), shape (n_all, n_free)."""
        out = np.zeros((len(self.names), len(self.free)))
        for k, parameter in enumerate(self.free):
            out[list(parameter.targets), k] = 1.0
        return out

    @property
    def start(self) -> Array:
        """Starts of the free parameters."""
        return np.array([p.start for p in self.free])

    def all_values(self, theta: Array) -> Array:
        """Vector of all parameters."""
        full = self.base.copy()
        for value, parameter in zip(theta, self.free, strict=True):
            full[list(parameter.targets)] = value
        return full

    def index(self, name: str) -> int:
        """Place of one name among all parameters."""
        return self.names.index(name)

    def places(self, name: str) -> list[int]:
        """Places that a name of the user's reaches."""
        return Resolver(self.phases, self.names).places(name)

    def of_phase(self, phase: str) -> slice:
        """Places of a phase's own parameters, without its scale."""
        first = self.names.index(f"{phase}.scale") + 1
        return slice(first, first + len(self.phases[phase].names))

    def active(self, phase: str) -> tuple[str, ...]:
        """Own parameters of a phase that some free parameter moves.

        Where one moves U of all elements they are ``u_iso``: one slope instead of one by each.
        """
        moved = {place: k for k, parameter in enumerate(self.free) for place in parameter.targets}
        model, first = self.phases[phase], self.of_phase(phase).start
        by = {name: moved[first + i] for i, name in enumerate(model.names) if first + i in moved}
        group = model.groups.get("u_iso", {}).get("u_iso", ()) if model.sites is None else ()
        if len(group) < 2 or len({by.get(name, -1) for name in group}) > 1 or group[0] not in by:
            return tuple(by)
        return tuple("u_iso" if name == group[0] else name for name in by if name not in group[1:])

    def held(self, names: Iterable[str]) -> Book:
        """Return a copy in which some free parameters are fixed where they start.

        Raises
        ------
        ProjectError
            If a name reaches no free parameter.
        """
        base, resolver, held = self.base.copy(), Resolver(self.phases, self.names), set()
        for name in names:
            places = set(resolver.places(name))
            reached = {p.name for p in self.free if places & set(p.targets)}
            if not reached:
                raise fault(f"{name!r} is to be shared but is not free", "name it in free as well")
            held |= reached
        for parameter in self.free:
            if parameter.name in held:
                base[list(parameter.targets)] = parameter.start
        return replace(self, base=base, free=tuple(p for p in self.free if p.name not in held))

    def only(self, names: Iterable[str]) -> Book:
        """Return a copy in which only these of the free parameters are free."""
        wanted = set(names)
        return replace(self, free=tuple(p for p in self.free if p.name in wanted))

    def started_at(self, values: Mapping[str, float]) -> Book:
        """Return a copy whose parameters, free or not, begin at the given values of all parameters."""
        base = np.array([values.get(name, old) for name, old in zip(self.names, self.base, strict=True)])
        free = tuple(
            replace(p, start=min(max(float(base[p.targets[0]]), p.lower), p.upper)) for p in self.free
        )
        return replace(self, base=base, free=free)


def make_book(phases: Mapping[str, CrystalPdf], wishes: Wishes) -> Book:
    """Resolve the names of a refinement.

    Raises
    ------
    ProjectError
        If a name is unknown, free twice, tied in a loop, or its bounds exclude its start.
    """
    names = [f"{phase}.{own}" for phase, model in phases.items() for own in ("scale", *model.names)]
    base = np.concatenate([np.array([1.0, *model.start]) for model in phases.values()])
    resolver = Resolver(dict(phases), names)
    for name, value in (wishes.values or {}).items():
        if not isfinite(value):
            raise fault(f"{name} = {value}", "give a finite number")
        for place in resolver.places(name):
            _check_value(names[place], float(base[place]), value, phases)
            base[place] = value
    groups = resolver.groups(wishes.free)
    _apply_ties(groups, wishes.ties or {}, resolver)
    free = [_free(name, places, base, wishes, resolver, phases) for name, places in groups.items()]
    for parameter in free:
        base[list(parameter.targets)] = parameter.start
    return Book(phases=dict(phases), names=tuple(names), base=base, free=tuple(free))


def _apply_ties(groups: dict[str, list[int]], ties: Mapping[str, str], resolver: Resolver) -> None:
    for follower in ties:
        seen, leader = [follower], ties[follower]
        while leader in ties:
            if leader in seen:
                raise fault(
                    f"the ties run in a circle: {' -> '.join([*seen, leader])}", "tie to a free parameter"
                )
            seen.append(leader)
            leader = ties[leader]
        places, ends = resolver.places(follower), resolver.places(leader)
        if leader == follower or set(places) & set(ends):
            raise fault(f"{follower!r} is tied to itself", "tie it to another parameter")
        if leader not in groups:
            raise fault(f"{follower!r} is tied to {leader!r}, which is not free",
                         f"free it, or choose from {sorted(groups)}")  # fmt: skip
        groups.pop(follower, None)
        if any(set(places) & set(taken) for name, taken in groups.items() if name != leader):
            raise fault(f"{follower!r} is tied and free at once", "leave it out of the free ones")
        groups[leader] = groups[leader] + places


def _free(
    name: str,
    places: list[int],
    base: Array,
    wishes: Wishes,
    resolver: Resolver,
    phases: Mapping[str, CrystalPdf],
) -> Free:
    kind = _kind(name)
    # A common U starts from the mean of its elements.
    start = float(np.mean(base[places])) if kind == "u_iso" else float(base[places[0]])
    phase = phases.get(name.rpartition(".")[0])
    lower, upper, start, size = _defaults(kind, start, phase)
    bounds = _given(name, places, wishes.bounds, resolver)
    if bounds is not None:
        lower, upper = _checked_pair(name, "bounds", bounds)
        if not lower < upper:
            raise fault(f"the bounds of {name} are {lower:g} and {upper:g}", "give lower < upper")
        if not lower <= start <= upper:
            raise fault(f"{name} starts at {start:g}, outside its bounds {lower:g} to {upper:g}",
                         "move the start or the bounds")  # fmt: skip
    if not lower <= start <= upper:
        raise fault(
            f"{name} starts at {start:g}, where {lower:g} to {upper:g} is possible", "correct its value"
        )
    prior = _given(name, places, wishes.priors, resolver)
    if prior is not None:
        prior = _checked_pair(name, "prior", prior)
        if not (isfinite(prior[0]) and isfinite(prior[1]) and prior[1] > 0):
            raise fault(
                f"the prior of {name} is {prior[0]:g} +- {prior[1]:g}", "give a mean and a positive error"
            )
    return Free(name=name, unit=_UNITS[kind], start=start, lower=lower, upper=upper, prior=prior, size=size,
                targets=tuple(places))  # fmt: skip


def _kind(name: str) -> str:
    own = name.rpartition(".")[2]
    for pattern, kind in _KINDS.items():
        if re.match(pattern, own):
            return kind
    return own


def _defaults(kind: str, start: float, phase: CrystalPdf | None) -> tuple[float, float, float, float]:
    """Limits, start and size of a parameter of some kind."""
    if kind in ("a", "b", "c"):
        # Shells are enumerated with that much to spare.
        return 0.95 * start, 1.05 * start, start, 0.002 * start
    if kind in ("delta1", "delta2"):
        # sigma^2 stays above a tenth of its value without correlated motion, at the shortest distance.
        shortest = phase.shells.shortest if phase is not None else 2.0
        return 0.0, 0.9 * shortest ** (1 if kind == "delta1" else 2), start, 0.5
    if kind in _SIZES:
        return 1.0, 2000.0, start or _SIZES[kind], 0.1 * _SIZES[kind]
    if kind == "coordinate":
        return start - 0.2, start + 0.2, start, 0.002
    limits = {
        "scale": (-inf, inf, 0.1), "stretch": (-0.05, 0.05, 0.002), "u_iso": (7e-4, 0.3, 0.002),
        "alpha": (30.0, 150.0, 0.2), "beta": (30.0, 150.0, 0.2), "gamma": (30.0, 150.0, 0.2),
        "q_damp": (0.0, 0.3, 0.01), "q_broad": (0.0, 0.3, 0.01), "u_tensor": (2e-4, 0.5, 0.002),
        "u_shear": (-0.3, 0.3, 0.002), "occupancy": (0.01, 1.0, 0.05),
        "density": (0.0, 0.3, 0.005),
    }  # fmt: skip
    lower, upper, size = limits[kind]
    # The slope by a damping is zero at zero: a fit would never leave it.
    return lower, upper, start or (0.02 if kind in INSTRUMENT else start), size


def _check_value(name: str, start: float, value: float, phases: Mapping[str, CrystalPdf]) -> None:
    """Refuse a value where nothing of the kind can lie; no form (a size of zero) is allowed."""
    kind = _kind(name)
    lower, upper, _, _ = _defaults(kind, start, phases.get(name.rpartition(".")[0]))
    if not lower <= value <= upper and not (value == 0 and kind in _SIZES):
        raise fault(
            f"{name} starts at {value:g}, where {lower:g} to {upper:g} is possible", "correct its value"
        )


def _given(
    name: str, places: list[int], wished: Mapping[str, tuple[float, float]] | None, resolver: Resolver
) -> tuple[float, float] | None:
    """Look up what is said of a parameter by its full name, else by a name that reaches the same places."""
    wished = wished or {}
    if name in wished:
        return wished[name]
    reached = {key: set(resolver.places(key)) for key in wished}
    return next((wished[key] for key, all_places in reached.items() if set(places) <= all_places), None)


def _checked_pair(name: str, what: str, pair: Any) -> tuple[float, float]:
    try:
        first, second = pair
        return float(first), float(second)
    except (TypeError, ValueError):
        raise fault(f"the {what} of {name}: {pair!r}", "give two numbers") from None
