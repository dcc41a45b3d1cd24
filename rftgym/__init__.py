"""rftgym: reinforcement fine-tuning with environments, rewards and trainers as plugins.

The public API, imported on first use so that ``import rftgym`` stays instant.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rftgym.afterimport import import_after

__version__ = "0.1.0"

_HOME = {
    "Check": "rftgym.types",
    "CommandSpec": "rftgym.specs",
    "Component": "rftgym.rubric",
    "EnvSpec": "rftgym.specs",
    "Message": "rftgym.types",
    "MultiTurnEnv": "rftgym.env",
    "Parser": "rftgym.parser",
    "ParserSpec": "rftgym.specs",
    "Policy": "rftgym.policy",
    "PolicySpec": "rftgym.specs",
    "ProbeSpec": "rftgym.specs",
    "Response": "rftgym.env",
    "RewardSpec": "rftgym.specs",
    "Rubric": "rftgym.rubric",
    "Sampling": "rftgym.types",
    "SandboxSpec": "rftgym.specs",
    "ScriptedPolicy": "rftgym.policy",
    "SingleTurnEnv": "rftgym.env",
    "TagParser": "rftgym.parser",
    "Task": "rftgym.types",
    "TaskRow": "rftgym.env",
    "TextEnv": "rftgym.env",
    "Trainer": "rftgym.trainer",
    "TrainerSpec": "rftgym.specs",
    "Trajectory": "rftgym.types",
    "Turn": "rftgym.types",
    "evaluate": "rftgym.evaluation",
    "hookimpl": "rftgym.hookspecs",
    "make": "rftgym.registry",
    "reward": "rftgym.rubric",
    "score": "rftgym.scoring",
    "train": "rftgym.training",
}
__all__ = ["__version__", *_HOME]  # names of strings, resolved by __getattr__


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'rftgym' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from rftgym.env import MultiTurnEnv, Response, SingleTurnEnv, TaskRow, TextEnv
    from rftgym.evaluation import evaluate
    from rftgym.hookspecs import hookimpl
    from rftgym.parser import Parser, TagParser
    from rftgym.policy import Policy, ScriptedPolicy
    from rftgym.registry import make
    from rftgym.rubric import Component, Rubric, reward
    from rftgym.scoring import score
    from rftgym.specs import (
        CommandSpec,
        EnvSpec,
        ParserSpec,
        PolicySpec,
        ProbeSpec,
        RewardSpec,
        SandboxSpec,
        TrainerSpec,
    )
    from rftgym.trainer import Trainer
    from rftgym.training import train
    from rftgym.types import Check, Message, Sampling, Task, Trajectory, Turn

import_after("gymnasium", "rftgym.gym")  # so that `gymnasium.make("rftgym/...")` works
