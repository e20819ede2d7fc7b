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
# # Edges of S, Cl, Na and Ta: which number of a spectrum can be trusted?
#
# Load, calibrate, merge, normalise; then one number, the splitting of a white line, with its interval.
# **The spectra of S and Cl are measured** (CAMD, open licence, `reference_spectra`); those of Na and Ta are
# **simulated**, because no open measured ones were found.

# %%
import numpy as np
from common import REFERENCES, show

import shortrange as sr
from shortrange import references
from shortrange.quantities import Scan
from shortrange.reduce.calibrate import calibrate, choose_standard, feature_energy
from shortrange.reduce.edge_splitting import compare_splittings, edge_splitting
from shortrange.report.figures.xas import plot_normalised
from shortrange.report.figures.xas_features import plot_second_derivative, plot_white_line
from shortrange.report.style import MODELS as COLORS
from shortrange.report.style import dress, finish, new_figure, note

# %% [markdown]
# ## Sulfur and chlorine: one axis for standard and sample
# A standard tells by how much the axis of that day is off. Everything measured on the same axis moves
# with it.

# %%
projects = {
    ("S", "K"): sr.load_scans(REFERENCES / "camd_s_k" / "S_CAMD.prj"),
    ("Cl", "K"): sr.load_scans(REFERENCES / "camd_cl_k" / "Cl_CAMD.prj"),
}
wanted = {
    ("S", "K"): ("Zn SO4 (6+)", "ZnSO3 (3+)", "Sulfur flower (+0)", "ZnS  (ox. 1-)"),
    ("Cl", "K"): ("KCl", "NaCl", "PbCl2"),
}
energies, spectra = {}, {}
for (element, edge), scans in projects.items():
    by_name = {scan.label: scan for scan in scans}
    reduced = {
        name: sr.reduce_xas([by_name[name]], element=element, edge=edge, mode="mu")
        for name in wanted[element, edge]
    }
    first = wanted[element, edge][0]
    found = calibrate(reduced[first].merged, choose_standard(None, element=element, edge=edge))
    print(
        f"{element} {edge}: {found.standard.name} at {found.standard.energy} eV, shift {found.shift:+.2f} eV"
    )
    for name, each in reduced.items():
        near = float(each.merged.energy[np.argmax(each.merged.mu)])
        place, sigma = feature_energy(each.merged, feature="white_line", near=near)
        energies[name] = place + found.shift
        spectra[name] = (element, each.normalised.energy + found.shift, each.normalised.norm)
        print(f"   {name:20} white line {energies[name]:8.2f} +- {sigma:.2f} eV")

# %% [markdown]
# Two traps. An Athena project keeps an energy shift beside each spectrum: its authors' correction of
# the monochromator. It is applied on reading, as Athena does; whoever takes the arrays as recorded
# finds the sulfite 0.4 eV lower, many times the statistical error. And elemental sulfur: on the axis
# that puts ZnSO4 where the literature has it, it lies more than 1 eV below the value in common use.
# Two conventions that cannot both be right on one axis.

# %%
(sulfite,) = references.find(compound="ZnSO3")
print(f"ZnSO3: {sulfite.energy} eV, {sulfite.definition}\n       {sulfite.note}")
for entry in references.find(element="S", edge="K", compound="S8"):
    print(f"S8: {entry.energy:.2f} eV ({entry.status}): {entry.source[:60]}")
gap = 2472.7 - energies["Sulfur flower (+0)"]
print(f"elemental sulfur here {energies['Sulfur flower (+0)']:.2f} eV, {gap:.2f} eV below 2472.7 eV")

# %%
figure = new_figure(5.4)
panels = dict(zip(("S", "Cl"), figure.subplots(2, 1), strict=True))
for k, (name, (element, energy, norm)) in enumerate(spectra.items()):
    ax = panels[element]
    ax.plot(energy, norm / norm.max(), lw=1.1, color=COLORS[k % 6], label=name)
panels["S"].set_xlim(2464, 2492)
panels["Cl"].set_xlim(2814, 2842)
for ax in panels.values():
    ax.legend(fontsize=7.5, frameon=False)
    dress(ax, xlabel="energy (eV), calibrated", ylabel="normalised μ(E) / its maximum")
title = "S and Cl K-edges, measured at CAMD"
show(finish(figure, title=title, simulated=False), "01_standards")

# %% [markdown]
# ## Sodium and tantalum: repeats become an error
# Three simulated scans of a sodium salt by electron yield, four of each tantalum sample in transmission.
# Their scatter is the error of the mean; a scan that does not fit would be left out and named.


