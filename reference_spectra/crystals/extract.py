"""Write the crystals of standards, and their index, from the AMCSD records that come with larixite.

Run: ``python reference_spectra/crystals/extract.py``. It writes a CIF of each record beside this file, and
``src/shortrange/crystals.toml``, which `shortrange.references.crystals` reads.
"""

from pathlib import Path

from larixite import get_amcsd

HERE = Path(__file__).resolve().parent
INDEX = HERE.parents[1] / "src" / "shortrange" / "crystals.toml"
RECORDS = {
    "NaCl": (3397, "NaCl", ["halite", "sodium chloride"]),
    "KCl": (3201, "KCl", ["sylvite", "potassium chloride"]),
    "Na2S": (11743, "Na2S", ["sodium sulfide"]),
    "S8": (10056, "S8", ["elemental sulfur", "alpha-sulfur"]),
    "ZnS": (110, "ZnS", ["sphalerite", "zinc sulfide"]),
    "CaS": (11284, "CaS", ["oldhamite", "calcium sulfide"]),
    "gypsum": (4651, "CaSO4.2H2O", ["gypsum", "calcium sulfate dihydrate"]),
    "TaS2_2H": (10177, "TaS2", ["2H-TaS2", "tantalum disulfide"]),
    "Ta": (11230, "Ta", ["tantalum", "foil"]),
    "W": (11236, "W", ["tungsten", "foil"]),
    "Fe": (670, "Fe", ["iron", "foil"]),
    "Cu": (11145, "Cu", ["copper", "foil"]),
}
HEAD = """# Crystals of standards, made by reference_spectra/crystals/extract.py from records of AMCSD (the
# American Mineralogist Crystal Structure Database; Downs and Hall-Wallace, Am. Mineral. 88, 247 (2003)).
"""


def entry(name: str, compound: str, names: list[str], record: int) -> str:
    """One table of the index."""
    crystal = get_amcsd().get_cif(record)
    paper = crystal.publication
    first, last = paper.page_first, paper.page_last
    pages = first if first == last else f"{first}-{last}"
    source = f"{', '.join(paper.authors)}, {paper.journalname} {paper.volume}, {pages} ({paper.year})"
    cell = [float(getattr(crystal, key)) for key in ("a", "b", "c", "alpha", "beta", "gamma")]
    group = " ".join(crystal.hm_symbol.split())
    return "\n".join(
        [
            "",
            "[[crystal]]",
            f'compound = "{compound}"',
            f"names = {names}".replace("'", '"'),
            f'space_group = "{group}"',
            f"cell = {cell}",
            f'source = "{source}"',
            f"amcsd = {record}",
            f'file = "crystals/{name}.cif"',
            "",
        ]
    )


def main() -> None:
    """Write the CIFs and the index."""
    tables = [HEAD]
    for name, (record, compound, names) in RECORDS.items():
        text = get_amcsd().get_cif(record).ciftext
        (HERE / f"{name}.cif").write_text(text.rstrip() + "\n", encoding="utf-8", newline="\n")
        tables.append(entry(name, compound, names, record))
    INDEX.write_text("".join(tables), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
