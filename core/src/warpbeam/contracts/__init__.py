"""
The vocabulary of warpbeam: what plugin authors import.

Ids, states, records and one Protocol for each kind of plugin; the exceptions of `warpbeam.errors` are here as well.
"""

from __future__ import annotations

from warpbeam.contracts.configfile import ConfigReader
from warpbeam.contracts.executor import Executor, ExecutorHost, RunningExecutor
from warpbeam.contracts.hooks import Change, CheckRegistrar, CommandRegistry, ConfigDraft, Problem, Severity
from warpbeam.contracts.ids import RunId, TaskId, TryId
from warpbeam.contracts.memo import Memo, MemoCall, MemoHost, MemoItem, MemoKey, RunningMemo
from warpbeam.contracts.policy import DependencyResolver, Fail, Failure, Retry, RetryPolicy
from warpbeam.contracts.records import (
    ExecutorInfo,
    Health,
    Load,
    LossCause,
    Outcome,
    OutcomeKind,
    RunInfo,
    RunSummary,
    TaskCall,
    TaskInfo,
    Where,
)
from warpbeam.contracts.resources import RESOURCE_KEYS, Resources, parse_bytes
from warpbeam.contracts.serializer import Frame, Serializer
from warpbeam.contracts.states import FINAL_FAILURE_STATES, FINAL_STATES, TRANSITIONS, TaskState
from warpbeam.contracts.wrapper import TaskWrapper
from warpbeam.errors import *  # noqa: F403  (the errors are part of the vocabulary)
