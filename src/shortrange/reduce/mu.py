"""Absorption mu(E) from the channels of a scan."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import edge_energy, element_edges
from shortrange.errors import DataError, did_you_mean
from shortrange.quantities import MuE, Scan, Step, step

__all__ = ["MODES", "check_edge", "cut_to_edge", "to_mu"]

Array = NDArray[Any]

MODES = {
    "transmission": ("i0", "it"),
    "fluorescence": ("if", "i0"),
    "tey": ("tey", "i0"),
    "mu": ("mu",),
}
"""Ways to measure absorption, and the channels that each needs."""

YIELDS = ("fluorescence", "tey")
"""Modes whose signal may do without an incident intensity, if none was recorded."""

MIN_POINTS = 20
MIN_PRE, MIN_POST = 10.0, 20.0  # eV beyond the tabulated edge, without which nothing can be normalised


def to_mu(scan: Scan, *, mode: str = "transmission") -> MuE:
    """Absorption and reference absorption of one scan.

    Transmission: ln(i0/it); fluorescence: if/i0; tey: tey/i0 (the yield itself, with a warning, where no i0
    was recorded); a column ``mu`` of the file is used with ``mode="mu"``, or if the channels of the mode are
    absent. Reference: ln(it/ir), or the column ``mu_ref``.

    No error is made from the counts: what a file calls counts is as a rule a scaled current, whose square
    root says nothing. The noise is measured later, from repeats.

    Parameters
    ----------
    scan
        Energies in eV.
    mode
        One of `MODES`.

    Returns
    -------
    MuE
        On strictly increasing energies. Repairs (descending scan, repeated energies, back-lash) are steps of
        its history whose names start with "warning".

    Raises
    ------
    DataError
        For missing channels, values that are not finite, intensities that are not positive, fewer than 20
        points, or energies that are neither increasing nor decreasing.
    """
    where = scan.source or f"Scan(label={scan.label!r})"
    if scan.energy.size < MIN_POINTS:
        raise DataError(
            f"the scan has {scan.energy.size} points",
            where=where,
            do=f"give a scan of at least {MIN_POINTS} points",
        )
    used = _channels(scan, mode, where)
    columns, turned = _upright({name: scan.columns[name] for name in used})
    mu = _absorption(columns, mode if "mu" not in used else "mu", where)
    arrays = {"energy": scan.energy, "mu": mu}
    reference = _reference(scan)
    if reference is not None:
        arrays["reference"] = reference
    for name, values in arrays.items():
        _check_finite(values, name, where)
    arrays, repairs = _in_order(arrays, where)
    if used in (("if",), ("tey",)):
        doubt = "warning: no incident intensity was recorded, the yield is taken as mu"
        turned.append(step(doubt, mode=mode))
    done = step("compute mu", mode=mode, channels=list(used), reference=reference is not None)
    return MuE(
        **arrays,
        element=scan.element,
        edge=scan.edge,
        mode=mode,
        source=scan.source,
        label=scan.label,
        history=(*scan.history, *turned, done, *repairs),
    )


def _upright(columns: dict[str, Array]) -> tuple[dict[str, Array], list[Step]]:
    """Turn the sign of intensities that are negative throughout: an inverting amplifier made them so."""
    down = [name for name, values in columns.items() if name != "mu" and np.all(values < 0)]
    turned = {name: -values if name in down else values for name, values in columns.items()}
    done = step("warning: intensities are negative throughout, their sign was turned", channels=down)
    return turned, [done] if down else []


def _channels(scan: Scan, mode: str, where: str) -> tuple[str, ...]:
    if mode not in MODES:
        raise DataError(f"there is no mode {mode!r}", where=where, do=did_you_mean(mode, MODES))
    missing = [name for name in MODES[mode] if name not in scan.columns]
    if not missing:
        return MODES[mode]
    if "mu" in scan.columns:
        return ("mu",)
    if missing == ["i0"] and mode in YIELDS:
        return (MODES[mode][0],)
    raise DataError(
        f"mode {mode!r} needs the channels {list(MODES[mode])}; missing: {missing}; "
        f"there are {sorted(scan.columns)}",
        where=where,
        do="choose the mode that fits the file, or name its columns",
    )


def _absorption(columns: dict[str, Array], mode: str, where: str) -> Array:
    if mode == "mu":
        return columns["mu"]
    for name, values in columns.items():
        _check_finite(values, name, where)
        # A fluorescence or yield detector may read zero below the edge; a logarithm and a divisor may not.
        bad = np.flatnonzero(values <= 0 if name in ("i0", "it") else values < 0)
        if bad.size:
            raise DataError(
                f"channel {name!r} is {values[bad[0]]:g} at point {bad[0] + 1} ({bad.size} such points)",
                where=where,
                do="leave this scan out, or cut the points without beam; check the dark current",
            )
    if mode == "transmission":
        return np.log(columns["i0"] / columns["it"])
    signal = columns["if" if mode == "fluorescence" else "tey"]
    return signal / columns["i0"] if "i0" in columns else signal


def _reference(scan: Scan) -> Array | None:
    """Absorption of the reference, or None if it was not recorded or saw no beam."""
    columns = scan.columns
    if "mu_ref" in columns:
        return columns["mu_ref"]
    if "it" not in columns or "ir" not in columns:
        return None
    beams, _ = _upright({name: columns[name] for name in ("it", "ir")})
    if np.all(beams["ir"] > 0) and np.all(beams["it"] > 0):
        return np.asarray(np.log(beams["it"] / beams["ir"]))
    return None


def _check_finite(values: Array, name: str, where: str) -> None:
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise DataError(
            f"{name} is {values[bad[0]]} at point {bad[0] + 1} ({bad.size} such points)",
            where=where,
            do="repair or cut the row",
        )


def _in_order(arrays: dict[str, Array], where: str) -> tuple[dict[str, Array], list[Step]]:
    """Bring energies into strictly increasing order, if they nearly are; say what was done."""
    repairs: list[Step] = []
    energy = arrays["energy"]
    if energy[-1] < energy[0]:
        arrays = {name: values[::-1] for name, values in arrays.items()}
        repairs.append(step("warning: reverse a descending scan"))
        energy = arrays["energy"]
    gaps = np.diff(energy)
    back = np.flatnonzero(gaps < 0)
    if back.size:
        # Back-lash of a monochromator is small and rare; anything else is damage, or two scans in one.
        if back.size > 0.02 * energy.size or -gaps.min() > np.median(gaps[gaps > 0]):
            raise DataError(
                f"the energy falls from {energy[back[0]]:.8g} to {energy[back[0] + 1]:.8g} eV "
                f"at point {back[0] + 2} ({back.size} such points)",
                where=where,
                do="split the file if it holds two scans, or put its rows in order",
            )
        order = np.argsort(energy, kind="stable")
        arrays = {name: values[order] for name, values in arrays.items()}
        repairs.append(step("warning: sort back-lash of the energy", points=(back + 1).tolist()))
        energy = arrays["energy"]
    unique, index, counts = np.unique(energy, return_inverse=True, return_counts=True)
    if unique.size < energy.size:
        if energy.size - unique.size > 0.1 * energy.size:
            raise DataError(
                f"{energy.size - unique.size} of {energy.size} energies are repeated, "
                f"first {unique[counts > 1][0]:.8g} eV",
                where=where,
                do="remove the repeated rows, or split the file if it holds two scans",
            )
        arrays = {n: np.bincount(index, weights=v) / counts for n, v in arrays.items()}
        repairs.append(step("warning: average repeated energies", energies=unique[counts > 1].tolist()))
    return arrays, repairs


def cut_to_edge(scan: Scan, *, element: str, edge: str) -> Scan:
    """Cut off other edges of the same element.

    The scan then ends 15 eV before the next edge, and begins half-way from the last one.
    The cut is a step of the history whose name starts with "warning". Without such edges the scan is
    returned as it is.
    """
    centre = edge_energy(element, edge)
    others = np.array([e for name, e in element_edges(element).items() if name != edge])
    above, below = others[others > centre + 45.0], others[others < centre - 45.0]
    low = float((below.max() + centre) / 2) if below.size else -np.inf
    high = float(above.min() - 15.0) if above.size else np.inf
    if below.size and below.max() <= scan.energy.min():
        low = -np.inf
    inside = (scan.energy >= low) & (scan.energy <= high)
    # Energies that do not reach the edge at all are the business of `check_edge`.
    if inside.all() or not inside.any():
        return scan
    done = step(
        "warning: cut off other edges of the element", kept_eV=[low, high], points=int((~inside).sum())
    )
    columns = {name: values[inside] for name, values in scan.columns.items()}
    return scan.after(done, energy=scan.energy[inside], columns=columns)


def check_edge(data: MuE, *, element: str, edge: str) -> float:
    """Tabulated edge energy in eV, after checking that the scan covers it.

    Raises
    ------
    DataError
        If the scan says it is of another edge, or does not reach from 15 eV below the tabulated edge to
        30 eV above.
    """
    where = data.source or f"MuE(label={data.label!r})"
    tabulated = edge_energy(element, edge)
    low, high = float(data.energy[0]), float(data.energy[-1])
    if low > tabulated - MIN_PRE or high < tabulated + MIN_POST:
        hint = ""
        if high < 200.0 and low <= tabulated / 1000.0 <= high:
            hint = "; the energies look like keV"
        raise DataError(
            f"the {element} {edge} edge ({tabulated:.0f} eV) does not lie well inside the scan, "
            f"{low:.6g} to {high:.6g} eV{hint}",
            where=where,
            do="check element and edge; the scan must reach "
            f"from {MIN_PRE:.0f} eV below to {MIN_POST:.0f} eV above",
        )
    if data.element not in (None, element) or data.edge not in (None, edge):
        raise DataError(
            f"the file says it is of {data.element} {data.edge}, not of {element} {edge}",
            where=where,
            do="check element and edge, or correct the header",
        )
    return tabulated
