"""
The first program, without a guard, in every way in which people run one, on every executor.
"""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys

import pytest


PROGRAM = """\
import warpbeam
from warpbeam import python_app, bash_app, join_app, Config, File

@python_app
def square(x): return x * x

with warpbeam.load(Config(executors=["{executor}"])):
    a = square(3)
    b = square(a)
    print(b.result())
"""

FOREIGN = """\
import loky
from warpbeam.executors import FuturesExecutor

""" + PROGRAM.replace('"{executor}"', "FuturesExecutor(factory=loky.ProcessPoolExecutor)")

PROGRAMS = {
    "threads": PROGRAM.format(executor="threads"),
    "processes": PROGRAM.format(executor="processes"),
    "futures": FOREIGN,
}
PATIENCE_S = 50
PROMPTS = (b">>> ", b"... ")

RUN_NOTEBOOK = """
import json, sys
import nbformat
from nbclient import NotebookClient

cells = [nbformat.v4.new_code_cell(source) for source in json.load(sys.stdin)]
notebook = nbformat.v4.new_notebook(cells=cells)
NotebookClient(notebook, timeout=40, kernel_name="python3").execute()
print(json.dumps([[output.get("text", "") for output in cell.outputs] for cell in notebook.cells]))
"""


@pytest.fixture(name="program", params=list(PROGRAMS))
def _program(request):
    return PROGRAMS[request.param]


class Terminal:
    """
    A Python that somebody types to.
    """

    def __init__(self, **environment):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-q", "-i"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm", "PYTHON_COLORS": "0", **environment},
        )
        os.close(slave)
        self.seen = b""

    def read(self):
        """
        Return what it shows next, or nothing when it has ended.
        """
        ready, _, _ = select.select([self.master], [], [], PATIENCE_S)
        assert ready, f"it shows nothing more: {self.seen.decode()}"
        try:
            shown = os.read(self.master, 4096)
        except OSError:  # nobody has the other end open
            return b""
        self.seen += shown
        return shown

    def type(self, text):
        os.write(self.master, text.encode())

    def expect(self, *texts):
        """
        Read until one of the texts is shown.
        """
        start = len(self.seen)
        while not any(text in self.seen[start:] for text in texts):
            assert self.read(), f"it has ended: {self.seen.decode()}"

    def ended(self):
        """
        Read to the end, and return all that was shown.
        """
        while self.read():
            pass
        return self.seen.decode()

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture(name="terminal")
def _terminal():
    terminals = []

    def start(**environment):
        terminals.append(Terminal(**environment))
        return terminals[-1]

    yield start
    for one in terminals:
        one.close()


def run_notebook(*cells):
    """
    Run cells in a new notebook, and return the texts that each of them shows.
    """
    command = [sys.executable, "-c", RUN_NOTEBOOK]
    ended = subprocess.run(command, input=json.dumps(cells), capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.row("RULE-01")
class TestFirstProgram:
    @pytest.mark.parametrize("how", ["file", "pipe", "command"])
    def test_without_anybody_at_it(self, tmp_path, program, how):
        """As a file, piped to python, and as a command, it prints 81 and nothing else."""
        path = tmp_path / "program.py"
        path.write_text(program)
        command = {"file": [str(path)], "pipe": ["-"], "command": ["-c", program]}[how]
        ended = subprocess.run(
            [sys.executable, *command], input=program, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        assert (ended.stdout.strip(), ended.stderr) == ("81", "")

    def test_typed(self, terminal, program):
        """Line by line at the prompt."""
        python = terminal(PYTHON_BASIC_REPL="1")
        python.expect(*PROMPTS)
        for line in [*program.splitlines(), ""]:
            python.type(line + "\n")
            python.expect(*PROMPTS)
        python.type("exit()\n")
        shown = python.ended()
        assert python.process.wait(PATIENCE_S) == 0
        assert "81" in shown.splitlines(), shown
        assert "Traceback" not in shown

    @pytest.mark.skipif(sys.version_info < (3, 13), reason="older prompts take no pasted blocks")
    def test_pasted(self, terminal, program):
        """As one block at the prompt of newer Pythons."""
        python = terminal()
        python.expect(b">>> ")
        python.type(f"\x1b[200~{program}\x1b[201~\n")
        python.expect(b"81\r\n")
        python.type("exit()\n")
        assert "Traceback" not in python.ended()
        assert python.process.wait(PATIENCE_S) == 0

    def test_in_a_cell(self, program):
        """In one cell of a notebook."""
        assert run_notebook(program) == [["81\n"]]

    def test_awaited_in_a_cell(self):
        """A cell may await a future, and what other cells define travels; results are of the notebook's own classes."""
        shown = run_notebook(
            "import warpbeam\nkernel = warpbeam.load(executors=['processes'])",
            "class Point:\n    def __init__(self, x): self.x = x\ndef helper(x): return Point(x + 1)",
            "@warpbeam.python_app\ndef app(x): return helper(x)",
            "point = await app(1)\nprint(point.x, type(point) is Point)",
            "kernel.close()",
        )
        assert shown[3] == ["2 True\n"]
