"""
Serializers, memo stores, readers and hooks that break one sentence of their contract each.
"""

from __future__ import annotations

import copy
import json
import pickle
import threading

import attrs
from warpbeam import hookimpl
from warpbeam.contracts import ConfigurationError, MemoItem, MemoKey
from warpbeam_testing import DictMemo
from warpbeam_testing.dict_memo import RunningDictMemo


# -- serializers -------------------------------------------------------------------------------------------------------------


class PlainPickle:
    """A serializer that keeps the whole contract."""

    tag = b"PP"

    def dumps(self, obj):
        buffers = []
        first = pickle.dumps(obj, 5, buffer_callback=buffers.append)
        return [first, *(buffer.raw() for buffer in buffers)]

    def loads(self, frames):
        return pickle.loads(frames[0], buffers=frames[1:])


class HasState(PlainPickle):
    def dumps(self, obj):
        self.last = obj
        return [b"0"]

    def loads(self, frames):
        return self.last


class LongTag(PlainPickle):
    tag = b"PICKLE"


class Json(PlainPickle):
    def dumps(self, obj):
        return [json.dumps(obj, default=repr).encode()]

    def loads(self, frames):
        return json.loads(bytes(frames[0]))


class SamplesAsText(PlainPickle):
    def dumps(self, obj):
        return super().dumps(repr(obj) if isinstance(obj, complex) else obj)


class CopiesShared(PlainPickle):
    def dumps(self, obj):
        return super().dumps([copy.deepcopy(one) for one in obj] if isinstance(obj, list) else obj)


class InBand(PlainPickle):
    def dumps(self, obj):
        return [pickle.dumps(obj, 5)]


class CopiesBuffers(PlainPickle):
    def dumps(self, obj):
        return [bytes(frame) for frame in super().dumps(obj)]


class OnlyBytes(PlainPickle):
    def loads(self, frames):
        assert all(type(frame) is bytes for frame in frames)
        return super().loads(frames)


class EmptiesDicts(PlainPickle):
    def dumps(self, obj):
        frames = super().dumps(obj)
        if isinstance(obj, dict):
            obj.clear()
        return frames


class Silent(PlainPickle):
    def dumps(self, obj):
        try:
            return super().dumps(obj)
        except TypeError:
            return super().dumps(None)


class ReadsRubbish(PlainPickle):
    def loads(self, frames):
        try:
            return super().loads(frames)
        except Exception:
            return None


SERIALIZERS = {
    "test_is_a_serializer": [HasState()],
    "test_tag": [LongTag()],
    "test_plain_values_come_back": [Json()],
    "test_samples_come_back": [SamplesAsText()],
    "test_shared_and_circular_objects_keep_their_shape": [CopiesShared()],
    "test_large_buffers_are_not_copied": [InBand(), CopiesBuffers()],
    "test_any_bytes_like_frames_are_read": [OnlyBytes()],
    "test_the_object_is_not_changed": [EmptiesDicts()],
    "test_what_cannot_be_serialized_raises": [Silent()],
    "test_rubbish_raises": [ReadsRubbish()],
}


# -- memo stores -------------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Mutant(DictMemo):
    running: type = RunningDictMemo

    def start(self, host):
        return self.running()


@attrs.define(kw_only=True, slots=False)
class Changeable:
    anything: int = 0
    start = DictMemo.start


@attrs.frozen(kw_only=True)
class OpensOnce(DictMemo):
    lock: object = attrs.field(factory=threading.Lock)

    def start(self, host):
        assert self.lock.acquire(blocking=False), "the store is open already"
        return RunningDictMemo()


class KeysOf(RunningDictMemo):
    def key(self, call):
        digest = self.digest(call)
        return MemoKey(digest, {"app": digest})


class ByIdentity(KeysOf):
    def digest(self, call):
        return str([id(one) for one in call.args])


class ByRepr(KeysOf):
    def digest(self, call):
        return repr((call.args, sorted(call.kwargs.items())))


class ByValueOnly(KeysOf):
    def digest(self, call):
        return str([str(one) for one in call.args])


class Unbound(RunningDictMemo):
    def key(self, call):
        return super().key(attrs.evolve(call, function=lambda *args, **kwargs: None))


class IgnoresNothing(RunningDictMemo):
    def key(self, call):
        return super().key(attrs.evolve(call, ignored=frozenset()))


class HashesAnything(KeysOf):
    def digest(self, call):
        return repr(call)


class FindsNothing(RunningDictMemo):
    def get(self, keys):
        return {}


