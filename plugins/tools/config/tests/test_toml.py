"""
Configuration files, right and wrong.
"""

from __future__ import annotations

import pytest
import warpbeam
from warpbeam import python_app
from warpbeam.contracts import ConfigurationError


@pytest.fixture(name="write")
def _write(tmp_path):
    def write(text):
        path = tmp_path / "warpbeam.toml"
        path.write_text(text)
        return path

    return write


class TestRight:
    def test_names_and_tables(self, write):
        """Executors by name and by table, options of both levels, a label of one's own."""
        path = write("""
            retries = 2
            run_dir = "elsewhere"
            memo = {type = "memory", max_items = 5}
            [[executors]]
            type = "threads"
            max_threads = 3
            [[executors]]
            type = "ThreadPoolExecutor"
            label = "mine"
        """)
        with warpbeam.load(path, lost_retries=1) as kernel:
            assert list(kernel.executors) == ["threads", "mine"]
            assert kernel.executors["threads"].load().capacity == 3
            assert (kernel.config.retries, kernel.config.lost_retries) == (2, 1)
            assert kernel.run.directory.parent.name == "elsewhere"
            assert python_app(executors=["mine"])(lambda: 5)().result() == 5

    def test_a_plain_list_of_names(self, write):
        """executors = ["threads"]."""
        with warpbeam.load(str(write('executors = ["threads"]'))) as kernel:
            assert list(kernel.executors) == ["threads"]


class TestWrong:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("retrys = 1", "retrys: .*did you mean retries"),
            ('retries = "two"', "retries: .*'two'.*whole number"),
            ('executors = ["thraeds"]', r"executors\[0\]: no executor named 'thraeds'.*'threads'"),
            ("executors = [3]", r"executors\[0\]: 3 is int"),
            ("executors = [{max_threads = 2}]", r"executors\[0\]\.type: missing.*threads"),
            ('executors = [{type = "threads", max_thread = 2}]', r"executors\[0\]\.max_thread: .*did you mean max_threads"),
            ('executors = [{type = "threads", max_threads = "x"}]', r"executors\[0\]\S*: .*max_threads='x'"),
            ('executors = [{type = "threads", label = 3}]', r"executors\[0\]\.label: 3 is int, and must be str"),
            ('executors = ["threads", "threads"]', "'threads' is used twice"),
            ('memo = "nowhere"', "memo: no memo named 'nowhere'"),
            ("retries = \nx = 1", "no TOML: .*line 1"),
        ],
    )
    def test_each_problem_has_file_key_and_suggestion(self, write, text, expected):
        """The error names where, what, and what would be right."""
        path = write(text)
        with pytest.raises(ConfigurationError, match=expected) as caught:
            warpbeam.load(path)
        assert str(path) in str(caught.value)

    def test_all_problems_are_told_at_once(self, write):
        """One line each."""
        path = write('retries = -1\nexit_mode = "never"\nexecutors = ["a", {type = "threads", x = 1}]')
        with pytest.raises(ConfigurationError) as caught:
            warpbeam.load(path)
        assert len(str(caught.value).splitlines()) == 4

    def test_files_that_cannot_be_read(self, tmp_path):
        """Missing, a directory, no text, an unknown suffix."""
        (tmp_path / "folder.toml").mkdir()
        (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
        (tmp_path / "x.yamll").write_text("")
        for name, match in (
            ("missing.toml", "cannot be read: No such file"),
            ("folder.toml", "cannot be read: Is a directory"),
            ("binary.toml", "no UTF-8"),
        ):
            with pytest.raises(ConfigurationError, match=match):
                warpbeam.load(tmp_path / name)
        with pytest.raises(warpbeam.errors.PluginNotFoundError, match="yamll"):
            warpbeam.load(tmp_path / "x.yamll")
