"""Read feff.pad, where FEFF8L keeps what it calculated for each path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError

__all__ = ["FeffPad", "decode_pad", "encode_pad", "read_feff_pad"]

Array = NDArray[Any]

_HARTREE = 27.211386245988  # eV
_BOHR = 0.529177210903  # angstrom
_WIDTH, _OFFSET, _BASE = 8, 37, 90


@dataclass(frozen=True, slots=True, eq=False)
class FeffPad:
    """Paths of one FEFF run.

    Attributes
    ----------
    k, p
        Photoelectron wavenumber from the Fermi level (n_k,), real, and complex momentum in the solid (n_k,),
        1/angstrom. Only the points on the real energy axis.
    phase_shift
        Central-atom phase shift (n_k,), complex.
    cchi
        Complex chi(k) of each path without its factor exp(2 i k r): chi = Im[cchi exp(2 i k r)],
        degeneracy 1, S02 = 1, losses and mean free path included; shape (n_paths, n_k).
    half_length
        Half the length of each path, angstrom, (n_paths,).
    degeneracy
        (n_paths,).
    legs
        Number of legs of each path, (n_paths,).
    neighbours
        Number of different atoms on each path, the absorber not counted, (n_paths,).
    mu
        Fermi level, eV, on FEFF's scale.
    """

    k: Array
    p: Array
    phase_shift: Array
    cchi: Array
    half_length: Array
    degeneracy: Array
    legs: Array
    neighbours: Array
    mu: float


def decode_pad(text: bytes) -> Array:
    """Numbers of packed ASCII data, 8 characters each (padlib of FEFF: base 90, offset 37)."""
    digits = np.frombuffer(text, dtype=np.uint8).reshape(-1, _WIDTH).astype(float) - _OFFSET
    exponent = digits[:, 0] - _BASE // 2
    sign = np.mod(digits[:, 1], 2) * 2 - 1
    mantissa = np.floor(digits[:, 1] / 2) / _BASE**2
    mantissa += digits[:, 2:] @ (float(_BASE) ** -np.arange(3.0, _WIDTH + 1))
    return np.asarray(2 * sign * _BASE * mantissa * 10.0**exponent)


def encode_pad(values: Array) -> bytes:
    """Write numbers as packed ASCII data, the inverse of `decode_pad`."""
    x = np.asarray(values, dtype=float).ravel()
    size = np.abs(x)
    there = size > 1e-38
    exponent = np.where(there, np.floor(np.log10(np.where(there, size, 1.0))) + 1, 0)
    full = (_BASE // 2) * _BASE**6
    count = np.rint(size * 10.0**-exponent * full)
    exponent = np.where(count >= full, exponent + 1, exponent)  # 0.999... rounded up
    count = np.where(there, np.rint(size * 10.0**-exponent * full), 0).astype(np.int64)
    digits = np.empty((x.size, _WIDTH), np.uint8)
    digits[:, 0] = exponent + _OFFSET + _BASE // 2
    for place in range(_WIDTH - 1, 1, -1):
        digits[:, place] = count % _BASE + _OFFSET
        count //= _BASE
    digits[:, 1] = 2 * count + (x > 0) + _OFFSET
    return digits.tobytes()


def read_feff_pad(path: Path) -> FeffPad:
    """Read a feff.pad file of version 3.

    Raises
    ------
    SimulationError
        If it is not one, or breaks off.
    """
    try:
        return _parse(path.read_bytes().splitlines())
    except (ValueError, IndexError) as error:
        raise SimulationError(
            f"feff.pad cannot be read ({error})", where=str(path), do="run FEFF again; is the disk full?"
        ) from None


def _parse(lines: list[bytes]) -> FeffPad:
    if not lines or not lines[0].startswith(b"#_feff.pad v03"):
        raise ValueError("it does not start with '#_feff.pad v03'")
    n = int(lines[1].split()[2])
    mu = float(lines[2].split()[5]) * _HARTREE
    starts = [i for i, line in enumerate(lines) if line.startswith(b"##")]
    head = lines[4 : starts[0] if starts else len(lines)]
    pairs = decode_pad(b"".join(line[1:] for line in head if line[:1] == b"$"))
    phase_shift, p = (pairs[0::2] + 1j * pairs[1::2]).reshape(2, n)
    k = decode_pad(b"".join(line[1:] for line in head if line[:1] == b"!")) / _BOHR
    falling = np.flatnonzero(np.diff(k) <= 0)
    real_axis = int(falling[0]) + 1 if falling.size else n
    cchi = np.empty((len(starts), real_axis), dtype=complex)
    info = np.empty((len(starts), 3))
    neighbours = np.empty(len(starts), dtype=int)
    for i, (start, stop) in enumerate(zip(starts, [*starts[1:], len(lines)], strict=True)):
        words = lines[start][2:].split()
        info[i] = float(words[1]), float(words[2]), float(words[3])
        values = decode_pad(b"".join(line[1:] for line in lines[start + 1 : stop]))
        if values.size != 6 * int(words[1]) + 2 * n:
            raise ValueError(f"path {words[0].decode()} is incomplete")
        stops = values[: 3 * int(words[1])].reshape(-1, 3).round(4) + 0.0
        neighbours[i] = len(np.unique(stops, axis=0)) - 1  # the last stop is the absorber
        cchi[i] = values[-2 * n : -n][:real_axis] * np.exp(1j * values[-n:][:real_axis])
    return FeffPad(
        k=k[:real_axis], p=p[:real_axis] / _BOHR, phase_shift=phase_shift[:real_axis],
        cchi=cchi, half_length=info[:, 2], degeneracy=info[:, 1], legs=info[:, 0].astype(int),
        neighbours=neighbours, mu=mu,
    )  # fmt: skip
