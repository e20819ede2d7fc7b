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
# # How far does the order reach? Box-car refinement
#
# A composite electrolyte holds two phases: one crystalline, one that is crystalline only in its local order.
# One fit to the whole G(r) averages over this. Fits in a window that moves along r (Qiu, Proffen, Mitchell
# and Billinge 2005) show where a phase fades.
#
# **The G(r) is simulated**: rock salt, whose order has no end, and a second phase of the CaS type, whose
# correlations decay with a length that we choose and then try to find again.

# %%
from dataclasses import replace

import numpy as np
from common import REFERENCES, show

import shortrange as sr
from shortrange.fit.fractions import mass_weights, shares
from shortrange.quantities import GR
from shortrange.report.figures.boxcar import plot_mass_fractions, plot_misfit
from shortrange.report.style import finish, new_figure
from shortrange.simulate.crystal_gr import crystal_pdf

Q_MAX, Q_DAMP, NOISE = 22.0, 0.03, 0.02
R = np.arange(1, 2401) * 0.01
HALF = 9.0  # angstrom, where the second phase has faded to one half
phases = {name: sr.load_crystal(REFERENCES / "crystals" / f"{name}.cif") for name in ("NaCl", "CaS")}

# %% [markdown]
# ## The data
# Weighted sum of both curves, with the falling order of the second, the damping of the instrument and noise
# that is white in Q.

# %%
models = {name: crystal_pdf(crystal, r_max=float(R[-1])) for name, crystal in phases.items()}
curves = {name: model.curve(model.start, R, q_max=Q_MAX) for name, model in models.items()}
fade = 1.0 / (1.0 + np.exp((R - HALF) / 0.8))
q = np.arange(np.pi / 40, Q_MAX, np.pi / 40)
white = np.random.default_rng(3).normal(scale=NOISE * np.sqrt(2 / q.size), size=q.size)
g = 0.6 * curves["NaCl"] + 0.4 * curves["CaS"] * fade
g = g * np.exp(-0.5 * (R * Q_DAMP) ** 2) + np.sin(np.outer(R, q)) @ white
data = GR(r=R, g=g, sigma=np.full(R.size, NOISE), q_min=0.0, q_max=Q_MAX, q_damp=Q_DAMP, label="simulated")

# %% [markdown]
# ## One fit for all r, and fits in windows
# The starting cells are a little off, as they always are. The fit to everything finds a fraction that is true
# nowhere. The windows overlap, so neighbouring points share most of their data.

# %%
start = {
    name: replace(crystal, lattice=tuple(1.002 * x for x in crystal.lattice[:3]) + crystal.lattice[3:])
    for name, crystal in phases.items()
}
whole = sr.refine_gr(data, start, r_range=(2.0, 23.0))
total = whole.fractions["mass"]
k = total.phases.index("CaS")
print(f"one fit: CaS {total.values[k]:.3f} by mass, Rw {whole.rw:.3f}")
found = sr.boxcar(data, start, r_range=(2.0, 23.0), window=5.0, step=1.0)
for window in found.windows[::3]:
    value, sigma = window.share("CaS")
    print(f"window {window.r_min:4.1f} to {window.r_max:4.1f} A: CaS {value:.3f} +- {sigma:.3f}")
order = found.coherence["CaS"]
print(f"CaS falls to one half at {order.half:.2f} +- {order.sigma:.2f} A; windows share {found.overlap:.0%}")
print(f"NaCl: {found.coherence['NaCl'].reason}")

# %%
figure = new_figure(5.4)
top, bottom = figure.subplots(2, 1, height_ratios=[1.6, 1.0], sharex=True)
plot_mass_fractions(ax=top, result=found)
plot_misfit(ax=bottom, result=found)
show(finish(figure, title="Two phases against r", simulated=True), "05_boxcar")

# %% [markdown]
# The first window gives the amount of the phase that fades; the others say how far its order reaches. A
# smooth row of points is not many measurements: the error of the length comes from one fit of all
# windows (the line and its band), with the covariance of their amounts. How far the amounts may bend along r
# is found from the data as well. Where a phase stops at once the line cannot follow; ramps are then compared
# with it, and the length and its error are those of both. Below, the distances from the truth are told in
# units of the errors.


# %%
masses = mass_weights(models)
true = np.array([shares(np.array([0.6, 0.4 * f]), masses)[0][1] for f in fade])
true_half = float(R[np.argmax(true < true[0] / 2)])
print(f"truth: CaS {true[0]:.3f} at short r, one half at {true_half:.2f} A")
print(f"found - truth: {(order.half - true_half) / order.sigma:+.1f} of its errors")
k = found.phases.index("CaS")
away = found.trend.mass[k] - np.interp(found.trend.knots, R, true)
away = away / np.sqrt(np.diag(found.trend.mass_covariance[k]))
print(
    f"fit of all windows at {away.size} knots: {np.sqrt(np.mean(away**2)):.2f} errors away, root mean square"
)
value, sigma = found.windows[0].share("CaS")
assert abs(value - true[0]) < 3 * sigma
assert abs(order.half - true_half) < 3 * order.sigma
assert np.abs(away).max() < 3
assert found.coherence["NaCl"].half is None
assert total.values[k] < 0.5 * true[0]