# %%
def two_lines(energy, centre, splitting, *, width, ratio=1.1):
    """Two lines on an arctan edge."""
    low, high = (1.0 / (1.0 + ((energy - centre - side * splitting / 2) / width) ** 2) for side in (-1, 1))
    return 0.5 + np.arctan((energy - centre + 2.0) / width) / np.pi + 1.2 * (ratio * low + high) / (1 + ratio)


def scans_of(e0, curve, *, n, noise, columns, seed):
    """Repeats with the steps of a real scan, each a little shifted."""
    rng = np.random.default_rng(seed)
    steps = [np.arange(-120, -15, 3.0), np.arange(-15, 30, 0.3), np.arange(30, 250, 2.0)]
    energy = e0 + np.concatenate(steps)
    made = []
    for _ in range(n):
        mu = 0.4 + curve(energy - rng.normal(scale=0.05)) + noise * rng.normal(size=energy.size)
        i0 = np.full(energy.size, 1e5)
        signal = i0 * (np.exp(-mu) if columns[1] == "it" else mu)
        made.append(Scan(energy=energy, columns={columns[0]: i0, columns[1]: signal}, source="simulated"))
    return made


sodium = sr.reduce_xas(
    scans_of(
        1071.0, lambda e: two_lines(e, 1077.0, 4.0, width=1.4), n=3, noise=4e-3, columns=("i0", "tey"), seed=1
    ),
    element="Na",
    edge="K",
    mode="tey",
)
print(f"Na K: E0 {sodium.normalised.e0:.2f} eV, {sum(r.used for r in sodium.reports)} scans used")
SPLIT = {"TaCl5": (2.8, 1.5), "TaCl5-0.5Na2S": (3.2, 1.6)}
tantalum = {
    name: sr.reduce_xas(
        scans_of(
            9881.0,
            lambda e, s=s, w=w: two_lines(e, 9883.0, s, width=w),
            n=4,
            noise=1.5e-3,
            columns=("i0", "it"),
            seed=k,
        ),
        element="Ta",
        edge="L3",
    )
    for k, (name, (s, w)) in enumerate(SPLIT.items())
}

# %% [markdown]
# ## The splitting of the white line
# Its minima in the second derivative lie closer or farther than the lines themselves, and smoothing moves
# them. The interval therefore holds the noise and the choice of the smoothing.

# %%
splittings = {name: edge_splitting(each.normalised) for name, each in tantalum.items()}
for name, found in splittings.items():
    print(
        f"{name:14} splitting {found.value:.2f} +- {found.sigma:.2f} eV "
        f"(noise {found.sigma_noise:.2f}, smoothing {found.sigma_smoothing:.2f})"
    )
difference = compare_splittings(*(each.normalised for each in tantalum.values()))
print(f"larger by {difference.value:.2f} +- {difference.sigma:.2f} eV, p = {difference.p:.1e}")

# %%
figure = new_figure(8.0)
na, line, left, right = figure.subplots(4, 1)
plot_normalised(ax=na, energy=sodium.normalised.energy, norm=sodium.normalised.norm, e0=sodium.normalised.e0)
note(na, "Na K, electron yield, mean of three scans", y=0.1)
plot_white_line(ax=line, data=tantalum["TaCl5"].normalised, splitting=splittings["TaCl5"])
note(line, "Ta L3, TaCl5", x=0.01)
for ax, (name, found) in zip((left, right), splittings.items(), strict=True):
    plot_second_derivative(ax=ax, splitting=found)
    note(ax, name, x=0.01)
show(finish(figure, title="Na K and Ta L3", simulated=True), "01_splitting")


# %%
def true_splitting(splitting, width):
    """Distance of the minima of the second derivative of the curve without noise."""
    energy = np.arange(9876.0, 9890.0, 0.002)
    curve = np.gradient(np.gradient(two_lines(energy, 9883.0, splitting, width=width), energy), energy)
    inside = (curve[1:-1] < curve[:-2]) & (curve[1:-1] < curve[2:]) & (curve[1:-1] < 0)
    low, high = energy[1:-1][inside][:2]
    return high - low


assert abs(energies["KCl"] - 2825.0) < 0.01
assert abs(energies["ZnSO3 (3+)"] - sulfite.energy) < 0.02  # a smooth maximum, and the registry's vertex
assert 4.0 < energies["Zn SO4 (6+)"] - energies["ZnSO3 (3+)"] < 4.4
assert 1.0 < gap < 1.3
for name, found in splittings.items():
    truth = true_splitting(*SPLIT[name])
    print(f"{name:14} true {truth:.2f} eV")
    assert abs(found.value - truth) < 3 * found.sigma
assert difference.p < 0.01
