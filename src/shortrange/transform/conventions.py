r"""The functions of total scattering and their many names, as in Keen, J. Appl. Cryst. 34, 172 (2001).

In r, with rho0 the atoms per volume and :math:`\langle b\rangle^2 = (\sum_i c_i b_i)^2` in barn (neutrons)
or 1 (normalised, as for X-rays):

====== =============================================================== =====================================
name   formula                                                         in Keen (2001)
====== =============================================================== =====================================
G      :math:`4\pi r\rho_0 [g(r) - 1]`                                 G^PDF(r), eq. 42: PDFgui, PDFgetX
g      :math:`g(r)`: 0 below the shortest distance, 1 far away         g(r), eq. 4, averaged with weights
G_keen :math:`\langle b\rangle^2 [g(r) - 1]`                           G(r), eq. 10: total radial distribution
D      :math:`4\pi r\rho_0\,G_{keen}`                                  D(r), eq. 26: differential correlation
T      :math:`4\pi r\rho_0 \langle b\rangle^2 g(r)`                    T(r), eq. 28: total correlation
RDF    :math:`4\pi r^2\rho_0\,g(r)`                                    radial distribution, eq. 37
====== =============================================================== =====================================

In Q:

====== =============================================================== =====================================
S      :math:`S(Q)`, 1 at high Q                                       S(Q), eq. 19 (Faber-Ziman)
F      :math:`Q [S(Q) - 1]`                                            F of PDFgui and PDFgetX; Q i(Q) / <b>^2
F_keen :math:`\langle b\rangle^2 [S(Q) - 1]`                           F(Q), eq. 9: i(Q) of the ISIS group
====== =============================================================== =====================================
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError, did_you_mean

__all__ = ["QFunction", "RFunction", "convert_q", "convert_r"]

Array = NDArray[Any]
RFunction = Literal["G", "g", "G_keen", "D", "T", "RDF"]
QFunction = Literal["S", "F", "F_keen"]


def convert_r(
    r: Array,
    values: Array,
    *,
    source: RFunction,
    target: RFunction,
    number_density: float,
    mean_b_squared: float = 1.0,
) -> Array:
    """Turn one function of r into another.

    Parameters
    ----------
    r
        angstrom, shape (n,).
    values
        Of ``source``, shape (n,).
    source, target
        Names as in the table above.
    number_density
        Atoms per cubic angstrom.
    mean_b_squared
        Square of the mean scattering length, barn, or 1 for normalised functions.

    Raises
    ------
    DataError
        For an unknown name, a density or length of zero, or r = 0 where the function divides by it.
    """
    scale, offset = _line_r(r, source, number_density, mean_b_squared, divide=True)
    g = (np.asarray(values, dtype=float) - offset) / scale
    scale, offset = _line_r(r, target, number_density, mean_b_squared, divide=False)
    return np.asarray(scale * g + offset)


def _line_r(r: Array, name: str, density: float, length2: float, *, divide: bool) -> tuple[Array, Array]:
    """Scale and offset with which a function follows from g(r)."""
    if not (0 < density < 1.0 and length2 > 0):
        raise DataError(
            f"number_density = {density:g}, mean_b_squared = {length2:g}", where="convert_r",
            do="give atoms per cubic angstrom, and barn (or 1)",
        )  # fmt: skip
    x = 4.0 * np.pi * np.asarray(r, dtype=float) * density
    one, none = np.ones_like(x), np.zeros_like(x)
    lines = {
        "G": (x, -x), "g": (one, none), "G_keen": (length2 * one, -length2 * one),
        "D": (length2 * x, -length2 * x), "T": (length2 * x, none), "RDF": (x * r, none),
    }  # fmt: skip
    if name not in lines:
        raise DataError(
            f"unknown function {name!r}", where="convert_r", do=did_you_mean(name, get_args(RFunction))
        )
    scale, offset = lines[name]
    if divide and not np.all(scale > 0):
        raise DataError(
            f"{name}(r) at r = {np.min(r):g} does not determine g(r)", where="convert_r", do="begin at r > 0"
        )
    return scale, offset


def convert_q(
    q: Array, values: Array, *, source: QFunction, target: QFunction, mean_b_squared: float = 1.0
) -> Array:
    """Turn one function of Q into another.

    Parameters
    ----------
    q
        1/angstrom, shape (n,).
    values
        Of ``source``, shape (n,).
    source, target
        Names as in the table above.
    mean_b_squared
        Square of the mean scattering length, barn, or 1.

    Raises
    ------
    DataError
        For an unknown name, a length of zero, or Q = 0 where the function divides by it.
    """
    minus_one = np.asarray(values, dtype=float)
    if source == "S":
        minus_one = minus_one - 1.0
    else:
        minus_one = minus_one / _factor_q(q, source, mean_b_squared, divide=True)
    if target == "S":
        return np.asarray(minus_one + 1.0)
    return np.asarray(minus_one * _factor_q(q, target, mean_b_squared, divide=False))


def _factor_q(q: Array, name: str, length2: float, *, divide: bool) -> Array:
    if name not in get_args(QFunction):
        raise DataError(
            f"unknown function {name!r}", where="convert_q", do=did_you_mean(name, get_args(QFunction))
        )
    if not length2 > 0:
        raise DataError(f"mean_b_squared = {length2:g}", where="convert_q", do="give barn, or 1")
    factor = np.asarray(q, dtype=float) if name == "F" else np.full(np.shape(q), length2)
    if divide and not np.all(factor > 0):
        raise DataError(
            f"{name}(Q) at Q = {np.min(q):g} does not determine S(Q)", where="convert_q", do="begin at Q > 0"
        )
    return np.asarray(factor)
