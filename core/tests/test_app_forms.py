"""
What may be made an app, what an app shows of itself, and which executor gets its calls.
"""

from __future__ import annotations

import functools

import pytest
import warpbeam
from warpbeam import bash_app, join_app, python_app
from warpbeam.apps import App
from warpbeam.contracts import Health


def plus(a, b=1):
    return a + b


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


class TestWhatMayBeAnApp:
    @pytest.mark.row("APP-10")
    def test_names_are_the_users(self, manual):
        """Of closures, decorated functions and lambdas; in the app, its calls and its records."""

        def outer():
            def inner():
                return 1

            return inner

        for function, name in ((outer(), "inner"), (decorated(plus), "plus"), (lambda: 1, "<lambda>")):
            app = python_app(function)
            future = app(1)
            assert app.__name__ == name
            assert future.task_record.func_name == name
            assert manual.seen[-1].name == name
            assert name in repr(app)
            assert name in repr(future)
        assert python_app(decorated(plus)).__doc__ == plus.__doc__

    @pytest.mark.row("APP-11")
    def test_partials_with_and_without_a_name(self, inline):
        """One that was given a name has that; keywords of the call win over those of the partial."""
        named = functools.update_wrapper(functools.partial(plus, b=10), decorated(plus))
        named.__name__ = "plus_ten"
        assert python_app(named).__name__ == "plus_ten"
        assert python_app(named)(1).result() == 11
        assert python_app(named)(1, b=2).result() == 3
        command = bash_app(functools.partial(lambda text, stdout=None: f"echo {text}", "hi"))
        assert command(stdout="out.txt").result() == 0

    @pytest.mark.row("APP-11", "APP-08")
    @pytest.mark.parametrize(
        "wrong", [3, "plus", object(), functools.partial(functools.partial(type("F", (), {"__call__": plus})()))]
    )
    @pytest.mark.parametrize("make", [python_app, bash_app, join_app])
    def test_others_are_refused(self, make, wrong):
        """What cannot be called, and what can but has no name."""
        with pytest.raises(TypeError, match=r"takes a function|has no __name__"):
            make(wrong)

    @pytest.mark.row("APP-03", "APP-08")
    def test_join_apps_take_no_executors(self):
        """Their bodies run in the driver."""
        with pytest.raises(TypeError, match="executors"):
            join_app(executors=["threads"])(plus)

    @pytest.mark.row("APP-01", "APP-02", "APP-03", "APP-08")
    @pytest.mark.parametrize("make", [python_app, bash_app, join_app])
    def test_every_form_of_every_decorator(self, make):
        """Bare, with parentheses, with options, as a function; an app of an app is one of its function."""
        for form in (make, make(), make(cache=True, ignore_for_cache=["b"]), lambda function: make(function)):
            app = form(plus)
            assert isinstance(app, App)
            assert app.func is plus
        assert make(python_app(plus)).func is plus
        for options in ({"cache": 1}, {"ignore_for_cache": [3]}, {"kernel": 3}, {"walltime": 3}, {"data_flow_kernel": None}):
            with pytest.raises(TypeError):
                make(**options)(plus)

    @pytest.mark.row("APP-09")
    def test_what_it_shows(self):
        """Function, name, options, and the defaults that become keyword arguments."""
        app = bash_app(cache=True)(lambda a, b=1, stdout="x": "true")
        assert (app.executors, app.cache, list(app.ignore_for_cache)) == ("all", True, [])
        assert app.kwargs == {"b": 1, "stdout": "x"}
        assert python_app(lambda a, b=1, stdout="x": None).kwargs == {"stdout": "x"}
        assert not python_app(plus).cache

    @pytest.mark.row("APP-32", "BETTER-15")
    def test_all_defaults_reach_what_composes(self, inline, tmp_path):
        """Also something between the call and the function, as Parsl's users have it for templates."""

        def templated(function):
            @functools.wraps(function)
            def wrapper(**kwargs):
                return function.__doc__.format(**kwargs)

            return wrapper

        @bash_app
        @templated
        def command(word="one", *, number=2, stdout="out.txt"):
            """echo {word} {number}"""

        assert command().result() == 0
        assert command(word="three").result() == 0
        assert (tmp_path / "out.txt").read_text() == "one 2\nthree 2\n"

    @pytest.mark.row("APP-25")
    def test_a_parameter_for_resources_is_filled(self, manual):
        """The function gets what the call asked for if it has the parameter, under either name; else nothing of it."""
        seen = []

        def parsl(parsl_resource_specification={}):  # noqa: B006
            seen.append(parsl_resource_specification)

        def ours(resources=None):
            seen.append(resources)

        def neither(**more):
            seen.append(more)

        python_app(parsl)(parsl_resource_specification={"cores": 2})
        python_app(parsl)()
        python_app(ours)(resources={"cores": 3})
        python_app(lambda: seen.append("bare"))(resources={"cores": 1})
        assert [call.resources.cores if call.resources else None for call in manual.seen] == [2, None, 3, 1]
        manual.run_all()
        assert seen == [{"cores": 2}, {}, {"cores": 3}, "bare"]


class TestWhichExecutor:
    @pytest.mark.row("APP-05")
    def test_the_shortest_wait_is_taken(self, manual_type):
        """Of those that the app may use: "all", or the labels given, in whatever order."""
        with warpbeam.load(executors=[manual_type(label="one"), manual_type(label="two")], exit_mode="cancel") as kernel:
            one, two = kernel.executors["one"], kernel.executors["two"]
            for _ in range(6):
                python_app(plus)(1)
            assert (len(one.calls), len(two.calls)) == (3, 3)
            for _ in range(4):
                python_app(executors=["two"])(plus)(1)
            assert (len(one.calls), len(two.calls)) == (3, 7)
            for _ in range(4):
                python_app(executors=("two", "one"))(plus)(1)
            assert (len(one.calls), len(two.calls)) == (7, 7)

    @pytest.mark.row("APP-05")
    def test_dead_ones_get_nothing(self, manual_type):
        """While another lives."""
        with warpbeam.load(executors=[manual_type(label="one"), manual_type(label="two")], exit_mode="cancel") as kernel:
            kernel.executors["one"].host.health(Health.DEAD, "gone")
            for _ in range(4):
                python_app(plus)(1)
            assert len(kernel.executors["two"].calls) == 4

    @pytest.mark.row("APP-04", "FUT-02", "FUT-08", "FUT-09", "DFK-07")
    def test_each_kernel_has_its_own(self, manual_type):
        """Apps bound to one, and lifted access to their results, stay with it; each counts its tasks from 0."""
        config = warpbeam.Config(executors=[manual_type(runs_inline=True)])
        with warpbeam.Kernel(config) as one, warpbeam.Kernel(config) as two:
            made = [python_app(kernel=kernel)(lambda: {"a": 1j})() for kernel in (one, two, two)]
            assert [future.tid for future in made] == [0, 0, 1]
            assert made[0]["a"].imag.result() == 1
            assert [sum(kernel.task_counts.values()) for kernel in (one, two)] == [3, 2]
            with pytest.raises(warpbeam.NoKernelLoadedError):
                python_app(plus)(1)
