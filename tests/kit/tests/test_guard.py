"""
A contract's tests cannot be switched off in silence, and leaks are found.
"""

from __future__ import annotations

import socket
import threading

import pytest
from warpbeam_testing import Contract, SerializerContract
from warpbeam_testing.contract import leftovers


def replacement():
    """Return a test that tests nothing."""

    def test(self):
        """Test nothing."""

    return test


class TestGuard:
    def test_a_replaced_test_is_refused(self):
        """Overriding, or deleting by None, is a TypeError that names class and test."""
        for other in (replacement(), None):
            with pytest.raises(TypeError, match=r"Mine\.test_tag replaces a test of the contract"):
                type("Mine", (SerializerContract,), {"test_tag": other})

    def test_a_mark_without_reason_is_refused(self):
        """An xfail must say why."""
        with pytest.raises(TypeError, match="reason"):
            type("Mine", (SerializerContract,), {"test_tag": pytest.mark.xfail(replacement())})

    def test_a_reason_is_accepted(self):
        """With a reason the test is replaced."""
        marked = pytest.mark.xfail(reason="its tag has three bytes")(replacement())
        assert type("Mine", (SerializerContract,), {"test_tag": marked}).test_tag is marked

    def test_tests_and_fixtures_may_be_added(self):
        """What the contract does not have is free."""
        assert type("Mine", (SerializerContract,), {"test_more": lambda self: None, "serializer": None})


class TestLeaks:
    def test_threads_and_sockets_are_seen(self):
        """What is there is named, and gone when it is gone."""
        before = leftovers()
        release = threading.Event()
        thread = threading.Thread(target=release.wait, name="forgotten")
        thread.start()
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            one.listen()
            found = leftovers() - before
        release.set()
        thread.join()
        assert any("forgotten" in what for what in found)
        assert any(what.startswith("socket") for what in found)
        assert not leftovers() - before

    def test_a_leaking_test_fails(self, pytester_of_the_kit):
        """A contract class whose test leaves a thread fails at its end."""
        result = pytester_of_the_kit(
            """
            import threading
            from warpbeam_testing import Contract

            class TestLeaky(Contract):
                patience_s = 0.2
                def test_leak(self):
                    threading.Thread(target=threading.Event().wait, name="forgotten", daemon=True).start()
            """
        )
        assert result.returncode == 1
        assert "left behind: thread forgotten" in result.stdout


@pytest.fixture(name="pytester_of_the_kit")
def _pytester_of_the_kit(tmp_path):
    import subprocess
    import sys
    import textwrap

    def run(text):
        path = tmp_path / "test_one.py"
        path.write_text(textwrap.dedent(text))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", str(path)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=50)

    return run


def test_contract_is_exported():
    """Kinds of third parties may have contracts of their own."""
    assert issubclass(SerializerContract, Contract)
