"""An analysis as plain data, the content of summary.json."""

from __future__ import annotations

from typing import Any

from shortrange.analyse.analysis import Analysis
from shortrange.analyse.connectivity import Connectivity, Sharing
from shortrange.analyse.distortion import Distortion
from shortrange.analyse.estimate import Estimate, Spread
from shortrange.analyse.jumps import Jumps
from shortrange.analyse.shells import Shell
from shortrange.analyse.topology import Persistence
from shortrange.analyse.transport import Transport
from shortrange.report.analysis.words import doubts_of, sentences

__all__ = ["SCHEMA", "analysis_record"]

SCHEMA = "shortrange-analysis/1"


def analysis_record(analysis: Analysis) -> dict[str, Any]:
    """Return the analysis as nested dictionaries of plain values; units are in the names."""
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "simulated": True,
        "label": analysis.label,
        "frames": analysis.n_frames,
        "atoms": sum(analysis.composition.values()),
        "composition": analysis.composition,
        "number_density_per_A3": analysis.number_density,
        "roles": {
            "centres": analysis.roles.centres,
            "ligands": analysis.roles.ligands,
            "mobile": analysis.roles.mobile,
            "given": analysis.roles.done.settings["given"],
        },
        "cutoffs": {
            name: {"r_A": c.r, "origin": c.origin, "first_maximum_A": c.peak, "bonded": c.bonded}
            for name, c in analysis.cutoffs.items()
        },
        "sentences": sentences(analysis),
        "skipped": analysis.skipped,
        "warnings": doubts_of(analysis),
    }
    if analysis.shells:
        record["coordination"] = [_shell(s) for s in analysis.shells]
        record["angles_deg"] = {a.name: {"mean": _estimate(a.mean), "n": a.n} for a in analysis.angles}
    if analysis.connectivity is not None:
        record["connectivity"] = _connectivity(analysis.connectivity)
    if analysis.distortions:
        record["csm"] = [_shape(d) for d in analysis.distortions]
        record["csm_of_other_references"] = [_shape(d) for d in analysis.other_shapes]
    if analysis.transport is not None:
        record["transport"] = _transport(analysis.transport)
    if analysis.persistence:
        record["topology"] = {p.name: _topology(p) for p in analysis.persistence}
    if analysis.density is not None:
        record["density"] = {
            "elements": analysis.density.elements,
            "grid": analysis.density.values.shape,
            "smoothing_A": analysis.density.smoothing,
            "symmetry_operations": analysis.density.operations,
        }
    if analysis.jumps is not None:
        record["jumps"] = _jumps(analysis.jumps)
    return record


def _shell(s: Shell) -> dict[str, Any]:
    return {
        "centre": s.centre,
        "ligand": s.ligand,
        "cutoff_A": s.cutoff.r,
        "number": _estimate(s.coordination),
        "numbers": s.numbers,
        "mean_A": _estimate(s.mean),
        "variance_A2": _estimate(s.variance),
        "third_cumulant_A3": _estimate(s.third),
        "distances": s.n,
    }


def _jumps(j: Jumps) -> dict[str, Any]:
    return {
        "sites": len(j.sites),
        "jumps": j.jumps,
        "length_A": _spread(j.length),
        "percolates": dict(zip("abc", j.percolates, strict=True)),
        "dimension": j.dimension,
        "capture_A": j.capture,
    }


def _estimate(e: Estimate | None) -> dict[str, float | None] | None:
    return None if e is None else {"value": e.value, "sigma": e.sigma}


def _spread(s: Spread | None) -> dict[str, Any] | None:
    if s is None:
        return None
    names = ("n", "mean", "sigma_mean", "std", "median", "p05", "p95")
    return {name: getattr(s, name) for name in names}


def _shape(d: Distortion) -> dict[str, Any]:
    return {
        "centre": d.centre_element,
        "polyhedron": d.polyhedron,
        "every_frame": d.stride,
        "ligand_distances_A": d.distances,
        "by_origin": {name: _spread(s) for name, s in d.spreads.items()},
    }


def _sharing(s: Sharing) -> dict[str, Any]:
    return {
        "fraction": _estimate(s.fraction),
        "per_centre": _estimate(s.per_centre),
        "distance_A": _spread(s.distance),
    }


def _connectivity(c: Connectivity) -> dict[str, Any]:
    return {
        "sharing": {s.name: _sharing(s) for s in c.sharing},
        "by_bridge": {s.name: _sharing(s) for s in c.by_bridge},
        "angles_deg": {name: _spread(s) for name, s in c.angles.items()},
        "ligands_of_centre": c.coordination,
        "bonds_of_ligand": c.ligand_bonds,
        "oligomers": {str(size): float(f) for size, f in enumerate(c.oligomers) if f},
        "changes": {f"{a} to {b}": n for (a, b), n in c.changes.items()},
        "unexpected_bonds": [
            {
                "pair": b.pair,
                "limit_A": b.limit,
                "mean_count": b.mean_count,
                "frames": b.frames,
                "shortest_A": b.shortest,
                "example": {"frame": b.example[0], "atoms": b.example[1:]},
            }
            for b in c.unexpected
        ],
    }


def _transport(t: Transport) -> dict[str, Any]:
    return {
        "time_step_fs": t.time_step,
        "window_fs": t.window,
        "drift_removed": t.drift,
        "temperature_K": t.temperature,
        "elements": {
            e.element: {
                "D_cm2_s": _estimate(e.d),
                "D_by_axis_cm2_s": e.d_by_axis,
                "intercept_A2": e.intercept,
                "exponent": e.exponent,
                "posterior_cm2_s": None
                if e.posterior is None
                else dict(zip(("p2.5", "p16", "p50", "p84", "p97.5"), e.posterior, strict=True)),
            }
            for e in t.elements
        },
        "D_collective_cm2_s": _estimate(t.d_collective),
        "haven_ratio": _estimate(t.haven),
        "effective_hops": t.hops,
        "hop_length_A": t.hop_length,
        "relative_error_of_D": t.relative_error,
        "carrier_density_per_A3": t.carrier_density,
        "conductivity_S_cm": _estimate(t.conductivity),
        "conductivity_collective_S_cm": _estimate(t.conductivity_collective),
    }


def _topology(p: Persistence) -> dict[str, Any]:
    return {
        "elements": p.elements,
        "distances": p.distances,
        "frames": p.frames.size,
        "h0_deaths_A": _spread(p.h0_deaths),
        "h1_births_A": _spread(p.h1_births),
        "h1_deaths_A": _spread(p.h1_deaths),
        "h1_lifetime_above_A": p.lifetime,
        "h1_threshold_A": p.threshold,
    }
