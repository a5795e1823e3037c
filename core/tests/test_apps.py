"""
Apps: decorators, arguments, options.
"""

from __future__ import annotations

import functools

import pytest
import warpbeam
from warpbeam import bash_app, join_app, python_app
from warpbeam.contracts import CallError, InvalidResourcesError, Resources, UnknownExecutorError


def plus(a, b=1):
    return a + b


class TestDecorators:
    @pytest.mark.row("APP-01", "DFK-20", "GUA-01")
    @pytest.mark.parametrize(
        "make", [python_app, python_app(), python_app(executors="all"), lambda function: python_app(function)]
    )
    def test_all_forms_work(self, inline, make):
        """Bare, called, called with options, and as a function."""
        future = make(plus)(2)
        assert isinstance(future, warpbeam.AppFuture)
        assert future.result() == 3

    @pytest.mark.row("APP-04", "GUA-16")
    def test_apps_may_be_defined_before_load(self):
        """The kernel is looked up at each call; without one the error is also a RuntimeError."""
        app = python_app(plus)
        with pytest.raises(RuntimeError, match="no kernel is loaded"):
            app(1)
        with warpbeam.load(executors=["threads"]):
            assert app(1).result() == 2

    @pytest.mark.row("APP-04", "DFK-07")
    def test_an_app_may_be_bound_to_a_kernel(self, tmp_path):
        """Two kernels at once, each with its app; closing one leaves the other."""
        one = warpbeam.Kernel(warpbeam.Config(executors=["threads"], run_dir=tmp_path / "one"))
        two = warpbeam.Kernel(warpbeam.Config(executors=["threads"], run_dir=tmp_path / "two"))
        first, second = python_app(kernel=one)(plus), python_app(kernel=two)(plus)
        assert second(first(1)).result() == 3
        one.close()
        assert second(1).result() == 2
        with pytest.raises(warpbeam.errors.KernelClosedError):
            first(1)
        two.close()

    @pytest.mark.row("APP-05", "DFK-27", "BETTER-12")
    def test_an_unknown_executor_is_refused_at_the_call(self, inline):
        """The error names the label and those there are, and nothing is registered."""
        with pytest.raises(UnknownExecutorError, match=r"'nowhere'.*'manual'"):
            python_app(executors=["nowhere"])(plus)(1)
        assert not inline.task_counts

    @pytest.mark.row("APP-05")
    def test_a_string_other_than_all_is_refused(self):
        """A lone label is most often a mistake; the error shows the list."""
        with pytest.raises(TypeError, match=r"\['threads'\]"):
            python_app(executors="threads")(plus)

    @pytest.mark.row("APP-08")
    @pytest.mark.parametrize(
        "options", [{"cache": "yes"}, {"ignore_for_cache": "x"}, {"executors": 3}, {"kernel": "k"}, {"walltime": 3}]
    )
    def test_wrong_options_are_refused_at_decoration(self, options):
        """A wrong type, or an unknown option, is a TypeError."""
        with pytest.raises(TypeError):
            python_app(**options)(plus)

    @pytest.mark.row("APP-09", "APP-10")
    def test_attributes(self):
        """Apps show their function, name and options."""
        app = python_app(executors=["a", "b"], cache=True, ignore_for_cache=["b"])(plus)
        assert app.func is plus
        assert app.__name__ == "plus"
        assert (app.executors, app.cache, app.ignore_for_cache) == (["a", "b"], True, ["b"])

    @pytest.mark.row("APP-11")
    def test_partials_are_taken(self, inline):
        """A partial has the name of its function, or its own."""
        app = python_app(functools.partial(plus, b=5))
        assert app.__name__ == "plus"
        assert app(1).result() == 6

    @pytest.mark.row("APP-12")
    def test_a_bad_call_shows_in_the_future(self, inline):
        """Arguments that do not fit the function are its TypeError."""
        assert isinstance(python_app(plus)(1, 2, 3).exception(), TypeError)

    @pytest.mark.row("APP-31")
    def test_reserved_defaults_count_for_each_call(self, inline, tmp_path):
        """A default of `inputs` is resolved like an argument."""
        future = python_app(plus)(4)

        def first(inputs=(future,)):
            return inputs[0]

        assert python_app(first)().result() == 5

    @pytest.mark.row("APP-32", "BETTER-15")
    def test_bash_defaults_may_be_given_by_position(self, threads):
        """A defaulted parameter of a bash app passed by position is bound once."""

        def command(code=1, stdout="out.txt"):
            return f"echo {code}; exit {code}"

        assert bash_app(command)(0).result() == 0


