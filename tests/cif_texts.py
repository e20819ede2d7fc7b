"""Texts of CIF files, for tests that read a crystal from a file."""

HEAD = """data_test
_symmetry_space_group_name_H-M   '{group}'
_cell_length_a   {a}
_cell_length_b   {b}
_cell_length_c   {c}
_cell_angle_alpha   90
_cell_angle_beta   {beta}
_cell_angle_gamma   90
loop_
"""
COLUMNS = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy", "U_iso_or_equiv")


def cif_text(sites, *, a, b=None, c=None, beta=90, group="F m -3 m"):
    """Crystal of ``sites``, a line each: label, element, x, y, z, occupancy and, if it is there, U.

    Lengths that are left out are those of ``a``. Nothing is checked, so that a fault can be written.
    """
    lines = sites.splitlines()
    columns = COLUMNS[: len(lines[0].split()) if lines else None]
    names = "".join(f"_atom_site_{column}\n" for column in columns)
    head = HEAD.format(group=group, a=a, b=a if b is None else b, c=a if c is None else c, beta=beta)
    return f"{head}{names}{sites}\n"
