"""What an analysis found, in sentences."""

from __future__ import annotations

import math

from shortrange.analyse.analysis import Analysis
from shortrange.analyse.connectivity import Connectivity
from shortrange.analyse.estimate import Estimate, Spread
from shortrange.analyse.transport import Transport
from shortrange.report.text import plus_minus, significant

__all__ = ["doubts_of", "number", "sentences"]

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_ARTICLE = {"corner": "a corner", "edge": "an edge", "face": "a face"}


def number(estimate: Estimate | None) -> str:
    """Write a value with its error, or a dash."""
    return "–" if estimate is None else plus_minus(estimate.value, estimate.sigma)


def sentences(analysis: Analysis) -> list[str]:
    """Say what the snapshots contain, the chemistry first."""
    out = []
    for centre in analysis.roles.centres:
        parts = [
            f"{number(s.coordination)} {s.ligand} at {number(s.mean)} Å (σ² {number(s.variance)} Å²)"
            for s in analysis.shells
            if s.centre == centre and s.ligand in analysis.roles.ligands and s.cutoff.bonded and s.n
        ]
        if parts:
            out.append(f"{centre} binds {', '.join(parts)}.")
    if analysis.connectivity is not None:
        out += _joined(analysis.connectivity, " or ".join(analysis.roles.centres))
    for d in analysis.distortions:
        mean = d.spreads["all"]
        out.append(
            f"Shape measure of {d.centre_element} against the {d.polyhedron}: mean "
            f"{plus_minus(mean.mean, mean.sigma_mean)}, median {significant(mean.median)} "
            "(0 is perfect; ligands and central atom about their centroid)."
        )
        others = [o for o in analysis.other_shapes if o.centre_element == d.centre_element]
        nearer = min(others, key=lambda o: o.spreads["all"].mean, default=None)
        if nearer is not None and nearer.spreads["all"].mean < mean.mean:
            out.append(
                f"The {nearer.polyhedron} is nearer to the polyhedra of {d.centre_element}: mean "
                f"{significant(nearer.spreads['all'].mean)}."
            )
    if analysis.transport is not None:
        out += _moves(analysis.transport, analysis.roles.mobile)
    for p in analysis.persistence:
        if p.name == "mobile":
            mean = p.h0_deaths
            out.append(
                f"The {'+'.join(p.elements)} sublattice connects at "
                f"{plus_minus(mean.mean, mean.sigma_mean)} Å (mean H0 death, {p.distances}; "
                f"5 to 95 %: {mean.p05:.2f} to {mean.p95:.2f} Å)."
            )
    if analysis.jumps is not None and analysis.jumps.length is not None:
        j = analysis.jumps
        axes = [name for name, through in zip("abc", j.percolates, strict=True) if through]
        way = f"percolate along {', '.join(axes)}" if axes else "do not percolate within the run"
        assert j.length is not None
        out.append(
            f"{j.jumps} jumps among {len(j.sites)} sites, median length {j.length.median:.2f} Å; they {way}."
        )
    return out


def _joined(c: Connectivity, centre: str) -> list[str]:
    out = []
    if not any(s.distance for s in c.sharing):
        out.append(f"No two {centre} share a ligand.")
    else:
        for s in c.sharing:
            if s.distance is not None and s.fraction is not None:
                out.append(
                    f"{_percent(s.fraction)} of the joined pairs of {centre} share {_ARTICLE[s.name]}, "
                    f"{_spread(s.distance)} Å apart."
                )
        out += [
            f"{centre}-{name}-{centre} angles: {_spread(angle)}°."
            for name, angle in c.angles.items()
            if "," not in name
        ]
    out += [
        f"{n} time{'s' if n > 1 else ''} a pair changed from {a} to {b}{' sharing' if b != 'none' else ''}."
        for (a, b), n in sorted(c.changes.items(), key=lambda item: -item[1])
    ]
    return out


def _percent(fraction: Estimate) -> str:
    error = "" if fraction.sigma is None else f" ± {100 * fraction.sigma:.1f}"
    return f"{100 * fraction.value:.1f}{error} %"


def _spread(s: Spread) -> str:
    return f"{plus_minus(s.mean, s.sigma_mean)} (spread {significant(s.std, 2)})"


def _power(e: Estimate) -> str:
    """Write a small number and its error with one power of ten."""
    if not e.value > 0 or e.sigma is None:
        return significant(e.value, 2)
    exponent = math.floor(math.log10(e.value))
    scaled = plus_minus(e.value / 10**exponent, e.sigma / 10**exponent)
    return f"({scaled}) × 10{str(exponent).translate(_SUPERSCRIPT)}"


def _moves(t: Transport, mobile: tuple[str, ...]) -> list[str]:
    out = []
    for e in t.elements:
        if e.element in mobile:
            kinisi = ""
            if e.posterior is not None:
                kinisi = (
                    f"; kinisi: {significant(e.posterior[2])}, 68 % within {significant(e.posterior[1])} to "
                    f"{significant(e.posterior[3])}"
                )
            out.append(f"D of {e.element}: {_power(e.d)} cm²/s{kinisi}.")
    if t.conductivity is not None:
        out.append(
            f"Nernst-Einstein conductivity at {t.temperature:g} K: {number(t.conductivity)} S/cm "
            f"(one carrier in {1 / (t.carrier_density or 1):.1f} Å³)."
        )
    if t.haven is not None:
        out.append(f"Haven ratio: {number(t.haven)}.")
    elif t.d_collective is not None:
        out.append("The Haven ratio is not determined: the collective motion is known to worse than half.")
    if t.hops is not None and t.relative_error is not None:
        out.append(
            f"{t.hops:.0f} effective hops of {t.hop_length:.2f} Å: D is known to "
            f"{100 * t.relative_error:.0f} % (rule of He et al. 2018)."
        )
    return out


def doubts_of(analysis: Analysis) -> list[str]:
    """Say what the user should doubt or know is missing."""
    out = [f"{part} was left out: {reason}" for part, reason in analysis.skipped.items()]
    if analysis.n_frames == 1:
        out.append("one frame: there are no errors")
    elif analysis.n_frames < 16:
        out.append(f"{analysis.n_frames} frames: the errors are themselves uncertain")
    if analysis.connectivity is not None:
        for bond in analysis.connectivity.unexpected:
            out.append(
                f"unexpected bond {bond.pair}: {bond.mean_count:.2g} in a frame below {bond.limit:.2f} Å, in "
                f"{bond.frames} of {analysis.n_frames} frames, shortest {bond.shortest:.2f} Å (frame "
                f"{bond.example[0]}, atoms {bond.example[1]} and {bond.example[2]})"
            )
    if analysis.transport is not None:
        out += analysis.transport.doubts
    return out
