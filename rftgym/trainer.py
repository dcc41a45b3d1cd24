"""The contract between a run and an algorithm."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rftgym.config import RunConfig, Settings
from rftgym.types import Sampling, Task, Trajectory

if TYPE_CHECKING:
    from rftgym.env import TextEnv
    from rftgym.plugins import Plugins
    from rftgym.policy import Policy
    from rftgym.runs.directory import RunDirectory


class StopRequested(Exception):
    """The user asked the run to stop; raised by :meth:`TrainContext.step_done` after a checkpoint was asked for."""


@dataclass
class TrainContext:
    """What a trainer works with.

    A run makes one; the trainer calls ``rollout``, makes its update, calls ``step_done``, step after step.

    Attributes:
        config: resolved; ``settings`` is the trainer's own part, validated.
        env: tasks, rubric and transitions.
        policy: holds the weights that the trainer updates.
        sampling: for rollouts in training.
        run: where everything is written.
        resume_from: the checkpoint directory to go on from, or None.
        evaluate_now: plays the validation tasks at a step and records the result.
        listeners: called with (step, steps, metrics) after each step: progress bars.
        stop: returns True once the user asked the run to stop.
    """

    config: RunConfig
    settings: Settings
    env: TextEnv[Any]
    policy: Policy
    sampling: Sampling
    run: RunDirectory
    plugins: Plugins
    resume_from: Path | None
    evaluate_now: Callable[[int], None]
    listeners: list[Callable[[int, int, Mapping[str, float]], None]] = field(default_factory=list)
    stop: Callable[[], bool] = lambda: False

    def rollout(
        self, step: int, tasks: Sequence[Task], seeds: Sequence[int], group_size: int
    ) -> list[Trajectory]:
        """Play and score ``group_size`` episodes of each task, store them, tell the plugins.

        Args:
            step: the optimizer step (from 1) that these episodes are for.
            tasks: one a group; ``seeds``: the group's episode seed, same length.
        Returns:
            len(tasks) * group_size trajectories, group by group.
        Raises:
            RunFailed: more of them cannot be scored than ``rewards.max_error_share`` allows.
        """
        from rftgym.rollout.engine import play
        from rftgym.scoring import check_error_share, score_trajectories

        trajectories = play(
            self.env,
            self.policy,
            self.sampling,
            tasks=tasks,
            seeds=seeds,
            group_size=group_size,
            label=f"step-{step}",
        )
        score_trajectories(self.env.rubric, trajectories)
        self.run.add_trajectories(step, trajectories)
        check_error_share(trajectories, self.config.rewards.max_error_share, where=f"step {step}")
        self.plugins.hooks.on_rollout_end(run=self.run, step=step, trajectories=trajectories)
        return trajectories

    def step_done(self, step: int, steps: int, metrics: Mapping[str, float]) -> None:
        """Record an optimizer step: metrics line, hooks, listeners, and the evaluation that may be due.

        Raises:
            StopRequested: the user wants the run to stop; the trainer saves a checkpoint and lets it pass.
        """
        self.run.add_metrics(step, metrics)
        self.plugins.hooks.on_step_end(run=self.run, step=step, metrics=metrics)
        for listener in self.listeners:
            listener(step, steps, metrics)
        every = self.config.evaluation.every
        if every and step % every == 0 and step < steps:
            self.evaluate_now(step)
        if self.stop() and step < steps:
            raise StopRequested


class Trainer(ABC):
    """An algorithm. A class with a ``Config`` and a ``train``."""

    Config: ClassVar[type[Settings]]

    def check(self, config: RunConfig, policy: Policy) -> None:
        """Refuse what this algorithm cannot train; called before anything is written.

        Raises:
            UsageError: names the setting and the cure.
        """

    @abstractmethod
    def train(self, context: TrainContext) -> int:
        """Train until the configured number of steps; return the number of optimizer steps taken in all.

        Checkpoints go to ``context.run.checkpoint(step)``, complete or not at all. When ``context.resume_from`` is
        set, go on from there as if nothing had happened. :class:`StopRequested` is let through after a checkpoint was
        written.
        """
