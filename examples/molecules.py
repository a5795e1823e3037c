"""
Atomization enthalpies of the G2 set of molecules, by Hartree-Fock, against experiment.

    python molecules.py [--basis sto-3g] [--molecules N] [--executor processes|threads]

A join app for each molecule fans out into the molecule and its atoms.  Atoms are memoized: the molecules have hundreds of them, and
a dozen are distinct.  A calculation that does not converge is tried again by policy, with other settings.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from pathlib import Path

import warpbeam
from ase.data import chemical_symbols
from ase.data.g2 import data as g2
from warpbeam import Config, join_app, python_app
from warpbeam.contracts import Retry
from warpbeam.executors import ProcessPoolExecutor, ThreadPoolExecutor


os.environ.setdefault("OMP_NUM_THREADS", "1")  # the workers share the cores already

HARTREE_KCAL = 627.509474  # CODATA 2018
SETTINGS = ({"max_cycle": 12}, {"max_cycle": 100, "level_shift": 0.3}, {"max_cycle": 300, "damp": 0.5, "newton": True})


class NotConverged(Exception):
    """The iterations have not reached self-consistency."""


def energy(atoms, spin, basis, settings):
    """Return the Hartree-Fock energy of a molecule in Hartree."""
    from pyscf import gto, scf

    molecule = gto.M(atom=atoms, basis=basis, spin=spin, verbose=0)
    method = scf.UHF(molecule)
    method.max_cycle = settings["max_cycle"]
    method.level_shift = settings.get("level_shift", 0)
    method.damp = settings.get("damp", 0)
    if settings.get("newton"):
        method = method.newton()
    found = method.kernel()
    if not method.converged:
        raise NotConverged(f"{len(atoms)} atoms, spin {spin}, {settings}")
    return float(found)


molecule_energy = python_app(energy)
atom_energy = python_app(cache=True, ignore_for_cache=["settings"])(energy)


def enthalpy_of(whole, parts, zero_point_kcal):
    """Return the atomization enthalpy in kcal/mol."""
    return (sum(parts) - whole) * HARTREE_KCAL - zero_point_kcal


enthalpy = python_app(enthalpy_of)


def symbols_of(name):
    """Return the elements of a molecule of the set, one for each atom."""
    from ase.symbols import string2symbols

    return string2symbols(g2[name]["symbols"])


def spin_of(name):
    """Return the number of unpaired electrons."""
    return round(abs(sum(g2[name]["magmoms"] or ())))


def atoms_of(name):
    """Return what pyscf wants: symbols with positions in Angstrom."""
    return [(symbol, tuple(map(float, place))) for symbol, place in zip(symbols_of(name), g2[name]["positions"], strict=True)]


def energy_of_atom(symbol, basis):
    """Ask for the energy of a lone atom."""
    return atom_energy([(symbol, (0.0, 0.0, 0.0))], spin_of(symbol), basis, settings=SETTINGS[0])


@join_app
def atomization(name, basis):
    """Fan out into the molecule and its atoms."""
    whole = molecule_energy.options(name=name)(atoms_of(name), spin_of(name), basis, settings=SETTINGS[0])
    parts = [energy_of_atom(symbol, basis) for symbol in symbols_of(name)]
    return enthalpy(whole, parts, g2[name]["ZPE"])


class OtherSettings:
    """Tries a calculation that did not converge again, with the next settings."""

    def decide(self, failure):
        following = failure.task.fail_count
        if isinstance(failure.error, NotConverged) and following < len(SETTINGS):
            return Retry(kwargs={"settings": SETTINGS[following]})
        return None


def measured(name):
    """Return the measured atomization enthalpy at 0 K, in kcal/mol, from the set's enthalpies of formation."""
    entry = g2[name]
    formation = entry["enthalpy"] - entry["thermal correction"]
    elements = 0.0
    for symbol in symbols_of(name):
        formation += g2[symbol]["thermal correction"]
        elements += g2[symbol]["enthalpy"]
    return elements - formation


def plot(rows, path):
    """Draw computed against measured as an SVG."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 6))
    axes.scatter([row[1] for row in rows], [row[2] for row in rows], s=12)
    most = max(row[1] for row in rows)
    axes.plot([0, most], [0, most], linewidth=0.8)
    axes.set_xlabel("measured atomization enthalpy (kcal/mol)")
    axes.set_ylabel("computed (kcal/mol)")
    figure.savefig(path)


def main():
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--basis", default="sto-3g")
    parser.add_argument("--molecules", type=int, default=None)
    parser.add_argument("--executor", choices=["processes", "threads"], default="processes")
    parser.add_argument("--plot", type=Path, default=Path("molecules.svg"))
    options = parser.parse_args()
    names = [name for name in g2 if name not in chemical_symbols][: options.molecules]
    executor = ProcessPoolExecutor() if options.executor == "processes" else ThreadPoolExecutor()
    started = time.perf_counter()
    with warpbeam.load(Config(executors=[executor], retry_policy=OtherSettings())) as kernel:
        # One of each atom first: calls that are made before the first of their kind has ended are not collapsed.
        for future in [energy_of_atom(symbol, options.basis) for symbol in {one for name in names for one in symbols_of(name)}]:
            future.result()
        futures = {name: atomization(name, options.basis) for name in names}
        for _ in warpbeam.progress(futures.values(), title="molecules"):
            pass
        counts = kernel.task_counts
    elapsed_s = time.perf_counter() - started
    rows, failures = [], {}
    for name, future in futures.items():
        if future.exception() is None:
            rows.append((name, measured(name), future.result()))
        else:
            failures[name] = future.exception()
    print(f"\n{'molecule':16} {'measured':>9} {'computed':>9} {'error':>8}   kcal/mol")
    for name, right, found in sorted(rows, key=lambda row: abs(row[2] - row[1]))[-10:]:
        print(f"{name:16} {right:9.1f} {found:9.1f} {found - right:8.1f}")
    for name, error in failures.items():
        print(f"{name:16} failed: {str(error).splitlines()[0]}")
    plot(rows, options.plot)
    atoms = Counter(symbol for name in names for symbol in symbols_of(name))
    hits = sum(number for state, number in counts.items() if state.name == "memo_done")
    mean = sum(abs(found - right) for _, right, found in rows) / len(rows)
    print(
        f"\n{len(rows)} molecules, {len(failures)} failed; {atoms.total()} atoms, {len(atoms)} distinct, {hits} found in memory\n"
        f"mean absolute error {mean:.1f} kcal/mol ({options.basis}); drawn to {options.plot}; {elapsed_s:.1f} s"
    )


if __name__ == "__main__":
    main()
