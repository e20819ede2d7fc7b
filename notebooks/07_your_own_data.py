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
# # Your own data: from a folder of scans to chi(k)
#
# Put your files in place of the example's and go down the page. **The scans of the example are
# simulated**; delete that word from the figures when yours are measured.

# %%
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
        f"{Path(report.file).name}: shift {report.energy_shift:+.2f} ± {report.sigma_energy_shift:.2f} eV",
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
# `shortrange init` writes a commented `project.toml`. Name your files and one structure for each
# hypothesis in it, then
#
# ```
# shortrange check project.toml      # everything that is wrong, at once
# shortrange run project.toml --out results
# ```

# %%
first = float(transform.r[np.argmax(np.where(transform.r > 1.2, transform.magnitude, 0.0))])
print(f"first peak of |chi(R)| at {first:.2f} A, without phase correction")
assert abs(normalised.e0 - 9881.0) < 3.0  # the threshold that the scans were simulated with
assert 1.8 < first < 2.1
