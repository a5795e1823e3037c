"""
Interrupts at every line, forks, many threads, the end of the interpreter, the hot path.
"""

from __future__ import annotations

import linecache
import os
import subprocess
import sys
import textwrap
import threading

import pytest
from warpbeam import python_app
from warpbeam.errors import KernelClosedError


@python_app
def plus(a, b=1):
    return a + b


class _Interrupt:
    """
    Raises KeyboardInterrupt at the nth line of warpbeam that this thread runs.

    A `with` line is traced again when its block is left, before the lock is released.  The interpreter looks for signals after calls
    and at jumps back, so no interrupt is raised there, and none is raised here.
    """

    def __init__(self, at):
        self.at = at
        self.seen = 0
        self.entered = set()

    def is_leaving_a_block(self, frame):
        place = (id(frame), frame.f_lineno)
        text = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
        was_entered = place in self.entered
        if text.strip().startswith("with "):
            self.entered.add(place)
        return was_entered

    def __call__(self, frame, event, argument):
        if "/warpbeam/" not in frame.f_code.co_filename:
            return None
        if event == "line" and not self.is_leaving_a_block(frame):
            self.seen += 1
            if self.seen == self.at:
                sys.settrace(None)
                raise KeyboardInterrupt
        return self


class TestInterrupts:
    @pytest.mark.parametrize("arguments", ["plain", "future", "special"])
    def test_at_each_line_of_the_submission_path(self, threads, arguments):
        """An interrupted call leaves its task unregistered or launched; the kernel goes on and nothing hangs."""
        parent = plus(1)
        parent.result()
        given = {"plain": ((1,), {}), "future": (([parent],), {"b": [1]}), "special": ((1,), {"walltime": 60})}[arguments]
        before = sys.gettrace()
        line, interrupted = 0, 0
        while interrupted == line:
            line += 1
            sys.settrace(_Interrupt(line))
            try:
                plus(*given[0], **given[1])
            except KeyboardInterrupt:
                interrupted += 1
            finally:
                sys.settrace(before)
            assert threads.wait(10), f"tasks are left after an interrupt at line {line}"
            assert not threads._tasks
        assert line > 30
        assert plus(5).result(10) == 6


class TestManyThreads:
    @pytest.mark.row("GUA-16", "DFK-25")
    def test_apps_are_called_from_many_threads(self, threads):
        """Each call gives its own result."""
        results = {}

        def call(number):
            results[number] = [plus(number, index).result(20) for index in range(50)]

        callers = [threading.Thread(target=call, args=(number,)) for number in range(8)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(30)
        assert results == {number: [number + index for index in range(50)] for number in range(8)}


class TestForks:
    def test_a_child_has_a_dead_kernel(self, threads):
        """In a forked child calls and waits raise; the child ends, and the parent goes on."""
        release = threading.Event()
        pending = python_app(release.wait)()
        reader, writer = os.pipe()
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # threads and forks: that is what is tested
            child = os.fork()
        if child == 0:
            seen = []
            for act in (lambda: plus(1), lambda: pending.result(5)):
                try:
                    act()
                except KernelClosedError:
                    seen.append("closed")
                except BaseException as error:
                    seen.append(repr(error))
            os.write(writer, ",".join(seen).encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.close(writer)
        with os.fdopen(reader) as stream:
            assert stream.read() == "closed,closed"
        release.set()
        assert plus(1).result() == 2


def run(program, **options):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=50, check=False, **options
    )


class TestInterpreter:
    @pytest.mark.row("DFK-35")
    def test_its_end_without_a_with_block(self):
        """A warning names the unfinished, and the program ends."""
        ended = run("""
            import time, warpbeam
            warpbeam.load(executors=["threads"], exit_grace=0.1)
            def slow(): time.sleep(30)
            warpbeam.python_app(slow)()
        """)
        assert ended.returncode == 0
        assert "1 tasks are not done (slow)" in ended.stderr

    @pytest.mark.row("DFK-09")
    def test_importing_prints_nothing_and_loads_no_plugin(self):
        """Nor does touching every public name."""
        ended = run("""
            import sys, warpbeam
            for name in warpbeam.__all__: getattr(warpbeam, name)
            print([name for name in sys.modules if name.startswith("warpbeam_")])
        """)
        assert (ended.stdout.strip(), ended.stderr) == ("[]", "")

    @pytest.mark.row("DFK-08", "BETTER-27")
    def test_star_import_works(self):
        """Every public name is there."""
        ended = run("from warpbeam import *; print(python_app, File, Config)")
        assert ended.returncode == 0, ended.stderr

    @pytest.mark.row("BETTER-27")
    def test_workers_import_little(self):
        """Of core only remote, errors and files; none of core's dependencies."""
        ended = run("""
            import sys, warpbeam.remote
            print(sorted(name for name in sys.modules if name.partition(".")[0] in
                ("warpbeam", "attr", "attrs", "pluggy", "importlib_metadata", "structlog") ))
        """)
        names = eval(ended.stdout)
        assert not {"attr", "attrs", "pluggy", "importlib_metadata", "structlog"} & set(names)
        allowed = ("warpbeam", "warpbeam.errors", "warpbeam.dataflow", "warpbeam.dataflow.files")
        assert all(name in allowed or name.startswith("warpbeam.remote") for name in names)


class TestHotPath:
    def test_no_hook_is_called_for_a_task(self, threads):
        """As many hook calls for ten tasks as for a thousand: none."""
        manager = threads.hooks._manager
        calls = []
        undo = manager.monitor(calls.append)
        counts = []
        for number in (10, 1000):
            for future in [plus(index) for index in range(number)]:
                future.result()
            counts.append(len(calls))
        undo()
        assert counts == [0, 0]

    def test_ended_tasks_are_forgotten(self, threads):
        """The kernel keeps nothing of a task that has ended."""
        import gc
        import weakref

        class Thing:
            pass

        thing = Thing()
        watched = weakref.ref(thing)
        assert python_app(lambda given: 1)(thing).result() == 1
        threads.wait()
        del thing
        plus(1).result()
        gc.collect()
        assert watched() is None
        assert not threads._tasks
        assert not threads._graph._children
