"""Small files of every format, written on the spot: a Ta L3 edge, a pattern, a G(r), a molecule."""

import io

import h5py
import numpy as np
from beamline_heads import EPICS, PF, SSRL, rows

ENERGY = np.linspace(9700.0, 10100.0, 81)
I0 = 1e5 + 100.0 * np.cos(np.arange(81.0))
MU = -0.5 + 0.8 / (1 + np.exp(-(ENERGY - 9881.0) / 2.0))
IT = I0 * np.exp(-MU)
IR = IT * np.exp(-0.3 - MU / 2)
Q = np.linspace(0.5, 20.5, 201)
INTENSITY = 100.0 / (1 + Q) + 10.0 * np.sin(Q)
R = np.round(np.linspace(0.01, 10.0, 1000), 6)
G = np.sin(3.0 * R) * np.exp(-0.1 * R)


XDI_HEAD = """# XDI/1.0 test/1.0
# Column.1: energy eV
# Column.2: itrans
# Column.3: i0
# Column.4: irefer
# Element.symbol: Ta
# Element.edge: L3
# Mono.d_spacing: 3.1356
# ///
# pressed pellet
#---
# energy itrans i0 irefer
"""
SPEC_HEAD = "#F test.dat\n#D now\n\n"
SPEC_SCAN = "#S {n}  zapline mono\n#D now\n#N 5\n#L Mon  Ion1  Ion2  TwoTheta  ZapEnergy\n"
VASPRUN = """<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
 <incar><i type="int" name="IBRION">0</i><i name="POTIM">2.0</i></incar>
 <atominfo><atoms>2</atoms><types>2</types><array name="atoms">
  <dimension dim="1">ion</dimension><field type="string">element</field><field type="int">atomtype</field>
  <set><rc><c>Na</c><c>1</c></rc><rc><c>Cl</c><c>2</c></rc></set></array></atominfo>
 <structure name="initialpos"><crystal><varray name="basis">
  <v>5.0 0.0 0.0</v><v>0.0 5.0 0.0</v><v>0.0 0.0 5.0</v></varray></crystal>
  <varray name="positions"><v>0.0 0.0 0.0</v><v>0.5 0.5 0.5</v></varray></structure>
 {steps}
</modeling>
"""
VASPRUN_STEP = """<calculation><structure><crystal><varray name="basis">
  <v>5.0 0.0 0.0</v><v>0.0 5.0 0.0</v><v>0.0 0.0 5.0</v></varray></crystal>
  <varray name="positions"><v>0.0 0.0 0.0</v><v>0.5 0.5 {z}</v></varray></structure>
 </calculation>"""
CIF = """data_NaCl
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
_symmetry_Int_Tables_number 225
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Na1 Na1+ 0 0 0 1.0
Cl1 Cl1- 0.5 0.5 0.5 1.0
"""
XDATCAR = """NaCl
1.0
5.0 0.0 0.0
0.0 5.0 0.0
0.0 0.0 5.0
Na Cl
1 1
Direct configuration=     1
0.0 0.0 0.0
0.5 0.5 0.5
Direct configuration=     2
0.0 0.0 0.0
0.5 0.5 0.6
"""
EXTXYZ = """2
Lattice="5.0 0 0 0 5.0 0 0 0 5.0" Properties=species:S:1:pos:R:3 pbc="T T T"
Na 0 0 0
Cl 2.5 2.5 2.5
2
Lattice="5.0 0 0 0 5.0 0 0 0 5.0" Properties=species:S:1:pos:R:3 pbc="T T T"
Na 0 0 0
Cl 2.5 2.5 3.0
"""

ANGLES = np.degrees(np.arcsin(12398.419843320026 / (2 * 3.13551 * ENERGY)))


def quoted(values: np.ndarray) -> str:
    return ",".join(f"'{value:.8g}'" for value in values)


