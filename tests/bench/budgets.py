"""
Budgets of the kernel, as ratios against a yardstick measured in the same run.

    python tests/bench/budgets.py

Times are CPU seconds of this process, the best of several rounds, since a shared machine only ever adds to them.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor as StandardThreads
from pathlib import Path

import warpbeam
from warpbeam import Config, Kernel, python_app
from warpbeam.contracts import Load, Outcome, OutcomeKind
from warpbeam.dataflow import traverse
from warpbeam.executors import ThreadPoolExecutor


ROUNDS = 3
failures = []


def nothing(*_):
    """The task that is measured."""


class Inline:
    """An executor that runs calls where they are submitted."""

    label = "inline"
    capabilities = frozenset({"local"})

    def refuse(self, resources, walltime):
        return None

    def start(self, host):
        self.host = host
        return self

    def submit(self, calls):
        self.host.completed(
            [Outcome(call.try_id, OutcomeKind.RETURNED, call.function(*call.args, **call.kwargs)) for call in calls]
        )

    def cancel(self, tries, *, kill):
        pass

    def load(self):
        return Load(0, 0, 1)

    def stop(self, *, deadline):
        pass


def seconds(work, clock=time.process_time):
    """Return the least time that some work takes, in seconds."""
    found = []
    for _ in range(ROUNDS):
        gc.collect()
        began = clock()
        work()
        found.append(clock() - began)
    return min(found)


def kernel(executor, **options):
    """Return a kernel in a directory of its own."""
    return Kernel(Config(executors=[executor], run_dir=tempfile.mkdtemp(), **options))


def tell(what, value, bar, unit="x"):
    """Print a figure with its bar, and remember a failure."""
    verdict = "ok" if value <= bar else "TOO MUCH"
    if value > bar:
        failures.append(what)
    print(f"{what:66} {value:10.2f} {unit:6} bar {bar:g}  {verdict}")


def resident_bytes():
    """Return this process's resident memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def one_future():
    for _ in range(20_000):
        future = Future()
        future.add_done_callback(nothing)
        future.set_result(None)


def inline_budget():
    with kernel(Inline()) as one:
        app = python_app(kernel=one)(nothing)
        ours = seconds(lambda: [app() for _ in range(20_000)])
    tell("inline executor, a no-op task, against one Future with a callback", ours / seconds(one_future), 5)


def threads_budget():
    def standard():
        with StandardThreads(2) as pool:
            for future in [pool.submit(nothing) for _ in range(20_000)]:
                future.result()

    with kernel(ThreadPoolExecutor(max_threads=2)) as one:
        app = python_app(kernel=one)(nothing)
        ours = seconds(lambda: [future.result() for future in [app() for _ in range(20_000)]], time.perf_counter)
    tell("threads, a no-op task, against the bare standard pool", ours / seconds(standard, time.perf_counter), 2.5)


def memory_budget():
    release = threading.Event()
    with kernel(ThreadPoolExecutor(max_threads=2)) as one:
        app = python_app(kernel=one)(nothing)
        first = python_app(kernel=one)(release.wait)()
        gc.collect()
        before = resident_bytes()
        waiting = [app(first, number) for number in range(100_000)]
        gc.collect()
        tell("memory of a task that waits, 100,000 behind one", (resident_bytes() - before) / len(waiting), 1000, "bytes")
        release.set()


def flat_memory():
    with kernel(Inline()) as one:
        app = python_app(kernel=one)(nothing)
        for _ in range(100_000):
            app()
        gc.collect()
        before = resident_bytes()
        for _ in range(900_000):
            app()
        gc.collect()
        tell("growth over 900,000 more tasks, futures dropped", (resident_bytes() - before) / 2**20, 5, "MiB")


def growth_budget():
    with kernel(Inline()) as one:
        app = python_app(kernel=one)(nothing)

        def many(number):
            return seconds(lambda: [app() for _ in range(number)]) / number

        small = many(1000)
        tell("a task among 100,000 against one among 1,000", many(100_000) / small, 1.2)


def chains_budget():
    with kernel(Inline()) as one:
        app = python_app(kernel=one)(nothing)

        def chain(number):
            release = Future()
            future = app(release)
            for _ in range(number):
                future = app(future)
            began = time.process_time()
            release.set_result(None)
            future.result()
            return (time.process_time() - began) / number

        def fan_in(number):
            futures = [app() for _ in range(number)]
            began = time.process_time()
            app(futures).result()
            return (time.process_time() - began) / number

        for name, work in (("chain", chain), ("fan-in", fan_in)):
            small = min(work(1000) for _ in range(ROUNDS))
            tell(f"a {name} of 10,000 against one of 1,000, each task", min(work(10_000) for _ in range(ROUNDS)) / small, 1.5)


def traversal_budget():
    items = list(range(1_000_000))

    def iterate():
        for _ in items:
            pass

    extra = seconds(lambda: traverse.find(items, nothing)) - seconds(iterate)
    tell("traversal of a list of numbers, over iterating", extra / len(items) * 1e9, 30, "ns")


def import_budget():
    program = "import time, warpbeam\nfor name in warpbeam.__all__: getattr(warpbeam, name)\nprint(time.process_time())"
    empty = "import time; print(time.process_time())"

    def cpu(text):
        run = [float(subprocess.run([sys.executable, "-c", text], capture_output=True, check=True).stdout) for _ in range(5)]
        return min(run)

    tell("import of every public name", cpu(program) - cpu(empty), 0.15, "s")


def main():
    """Measure all, and fail if a budget is exceeded."""
    print(f"warpbeam {warpbeam.__version__}, Python {sys.version.split()[0]}")
    for budget in (
        inline_budget,
        threads_budget,
        memory_budget,
        flat_memory,
        growth_budget,
        chains_budget,
        traversal_budget,
        import_budget,
    ):
        budget()
    if failures:
        sys.exit(f"{len(failures)} budgets are exceeded: {'; '.join(failures)}")


if __name__ == "__main__":
    main()
