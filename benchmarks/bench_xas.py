"""Reduction of many spectra: ours, xraylarch and rexafs, in the same run on the same machine.

python benchmarks/bench_xas.py [--spectra 10000] [--peer-spectra 50]

SIMULATED spectra like Ta L3, 489 points, each with its own noise. The peers work spectrum by spectrum and are
timed on fewer, scaled up. rexafs (PyPI) is left out where it is not installed.
"""

import argparse
import resource
import time
from statistics import median

import numpy as np

from shortrange.numeric.wavelets import cauchy_transform, larch_order
from shortrange.quantities import MuE
from shortrange.reduce.background import autobk
from shortrange.reduce.batch import reduce_batch
from shortrange.reduce.each import reduce_each
from shortrange.reduce.normalise import normalise
from shortrange.transform.fourier import xftf
from shortrange.units import energy_from_k, k_from_energy

E0 = 9881.0
K_RANGE = (3.0, 13.0)


def spectra(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Energies (489,) and absorption (n, 489)."""
    pre, edge = np.arange(E0 - 180, E0 - 25, 5.0), np.arange(E0 - 25, E0 + 40, 0.4)
    k = np.linspace(float(k_from_energy(E0 + 40, E0)) + 0.02, 14.0, 489 - pre.size - edge.size)
    energy = np.concatenate([pre, edge, energy_from_k(k, E0)])
    x, wave = energy - E0, k_from_energy(energy, E0)
    chi = 0.5 * np.sin(4.8 * wave) * np.exp(-0.008 * wave**2) * (1 - np.exp(-((wave / 1.5) ** 2)))
    mu = 0.3 - 3e-4 * x + (0.5 + np.arctan(x / 2.5) / np.pi) * (1 + chi) + 0.5 / (1 + ((x - 3) / 3) ** 2)
    return energy, mu + 1e-3 * np.random.default_rng(0).normal(size=(n, energy.size))


def own_grids(n: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the same on grids that differ by the jitter of a monochromator."""
    energy, mu = spectra(n)
    rng = np.random.default_rng(1)
    grids = [np.sort(energy + 0.05 * rng.normal(size=energy.size)) for _ in range(n)]
    return grids, list(mu)


def memory() -> float:
    """Largest memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def seconds(call, repeats: int = 3) -> float:
    """Median processor time: other work on the machine does not count."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return median(times)


def one_by_one(energy: np.ndarray, mu: np.ndarray) -> None:
    """Ours, with covariances, as for spectra on grids of their own."""
    for row in mu:
        data = normalise(MuE(energy=energy, mu=row), near=E0)
        xftf(autobk(data)[1], k_range=K_RANGE, r_max=6.0)


def by_xraylarch(energies: list[np.ndarray], mus: list[np.ndarray]) -> None:
    """Spectrum by spectrum."""
    from larch import Group
    from larch.xafs import autobk as larch_autobk
    from larch.xafs import pre_edge
    from larch.xafs import xftf as larch_xftf

    for energy, mu in zip(energies, mus, strict=True):
        group = Group(energy=energy.copy(), mu=mu.copy())
        pre_edge(group)
        larch_autobk(group, rbkg=1.0)
        larch_xftf(group, kmin=K_RANGE[0], kmax=K_RANGE[1], kweight=2, dk=1, window="kaiser")


def by_rexafs(energies: list[np.ndarray], mus: list[np.ndarray]) -> None:
    """Spectrum by spectrum, its defaults."""
    import rexafs

    for energy, mu in zip(energies, mus, strict=True):
        rexafs.Spectrum(energy, mu).fft()


def peers(energies: list[np.ndarray], mus: list[np.ndarray]) -> dict[str, float]:
    """Seconds for one spectrum of those peers that are here."""
    times = {}
    for name, call in (("xraylarch", by_xraylarch), ("rexafs", by_rexafs)):
        try:
            call(energies[:2], mus[:2])
        except ImportError as error:
            print(f"{name} is not here: {error}")
            continue
        times[name] = seconds(lambda call=call: call(energies, mus)) / len(mus)
    return times


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--spectra", type=int, default=10_000)
    parser.add_argument("--peer-spectra", type=int, default=50)
    asked = parser.parse_args()
    n = asked.spectra
    energy, mu = spectra(n)
    print(f"SIMULATED spectra of {energy.size} points; normalise, background, transform to R")
    before = memory()
    ours = seconds(lambda: reduce_batch(energy, mu, k_range=K_RANGE))
    print(f"ours, one grid         {n} spectra {ours:8.2f} s   (memory {before:.0f} -> {memory():.0f} MB)")
    energies, mus = own_grids(asked.peer_spectra)
    reduce_each(energies[:2], mus[:2], near=E0, k_range=K_RANGE)  # compile, or load what was compiled
    each = seconds(lambda: reduce_each(energies, mus, near=E0, k_range=K_RANGE, r_max=6.0)) / len(mus)
    print(f"ours, grids of their own {n} spectra {each * n:6.2f} s   ({each * 1e3:.2f} ms each)")
    single = seconds(lambda: one_by_one(energy, mu[:20])) / 20
    print(f"ours, with covariances {n} spectra {single * n:8.2f} s   ({single * 1e3:.2f} ms each)")
    for name, time_each in peers(energies, mus).items():
        print(f"{name:22s} {n} spectra {time_each * n:8.2f} s   ({time_each * 1e3:.2f} ms each)")
    print(f"largest memory of the process, peers included: {memory():.0f} MB")
    k = 0.05 * np.arange(281)
    y = k**2 * np.sin(4.8 * k) * np.exp(-0.008 * k**2)
    r = 0.05 * np.arange(1, 121)
    wavelet = seconds(lambda: cauchy_transform(k, y, r, order=larch_order(0.05)), 50)
    print(f"Cauchy wavelet of one spectrum, {r.size} x {k.size}: {wavelet * 1e3:.2f} ms")


if __name__ == "__main__":
    main()
