"""
Files: what they are, how tasks get them, futures of them.
"""

from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path

import pytest
import warpbeam
from warpbeam import DataFuture, File, bash_app, python_app
from warpbeam.errors import CallError


@python_app
def write(text, outputs=()):
    for file in outputs:
        Path(file).write_text(text)
    return outputs


@python_app
def read(file):
    return Path(file).read_text()


class TestFile:
    @pytest.mark.parametrize(
        ("given", "scheme", "netloc", "path", "filename"),
        [
            ("a.txt", "file", "", "a.txt", "a.txt"),
            ("/data/a.txt", "file", "", "/data/a.txt", "a.txt"),
            ("file:///data/a%20b.txt", "file", "", "/data/a b.txt", "a b.txt"),
            ("file:/data/a.txt", "file", "", "/data/a.txt", "a.txt"),
            ("https://host:80/data/a.txt", "https", "host:80", "/data/a.txt", "a.txt"),
            ("globus://uuid/data/a.txt", "globus", "uuid", "/data/a.txt", "a.txt"),
            ("with space#and?marks%20.txt", "file", "", "with space#and?marks%20.txt", "with space#and?marks%20.txt"),
            ("C:/data/a.txt", "file", "", "C:/data/a.txt", "a.txt"),
        ],
    )
    def test_parts(self, given, scheme, netloc, path, filename):
        """Of a URL; what has no scheme is a path, taken as it is."""
        file = File(given)
        assert (file.url, file.scheme, file.netloc, file.path, file.filename) == (given, scheme, netloc, path, filename)

    def test_paths_are_taken(self):
        """An os.PathLike is as good as a string."""
        assert File(Path("a/b.txt")) == File("a/b.txt")

    @pytest.mark.parametrize("wrong", ["", 3, None, b"bytes"])
    def test_what_is_no_path_is_refused(self, wrong):
        """By a TypeError, which shows it where it can."""
        with pytest.raises(TypeError):
            File(wrong)

    def test_it_is_a_path(self, tmp_path):
        """It can be opened, formatted into a command line, and joined."""
        (tmp_path / "a.txt").write_text("7")
        file = File("a.txt")
        with open(file) as stream:
            assert stream.read() == "7"
        assert f"cat {file}" == "cat a.txt"
        assert Path(file) == Path("a.txt")
        assert file.filepath == os.fspath(file) == "a.txt"

    def test_a_remote_one_has_no_path_until_it_is_here(self):
        """The error shows the file; a local path ends that."""
        file = File("https://host/a.txt")
        with pytest.raises(ValueError, match=r"https://host/a\.txt"):
            os.fspath(file)
        file.local_path = "/cache/a.txt"
        assert file.filepath == "/cache/a.txt"
        clean = file.cleancopy()
        assert (clean.url, clean.local_path, file.local_path) == (file.url, None, "/cache/a.txt")

    def test_equality_goes_by_the_url(self):
        """Copies are equal, and have one hash."""
        file = File("a.txt")
        assert {file, copy.copy(file), pickle.loads(pickle.dumps(file)), file.absolute("/x"), File("b.txt")} == {
            file,
            File("b.txt"),
        }
        assert file != "a.txt"

    def test_repr_says_all(self):
        """Every part, and the local path where there is one."""
        file = File("https://host/d/a.txt")
        for part in ("url=https://host/d/a.txt", "scheme=https", "netloc=host", "path=/d/a.txt", "filename=a.txt"):
            assert part in repr(file)
        assert "local_path" not in repr(file)
        assert "local_path=/x/a.txt" in repr(File("a.txt").absolute("/x"))


