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
# # Corner-sharing [Ta2Cl10S] or not? The whole verdict
#
# Raw scans of the Ta L3 edge, a raw scattering pattern, four candidate structures: which one do the data
# support, and how surely?
#
# **The data are simulated** from one of the kinds of structure, but with another potential and other
# snapshots than the candidate: no candidate equals the truth. The truth is in `truth.json`.

#
# To be quick, absorption is compared over the first shell only (`r_range` up to 2.8 Å, without phase
# correction). The project's own range, up to 4.4 Å, has FEFF calculate five times as many paths:
# `shortrange run` on the same project takes it.

# %%
import json
import math

from common import EXAMPLE, show

import shortrange as sr
from shortrange.report.figures.verdict import fits_figure, odds_figure

project = sr.read_project(EXAMPLE / "project.toml")
measurements = tuple(
    each.model_copy(update={"r_range": (1.2, 2.8)}) if each.technique == "xas" else each
    for each in project.measurement
)
project = project.model_copy(update={"measurement": measurements})
result = sr.run_project(project)
verdict = result.verdict
print(verdict.verdict.upper() + ":", verdict.best)
print(verdict.reason)

# %% [markdown]
# Odds come from ln evidence (ln Z): the fit to both measurements, averaged over nuisance parameters and over
# the size of the theory error. Two models 3 apart have odds of 20 to 1, from which a verdict is given. R is
# the squared misfit over the squared signal (for G(r) its root); reduced chi2 is the misfit by all errors.

# %%
for model in verdict.models:
    fits = "  ".join(
        f"{fit.measurement}: R {fit.R:.3g}, reduced chi2 {fit.chi2_reduced:.2f}" for fit in model.fits
    )
    print(f"{model.name:26} ln Z {model.log_evidence:6.1f}   {fits}")
show(odds_figure(verdict, title=project.title, simulated=result.simulated), "06_odds")

# %%
show(fits_figure(verdict, measurement="PDF", title=project.title, simulated=result.simulated), "06_pdf")

# %%
show(fits_figure(verdict, measurement="Ta L3", title=project.title, simulated=result.simulated), "06_exafs")

# %% [markdown]
# What each measurement alone would say: differences of ln evidence to the best model.

# %%
best = {fit.measurement: fit.log_evidence for fit in verdict.models[0].fits}
for model in verdict.models[1:]:
    alone = {fit.measurement: fit.log_evidence - best[fit.measurement] for fit in model.fits}
    print(f"{model.name:26}", "  ".join(f"{name} {value:+.1f}" for name, value in alone.items()))

# %% [markdown]
# G(r) decides here; the first shell of absorption tells none of them apart. Be careful with the size of such
# odds: they hold among the candidates offered, and for the stated theory error.

# %%
truth = json.loads((EXAMPLE / "truth.json").read_text(encoding="utf-8"))["truth"][0]["ensemble"]
print("truth:", truth)
assert verdict.verdict == "supported"
assert verdict.best is not None
assert verdict.best in truth
gap = verdict.models[0].log_evidence - verdict.models[1].log_evidence
assert gap > math.log(1000.0)
