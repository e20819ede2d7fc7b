"""What a scan does not say: its edge, from where mu rises, and which of its channels show that edge."""

from __future__ import annotations

import re
from collections.abc import Sequence

from shortrange.atoms import atomic_number, edge_energy, element_edges
from shortrange.errors import DataError
from shortrange.quantities import MuE, Scan, Step, step
from shortrange.reduce.e0 import find_e0
from shortrange.reduce.merge import single_scan_noise
from shortrange.reduce.mu import MODES, YIELDS, check_edge, cut_to_edge, to_mu
from shortrange.reduce.normalise import normalise

__all__ = ["choose_mode", "guess_edge", "split_edge"]

_ABOVE, _BELOW = 25.0, 10.0
"""eV by which mu may rise above or below a tabulated edge: oxidation moves edges up, by 9 eV in sulfate."""

_WEAK = 0.1
"""Transmission is left for another mode that shows the edge ten times more clearly."""

_USUAL = ("K", "L3")
"""Edges that are guessed: of the others, each element has a stronger one."""


def split_edge(text: str) -> tuple[str | None, str | None]:
    """Element and edge of a text such as ``"S K"``, ``"Ta-L3"``, ``"L3"``.

    Raises
    ------
    DataError
        If it is neither, or names an element or edge that does not exist.
    """
    words = [word for word in re.split(r"[\s,_-]+", text.strip()) if word]
    if len(words) == 1 and re.fullmatch(r"[KLMNO]\d?", words[0], re.IGNORECASE):
        return None, words[0].upper()
    if len(words) > 2 or not words:
        raise DataError(f"cannot read the edge {text!r}", where="edge", do='write it like "S K" or "Ta L3"')
    element = words[0].capitalize()
    atomic_number(element)
    if len(words) == 1:
        return element, None
    edge_energy(element, words[1].upper())
    return element, words[1].upper()


def choose_mode(scans: Sequence[Scan], *, element: str, edge: str) -> tuple[str, Step]:
    """Choose the channels that give mu: the first of `MODES` that shows the edge, or the much clearer one.

    Returns
    -------
    str, Step
        The mode, and a record of what else there was.

    Raises
    ------
    DataError
        If the scans have no channels of any mode.
    """
    there = {m: [s for s in scans if set(MODES[m]) <= set(s.columns)] for m in MODES}
    if not any(there.values()):
        there |= {m: [s for s in scans if MODES[m][0] in s.columns] for m in YIELDS}
    most = max(len(found) for found in there.values())
    if most == 0:
        raise _no_channels(scans)
    possible = [mode for mode, found in there.items() if len(found) == most]
    clear = {mode: _clearness(there[mode][:3], mode, element, edge) for mode in possible}
    best = max(clear.values())
    # Where no mode shows the edge, the one that gives mu at all has the better message.
    chosen = next((m for m in possible if clear[m] >= max(_WEAK * best, 0.0)), possible[0])
    others = [mode for mode in possible if mode not in (chosen, "mu")]
    name = "choose the mode"
    if chosen != "transmission" and "transmission" in others:
        name = "warning: transmission shows the edge badly or not at all, another mode was taken"
    return chosen, step(name, mode=chosen, also_recorded=others)


def _no_channels(scans: Sequence[Scan]) -> DataError:
    names = sorted(set().union(*(scan.columns for scan in scans)))
    return DataError(
        f"no column is known as mu, or as i0 with a transmitted or fluorescence intensity; there are {names}",
        where=scans[0].source or scans[0].label,
        do="write a beamline profile (TOML) that says what the columns are, and name its folder in "
        "SHORTRANGE_PROFILES",
    )


def _clearness(scans: Sequence[Scan], mode: str, element: str, edge: str) -> float:
    """Edge step in units of the noise of a point, of the best scan; 0 without an edge, -1 without mu."""
    best = -1.0
    for scan in scans:
        try:
            mu = to_mu(cut_to_edge(scan, element=element, edge=edge), mode=mode)
            best = max(best, 0.0)
            data = normalise(mu, near=check_edge(mu, element=element, edge=edge))
        except DataError:
            continue
        noise = single_scan_noise(mu.energy, mu.mu, mu.mu != mu.mu)
        best = max(best, data.edge_step / max(float(noise.mean()), 1e-12 * data.edge_step))
    return best


def guess_edge(scan: Scan, *, element: str | None = None, edge: str | None = None) -> tuple[str, str, Step]:
    """Find the edge of a scan that does not name it, from where mu rises most steeply.

    Parameters
    ----------
    scan
        Energies in eV.
    element, edge
        As far as they are known.

    Returns
    -------
    str, str, Step
        Element, edge, and a warning that they were guessed.

    Raises
    ------
    DataError
        If mu has no edge in any mode, or several elements (or none) have an edge there.
    """
    where = scan.source or scan.label
    if element is not None and edge is not None:
        return element, edge, step("take the edge as named", element=element, edge=edge)
    e0 = _rise(scan, where)
    found = _candidates(e0, element, edge)
    if len(found) != 1:
        names = ", ".join(f"{a} {b} ({e:.0f} eV)" for a, b, e in found)
        raise DataError(
            f"the edge is not named; mu rises at {e0:.1f} eV, which may be "
            + (names.replace(", ", " or ") if found else "no K or L3 edge"),
            where=where,
            do='name it, such as --edge "Ta L3"',
        )
    element, edge, tabulated = found[0]
    guess = step(
        "warning: the edge is not named, it was taken from where mu rises",
        edge=f"{element} {edge}",
        rise_eV=round(e0, 1),
        tabulated_eV=tabulated,
    )
    return element, edge, guess


def _rise(scan: Scan, where: str) -> float:
    """Energy of the edge in the first mode that has one."""
    reasons = []
    for mode, channels in MODES.items():
        if not set(channels) <= set(scan.columns) and not (mode in YIELDS and channels[0] in scan.columns):
            continue
        try:
            mu = to_mu(scan, mode=mode)
            return normalise(mu, e0=_inner_rise(mu)).e0
        except DataError as error:
            reasons.append(f"{mode}: {error.what}")
    if not reasons:
        raise _no_channels([scan])
    raise DataError(
        f"the edge is not named, and mu shows none: {'; '.join(reasons)}",
        where=where,
        do='name it, such as --edge "Ta L3", or check the columns',
    )


def _inner_rise(mu: MuE) -> float:
    """Steepest rise, where an edge can be normalised."""
    energy = mu.energy
    inside = (energy > energy[0] + 10.0) & (energy < energy[-1] - 20.0)
    if inside.sum() < 8:
        raise DataError(
            f"the scan covers {energy[0]:.1f} to {energy[-1]:.1f} eV only",
            where=mu.source,
            do="scan 10 eV below to 20 eV above the edge, or more",
        )
    return find_e0(energy[inside], mu.mu[inside])


def _candidates(e0: float, element: str | None, edge: str | None) -> list[tuple[str, str, float]]:
    from ase.data import chemical_symbols

    elements = [element] if element is not None else chemical_symbols[3:99]
    found = [
        (symbol, name, energy)
        for symbol in elements
        for name, energy in element_edges(symbol).items()
        if -_BELOW <= e0 - energy <= _ABOVE
        and (name == edge if edge is not None else element is not None or name in _USUAL)
    ]
    return sorted(found, key=lambda each: abs(each[2] - e0))
