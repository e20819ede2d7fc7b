"""``shortrange motif``: one or two octahedra built from distances and an angle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shortrange.cli.outcome import Outcome
from shortrange.cli.output import show_table

if TYPE_CHECKING:
    from shortrange.simulate.motifs import Motif

__all__ = ["motif"]


def motif(
    kind: str,
    /,
    *,
    bridge: str | None = None,
    angle: float | None = None,
    metal_metal: float | None = None,
    metal: str = "Ta",
    ligand: str = "Cl",
    substitute: str | None = None,
    terminal: list[str] | None = None,
    bridging: list[str] | None = None,
    trans: float | None = None,
    twist: list[float] | None = None,
    distortion: float | None = None,
    out: Path = Path("motif"),
) -> Outcome:
    """Build an octahedron, or two that share a corner, an edge or a face; say when atoms are too close.

    Parameters
    ----------
    kind
        octahedron, corner, edge or face.
    bridge
        Shared atoms: S or Cl for a corner; Cl2, SCl or S2 for an edge; Cl3 or SCl2 for a face.
    angle
        Metal-bridge-metal at the first shared atom, degrees.
    metal_metal
        Distance of the metals, angstrom, instead of the angle.
    metal, ligand
        Elements.
    substitute
        Element that replaces one ligand of an octahedron, as in TaCl5S.
    terminal, bridging
        Distances from the metal, angstrom, such as 2.3 or S=2.47; may be given several times.
    trans
        Distance of the ligand opposite the shared atom of a corner, angstrom.
    twist
        Of each octahedron of a corner about its bond to the shared atom, degrees; one number or two.
        Default: what keeps their ligands farthest apart.
    distortion
        Displacement of each metal from the centre of its ligands, angstrom: along a threefold axis of one
        octahedron; else away from what is shared, or towards the substitute.
    out
        Folder of the results: motif.xyz, motif.extxyz and motif.cif (in a box), motif.json, motif.png.
    """
    from shortrange.report import ResultFolder
    from shortrange.simulate import motifs

    ResultFolder(out, kind="motif").check()
    built = motifs.motif(
        kind, metal=metal, ligand=ligand, bridge=bridge, substitute=substitute, angle=angle,
        metal_metal=metal_metal, terminal=_lengths("terminal", terminal),
        bridging=_lengths("bridging", bridging), trans=trans, twist=_twist(twist),
        distortion=distortion,
    )  # fmt: skip
    _write(built, out)
    _print(built, out)
    return Outcome(out / "motif.json")


def _lengths(name: str, words: list[str] | None) -> float | dict[str, float] | None:
    """Read ``2.3``, or ``S=2.47`` once for each element."""
    from shortrange.errors import SimulationError

    found: dict[str, float] = {}
    for word in words or []:
        symbol, sign, number = word.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = None
        if value is None or (sign and not symbol) or symbol in found or ("" in found):
            raise SimulationError(
                f"{word!r} is no distance" if value is None else f"{word!r} says twice what is {name}",
                where=f"--{name}",
                do=f"write --{name} 2.3, or --{name} S=2.47 once for each element",
            )
        found[symbol] = value
    if "" in found and len(found) > 1:
        raise SimulationError(
            "one distance for all and one for an element are given",
            where=f"--{name}",
            do="name the element of each",
        )
    return found.get("", found) if found else None


def _twist(values: list[float] | None) -> float | tuple[float, float] | None:
    from shortrange.errors import SimulationError

    if not values:
        return None
    if len(values) > 2:
        raise SimulationError(f"{len(values)} twists", where="--twist", do="give one angle, or two")
    return values[0] if len(values) == 1 else (values[0], values[1])


def _write(built: Motif, out: Path) -> None:
    from shortrange.cli.summary import write_summary
    from shortrange.report import ResultFolder
    from shortrange.report.figures.motif import plot_distances, plot_motif
    from shortrange.report.motif import motif_record
    from shortrange.report.structures import write_structure
    from shortrange.report.style import finish, new_figure, png_bytes

    figure = new_figure(5.4)
    upper, lower = figure.subplots(2, 1, height_ratios=[1.5, 1.0])
    plot_motif(ax=upper, motif=built)
    plot_distances(ax=lower, motif=built)
    title = f"{built.formula}, {_words(built)}"
    clashes = len(built.clashes)
    subject = f"{clashes} clash{'es' if clashes > 1 else ''} (red)" if clashes else ""
    finish(figure, title=title, simulated=False, subject=subject)
    with ResultFolder(out, kind="motif") as new:
        for suffix in ("xyz", "extxyz", "cif"):
            structure = built.trajectory(box=suffix != "xyz")
            write_structure(new / f"motif.{suffix}", structure, comment=f"built from distances: {title}")
        write_summary(new / "motif.json", motif_record(built), files=[])
        (new / "motif.png").write_bytes(png_bytes(figure))


def _words(built: Motif) -> str:
    if built.kind == "octahedron":
        return "octahedron"
    bridge = built.bridge
    return f"octahedra that share {bridge} ({built.kind}), angle {built.parameters['angle']:.1f} degrees"


def _print(built: Motif, out: Path) -> None:
    from shortrange.report.motif import distance_rows

    print(f"{built.formula}: {_words(built)}")
    rows = [[pair, what, f"{d:.3f}", str(n)] for pair, what, d, n in distance_rows(built) if d < 5.0]
    show_table(["pair", "", "Å", "number"], rows, right=(2, 3))
    for name, known in built.sources.items():
        unit = "degrees" if name == "angle" else "Å"
        print(f"{name} = {known.value:g} ± {known.sigma:g} {unit}, {known.status}: {known.source}")
    if "twist" in built.parameters:
        first, second = built.parameters["twist"]
        print(f"twist = {first:g} and {second:g} degrees")
    if "distortion" in built.parameters:
        print(f"metals {built.parameters['distortion']:g} Å from the centre of their ligands")
    for contact in built.clashes:
        print(f"clash: {contact.pair} {contact.distance:.2f} Å without a bond (limit {contact.limit:.2f} Å)")
    if built.clashes:
        print("a rigid unit of this shape cannot be: change the angle, the distances or the twist")
    elif built.contacts:
        nearest = built.contacts[0]
        print(
            f"no clash; nearest to one: {nearest.pair} {nearest.distance:.2f} Å (limit {nearest.limit:.2f} Å)"
        )
    print(f"written: {out}")