class TestOptions:
    def test_options_change_a_copy(self, inline):
        """`options` gives another app and leaves the first alone."""
        app = python_app(plus)
        named = app.options(name="other", tags=["t"], retries=2)
        assert (app.__name__, named.__name__) == ("plus", "other")
        assert named(1).task_record.tags == ("t",)

    @pytest.mark.parametrize("options", [{"walltime": "x"}, {"retries": -1}, {"priority": 1.5}, {"executors": 3}])
    def test_wrong_options_name_themselves(self, options):
        """The error names the option."""
        with pytest.raises((TypeError, ValueError), match=next(iter(options))):
            python_app(plus).options(**options)

    @pytest.mark.row("APP-25", "ERR-09")
    def test_resources_go_with_the_call(self, manual):
        """Resources may be given to `options` or the call, as ours or as a dict of Parsl's keys."""
        python_app(plus).options(resources=Resources(cores=2))(1)
        python_app(plus)(1, resources={"cores": 3})
        python_app(plus)(1, parsl_resource_specification={"num_cpus": 4})
        assert [call.resources.cores for call in manual.seen] == [2, 3, 4]
        assert all("resources" not in call.kwargs for call in manual.seen)

    @pytest.mark.row("APP-25", "ERR-09", "BETTER-12")
    @pytest.mark.parametrize(
        ("resources", "match"),
        [({"gpus": 1}, "gpus"), ({"cores": 9}, "it has 4 cores"), ({"corse": 1}, "corse")],
    )
    def test_what_cannot_be_honoured_is_refused(self, manual, resources, match):
        """Unknown keys and unsatisfiable requests are errors of the call, never waits."""
        with pytest.raises(InvalidResourcesError, match=match) as caught:
            python_app(plus)(1, resources=resources)
        assert caught.value.invalid_keys <= {"gpus", "corse"}
        assert not manual.seen

    @pytest.mark.row("APP-24")
    @pytest.mark.parametrize("walltime", [0, -1, "3"])
    def test_a_wrong_walltime_is_refused(self, inline, walltime):
        """A walltime must be a positive number."""
        with pytest.raises((TypeError, ValueError), match="walltime"):
            python_app(plus)(1, walltime=walltime)


class TestInputsAndOutputs:
    @pytest.mark.row("APP-20", "BETTER-15", "DFK-21")
    @pytest.mark.parametrize("kind", [list, tuple])
    def test_inputs_are_resolved_into_a_list(self, inline, kind):
        """Futures in `inputs` are replaced; the caller's sequence is left alone."""
        app = python_app(plus)
        given = kind([app(1), 7])
        seen = python_app(lambda inputs=(): inputs)(inputs=given).result()
        assert seen == [2, 7]
        assert given[1] == 7
        assert isinstance(given[0], warpbeam.AppFuture)

    @pytest.mark.row("APP-21", "FUT-05", "FUT-11", "FUT-12", "FUT-14", "FUT-16", "GUA-10")
    def test_outputs_are_data_futures(self, inline, tmp_path):
        """One DataFuture for each output; given to another app it is a File and a dependency."""
        file = warpbeam.File("made.txt")

        @python_app
        def write(outputs=()):
            with open(outputs[0], "w") as stream:
                stream.write("7")

        @python_app
        def read(file):
            with open(file) as stream:
                return stream.read(), type(file)

        future = write(outputs=[file])
        (output,) = future.outputs
        assert output.result() is file
        assert file.local_path is None
        assert (output.tid, output.parent, output.file_obj) == (future.tid, future, file)
        assert output.filename == output.filepath == str(tmp_path / "made.txt")
        assert "done" in repr(output)
        assert read(output).result() == ("7", warpbeam.File)

    @pytest.mark.row("APP-21")
    def test_outputs_must_be_files(self, inline):
        """An output that is no File is refused at the call."""
        with pytest.raises(TypeError, match=r"outputs= must hold warpbeam\.File.*'x'"):
            python_app(lambda outputs=(): None)(outputs=["x"])

    @pytest.mark.row("APP-49", "BETTER-16")
    def test_missing_outputs_of_python_apps_are_found(self, inline):
        """An output that a python app did not write fails it."""
        future = python_app(lambda outputs=(): None)(outputs=[warpbeam.File("never.txt")])
        assert isinstance(future.exception(), warpbeam.errors.MissingOutputs)
        assert "never.txt" in str(future.exception())
        assert isinstance(future.outputs[0].exception(), warpbeam.errors.MissingOutputs)

    def test_remote_files_need_a_stager(self, inline):
        """A URL without anything that can fetch it is refused at the call."""
        with pytest.raises(CallError, match="no stager"):
            python_app(plus)(warpbeam.File("https://host/x"))


