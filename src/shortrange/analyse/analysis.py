"""Everything at once: what a trajectory contains, as one frozen result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from shortrange.analyse.angles import AngleDistribution, bond_angles
from shortrange.analyse.connectivity import Connectivity, check_bonded, connect
from shortrange.analyse.cutoffs import Cutoff, check_cutoffs
from shortrange.analyse.density import Density, probability_density, symmetrised, symmetry_operations
from shortrange.analyse.displacement import Drift, follow
from shortrange.analyse.distortion import Distortion, distortion
from shortrange.analyse.frames import Snapshots
from shortrange.analyse.jumps import Jumps, find_jumps, find_sites
from shortrange.analyse.polyhedra import POLYHEDRA
from shortrange.analyse.roles import Roles, atoms_of, find_roles
from shortrange.analyse.shells import Distributions, Shell, count_distances, first_shells
from shortrange.analyse.spool import held
from shortrange.analyse.topology import Distances, Persistence, have_ripser, topology
from shortrange.analyse.transport import Transport, transport
from shortrange.errors import DataError, ProjectError, did_you_mean
from shortrange.load.frames import FrameFile
from shortrange.quantities import Step, step
from shortrange.shown import Shown

__all__ = ["PARTS", "Analysis", "Part", "analyse_trajectory"]

Part = Literal["coordination", "connectivity", "csm", "transport", "topology", "density"]
PARTS: tuple[Part, ...] = get_args(Part)

_POLYHEDRON = {
    4: "tetrahedron",
    5: "trigonal bipyramid",
    6: "octahedron",
    7: "pentagonal bipyramid",
    8: "cube",
}
_TOPOLOGY_FRAMES = 125
_TOPOLOGY_ATOMS = 400  # the loops of more take minutes
_OTHER_SHAPES_FRAMES = 50


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysis(Shown):
    """What a trajectory contains; parts that were not asked or not possible are None or empty.

    Attributes
    ----------
    label, source
        Of the trajectory.
    n_frames, composition, number_density
        Of the trajectory.
    roles, cutoffs
        Which atoms are what, and where first shells end.
    distributions, shells, angles
        Coordination.
    connectivity, distortions, transport, persistence, density, jumps
        The other parts.
    other_shapes
        Shape measures against the other references with as many vertices, in at most 50 frames.
    skipped
        Part to the reason why it was left out.
    history
        Steps, with the settings that had an influence.
    """

    label: str
    source: str
    n_frames: int
    composition: dict[str, int]
    number_density: float | None
    roles: Roles
    cutoffs: dict[str, Cutoff]
    distributions: Distributions
    shells: tuple[Shell, ...] = ()
    angles: tuple[AngleDistribution, ...] = ()
    connectivity: Connectivity | None = None
    distortions: tuple[Distortion, ...] = ()
    other_shapes: tuple[Distortion, ...] = ()
    transport: Transport | None = None
    persistence: tuple[Persistence, ...] = ()
    density: Density | None = None
    jumps: Jumps | None = None
    skipped: dict[str, str]
    history: tuple[Step, ...]


def analyse_trajectory(
    trajectory: Snapshots | FrameFile,
    *,
    only: Sequence[Part] | None = None,
    centres: Sequence[str] | None = None,
    ligands: Sequence[str] | None = None,
    mobile: Sequence[str] | None = None,
    cutoffs: Mapping[str, float] | None = None,
    polyhedron: str | None = None,
    stride: int | None = None,
    time_step: float | None = None,
    temperature: float | None = None,
    charge: float = 1.0,
    window: tuple[float, float] | None = None,
    drift: Drift = "all",
    hop_length: float | None = None,
    distances: Distances = "minimum image",
    symmetrise: float | None = None,
    strict: bool = True,
) -> Analysis:
    """Analyse a trajectory.

    Parameters
    ----------
    trajectory
        Snapshots, a crystal or a molecule; a file (`shortrange.load.open_frames`) is read once and kept in a
        scratch file, from which runs of 100 frames of 128 atoms, or the paths of one element (then in single
        precision), are held at a time.
    only
        Parts; None does all that are possible and says why the others are not.
    centres, ligands, mobile
        Elements, see `find_roles`.
    cutoffs
        Ends of first shells, angstrom, by pair; the others are found.
    polyhedron
        Reference of the shape measure; by default that of the rounded mean coordination number.
    stride
        Every which frame for shapes and topology; by default all for shapes, and at most 125 for topology.
    time_step, temperature, charge, window, drift, hop_length
        See `transport`; ``hop_length`` is by default the first maximum of g(r) of the mobile element.
    distances
        See `topology`.
    symmetrise
        Average the density over the symmetry that the mean positions of the atoms at rest have within this
        distance, angstrom; by default not.
    strict
        Whether a part named in ``only`` must be possible; if not, it is left out with its reason as others
        are.

    Raises
    ------
    ProjectError
        If a part is not known.
    DataError
        If the trajectory or a setting cannot be what it is taken for, or a part asked by name is not
        possible.
    """
    with held(trajectory) as trajectory:
        asked = _parts(only)
        roles = find_roles(trajectory, centres=centres, ligands=ligands, mobile=mobile)
        check_cutoffs(trajectory, cutoffs or {})
        if stride is not None and stride < 1:
            raise DataError(f"every {stride}-th frame", where="stride", do="give 1 or more")
        found = count_distances(trajectory, cutoffs=cutoffs)
        out: dict[str, Any] = {}
        reasons: dict[str, str] = {}
        history = [*trajectory.history, roles.done]
        for part in asked:
            reason = (
                None if only and strict else _obstacle(part, trajectory, roles, found, time_step, polyhedron)
            )
            if reason:
                reasons[part] = reason
        possible = [part for part in asked if part not in reasons]
        if "coordination" in possible:
            out["shells"] = tuple(first_shells(trajectory, found.cutoffs))
            out["angles"] = tuple(bond_angles(trajectory, roles, found.cutoffs))
        if "connectivity" in possible:
            out["connectivity"] = connect(trajectory, roles, found.cutoffs)
        if "csm" in possible:
            out["distortions"] = _distortions(trajectory, roles, found, polyhedron, stride or 1)
            out["other_shapes"] = _other_shapes(trajectory, roles, out["distortions"])
        if "transport" in possible:
            hop = hop_length or _hop_length(roles, found.cutoffs)
            out["transport"] = transport(
                trajectory, roles, time_step=time_step, temperature=temperature, charge=charge, window=window,
                drift=drift, hop_length=hop,
            )  # fmt: skip
        if "topology" in possible:
            every = stride or max(1, -(-trajectory.n_frames // _TOPOLOGY_FRAMES))
            out["persistence"] = tuple(topology(trajectory, roles, stride=every, distances=distances))
        if "density" in possible:
            out["density"], out["jumps"] = _density(trajectory, roles, drift, symmetrise)
        history.append(
            step(
                "analyse", parts=possible, left_out=reasons, polyhedron=polyhedron, stride=stride,
                drift=drift, time_step=time_step, temperature=temperature, charge=charge, window=window,
                distances=distances, symmetrise=symmetrise,
                cutoffs={name: (c.r, c.origin) for name, c in found.cutoffs.items()},
            )
        )  # fmt: skip
        return Analysis(
            label=trajectory.label,
            source=trajectory.source,
            n_frames=trajectory.n_frames,
            composition=trajectory.composition,
            number_density=trajectory.number_density,
            roles=roles,
            cutoffs=found.cutoffs,
            distributions=found,
            skipped=reasons,
            history=tuple(history),
            **out,
        )


def _parts(only: Sequence[Part] | None) -> list[Part]:
    if only is None:
        return list(PARTS)
    if not only:
        raise ProjectError("no part is named", where="only", do=f"choose from {list(PARTS)}")
    for part in only:
        if part not in PARTS:
            raise ProjectError(f"there is no part {part!r}", where="only", do=did_you_mean(part, PARTS))
    return [part for part in PARTS if part in only]


def _obstacle(
    part: Part, trajectory: Snapshots, roles: Roles, found: Distributions, time_step: float | None,
    polyhedron: str | None,
) -> str | None:  # fmt: skip
    """Why a part is not possible for this trajectory; a part asked by name complains by itself."""
    if part in ("connectivity", "csm"):
        try:
            check_bonded(trajectory, roles, found.cutoffs)
            if part == "csm" and polyhedron is None:
                for centre in roles.centres:
                    _usual_polyhedron(centre, roles, found)
        except DataError as error:
            return f"{error.what}: {error.do}" if part == "csm" else error.what
    if part == "transport":
        return _no_transport(trajectory, time_step)
    if part == "topology":
        return _no_topology(trajectory, roles)
    if part == "density":
        if trajectory.cells is None:
            return "the file gives no cell"
        return None if roles.mobile else "no element is mobile: name it with --mobile"
    return None


def _no_topology(trajectory: Snapshots, roles: Roles) -> str | None:
    if not have_ripser():
        return 'ripser is not installed: pip install "shortrange[topology]"'
    most = max(
        atoms_of(trajectory, roles.mobile).size, trajectory.n_atoms - atoms_of(trajectory, roles.mobile).size
    )
    if trajectory.n_atoms < 3 or most < 3:
        return f"{trajectory.n_atoms} atoms have no topology"
    if most > _TOPOLOGY_ATOMS:
        return f"loops among {most} atoms take minutes: ask for them with --only topology --stride N"
    return None


def _no_transport(trajectory: Snapshots, time_step: float | None) -> str | None:
    if trajectory.n_frames < 10:
        return f"{trajectory.n_frames} frames are too few for a line through displacements"
    if time_step is None and trajectory.time_step is None:
        return "the time between frames is unknown: give it in fs with --time-step"
    return None


def _distortions(
    trajectory: Snapshots, roles: Roles, found: Distributions, polyhedron: str | None, stride: int
) -> tuple[Distortion, ...]:
    out: list[Distortion] = []
    for centre in roles.centres:
        one = Roles(centres=(centre,), ligands=roles.ligands, mobile=roles.mobile, done=roles.done)
        name = polyhedron or _usual_polyhedron(centre, roles, found)
        out += distortion(trajectory, one, polyhedron=name, stride=stride)
    return tuple(out)


def _other_shapes(
    trajectory: Snapshots, roles: Roles, usual: tuple[Distortion, ...]
) -> tuple[Distortion, ...]:
    stride = max(1, -(-trajectory.n_frames // _OTHER_SHAPES_FRAMES))
    out: list[Distortion] = []
    for one in usual:
        centre = Roles(
            centres=(one.centre_element,), ligands=roles.ligands, mobile=roles.mobile, done=roles.done
        )
        for name, vertices in POLYHEDRA.items():
            if name != one.polyhedron and vertices.shape[0] == one.distances.size:
                out += distortion(trajectory, centre, polyhedron=name, stride=stride)
    return tuple(out)


def _usual_polyhedron(centre: str, roles: Roles, found: Distributions) -> str:
    number = 0.0
    for ligand in roles.ligands:
        cutoff = found.cutoffs.get(f"{centre}-{ligand}") or found.cutoffs.get(f"{ligand}-{centre}")
        if cutoff is not None and cutoff.r is not None and cutoff.bonded:
            number += float(np.interp(cutoff.r, found.r, found.running[f"{centre}-{ligand}"]))
    known = _POLYHEDRON.get(round(number))
    if known is None:
        raise DataError(
            f"{centre} has {number:.1f} ligands on average, for which there is no usual polyhedron",
            where="csm",
            do="name one with --polyhedron",
        )
    return known


def _hop_length(roles: Roles, cutoffs: Mapping[str, Cutoff]) -> float | None:
    """First maximum of g(r) of the mobile element with itself: the distance of neighbouring sites."""
    for symbol in roles.mobile:
        cutoff = cutoffs.get(f"{symbol}-{symbol}")
        if cutoff is not None and cutoff.peak is not None:
            return cutoff.peak
    return None


def _density(
    trajectory: Snapshots, roles: Roles, drift: Drift, symmetrise: float | None
) -> tuple[Density, Jumps | None]:
    paths = follow(trajectory, roles, drift=drift) if trajectory.n_frames > 1 else trajectory
    density = probability_density(paths, roles.mobile)
    if symmetrise is not None:
        density = symmetrised(density, symmetry_operations(density, tolerance=symmetrise))
    if trajectory.n_frames == 1:
        return density, None
    sites = find_sites(density)
    return density, find_jumps(trajectory, roles.mobile, sites, followed=paths)