class TestFilesInTasks:
    @pytest.mark.row("APP-20", "APP-21", "DFK-21")
    def test_each_task_has_copies(self, inline, tmp_path):
        """The driver's File is untouched; the task's is absolute, wherever it stands in the arguments."""
        given = File("a.txt")
        seen = []

        @python_app
        def look(direct, nested, inputs=(), outputs=(), named=None):
            seen.extend((direct, nested["here"][0], inputs[0], outputs[0], named))
            Path(outputs[0]).touch()

        look(given, {"here": [given]}, inputs=[given], outputs=[given], named=given).result()
        assert [os.fspath(file) for file in seen] == [str(tmp_path / "a.txt")] * 5
        assert all(file is not given for file in seen)
        assert given.local_path is None
        assert given.filepath == "a.txt"

    @pytest.mark.row("APP-20", "APP-21", "DFK-22")
    def test_also_where_futures_are_not_looked_for(self, manual_type, tmp_path):
        """The shallow resolver finds files in `inputs` and `outputs`, and as arguments."""
        given = File("a.txt")
        with warpbeam.load(executors=[manual_type(runs_inline=True)], dependency_resolver="shallow"):
            seen = python_app(lambda file, inputs=(), outputs=(): [file, *inputs, *outputs, Path(file).touch()])
            found = seen(given, inputs=[given], outputs=[given]).result()
        assert [os.fspath(file) for file in found[:3]] == [str(tmp_path / "a.txt")] * 3

    @pytest.mark.row("APP-20")
    def test_paths_are_those_of_the_call(self, manual, tmp_path, monkeypatch):
        """A driver that goes elsewhere before the task runs changes nothing."""
        (tmp_path / "a.txt").write_text("here")
        futures = [read(File("a.txt")), write("made", outputs=[File("b.txt")])]
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        manual.run_all()
        assert futures[0].result() == "here"
        assert (tmp_path / "b.txt").read_text() == "made"

    @pytest.mark.row("APP-21", "BETTER-15")
    @pytest.mark.parametrize("kind", [list, tuple, dict.fromkeys, iter], ids=["list", "tuple", "dict", "iterator"])
    def test_any_sequence_of_outputs(self, inline, tmp_path, kind):
        """The function gets a list of as many; the caller's is left as it was."""
        files = [File("a.txt"), File("b.txt")]
        given = kind(files)
        future = write("x", outputs=given)
        assert [os.fspath(file) for file in future.result()] == [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]
        assert isinstance(future.result(), list)
        if kind is list:
            assert [one is two for one, two in zip(given, files, strict=True)] == [True, True]

    @pytest.mark.row("APP-21", "APP-20")
    @pytest.mark.parametrize("name", ["inputs", "outputs"])
    @pytest.mark.parametrize("wrong", [File("a.txt"), "a.txt", 3])
    def test_what_is_no_list_is_refused_at_the_call(self, inline, name, wrong):
        """The error names app, argument and value."""
        with pytest.raises(TypeError, match=rf"'write': {name}= must be a list"):
            write("x", **{name: wrong})
        assert not inline.task_counts

    @pytest.mark.row("APP-31")
    def test_defaults_count(self, inline, tmp_path):
        """A default of `outputs` and `inputs` is as good as an argument, in each call anew."""

        given, made = (File("in.txt"),), (File("out.txt"),)

        @python_app
        def both(inputs=given, outputs=made):
            Path(outputs[0]).write_text(Path(inputs[0]).read_text())

        (tmp_path / "in.txt").write_text("1")
        for _ in range(2):
            future = both()
            assert future.result() is None
            assert [output.filepath for output in future.outputs] == [str(tmp_path / "out.txt")]

    @pytest.mark.row("APP-31", "APP-24")
    def test_other_defaults_count(self, manual):
        """Of walltime, resources and streams."""

        @python_app
        def app(walltime=7, resources={"cores": 3}, stdout=warpbeam.AUTO_LOGNAME, stderr="err.txt"):  # noqa: B006
            return walltime, resources

        future = app()
        (call,) = manual.seen
        assert (call.walltime, call.resources.cores) == (7, 3)
        assert future.stdout.endswith("task_0000_app.stdout")
        assert future.stderr == "err.txt"
        manual.run_all()
        assert future.result() == (7, {"cores": 3})

    def test_a_remote_output_needs_a_stager(self, inline):
        """It is refused at the call."""
        for given in ({"outputs": [File("https://host/a")]}, {"stdout": File("https://host/a")}):
            with pytest.raises(CallError, match="no stager for 'https://host/a'"):
                write("x", **given)


