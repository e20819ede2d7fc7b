"""Elements: compositions, edges, form factors, Compton scattering. Numbers from xraydb and xraylib."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Mapping
from contextlib import closing
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shortrange.errors import DataError, did_you_mean

__all__ = [
    "anomalous",
    "atomic_mass",
    "atomic_number",
    "cations_first",
    "compton",
    "core_width",
    "edge_energy",
    "element_edges",
    "form_factor",
    "mean_form_factors",
    "parse_composition",
]

Array = NDArray[Any]
_TOKEN = re.compile(r"([A-Z][a-z]?)(\d+\.?\d*|\.\d+)?")


def parse_composition(formula: str) -> dict[str, float]:
    """Atoms of each element in a formula without brackets, such as ``NaTaCl5S0.5``.

    Parameters
    ----------
    formula
        Element symbols, each followed by an optional number.

    Returns
    -------
    dict
        Element to amount, in order of appearance; repeated elements add up.

    Raises
    ------
    DataError
        If the text is not a formula, names no element of the periodic table, or gives an amount of zero.
    """
    # Lowered digits, as papers print them, are digits.
    text = unicodedata.normalize("NFKC", formula).replace(" ", "")
    amounts: dict[str, float] = {}
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise DataError(
                f"cannot read {text[position:]!r} in the composition {formula!r}",
                where=f"composition, column {position + 1}",
                do=_respelled(text) or 'write elements and amounts without brackets, such as "NaTaCl5S0.5"',
            )
        symbol, amount = token.group(1), float(token.group(2) or 1.0)
        if not _is_element(symbol) and (meant := _respelled(text)):
            raise DataError(
                f"{symbol!r} is not a chemical element in {formula!r}",
                where=f"composition, column {position + 1}",
                do=meant,
            )
        atomic_number(symbol)
        if amount <= 0:
            raise DataError(
                f"the amount of {symbol} in {formula!r} is zero",
                where="composition",
                do=f"leave {symbol} out",
            )
        amounts[symbol] = amounts.get(symbol, 0.0) + amount
        position = token.end()
    if not amounts:
        raise DataError("the composition is empty", where="composition", do='write, for example, "NaTaCl6"')
    return amounts


def _respelled(text: str) -> str:
    """Propose the formula that letters of the right case would make, such as NaTaCl6 for natacl6."""
    meant = _spell(text)
    return f"did you mean {meant!r}?" if meant and meant != text else ""


def _spell(text: str) -> str | None:
    """Give elements of two letters where they exist, else of one; None where the text is no formula."""
    if not text:
        return ""
    number = re.match(r"\d+\.?\d*|\.\d+", text)
    if number:
        rest = _spell(text[number.end() :])
        return None if rest is None else number[0] + rest
    for size in (2, 1):
        symbol = text[:size].capitalize()
        if len(symbol) == size and symbol.isalpha() and _is_element(symbol):
            rest = _spell(text[size:])
            if rest is not None:
                return symbol + rest
    return None


def _is_element(symbol: str) -> bool:
    from ase.data import atomic_numbers

    return bool(atomic_numbers.get(symbol, 0))


@cache
def atomic_number(symbol: str) -> int:
    """Atomic number of an element.

    Raises
    ------
    DataError
        If there is no such element.
    """
    from ase.data import atomic_numbers

    z = atomic_numbers.get(symbol, 0)
    if z == 0:
        known = [name for name in atomic_numbers if name != "X"]
        raise DataError(
            f"{symbol!r} is not a chemical element", where="element symbol", do=did_you_mean(symbol, known)
        )
    return int(z)


def cations_first(symbol: str) -> tuple[int, int]:
    """Key that sorts the elements of a pair as chemists name it: Ta-Cl, Na-S, P-S, S-Cl, O-H."""
    z = atomic_number(symbol)
    noble = next(gas for gas in (2, 10, 18, 36, 54, 86, 118) if gas >= z)
    return z - noble, -z


@cache
def atomic_mass(symbol: str) -> float:
    """Give the standard atomic mass, g/mol."""
    from ase.data import atomic_masses

    return float(atomic_masses[atomic_number(symbol)])


@cache
def element_edges(symbol: str) -> dict[str, float]:
    """Absorption edges of an element: name to energy in eV (xraydb)."""
    atomic_number(symbol)
    # Straight from its database: importing xraydb brings sqlalchemy, and costs half a second.
    spec = find_spec("xraydb")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("xraydb is not installed", name="xraydb")
    path = Path(spec.submodule_search_locations[0]) / "xraydb.sqlite"
    query = "select iupac_symbol, absorption_edge from xray_levels where element = ?"
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        return {str(name): float(energy) for name, energy in database.execute(query, (symbol,))}


def edge_energy(symbol: str, edge: str) -> float:
    """Tabulated energy of an absorption edge, eV (xraydb).

    Raises
    ------
    DataError
        If the element has no such edge.
    """
    edges = element_edges(symbol)
    if edge not in edges:
        raise DataError(f"{symbol} has no edge {edge!r}", where="edge", do=did_you_mean(edge, edges))
    return edges[edge]


@cache
def core_width(symbol: str, edge: str) -> float:
    """Natural width of the core hole, eV (xraydb: Krause and Oliver 1979, Keski-Rahkonen and Krause 1974)."""
    import xraydb

    edge_energy(symbol, edge)
    return float(xraydb.core_width(symbol, edge))


def form_factor(symbol: str, q: ArrayLike, *, charge: int = 0) -> Array:
    r"""Form factor :math:`f_0(Q)` of an atom or ion (Waasmaier and Kirfel 1995, through xraydb).

    Parameters
    ----------
    symbol
        Element.
    q
        Momentum transfer, 1/angstrom, any shape. The table ends at 75 (s = 6).
    charge
        Of the ion, such as 1 for Na1+ and -1 for Cl1-.

    Raises
    ------
    DataError
        If the table does not have the ion.
    """
    import xraydb

    atomic_number(symbol)
    ion = f"{symbol}{abs(charge)}{'+' if charge > 0 else '-'}" if charge else symbol
    if charge and ion not in xraydb.f0_ions(symbol):
        known = [f"{name[:-2]}{name[-1]}{name[-2]}" for name in xraydb.f0_ions(symbol) if name[-1] in "+-"]
        raise DataError(
            f"there is no tabulated form factor of {symbol}{charge:+d}", where="charges",
            do=f"choose from {', '.join(known)}" if known else f"leave the charge of {symbol} out",
        )  # fmt: skip
    values = np.asarray(q, dtype=float)
    return np.reshape(_tabulated_f0(ion, values.tobytes()), values.shape)


@lru_cache(maxsize=64)
def _tabulated_f0(ion: str, q: bytes) -> Array:
    """Kept, since structures that are compared share elements and Q: xraydb searches its table each time."""
    import xraydb

    # xraydb wants sin(theta)/lambda = Q / 4 pi.
    f: Array = xraydb.f0(ion, np.frombuffer(q) / (4.0 * np.pi))
    f.setflags(write=False)
    return f


@cache
def anomalous(symbol: str, energy: float) -> tuple[float, float]:
    """Anomalous scattering factors (f', f'') at a photon energy in eV (Chantler, through xraydb)."""
    import xraydb

    return float(np.squeeze(xraydb.f1_chantler(symbol, energy))), float(
        np.squeeze(xraydb.f2_chantler(symbol, energy))
    )


def compton(symbol: str, q: ArrayLike) -> Array:
    """Incoherent scattering function S(Q) of an atom, electrons (Hubbell 1975, through xraylib).

    Without the Breit-Dirac recoil factor, which depends on the wavelength and the detector.
    """
    import xraylib

    z = atomic_number(symbol)
    values = np.asarray(q, dtype=float)
    s = np.ravel(values) / (4.0 * np.pi)
    return np.reshape([xraylib.SF_Compt(z, x) if x > 0 else 0.0 for x in s], values.shape)


def mean_form_factors(
    composition: Mapping[str, float],
    q: ArrayLike,
    *,
    energy: float | None = None,
    charges: Mapping[str, int] | None = None,
) -> tuple[Array, Array]:
    r"""Concentration averages :math:`\langle f\rangle^2` and :math:`\langle f^2\rangle`.

    Parameters
    ----------
    composition
        Atoms of each element, any common scale.
    q
        1/angstrom, shape (n,).
    energy
        Photon energy in eV: adds f' and f''. None leaves them out.
    charges
        Ionic charge of some of the elements; the others are neutral.

    Returns
    -------
    mean_f_squared, mean_f2
        :math:`|\langle f\rangle|^2` and :math:`\langle |f|^2\rangle`, each of shape (n,).
    """
    total = sum(composition.values())
    mean = np.zeros(np.shape(q), dtype=complex)
    square = np.zeros(np.shape(q))
    for symbol, amount in composition.items():
        f = form_factor(symbol, q, charge=(charges or {}).get(symbol, 0)) + 0j
        if energy is not None:
            f1, f2 = anomalous(symbol, energy)
            f = f + f1 + 1j * f2
        mean += amount / total * f
        square += amount / total * np.abs(f) ** 2
    return np.abs(mean) ** 2, square