class FindsEverything(RunningDictMemo):
    def get(self, keys):
        return {key: self.items.get(key, MemoItem()) for key in keys}


class KeepsTheFirst(RunningDictMemo):
    def put(self, items):
        super().put({key: item for key, item in items.items() if key not in self.items})


class DropsErrors(RunningDictMemo):
    def put(self, items):
        super().put({key: item for key, item in items.items() if item.error is None})


class WritesAgain(RunningDictMemo):
    def checkpoint(self):
        return len(self.items)


class StopsOnce(RunningDictMemo):
    def stop(self):
        del self.items


MEMOS = {
    "test_description": [Changeable()],
    "test_starts_several_times": [OpensOnce()],
    "test_equal_calls_have_equal_keys": [Mutant(running=ByIdentity)],
    "test_keys_are_the_same_in_the_next_process": [Mutant(running=ByRepr)],
    "test_other_calls_have_other_keys": [Mutant(running=ByValueOnly)],
    "test_the_way_of_passing_does_not_count": [Mutant(running=Unbound)],
    "test_ignored_parameters": [Mutant(running=IgnoresNothing)],
    "test_what_cannot_be_hashed_is_named": [Mutant(running=HashesAnything)],
    "test_what_was_put_is_found": [Mutant(running=FindsNothing), Mutant(running=FindsEverything)],
    "test_a_later_item_replaces": [Mutant(running=KeepsTheFirst)],
    "test_errors_are_kept_within_the_run": [Mutant(running=DropsErrors)],
    "test_checkpoint": [Mutant(running=WritesAgain)],
    "test_stop_again": [Mutant(running=StopsOnce)],
}


# -- readers -----------------------------------------------------------------------------------------------------------------


class JsonReader:
    """A reader that keeps the whole contract, for one option."""

    def read(self, path):
        try:
            options = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{path}: {error}") from error
        problems = [f"{path}: {key}: no such option; did you mean retries?" for key in options if key != "retries"]
        if not isinstance(options.get("retries", 0), int):
            problems.append(f"{path}: retries: {options['retries']!r} is no whole number")
        if problems:
            raise ConfigurationError("\n".join(problems))
        return options


class AddsOptions(JsonReader):
    def read(self, path):
        return {"lost_retries": 1, **super().read(path)}


class TellsTheFirst(JsonReader):
    def read(self, path):
        try:
            return super().read(path)
        except ConfigurationError as error:
            raise ConfigurationError(str(error).splitlines()[0]) from error


class RaisesItsOwn(JsonReader):
    def read(self, path):
        return json.loads(path.read_text())


class ReadsOnce(JsonReader):
    def read(self, path):
        raise OSError("the file is gone")


READERS = {
    "test_options_are_read": [AddsOptions()],
    "test_each_problem_has_its_line": [TellsTheFirst()],
    "test_a_broken_file_is_named": [RaisesItsOwn()],
    "test_a_missing_file_is_named": [RaisesItsOwn()],
}


# -- hooks -------------------------------------------------------------------------------------------------------------------


class WrongArgument:
    @hookimpl
    def warpbeam_run_starting(self, runs):
        pass


class NoHook:
    def warpbeam_run_starting(self, run):
        pass


class CalledForTasks:
    """Asks for itself to be called whenever a task wants to know the time."""

    @hookimpl
    def warpbeam_wrap_task(self, start):
        return self.Wrapper(start)

    class Wrapper:
        def __init__(self, start):
            self.start = start

        def __call__(self, call):
            raise RuntimeError("no task for you")


class ServesOneKernel:
    def __init__(self):
        self.run = None

    @hookimpl
    def warpbeam_check_config(self, config):
        return []

    @hookimpl
    def warpbeam_make_retry_policy(self, run):
        if self.run is not None and self.run.directory != run.directory:
            raise RuntimeError("one kernel is enough")
        self.run = run


class AnswersText:
    @hookimpl
    def warpbeam_error_hints(self, error):
        return ["two\nlines"]


class ObserverWithAnAnswer:
    @hookimpl
    def warpbeam_run_starting(self, run) -> bool:
        return False


HOOKS = {
    "test_is_accepted": [WrongArgument],
    "test_implements_a_hook": [NoHook],
    "test_a_run_with_it_ends": [CalledForTasks],
    "test_serves_several_kernels": [ServesOneKernel],
    "test_answers_have_their_types": [AnswersText],
    "test_observers_answer_nothing": [ObserverWithAnAnswer],
}
