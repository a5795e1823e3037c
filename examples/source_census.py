"""
A census of Python source files: what words they use and how complex they are.

    python source_census.py [--executor processes|threads] [--workers N] [FOLDER ...]

Without folders it reads the interpreter's standard library, the environment's site-packages, and five files that cannot work.
Every file goes through a chain that files carry: a bash app counts words, a python app measures complexity; then a join app for each
package merges the counts of its files (``sort -m``) and sums up its records in a tree.
"""

from __future__ import annotations

import argparse
import ast
import os
import shlex
import signal
import sys
import sysconfig
import time
from collections import defaultdict
from pathlib import Path

import warpbeam
from warpbeam import Config, File, bash_app, join_app, python_app
from warpbeam.executors import ProcessPoolExecutor, ThreadPoolExecutor


HERE = Path(__file__).resolve().parent
KILLER = b"# census: this file kills the worker that reads it"
FAN_IN = 16


# -- the work, as plain functions --------------------------------------------------------------------------------------------


def count_words(path, outputs=()):
    """Write the sorted words of a file with their counts."""
    return f"set -o pipefail; LC_ALL=C tr -cs 'A-Za-z_' '\\n' < {shlex.quote(path)} | LC_ALL=C sort | uniq -c > {outputs[0]}"


def analyse(path, counts, may_kill):
    """Parse a file and return its record."""
    source = Path(path).read_bytes()
    if source.startswith(KILLER):
        if not may_kill:
            raise RuntimeError("it would kill its worker, which here is the driver itself")
        os.kill(os.getpid(), signal.SIGKILL)
    if not source.strip():
        raise ValueError("empty file")
    tree = ast.parse(source)
    branches = (ast.If, ast.For, ast.While, ast.Try, ast.BoolOp, ast.comprehension, ast.ExceptHandler)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    complexity = {node.name: 1 + sum(isinstance(one, branches) for one in ast.walk(node)) for node in functions}
    hardest = max(complexity, key=complexity.get, default="")
    return {
        "files": 1,
        "lines": source.count(b"\n"),
        "functions": len(functions),
        "classes": sum(isinstance(node, ast.ClassDef) for node in ast.walk(tree)),
        "words": sum(int(line.split()[0]) for line in Path(counts).read_text("latin-1").splitlines()),
        "hardest": (complexity.get(hardest, 0), hardest, path),
    }


def merge_counts(inputs=(), outputs=()):
    """Merge sorted counts of many files into one."""
    return "LC_ALL=C sort -m -k2,2 " + " ".join(shlex.quote(str(file)) for file in inputs) + f" > {outputs[0]}"


def most_used(counts):
    """Return the word that a merged file of counts has most of."""
    totals = defaultdict(int)
    with open(counts, encoding="latin-1") as lines:
        for line in lines:
            number, *word = line.split()
            totals[word[0] if word else ""] += int(number)
    return max(((number, word) for word, number in totals.items() if len(word) > 3), default=(0, ""))


def combine(records):
    """Add records up."""
    total = {key: sum(record[key] for record in records) for key in ("files", "lines", "functions", "classes", "words")}
    return {**total, "hardest": max(record["hardest"] for record in records)}


# -- the same work, as apps ----------------------------------------------------------------------------------------------------


count_app = bash_app(count_words)
analyse_app = python_app(analyse)
merge_app = bash_app(merge_counts)
most_used_app = python_app(most_used)
combine_app = python_app(combine)


def in_a_tree(records):
    """Combine any number of records, or futures of them, a few at a time; return a future."""
    while True:
        records = [combine_app(records[place : place + FAN_IN]) for place in range(0, len(records), FAN_IN)]
        if len(records) == 1:
            return records[0]


@join_app
def survey_package(counts, records, merged):
    """Merge the counts of a package and add its records up."""
    whole = merge_app(inputs=counts, outputs=[merged])
    return {"word": most_used_app(whole.outputs[0]), "total": in_a_tree(records)}


# -- which files ---------------------------------------------------------------------------------------------------------------


def default_files():
    """The standard library, this environment's site-packages, and the files that cannot work."""
    paths = sysconfig.get_paths()
    library = collect([Path(paths["stdlib"])], without=("site-packages", "dist-packages"))
    return library + collect([Path(paths["purelib"]), HERE / "data" / "broken"])


def sources(folder, without=()):
    """Every ``*.py`` below a folder, as ``find -name '*.py'`` lists them."""
    for directory, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in without]
        yield from (os.path.join(directory, name) for name in [*folders, *files] if name.endswith(".py"))


