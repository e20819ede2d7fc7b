"""What ``shortrange peaks`` reads: G(r), another function of r, or a structure factor that it transforms."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shortrange.errors import DataError, ProjectError

if TYPE_CHECKING:
    from shortrange.quantities import GR

__all__ = ["check_options", "load_function", "settled"]

_R_MAX, _R_STEP = 20.0, 0.02  # angstrom, of a transform
_FAR = 12.0  # angstrom: beyond it order is weaker than near by
_GROWS = 2.5
_LIMITS = {
    "q_max": (100.0, "1/angstrom"),
    "q_min": (100.0, "1/angstrom"),
    "number_density": (1.0, "atoms per cubic angstrom, 0.02 to 0.2"),
    "mean_b_squared": (100.0, "barn, or 1 if the function is normalised"),
}
"""What options must be below, and in which unit."""


def load_function(
    file: Path,
    formula: str | None,
    function: Any,
    density: float | None,
    mean_b_squared: float | None,
    radiation: Any,
) -> tuple[GR, dict[str, float], str]:
    """Read the file, and say what of: G(r), its composition, and the head of the file in lower case.

    Raises
    ------
    DataError
        If the file is neither; where its curve cannot be that of the material at all, that is said.
    ProjectError
        If composition or number density are missing, or contradict the header.
    """
    from shortrange.atoms import parse_composition
    from shortrange.fit.gr_doubts import check_limit
    from shortrange.load.text import read_text
    from shortrange.quantities import step
    from shortrange.simulate.pdf_weights import neutron_length_squared

    wanted = parse_composition(formula) if formula is not None else {}
    length2 = mean_b_squared
    if length2 is None and radiation == "neutron" and wanted:
        length2 = neutron_length_squared(wanted)
    try:
        gr = _load(file, function, length2)
    except DataError as error:
        _diagnose(file, wanted, error)
        raise
    if gr.q_max is not None:
        _check_decay(gr, file)
    head = "\n".join(text for _, text in read_text(file)[:200]).lower()
    atoms = wanted or dict(gr.composition)
    if not atoms:
        raise ProjectError(
            "the composition is not known", where=str(file), do="give --composition, such as NaTaCl6"
        )
    if formula and gr.composition and set(gr.composition) != set(atoms):
        raise ProjectError(
            f"the header says {', '.join(gr.composition)}, but {formula} was asked for",
            where=str(file), do="correct --composition, or name another file",
        )  # fmt: skip
    if wanted and _parts(wanted) != _parts(gr.composition or wanted):
        written = "".join(f"{symbol}{amount:g}" for symbol, amount in gr.composition.items())
        gr = gr.after(step("warning: composition is not that of the header", given=formula, header=written))
    if function != "G":
        gr = _converted(gr, file, function, density, length2)
    return check_limit(gr, function=function), atoms, head


def _parts(atoms: Mapping[str, float]) -> dict[str, float]:
    total = sum(atoms.values())
    return {symbol: round(amount / total, 4) for symbol, amount in atoms.items()}


def _load(file: Path, function: Any, length2: float | None) -> GR:
    from shortrange.load import load_gr, load_sq
    from shortrange.load.registry import find_loader

    try:
        factor = function == "G" and find_loader(file).kind == "sq"
    except DataError:
        factor = False  # columns that nothing names
    if not factor:
        return load_gr(file, function=function)
    import numpy as np

    from shortrange.reduce.scattering_transform import gr_from_sq

    r = _R_STEP * np.arange(1, round(_R_MAX / _R_STEP) + 1)
    return gr_from_sq(load_sq(file, mean_b_squared=length2), r=r, covariance=False)


def _check_decay(gr: GR, file: Path) -> None:
    """Refuse a structure factor whose transform grows with r: no structure has more order far than near."""
    import numpy as np

    far = gr.r > _FAR
    if not far.any():
        return
    near, beyond = np.max(np.abs(gr.g[~far])), np.max(np.abs(gr.g[far]))
    if beyond > _GROWS * near:
        at = float(gr.r[far][np.argmax(np.abs(gr.g[far]))])
        raise DataError(
            f"its transform is largest at r = {at:.1f} A ({beyond:.3g}; {near:.3g} below {_FAR:g} A): it "
            f"oscillates with a period of {2 * np.pi / at:.2g} 1/A in Q and holds no bonds",
            where=str(file),
            do="this is the ripple of a curve that was cut off at that r, not a measured structure factor",
        )


def _converted(gr: GR, file: Path, function: Any, density: float | None, length2: float | None) -> GR:
    from shortrange.quantities import step
    from shortrange.transform.conventions import convert_r

    rho = density or gr.number_density
    if rho is None:
        raise ProjectError(
            f"{function}(r) cannot be turned into G(r) without the number density", where=str(file),
            do="give --number-density in atoms per cubic angstrom",
        )  # fmt: skip
    after = gr.r > 1e-3
    scale = 1.0 if length2 is None else length2
    g = convert_r(
        gr.r[after], gr.g[after], source=function, target="G", number_density=rho, mean_b_squared=scale
    )  # fmt: skip
    done = step("turn into G(r)", function=function, number_density=rho, mean_b_squared=scale)
    return gr.after(done, r=gr.r[after], g=g, sigma=None, number_density=rho)


def _diagnose(file: Path, atoms: Mapping[str, float], fault: DataError) -> None:
    """Say of a file that cannot be read as it stands whether its curve could be one of the material at all.

    Raises
    ------
    DataError
        If its peaks lie where no two atoms can be.
    """
    import numpy as np

    from shortrange.fit.assign import check_first_distance
    from shortrange.load.text import read_table
    from shortrange.quantities import GR

    try:
        values = read_table(file).values
    except DataError:
        return
    if np.array_equal(values[:, 0] - values[0, 0], np.arange(len(values))):
        values = values[:, 1:]  # the first column only counts the rows
    if not atoms or values.shape[1] < 2 or len(values) < 20 or not np.all(np.diff(values[:, 0]) > 0):
        return
    r = np.arange(max(0.2, values[0, 0]), min(values[-1, 0], 20.0), 0.05)
    if r.size < 20:
        return
    try:
        check_first_distance(GR(r=r, g=np.interp(r, values[:, 0], values[:, 1]), source=str(file)), atoms)
    except DataError as error:
        raise DataError(
            f"{fault.what}; and if it were G(r): {error.what}", where=fault.where, do=error.do
        ) from fault


def check_options(**values: float | None) -> None:
    """Refuse settings that cannot be, before anything is read.

    Raises
    ------
    ProjectError
        That names the option.
    """
    for name, value in values.items():
        most, unit = _LIMITS[name]
        if value is not None and not (0.0 < value < most or (value == 0.0 and name == "q_min")):
            raise ProjectError(f"{name} = {value:g}", where=f"--{name.replace('_', '-')}", do=f"give {unit}")


def settled(gr: GR, **asked: float | None) -> GR:
    """Give G(r) the settings that were asked for, and say where its header says otherwise."""
    from dataclasses import replace

    from shortrange.quantities import step

    changes: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    for name, value in changes.items():
        stated = getattr(gr, name)
        if stated is not None and abs(value - stated) > 0.01 * abs(stated):
            done = step(f"warning: {name} is not that of the header", given=value, header=stated)
            gr = gr.after(done)
    return replace(gr, **changes)