class TestDataFuture:
    @pytest.mark.row("FUT-05", "FUT-11", "FUT-12", "FUT-14", "GUA-10")
    def test_from_the_call_to_the_end(self, manual, tmp_path):
        """There at once, one a file, not done before the task; then it gives the very file that was given."""
        files = [File("a.txt"), File("b.txt")]
        future = write("x", outputs=files)
        assert len(future.outputs) == 2
        for output, file in zip(future.outputs, files, strict=True):
            assert isinstance(output, DataFuture)
            assert not output.done()
            assert not output.running()
            assert (output.tid, output.file_obj, output.parent) == (future.tid, file, future)
            assert output.filename == output.filepath == str(tmp_path / file.url)
            assert f"DataFuture at {id(output):#x} representing {file!r} not done" in repr(output)
        manual.begin(manual.only())
        assert future.outputs[0].running()
        manual.run_all()
        for output, file in zip(future.outputs, files, strict=True):
            assert output.result() is file
            assert os.path.exists(output.filepath)
            assert repr(output).endswith(f"representing {file!r} done>")
            assert not output.running()

    @pytest.mark.row("FUT-05")
    def test_none_without_outputs(self, inline):
        """The sequence is empty."""
        assert list(read("x").outputs) == []
        assert list(write("x").outputs) == []

    @pytest.mark.row("FUT-11", "GUA-10")
    def test_a_failure_is_the_tasks(self, inline):
        """The same exception."""
        future = write(3, outputs=[File("a.txt")])
        assert isinstance(future.exception(), TypeError)
        assert future.outputs[0].exception() is future.exception()

    @pytest.mark.row("FUT-13", "BETTER-01")
    def test_cancelling_it(self, manual):
        """Cancels the task, and with it the task's other files."""
        future = write("x", outputs=[File("a.txt"), File("b.txt")])
        assert future.outputs[0].cancel()
        assert future.cancelled()
        assert all(output.cancelled() for output in future.outputs)
        running = write("x", outputs=[File("a.txt")])
        manual.begin(manual.only())
        assert not running.outputs[0].cancel()
        assert running.outputs[0].cancel(kill=True)
        assert running.cancelled()

    @pytest.mark.row("FUT-16", "DFK-21")
    def test_given_to_another_app(self, manual, tmp_path):
        """It is a dependency, and arrives as a File of the task's own, in any place and for both kinds of app."""
        made = write("hello", outputs=[File("a.txt")]).outputs[0]
        seen = []

        @python_app
        def look(direct, nested, inputs=()):
            seen.extend((direct, nested[0], inputs[0]))

        look(made, (made,), inputs=[made])
        copied = bash_app(lambda inputs=(), outputs=(): f"cp {inputs[0]} {outputs[0]}")(inputs=[made], outputs=[File("b.txt")])
        assert len(manual.seen) == 1
        manual.run_all()
        assert [(type(file), os.fspath(file)) for file in seen] == [(File, str(tmp_path / "a.txt"))] * 3
        assert len({id(file) for file in seen}) == 3
        assert all(file is not made.file_obj for file in seen)
        assert copied.result() == 0
        assert (tmp_path / "b.txt").read_text() == "hello"

    @pytest.mark.row("FUT-11")
    def test_it_is_not_copied_or_pickled(self, manual):
        """A copy would never be done."""
        output = write("x", outputs=[File("a.txt")]).outputs[0]
        for act in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError):
                act(output)
        manual.run_all()
