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
# # Snapshots to G(r) and EXAFS: how many, and how exact?
#
# A simulated spectrum has two errors of its own. One falls with the number of snapshots. The other is the
# price of not running FEFF for each absorber: path shapes are tabulated with one set of potentials. Both
# are measured here.
#
# **The snapshots are simulated** (molecular dynamics, CHGNet, 600 K).

# %%
from dataclasses import replace

import numpy as np
from common import MODELS, show

import shortrange as sr
from shortrange.report.style import MODELS as COLORS
from shortrange.report.style import dress, finish, new_figure
from shortrange.simulate.exafs import potentials_for
from shortrange.simulate.exafs.check import chi_of_paths, relative_rms
from shortrange.simulate.exafs.representative import cluster_around
from shortrange.simulate.feff import run_feff

snapshots = sr.load_trajectory(MODELS["corner-sharing mu-S"])
K = np.arange(2.0, 13.0, 0.05)
used = (K >= 3) & (K <= 12)
R_MAX = 4.6

# %% [markdown]
# ## Sampling

# %%
exafs = sr.ensemble_exafs(snapshots, absorber="Ta", edge="L3", r_max=R_MAX, k=K)
r = np.arange(1.8, 6.0, 0.02)
histograms = sr.pair_histograms(snapshots, r_max=8.0)
pdf = sr.simulate_gr(histograms, r=r, q_max=23.0, q_min=0.8, per_run=True)
print(f"{exafs.n_frames} snapshots, {exafs.n_absorbers} absorbers, {exafs.n_paths} paths")


def spread(frames, n, *, weight):
    """Scatter of means over n snapshots drawn at random, relative to the rms of the mean of all."""
    rng = np.random.default_rng(1)
    mean = frames.mean(axis=0) * weight
    draws = [frames[rng.choice(len(frames), n, replace=True)].mean(axis=0) * weight for _ in range(300)]
    return float(np.sqrt(np.mean((np.array(draws) - mean) ** 2) / np.mean(mean**2)))


numbers = (1, 2, 5, 10, 20)
chi_error = [spread(exafs.frame_chi[:, used], n, weight=K[used] ** 2) for n in numbers]
gr_error = [spread(pdf.per_run, n, weight=1.0) for n in numbers]
for n, a, b in zip(numbers, chi_error, gr_error, strict=True):
    print(f"{n:3d} snapshots: EXAFS {100 * a:.1f} %, G(r) {100 * b:.1f} % of the signal")

# %% [markdown]
# ## Against full FEFF
# All absorbers of one snapshot: FEFF8L with all its paths (4 legs, no filter) and the same potentials,
# against their mean from the tables.

# %%
one = replace(snapshots, positions=snapshots.positions[:1], cells=snapshots.cells[:1])
shared = potentials_for(one, absorber="Ta", edge="L3", r_max=R_MAX)
table = sr.ensemble_exafs(one, absorber="Ta", edge="L3", r_max=R_MAX, k=K, potentials=shared, check=False)
atoms = [i for i, name in enumerate(one.species) if name == "Ta"]
full = []
for atom in atoms:
    cluster = cluster_around(one, frame=0, atom=atom, radius=R_MAX + 3.0)
    full.append(chi_of_paths(run_feff(cluster, edge="L3", r_path=R_MAX, potentials=shared)[2], K))
error = relative_rms(table.chi[used], np.mean(full, axis=0)[used], K[used])
print(f"{len(atoms)} absorbers: tables against full FEFF differ by {100 * error:.2f} % of k^2 chi")

# %%
figure = new_figure(5.4)
top, bottom = figure.subplots(2, 1)
top.plot(K, K**2 * np.mean(full, axis=0), color="#1a1a1a", lw=1.6, label="full FEFF8L")
top.plot(K, K**2 * table.chi, color=COLORS[1], lw=0.9, ls="--", label="tables")
top.legend(fontsize=7.5, frameon=False)
dress(top, xlabel="$k$ (Å$^{-1}$)", ylabel="$k^{2}$χ($k$) (Å$^{-2}$)")
bottom.loglog(numbers, chi_error, "o-", color=COLORS[0], ms=4, label="EXAFS, $k$ 3 to 12 Å$^{-1}$")
bottom.loglog(numbers, gr_error, "s-", color=COLORS[2], ms=4, label="$G$($r$), 1.8 to 6 Å")
bottom.loglog(numbers, chi_error[0] / np.sqrt(numbers), color="#b5b5b5", lw=0.8, ls=":", label="1/√n")
bottom.set_xticks(numbers, [str(n) for n in numbers])
bottom.set_yticks([0.05, 0.1, 0.2], ["5 %", "10 %", "20 %"])
bottom.minorticks_off()
bottom.legend(fontsize=7.5, frameon=False)
dress(bottom, xlabel="snapshots", ylabel="sampling error / signal")
show(finish(figure, title="Snapshots to spectra: corner-sharing μ-S", simulated=True), "04_convergence")

# %% [markdown]
# Independent snapshots average as 1/√n. (Frames only femtoseconds apart do not: the error that the
# results carry allows for that.)

# %%
assert error < 0.01
assert abs(chi_error[0] / chi_error[-1] - np.sqrt(20)) < 0.6
