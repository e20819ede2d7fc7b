"""The models of a verdict: a page of what the snapshots of each contain, and the section that links them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from shortrange.analyse.analysis import Analysis
from shortrange.report.analysis.words import doubts_of, sentences
from shortrange.report.analysis.write import write_analysis_files
from shortrange.report.markup import Markup, element, join
from shortrange.report.plates import file_names

__all__ = ["models_section", "write_models"]


def write_models(
    contents: Mapping[str, Analysis | str],
    folder: Path,
    *,
    inputs: Sequence[tuple[str, str]] = (),
    versions: Mapping[str, str] | None = None,
) -> None:
    """Write ``models/NAME/analysis.html`` with its tables and figures for each model that was analysed.

    Parameters
    ----------
    contents
        Analysis of each model, or why there is none.
    folder
        Of the results.
    inputs
        (path, sha256) of the files that were read; a page names that of its model.
    versions
        Of this package and of those that made the numbers.
    """
    homes = file_names(contents)
    for name, found in contents.items():
        if isinstance(found, Analysis):
            mine = [(path, digest) for path, digest in inputs if Path(path).name == Path(found.source).name]
            home = folder / "models" / homes[name]
            home.mkdir(parents=True)
            write_analysis_files(found, home, inputs=mine, versions=versions, title=name)


def models_section(contents: Mapping[str, Analysis | str]) -> Markup:
    """Say what each model is, with a link to its page.

    Parameters
    ----------
    contents
        Analysis of each model, or why there is none.
    """
    if not contents:
        return Markup()
    items = []
    homes = file_names(contents)
    for name, found in contents.items():
        if isinstance(found, str):
            items += [element("dt", name), element("dd", f"Not analysed: {found}")]
            continue
        link = element("a", "tables and figures", href=f"models/{homes[name]}/analysis.html")
        unexpected = [text for text in doubts_of(found) if text.startswith("unexpected")]
        items += [
            element("dt", name),
            element("dd", " ".join([*sentences(found), *(f"{text}." for text in unexpected)]), " ", link),
        ]
    fine = "From the snapshots of each model as offered, not from the data; errors by blocks of frames."
    return join(
        [
            element("h2", "What the models are", id="contents"),
            element("dl", *items),
            element("p", fine, classes="fine"),
        ]
    )
