# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Your own data: from a folder of scans to a report
#
# Put your files in place of the example's and go down the page. **The scans of the example are
# simulated**; delete that word from the figures when yours are measured.

# %%
import shutil
import tempfile
from pathlib import Path

import numpy as np
from common import EXAMPLE, show

import shortrange as sr
from shortrange import references
from shortrange.report.figures.xas import plot_chi_k, plot_chi_r, plot_normalised
from shortrange.report.style import finish, new_figure
from shortrange.transform.fourier import sigma_magnitude

FILES = sorted(EXAMPLE.glob("ta_l3_*.xdi"))
ELEMENT, EDGE, MODE = "Ta", "L3", "transmission"
SIMULATED = True

# %% [markdown]
# ## 1. Look at what was read
# Any format that the readers know; they say what they guessed. No guess is silent: it is in the history
# of each scan.

# %%
scans = [scan for path in FILES for scan in sr.load_scans(path, element=ELEMENT, edge=EDGE)]
for scan in scans:
    name, (low, high) = Path(scan.source).name, scan.energy[[0, -1]]
    print(f"{name}: {scan.energy.size} points, {low:.0f}-{high:.0f} eV, {', '.join(scan.columns)}")
for entry in references.find(element=ELEMENT, edge=EDGE):
    print(f"known: {entry.compound} {entry.feature} {entry.energy} eV ({entry.status})")

# %% [markdown]
# ## 2. Align, merge, normalise, subtract the background
# Scans that do not fit the others are left out, and it is said why. Shifts come from the reference
# channel where there is one.

# %%
reduction = sr.reduce_xas(scans, element=ELEMENT, edge=EDGE, mode=MODE)
for report in reduction.reports:
    print(
        f"{Path(report.file).name}: shift {report.energy_shift:+.4f} ± {report.sigma_energy_shift:.4f} eV",
        report.reason or "used",
    )
for warning in reduction.warnings:
    print("warning:", warning)
normalised = reduction.normalised
print(f"E0 {normalised.e0:.2f} eV, edge step {normalised.edge_step:.4f} ± {normalised.sigma_edge_step:.4f}")

# %%
figure = new_figure(7.0)
edge_ax, k_ax, r_ax = figure.subplots(3, 1)
plot_normalised(ax=edge_ax, energy=normalised.energy, norm=normalised.norm, e0=normalised.e0)
chi, k_range = reduction.chi, reduction.k_range
assert chi is not None
assert k_range is not None
plot_chi_k(ax=k_ax, data=chi, k_range=k_range)
transform = sr.xftf(chi, k_range=k_range)
plot_chi_r(ax=r_ax, data=transform, sigma=sigma_magnitude(transform))
show(finish(figure, title=f"{ELEMENT} {EDGE}", simulated=SIMULATED), "07_reduction")

# %% [markdown]
# ## 3. Ask the question
# A project names the measurements and one structure for each hypothesis. `shortrange init` writes a commented
# one; `shortrange check` says everything that is wrong with it, at once. Paths count from the project file.
#
# To be quick, EXAFS is compared up to 2.8 Å (`r_range`, without phase correction), which is the first shell,
# instead of 4.4: FEFF has a fifth of the paths to calculate. Leave that line out for the last word.

# %%
PROJECT = f"""
title = "Which bridge?"

[sample]
composition = "NaTaCl5S0.5"
number_density = 0.0335
simulated = {str(SIMULATED).lower()}

[[measurement]]
name = "{ELEMENT} {EDGE}"
technique = "xas"
element = "{ELEMENT}"
edge = "{EDGE}"
mode = "{MODE}"
scans = ["ta_l3_*.xdi"]
r_range = [1.2, 2.8]

[[measurement]]
name = "PDF"
technique = "total-scattering"
pattern = "sample_iq.chi"
background = "capillary_iq.chi"
wavelength = 0.2510
q_range = [0.8, 23.0]

[[model]]
name = "corner-sharing"
structures = "models/corner.extxyz"

[[model]]
name = "edge-sharing"
structures = "models/edge_s2.extxyz"
"""
folder = Path(tempfile.mkdtemp())
shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
(folder / "project.toml").write_text(PROJECT, encoding="utf-8")
project = sr.read_project(folder / "project.toml")
print("models:", ", ".join(model.name for model in project.model))

# %% [markdown]
# ## 4. Read the report
# One page that needs no network, the same numbers for programs, every curve in HDF5, figures and columns.

# %%
result = sr.run_project(project)
page = sr.write_report(result, folder / "results")
print(f"{result.verdict.verdict}: {result.verdict.best}")
for model in result.verdict.models:
    print(f"   {model.name:15} ln evidence {model.log_evidence:6.1f}")
for path in sorted(page.parent.iterdir()):
    if not path.name.startswith("."):
        print("wrote", path.name)

# %%
first = float(transform.r[np.argmax(np.where(transform.r > 1.2, transform.magnitude, 0.0))])
print(f"first peak of |chi(R)| at {first:.2f} A, without phase correction")
assert abs(normalised.e0 - 9881.0) < 3.0  # the threshold that the scans were simulated with
assert 1.8 < first < 2.1
assert "Which bridge?" in page.read_text(encoding="utf-8")
assert result.verdict.best == "corner-sharing"  # what the data were simulated from
shutil.rmtree(folder)
