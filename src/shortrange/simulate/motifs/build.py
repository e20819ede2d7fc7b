"""Build a motif from elements, distances and an angle, with what is known where nothing is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import atomic_number, parse_composition
from shortrange.errors import SimulationError, did_you_mean
from shortrange.quantities import Trajectory, step
from shortrange.simulate.motifs import geometry
from shortrange.simulate.motifs.contacts import Contact, closest_contacts, find_clashes
from shortrange.simulate.motifs.distances import Distance, typical_angle, typical_distance
from shortrange.simulate.motifs.distortion import given_distortion, lean_from_bridge, off_centre_octahedron

__all__ = ["KINDS", "Kind", "Motif", "motif"]

Array = NDArray[Any]
Kind = Literal["octahedron", "corner", "edge", "face"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Lengths = float | Mapping[str, float] | None

_SHARED = {"corner": 1, "edge": 2, "face": 3}
_REGULAR = {"corner": 180.0, "edge": 90.0, "face": float(np.degrees(np.arccos(1 / 3)))}
_VACUUM = 10.0  # angstrom on either side of a motif in a box
_RANGE = 1.2, 4.0  # angstrom, of bonds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Motif:
    """A unit of one or two octahedra.

    Attributes
    ----------
    kind
        ``"octahedron"``, ``"corner"``, ``"edge"`` or ``"face"``.
    species, positions
        Elements (n,): metals, shared atoms, terminal ligands; positions, angstrom (n, 3).
    bonds
        Pairs (metal, ligand) of indices.
    shared
        Indices of the shared atoms.
    parameters
        What it was built from: ``terminal``, ``trans``, ``bridging`` (angstrom, by element), ``angle`` and
        ``twist`` (degrees), ``distortion`` (angstrom).
    sources
        Where values that were not given come from, by name.
    """

    kind: Kind
    species: tuple[str, ...]
    positions: Array
    bonds: tuple[tuple[int, int], ...]
    shared: tuple[int, ...]
    parameters: Mapping[str, Any]
    sources: Mapping[str, Distance] = field(default_factory=dict)

    @property
    def metals(self) -> tuple[int, ...]:
        """Indices of the metals."""
        return tuple(range(1 if self.kind == "octahedron" else 2))

    @property
    def formula(self) -> str:
        """Composition, such as ``"Ta2SCl10"``."""
        return _formula(self.species)

    @property
    def bridge(self) -> str:
        """Formula of the shared atoms, such as ``"SCl2"``; empty for one octahedron."""
        return _formula([self.species[i] for i in self.shared])

    @property
    def metal_metal(self) -> float | None:
        """Distance of the two metals, angstrom; None for one."""
        return None if self.kind == "octahedron" else self.distance(0, 1)

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """Closest atoms without a bond, of each pair of elements, nearest to a clash first."""
        return closest_contacts(self.species, self.positions, bonds=self.bonds, metals=self.metals)

    @property
    def clashes(self) -> tuple[Contact, ...]:
        """Atoms without a bond that are too close to each other, shortest first."""
        return find_clashes(self.species, self.positions, bonds=self.bonds, metals=self.metals)

    def distance(self, first: int, second: int) -> float:
        """Distance of two atoms, angstrom."""
        return float(np.linalg.norm(self.positions[first] - self.positions[second]))

    def angle(self, first: int, apex: int, second: int) -> float:
        """Angle at an atom, degrees."""
        a, b = (self.positions[i] - self.positions[apex] for i in (first, second))
        cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))

    def trajectory(self, *, box: bool = False) -> Trajectory:
        """Return the motif as one frame: a molecule, or in a cubic box with 10 angstrom around it."""
        done = step("build a motif", kind=self.kind, formula=self.formula, **dict(self.parameters))
        positions, cells = self.positions, None
        if box:
            low, high = positions.min(axis=0), positions.max(axis=0)
            length = float((high - low).max() + 2 * _VACUUM)
            positions = positions + (length - low - high) / 2
            cells = length * np.eye(3)[None]
        return Trajectory(
            species=self.species, positions=positions[None], cells=cells, source="motif", history=(done,),
            label=f"{self.formula} ({self.kind})",
        )  # fmt: skip


def motif(
    kind: str,
    *,
    metal: str = "Ta",
    ligand: str = "Cl",
    bridge: str | None = None,
    substitute: str | None = None,
    angle: float | None = None,
    metal_metal: float | None = None,
    terminal: Lengths = None,
    trans: float | None = None,
    bridging: Lengths = None,
    twist: float | tuple[float, float] | None = None,
    distortion: float | None = None,
) -> Motif:
    r"""Build an octahedron, or two that share a corner, an edge or a face.

    The metals of two octahedra are :math:`d_{MM} = 2 d \sin(\alpha/2)` apart, with the distance d and the
    angle :math:`\alpha` at the (first) shared atom. Other ligands have the directions of a regular
    octahedron.

    Parameters
    ----------
    kind
        ``"octahedron"``, ``"corner"``, ``"edge"`` or ``"face"``.
    metal, ligand
        Elements.
    bridge
        Shared atoms as a formula, such as ``"S"`` (corner), ``"SCl"`` (edge), ``"SCl2"`` (face); default all
        ``ligand``. The first element is the one at which ``angle`` is taken.
    substitute
        Element that replaces one ligand of an octahedron, as in TaCl5S.
    angle
        Metal-bridge-metal, degrees: 60 to 180. Default: what is known of such units, else that of regular
        octahedra (180, 90 and 70.5).
    metal_metal
        Distance of the metals, angstrom, instead of ``angle``.
    terminal, bridging
        Distances from the metal, angstrom: one number, or one for each element. Default: what is known.
    trans
        Distance of the ligand opposite the shared atom of a corner, angstrom; default as the others.
    twist
        Rotation of the octahedra of a corner about their bonds to the shared atom, degrees, one number or
        two. Default: what keeps their ligands farthest apart.
    distortion
        Displacement of each metal from the centre of its ligands, angstrom; default none. Of one octahedron
        along a threefold axis, which makes three bonds shorter and three longer. Elsewhere away from the
        shared atoms, or towards the substitute (below 0 the other way), where all distances stay as given
        and the other ligands lean against the motion.

    Raises
    ------
    SimulationError
        If a name is unknown, no distance is known or given, or the distances cannot meet.
    """
    chosen = _kind(kind)
    for symbol in filter(None, (metal, ligand, substitute)):
        atomic_number(symbol)
    _refuse(chosen, bridge=bridge, angle=angle, metal_metal=metal_metal, bridging=bridging, trans=trans,
            twist=twist, substitute=substitute)  # fmt: skip
    lengths = _Lengths(metal)
    moved = given_distortion(distortion, signed=chosen != "octahedron" or substitute is not None)
    if chosen == "octahedron":
        return _octahedron(metal, ligand, substitute, lengths, terminal, moved)
    shared = _shared(chosen, ligand if bridge is None else bridge, whole=bridge is None)
    distances = [lengths.pick("bridging", symbol, bridging) for symbol in shared]
    outer = lengths.pick("terminal", ligand, terminal)
    lengths.check_names(bridging, set(shared), "bridging")
    lengths.check_names(terminal, {ligand}, "terminal")
    opening = _angle(chosen, metal, shared, distances, angle, metal_metal, lengths)
    apart = 2 * distances[0] * float(np.sin(np.radians(opening) / 2))
    _check_reach(apart, shared, distances)
    parameters: dict[str, Any] = {
        "terminal": {ligand: outer}, "bridging": dict(zip(shared, distances, strict=True)), "angle": opening
    } | moved  # fmt: skip
    n_shared, n_own = len(shared), 6 - len(shared)
    off_centre = partial(lean_from_bridge, n_shared=n_shared, distortion=moved.get("distortion"))
    if chosen == "corner":
        opposite = outer if trans is None else _length(trans, "trans")
        rigid = partial(geometry.corner, distances[0], np.radians(opening), cis=outer, trans=opposite)

        def build(twists: tuple[float, float]) -> Array:
            return off_centre(rigid(twists=twists))

        turns = _twists(build, twist)
        positions = build((float(np.radians(turns[0])), float(np.radians(turns[1]))))
        parameters |= {"trans": opposite, "twist": turns}
    elif chosen == "edge":
        positions = off_centre(geometry.edge(apart, (distances[0], distances[1]), terminal=outer))
    else:
        bridges = (distances[0], distances[1], distances[2])
        positions = off_centre(geometry.face(apart, bridges, terminal=outer))
    between = tuple(range(2, 2 + n_shared))
    bonds = [(m, s) for m in (0, 1) for s in between]
    bonds += [(m, 2 + n_shared + m * n_own + i) for m in (0, 1) for i in range(n_own)]
    return Motif(
        kind=chosen, species=(metal, metal, *shared, *[ligand] * (2 * n_own)), positions=positions,
        bonds=tuple(bonds), shared=between, parameters=parameters, sources=lengths.sources,
    )  # fmt: skip


class _Lengths:
    """Distances as given or as known, remembering where they come from."""

    def __init__(self, metal: str) -> None:
        self._metal = metal
        self.sources: dict[str, Distance] = {}

    def pick(self, role: str, symbol: str, given: Lengths) -> float:
        if isinstance(given, Mapping):
            given = given.get(symbol)
        if given is not None:
            return _length(given, f"{role} {self._metal}-{symbol}")
        known = typical_distance(self._metal, symbol, role)
        self.sources[f"{role} {self._metal}-{symbol}"] = known
        return known.value

    @staticmethod
    def check_names(given: Lengths, symbols: set[str], role: str) -> None:
        for name in given if isinstance(given, Mapping) else ():
            if name not in symbols:
                raise SimulationError(
                    f"a {role} distance of {name}, but the {role} atoms are {', '.join(sorted(symbols))}",
                    where=f"motif, {role}",
                    do=did_you_mean(name, symbols),
                )


def _formula(species: Sequence[str]) -> str:
    counts = {symbol: list(species).count(symbol) for symbol in dict.fromkeys(species)}
    return "".join(f"{symbol}{n if n > 1 else ''}" for symbol, n in counts.items())


def _kind(kind: str) -> Kind:
    for known in KINDS:
        if kind == known:
            return known
    raise SimulationError(f"there is no motif {kind!r}", where="motif, kind", do=did_you_mean(kind, KINDS))


def _length(value: float, name: str) -> float:
    if not _RANGE[0] <= value <= _RANGE[1]:
        raise SimulationError(
            f"{name} = {value:g} angstrom is no bond",
            where="motif",
            do=f"give a length between {_RANGE[0]:g} and {_RANGE[1]:g} angstrom",
        )
    return float(value)


def _refuse(kind: Kind, **given: Any) -> None:
    """Refuse what does not belong to the kind, rather than ignore it."""
    takes = {
        "octahedron": {"substitute"},
        "corner": {"bridge", "angle", "metal_metal", "bridging", "trans", "twist"},
        "edge": {"bridge", "angle", "metal_metal", "bridging"},
        "face": {"bridge", "angle", "metal_metal", "bridging"},
    }[kind]
    for name, value in given.items():
        if value is not None and name not in takes:
            raise SimulationError(
                f"{name} has no meaning for the motif {kind!r}",
                where=f"motif, {name}",
                do=f"leave it out; {kind} takes {', '.join(sorted(takes))}",
            )
    if given["angle"] is not None and given["metal_metal"] is not None:
        raise SimulationError(
            "both angle and metal_metal are given", where="motif", do="give one: each follows from the other"
        )


def _octahedron(
    metal: str, ligand: str, substitute: str | None, lengths: _Lengths, terminal: Lengths,
    moved: dict[str, float],
) -> Motif:  # fmt: skip
    around = [ligand] * 6
    if substitute is not None:
        if substitute == ligand:
            raise SimulationError(
                f"the substitute is {ligand} as all ligands are",
                where="motif, substitute",
                do=f"name another element, such as S, or leave it out for {metal}{ligand}6",
            )
        around[0] = substitute
    lengths.check_names(terminal, set(around), "terminal")
    distances = [lengths.pick("terminal", symbol, terminal) for symbol in around]
    positions = off_centre_octahedron(
        geometry.octahedron(np.array(distances)), substituted=substitute is not None, **moved
    )
    return Motif(
        kind="octahedron", species=(metal, *around), positions=positions,
        bonds=tuple((0, i) for i in range(1, 7)), shared=(),
        parameters={"terminal": dict(zip(around, distances, strict=True))} | moved, sources=lengths.sources,
    )  # fmt: skip


def _shared(kind: Kind, bridge: str, *, whole: bool) -> tuple[str, ...]:
    """Elements of the shared atoms, in the order of the formula."""
    wanted = _SHARED[kind]
    if whole:
        return (bridge,) * wanted
    shared: list[str] = []
    for symbol, amount in parse_composition(bridge).items():
        shared += [symbol] * int(amount) if amount == int(amount) else [symbol] * 99
    if len(shared) != wanted:
        examples = {"corner": "S or Cl", "edge": "Cl2, SCl or S2", "face": "Cl3 or SCl2"}[kind]
        raise SimulationError(
            f"the bridge {bridge!r} is not {wanted} atom{'s' if wanted > 1 else ''}, which octahedra "
            f"that share {'an' if kind == 'edge' else 'a'} {kind} have in common",
            where="motif, bridge",
            do=f"write, say, {examples}",
        )
    return tuple(shared)


def _angle(
    kind: Kind, metal: str, shared: tuple[str, ...], distances: list[float], angle: float | None,
    metal_metal: float | None, lengths: _Lengths,
) -> float:  # fmt: skip
    """Angle at the first shared atom, degrees."""
    if metal_metal is not None:
        if not 0 < metal_metal <= 2 * distances[0]:
            raise SimulationError(
                f"metals {metal_metal:g} angstrom apart cannot share an atom {distances[0]:g} from both",
                where="motif, metal_metal",
                do=f"give {distances[0]:g} to {2 * distances[0]:g}, or another bridging distance",
            )
        angle = float(np.degrees(2 * np.arcsin(metal_metal / 2 / distances[0])))
    if angle is None:
        known = typical_angle(metal, kind, _formula(shared))
        if known is None:
            return _REGULAR[kind]
        lengths.sources["angle"] = known
        return known.value
    if not 60.0 <= angle <= 180.0:
        raise SimulationError(
            f"the angle at the bridge is {angle:.4g} degrees",
            where="motif, angle",
            do="give 60 to 180 degrees",
        )
    return float(angle)


def _check_reach(apart: float, shared: tuple[str, ...], distances: list[float]) -> None:
    for symbol, distance in zip(shared, distances, strict=True):
        if distance < apart / 2:
            raise SimulationError(
                f"metals {apart:.3f} angstrom apart cannot share {symbol} at {distance:g} angstrom from both",
                where="motif",
                do=f"lengthen it to {apart / 2:.3f} or more, or make the angle smaller",
            )


def _twists(build: Any, twist: float | tuple[float, float] | None) -> tuple[float, float]:
    """Twists in degrees; by default those that keep the ligands of two octahedra farthest apart."""
    if twist is not None:
        pair = (twist, twist) if isinstance(twist, int | float) else tuple(twist)
        if len(pair) != 2 or not np.isfinite(pair).all():
            raise SimulationError(f"twist = {twist!r}", where="motif, twist", do="give one angle, or two")
        return float(pair[0]), float(pair[1])
    # Every degree of the quarter turn after which an octahedron repeats itself.
    best, chosen = -1.0, (0.0, 0.0)
    outer = [build((t, t))[3:] for t in np.radians(np.arange(90.0))]
    for i, first in enumerate(outer):
        for j, second in enumerate(outer[: i + 1]):
            gap = float(np.linalg.norm(first[:5, None] - second[None, 5:], axis=2).min())
            if gap > best + 1e-9:
                best, chosen = gap, (float(i), float(j))
    return chosen
