from pathlib import Path

import numpy as np
import pytest

from cif_texts import cif_text
from shortrange.analyse.distortion import nearest_ligands
from shortrange.analyse.roles import atoms_of
from shortrange.errors import DataError
from shortrange.load import load_crystal, load_trajectory

GYPSUM = Path(__file__).parents[2] / "reference_spectra" / "crystals" / "gypsum.cif"

SALT = "Na1 Na 0 0 0 1.0 0.01\nCl1 Cl 0.5 0.5 0.5 1.0 0.012"


def write(tmp_path, sites=SALT, group="F m -3 m", a=5.64, b=5.64, c=5.64, beta=90, name="salt.cif"):
    path = tmp_path / name
    path.write_text(cif_text(sites, group=group, a=a, b=b, c=c, beta=beta))
    return path


def test_symmetry_fills_the_cell(tmp_path):
    salt = load_crystal(write(tmp_path))
    assert salt.system == "cubic"
    assert salt.composition == {"Na": 4.0, "Cl": 4.0}
    assert np.allclose(np.unique(salt.u_iso), [0.01, 0.012])
    assert salt.volume == pytest.approx(5.64**3)


def test_partly_occupied_and_shared_sites_are_kept(tmp_path):
    sites = "Na1 Na 0 0 0 0.75 0.01\nK1 K 0 0 0 0.25 0.01\nCl1 Cl 0.5 0.5 0.5 0.9 0.01"
    mixed = load_crystal(write(tmp_path, sites=sites))
    assert mixed.composition == pytest.approx({"Na": 3.0, "K": 1.0, "Cl": 3.6})


def test_labels_of_water_and_hydroxide_are_oxygen(tmp_path):
    """As AMCSD writes them, without type symbols; the formula of the record says the same."""
    sites = "Mg1 Mg 0 0 0 1 0.01\nOW2 OW 0.5 0 0 1 0.01\nOh OH 0 0.5 0 1 0.01\nD1 D 0 0 0.5 1 0.01"
    path = write(tmp_path, sites=sites, group="P 1")
    brucite = load_crystal(path)
    assert brucite.composition == {"Mg": 1.0, "O": 2.0, "H": 1.0}
    assert brucite.labels[1] == "OW2"
    assert brucite.history[-1].settings == {"Ow": "O", "Oh": "O", "D": "H"}
    assert load_trajectory(path).composition == {"Mg": 1, "O": 2, "H": 1}
    with pytest.raises(DataError, match="'Wat' is not a chemical element"):
        load_crystal(write(tmp_path, sites=SALT + "\nWat Wat 0 0 0.5 1 0.01"))


def test_gypsum_of_amcsd():
    """Formula and volume as the record prints them; the sulfate ion as its authors found it."""
    gypsum = load_crystal(GYPSUM)
    assert gypsum.composition == {"Ca": 4.0, "S": 4.0, "O": 24.0, "H": 16.0}
    assert gypsum.volume == pytest.approx(493.34, abs=0.005)
    run = load_trajectory(GYPSUM)
    near = nearest_ligands(run, atoms_of(run, ["S"]), ("O",), count=4)
    assert np.linalg.norm(near, axis=-1) == pytest.approx(1.475, abs=0.01)


def test_without_symmetry_the_cell_names_the_system(tmp_path):
    assert load_crystal(write(tmp_path, group="P 1", c=6.0, beta=93.0)).system == "monoclinic"
    assert (
        load_crystal(write(tmp_path, group="P 1", c=6.0, beta=93.0), system="triclinic").system == "triclinic"
    )


def test_other_structures_are_crystals_without_symmetry(tmp_path):
    path = tmp_path / "cell.extxyz"
    path.write_text(
        '2\nLattice="4 0 0 0 4 0 0 0 5" Properties=species:S:1:pos:R:3 pbc="T T T"\nCs 0 0 0\nCl 2 2 2.5\n'
    )
    found = load_crystal(path)
    assert found.system == "tetragonal"
    assert np.allclose(found.positions, [[0, 0, 0], [0.5, 0.5, 0.5]])


def test_pdfgui_structures_are_read(tmp_path):
    from diffpy.structure import Atom, Lattice, Structure

    atoms = [
        Atom("Ni", xyz, Uisoequiv=0.004) for xyz in ([0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0])
    ]
    Structure(atoms, lattice=Lattice(3.52, 3.52, 3.52, 90, 90, 90)).write(str(tmp_path / "ni.stru"), "pdffit")
    found = load_crystal(tmp_path / "ni.stru")
    assert found.system == "cubic"
    assert np.allclose(found.u_iso, 0.004)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"b": 5.9}, "is not cubic"),
        ({"beta": 97}, "is not cubic"),
        ({"a": "?"}, "_cell_length_a"),
        ({"a": "abc"}, "_cell_length_a"),
        ({"sites": "Na1 Na 0 0 0 1.0 0.01\nCl1 Cl 0 0 0 1.0 0.01"}, "occupied by 2 atoms"),
        ({"sites": "Na1 Na 0 0 0 0.8 0.01\nK1 K 0 0 0 0.4 0.01"}, "occupied by 1.2 atoms: Na 0.8, K 0.4"),
        ({"sites": "Na1 Na 0 0 0 1.5 0.01"}, "1.5"),
        ({"sites": "Na1 Na 0 0 0 1.0 -0.01"}, "U = -0.01"),
        ({"sites": "Xx1 Xx 0 0 0 1.0 0.01"}, "Xx"),
        ({"sites": ""}, "atom|site|structure"),
        ({"sites": "Na1 Na a b c 1.0 0.01"}, "structure|position"),
        ({"group": "P 63/m"}, "is not hexagonal"),
    ],
)
def test_faulty_cifs_are_refused(tmp_path, settings, words):
    path = write(tmp_path, **settings)
    with pytest.raises(DataError, match=words) as caught:
        load_crystal(path)
    assert str(path) in str(caught.value)


def test_a_cif_without_a_cell_is_refused(tmp_path):
    path = write(tmp_path)
    path.write_text("\n".join(line for line in path.read_text().splitlines() if "length_c" not in line))
    with pytest.raises(DataError, match="no _cell_length_c"):
        load_crystal(path)


def test_a_structure_without_a_cell_is_a_molecule(tmp_path):
    path = tmp_path / "molecule.xyz"
    path.write_text("2\n\nNa 0 0 0\nCl 0 0 2.4\n")
    found = load_crystal(path)
    assert not found.periodic
    assert found.positions[1, 2] * found.lattice[2] == pytest.approx(2.4)
    with pytest.raises(DataError, match="is to be cubic"):
        load_crystal(path, system="cubic")


def test_snapshots_are_no_phase(tmp_path):
    frame = '1\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3 pbc="T T T"\nCs 0 0 0\n'
    (tmp_path / "two.extxyz").write_text(2 * frame)
    with pytest.raises(DataError, match="2 frames"):
        load_crystal(tmp_path / "two.extxyz")


@pytest.mark.parametrize("read", [load_crystal, load_trajectory])
def test_a_broken_cif_prints_nothing(tmp_path, capsys, read):
    """PyCifRW prints where the syntax is wrong, which would spoil the record of --json."""
    path = tmp_path / "broken.cif"
    path.write_text("data_x\n_cell_length_a 5 5\n")
    with pytest.raises(DataError):
        read(path)
    assert capsys.readouterr().out == ""
