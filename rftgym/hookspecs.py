"""Every extension point of rftgym, on one page.

A plugin is a module named in the ``[project.entry-points.rftgym]`` table of its distribution. It implements any of
the hooks below as functions marked with :data:`hookimpl`::

    from rftgym import EnvSpec, hookimpl

    @hookimpl
    def rftgym_environments():
        return [EnvSpec(id="sudoku", entry_point="rftgym_sudoku.env:SudokuEnv", summary="Fill the grid")]

Registration hooks are called once, when the plugins are discovered; they return specs, which are strings, so nothing
heavy is imported. Run-time hooks are called during a run; an exception in one is a failure of the run and names the
plugin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

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
from rftgym.types import Check

if TYPE_CHECKING:
    from rftgym.runs.directory import RunDirectory
    from rftgym.types import Trajectory

PROJECT = "rftgym"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def rftgym_environments() -> Sequence[EnvSpec]:  # type: ignore[empty-body]
    """Register environments."""


@hookspec
def rftgym_rewards() -> Sequence[RewardSpec]:  # type: ignore[empty-body]
    """Register reward components that can be added to any environment."""


@hookspec
def rftgym_parsers() -> Sequence[ParserSpec]:  # type: ignore[empty-body]
    """Register parsers: how an answer is read out of a completion."""


@hookspec
def rftgym_policies() -> Sequence[PolicySpec]:  # type: ignore[empty-body]
    """Register policies: models, endpoints, scripts; what ``--model`` can name."""


@hookspec
def rftgym_trainers() -> Sequence[TrainerSpec]:  # type: ignore[empty-body]
    """Register algorithms: what ``--trainer`` can name."""


@hookspec
def rftgym_sandboxes() -> Sequence[SandboxSpec]:  # type: ignore[empty-body]
    """Register sandboxes for code nobody trusts."""


@hookspec
def rftgym_commands() -> Sequence[CommandSpec]:  # type: ignore[empty-body]
    """Register subcommands of ``rftgym``."""


@hookspec
def rftgym_probes() -> Sequence[ProbeSpec]:  # type: ignore[empty-body]
    """Register probes: ways to earn a reward without solving the task, which ``rftgym audit`` and the monitor try."""


@hookspec
def rftgym_checks() -> Sequence[Check]:  # type: ignore[empty-body]
    """Say what this machine offers to the plugin, and what cures what it lacks: asked by ``rftgym doctor`` alone."""


@hookspec
def on_train_begin(run: RunDirectory, config: Mapping[str, Any]) -> None:
    """A run is about to take its first step (or to go on, when resumed). ``config`` is the resolved configuration."""


@hookspec
def on_rollout_end(run: RunDirectory, step: int, trajectories: Sequence[Trajectory]) -> None:
    """A batch of episodes was played and scored. They must not be changed."""


@hookspec
def on_step_end(run: RunDirectory, step: int, metrics: Mapping[str, float]) -> None:
    """An optimizer step was taken; ``metrics`` is the line just written to ``metrics.jsonl``."""


@hookspec
def on_evaluate(run: RunDirectory, step: int, evaluation: Mapping[str, Any]) -> None:
    """An evaluation ended; ``evaluation`` has the shape that ``rftgym eval --json`` prints."""


@hookspec
def on_train_end(run: RunDirectory, result: Mapping[str, Any]) -> None:
    """The run ended in good order; ``result`` has the shape that ``rftgym train --json`` prints."""
