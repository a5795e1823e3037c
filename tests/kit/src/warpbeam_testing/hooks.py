"""
The contract of plugins that implement hooks.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import warpbeam
from warpbeam import registry
from warpbeam.contracts import Problem

from warpbeam_testing.contract import Contract, says
from warpbeam_testing.serial import SerialExecutor


OBSERVERS = ("warpbeam_run_starting", "warpbeam_run_finished", "warpbeam_executor_starting", "warpbeam_executor_stopped")
"""Hooks whose answer nobody reads."""


class HookContract(Contract):
    """
    What every plugin with hooks must do, whatever hooks it implements.

    A subclass gives the fixture ``plugin``: the module or object that the entry point names.
    """

    @pytest.fixture
    def plugin(self) -> Any:
        """
        Return the plugin; to be given by the subclass.
        """
        raise NotImplementedError(f"{type(self).__name__} lacks the fixture `plugin`")

    @says("It takes the one argument of its hook, by that name, or none.")
    def test_is_accepted(self, plugin: Any) -> None:
        """The names and arguments of its implementations are those of the hooks."""
        registry.hooks([plugin])

    def test_implements_a_hook(self, plugin: Any) -> None:
        """It has at least one implementation, marked with ``warpbeam.hookimpl``."""
        assert implementations(plugin), "no function is marked with warpbeam.hookimpl"

    @says("None is ever called for each task.")
    def test_is_not_called_for_tasks(self, plugin: Any, tmp_path: Path) -> None:
        """A run with the plugin calls its hooks as often for ten tasks as for a hundred."""
        assert _calls(plugin, tmp_path, 10) == _calls(plugin, tmp_path, 100)

    def test_a_run_with_it_ends(self, plugin: Any, tmp_path: Path) -> None:
        """Tasks give their results, and the run ends in order."""
        app = warpbeam.python_app(abs)
        with warpbeam.load(executors=[SerialExecutor()], run_dir=str(tmp_path), plugins=[plugin]):
            assert [future.result() for future in [app(-number) for number in range(5)]] == list(range(5))

    def test_serves_several_kernels(self, plugin: Any, tmp_path: Path) -> None:
        """Two kernels at once may name it."""
        config = warpbeam.Config(executors=[SerialExecutor()], run_dir=str(tmp_path), plugins=[plugin])
        with warpbeam.Kernel(config) as first, warpbeam.Kernel(config) as second:
            futures = [warpbeam.python_app(kernel=kernel)(abs)(-1) for kernel in (first, second)]
            assert [future.result() for future in futures] == [1, 1]

    def test_answers_have_their_types(self, plugin: Any) -> None:
        """Checks give Problems, hints give lines."""
        hooks = registry.hooks([plugin])
        assert all(isinstance(problem, Problem) for problem in hooks.check_config(warpbeam.Config()))
        hints = hooks.error_hints(warpbeam.contracts.WarpbeamError("some error"))
        assert all(isinstance(hint, str) and "\n" not in hint for hint in hints)

    def test_observers_answer_nothing(self, plugin: Any) -> None:
        """Functions that observe are annotated to return None, so that nobody expects their answer to count."""
        for name in set(implementations(plugin)) & set(OBSERVERS):
            annotation = inspect.signature(getattr(plugin, name)).return_annotation
            assert annotation in (None, "None", inspect.Signature.empty), f"{name} observes; its answer has no meaning"


def implementations(plugin: Any) -> list[str]:
    """
    Return the names of the hooks that a plugin implements.
    """
    return [name for name in dir(plugin) if hasattr(getattr(plugin, name, None), "warpbeam_impl")]


def _calls(plugin: Any, directory: Path, tasks: int) -> int:
    called: list[str] = []
    app = warpbeam.python_app(abs)
    with warpbeam.load(executors=[SerialExecutor()], run_dir=str(directory), plugins=[plugin]) as kernel:
        kernel.hooks.monitor(called.append)
        for future in [app(-1) for _ in range(tasks)]:
            future.result()
    return len(called)