class TestJoinApps:
    @pytest.mark.row("APP-03", "JOIN-01", "JOIN-02")
    def test_results_have_the_shape_returned(self, threads):
        """A future, lists, nestings, and nothing at all."""
        app = python_app(plus)
        shapes = [
            (lambda: app(1), 2),
            (lambda: [app(1), app(2)], [2, 3]),
            (list, []),
            (lambda: {"a": app(1), "b": (app(2), [app(3)])}, {"a": 2, "b": (3, [4])}),
        ]
        for body, expected in shapes:
            assert join_app(lambda body=body: body())().result() == expected

    @pytest.mark.row("JOIN-03")
    @pytest.mark.parametrize("wrong", [3, None, [3], {"a": 1}])
    def test_what_is_no_future_is_refused(self, threads, wrong):
        """The TypeError shows what was returned."""
        error = join_app(lambda: wrong)().exception()
        assert isinstance(error, TypeError)
        assert "must return a future" in str(error)

    @pytest.mark.row("JOIN-04", "ERR-08")
    def test_failures_are_listed_after_all_are_done(self, threads):
        """A JoinError lists every failed inner future, and is not retried."""
        bodies = []

        @python_app
        def fail(x):
            raise ValueError(x)

        @join_app
        def joined():
            bodies.append(1)
            return [fail(1), python_app(plus)(1), fail(2)]

        error = joined().exception()
        assert isinstance(error, warpbeam.errors.JoinError)
        assert [str(inner) for inner, _ in error.dependent_exceptions_tids] == ["1", "2"]
        assert isinstance(error.__cause__, ValueError)
        assert len(bodies) == 1

    @pytest.mark.row("JOIN-05")
    def test_a_body_that_raises_is_retried(self):
        """The body itself counts against retries."""
        bodies = []

        @join_app
        def joined():
            bodies.append(1)
            if len(bodies) < 3:
                raise ValueError
            return []

        with warpbeam.load(executors=["threads"], retries=2):
            assert joined().result() == []

    def test_foreign_futures_may_be_returned(self, threads):
        """A future of any library will do."""
        from concurrent.futures import Future

        foreign = Future()
        joined = join_app(lambda: [foreign])()
        foreign.set_result(4)
        assert joined.result() == [4]

    def test_its_own_future_is_refused(self, threads):
        """A join app that returns its own future fails at once."""
        import threading

        box, ready = [], threading.Event()

        @join_app
        def own():
            ready.wait()
            return box[0]

        box.append(own())
        ready.set()
        assert isinstance(box[0].exception(), warpbeam.errors.WouldDeadlockError)

    def test_a_circle_of_joins_is_broken(self, threads):
        """Joins that wait for one another fail by name instead of hanging."""
        import threading

        box, ready = [], threading.Event()

        @join_app
        def circle():
            ready.wait()
            return [box[1]]

        box.append(circle())
        box.append(python_app(plus)(box[0]))
        ready.set()
        error = box[0].exception(20)
        assert isinstance(error, warpbeam.errors.WouldDeadlockError)
        assert "circle" in str(error)