ATHENA = (
    "# Athena project file -- Demeter version 0.9.26\n\n$old_group = 'abcde';\n"
    "@args = ('label','it\\'s Ta','bkg_eshift',0,'bkg_z','Ta','fft_edge','l3','titles',['a','b']);\n"
    f"@x = ({quoted(ENERGY)});\n@y = ({quoted(MU)});\n[record]   # create object\n\n@journal = ('');\n\n1;\n"
)


def bliss() -> bytes:
    """HDF5 as ESRF's BLISS writes it: keV, a soft link to a device, an external link to an absent file."""
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        group = file.create_group("1.1/measurement")
        group["energy_enc"] = ENERGY / 1e3
        group["energy_enc"].attrs["units"] = "keV"
        group["energy"] = h5py.SoftLink("/1.1/measurement/energy_enc")
        device = file.create_group("1.1/instrument/i0")
        device["value"] = I0
        group["I0"] = h5py.SoftLink("/1.1/instrument/i0")
        group["I1"] = IT
        group["mca"] = h5py.ExternalLink("absent.h5", "/1.1/measurement/mca")
    return memory.getvalue()


FILES: dict[str, tuple[str, str, str | bytes]] = {
    # loader: kind, file name, content
    "xdi": ("xas", "ta.xdi", XDI_HEAD + rows(ENERGY, IT, I0, IR)),
    "columns": ("xas", "ta.dat", "# energy i0 it ir temp\n" + rows(ENERGY, I0, IT, IR, 300 + 0 * I0)),
    "spec": (
        "xas",
        "ta_spec.dat",
        SPEC_HEAD
        + SPEC_SCAN.format(n=1)
        + rows(I0, IT, IR, 11.0 + 0 * I0, ENERGY / 1e3)
        + "\n"
        + SPEC_SCAN.format(n=2)
        + rows(I0, IT, IR, 11.0 + 0 * I0, ENERGY / 1e3 + 1e-4),
    ),
    "athena": ("xas", "ta.prj", ATHENA),
    "pf9809": ("xas", "ta.pf", PF + rows(ANGLES, ANGLES, 1 + 0 * I0, I0, IT)),
    "ssrl": ("xas", "ta.ssrl", SSRL + rows(1 + 0 * I0, ENERGY, ENERGY, I0, IT, IR)),
    "epics": ("xas", "ta.epics", EPICS + rows(ENERGY, I0, IT)),
    "hdf5": ("xas", "ta.h5", bliss()),
    "side_by_side": (
        "xas",
        "ta.csv",
        "energy [eV] a,a,b,energy c,c\n" + rows(ENERGY, MU, 2 * MU, ENERGY + 1, MU, sep=","),
    ),
    "pattern": ("iq", "a.chi", "# Wavelength: 2.51e-11 m\n#   q_A^-1   I\n" + rows(Q, INTENSITY)),
    "pdfgetx": (
        "gr",
        "a.gr",
        "[DEFAULT]\nversion = pdfgetx3-1.1\ncomposition = NaTaCl6\nqmaxinst = 25\nqmin = 0.8\nqmax = 22.0\n"
        "#### start data\n#S 1\n#L r($\\AA$)  G($\\AA^{-2}$)\n" + rows(R, G),
    ),
    "cif": ("structure", "nacl.cif", CIF),
    "extxyz": ("structure", "nacl.extxyz", EXTXYZ),
    "xyz": ("structure", "nacl.xyz", "2\nmolecule\nNa 0 0 0\nCl 0 0 2.36\n"),
    "vasprun": (
        "structure",
        "vasprun.xml",
        VASPRUN.format(steps="\n".join(VASPRUN_STEP.format(z=z) for z in ("0.5", "0.6"))),
    ),
    "xdatcar": ("structure", "XDATCAR", XDATCAR),
    "ase": ("structure", "nacl.gen", "2 C\nNa Cl\n1 1 0.0 0.0 0.0\n2 2 0.0 0.0 2.36\n"),
}