def collect(folders, without=()):
    """Return pairs of package and path, each file once."""
    found = {}
    for folder in folders:
        for path in sources(folder, without):
            parts = Path(path).relative_to(folder).parts
            found[path] = parts[0] if len(parts) > 1 else folder.name
    return sorted((package, path) for path, package in found.items())


# -- the program ---------------------------------------------------------------------------------------------------------------


def census(kernel, files, may_kill):
    """Run the chains; return results by package and reasons by path."""
    directory = kernel.run.directory / "counts"
    chains = []
    for number, (package, path) in enumerate(files):
        counts = count_app(path, outputs=[File(directory / f"{number}.txt")])
        chains.append((package, path, counts.outputs[0], analyse_app(path, counts.outputs[0], may_kill)))
    for _ in warpbeam.progress([chain[3] for chain in chains], title="files"):
        pass
    failures = {path: future.exception() for _, path, _, future in chains if future.exception() is not None}
    packages = defaultdict(lambda: ([], []))
    for package, path, counts, record in chains:
        if path not in failures:
            packages[package][0].append(counts)
            packages[package][1].append(record)
    surveys = {
        package: survey_package(counts, records, File(directory / f"{package}.merged"))
        for package, (counts, records) in packages.items()
    }
    return {package: future.result() for package, future in surveys.items()}, failures


def plain_loop(files, directory, seconds=2.0):
    """Do the same work in a plain loop for some seconds; return files a second."""
    import subprocess

    directory.mkdir(exist_ok=True)
    started = time.perf_counter()
    done = 0
    for number, (_, path) in enumerate(files[:: max(1, len(files) // 200)]):
        counts = directory / f"{number}.txt"
        subprocess.run(["bash", "-c", count_words(path, outputs=[counts])], check=False, stderr=subprocess.DEVNULL)
        try:
            analyse(path, counts, may_kill=False)
        except Exception:
            pass  # the same failures as above
        done += 1
        if time.perf_counter() - started > seconds:
            break
    return done / (time.perf_counter() - started)


def root_of(error):
    """Return the exception that a chain failed by, as one line."""
    cause = error.__cause__ if isinstance(error, warpbeam.errors.PropagatedError) else error
    if isinstance(cause, warpbeam.errors.BashExitFailure):
        return f"BashExitFailure: {cause.stderr_tail.splitlines()[-1] if cause.stderr_tail else cause.exitcode}"
    return f"{type(cause).__name__}: {str(cause).splitlines()[0] if str(cause) else ''}"[:110]


def report(results, failures, total):
    """Print what was found."""
    print(f"\n{'package':24} {'files':>6} {'lines':>9} {'functions':>9}  {'most used':14} hardest function")
    for package, found in sorted(results.items(), key=lambda item: -item[1]["total"]["lines"])[:12]:
        record, (_, word) = found["total"], found["word"]
        score, name, _ = record["hardest"]
        print(
            f"{package[:24]:24} {record['files']:6,} {record['lines']:9,} {record['functions']:9,}  {word[:14]:14} {name} ({score})"
        )
    counted = sum(found["total"]["files"] for found in results.values())
    print(f"\n{counted:,} files counted, {len(failures):,} not, {total:,} in all")
    reasons = defaultdict(list)
    for path, error in failures.items():
        reasons[root_of(error)].append(path)
    for reason, paths in sorted(reasons.items(), key=lambda item: len(item[1])):
        for path in paths[:3]:
            print(f"  {path}: {reason}")
        if len(paths) > 3:
            print(f"  ... and {len(paths) - 3:,} more: {reason}")


def main():
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--executor", choices=["processes", "threads"], default="processes")
    parser.add_argument("--workers", type=int, default=None)
    options = parser.parse_args()
    executor = (
        ProcessPoolExecutor(max_workers=options.workers)
        if options.executor == "processes"
        else ThreadPoolExecutor(max_threads=options.workers)
    )
    files = collect([folder.resolve() for folder in options.folders]) if options.folders else default_files()
    if not files:
        sys.exit("there is no *.py file in these folders")
    with warpbeam.load(Config(executors=[executor], lost_retries=0)) as kernel:
        started = time.perf_counter()
        results, failures = census(kernel, files, may_kill=options.executor == "processes")
        elapsed_s = time.perf_counter() - started
        workers = kernel.executors[executor.label].load().capacity
        rate = plain_loop(files, kernel.run.directory / "loop")
    report(results, failures, len(files))
    speed_up = len(files) / elapsed_s / rate
    print(
        f"\n{len(files) / elapsed_s:,.0f} files a second, {rate:,.0f} in a plain loop\n"
        f"{len(files):,} source files in {elapsed_s:.1f} s on {workers} workers, {speed_up:.1f} x a plain loop"
    )


if __name__ == "__main__":
    main()
