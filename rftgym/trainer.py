"""The contract between a run and an algorithm."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rftgym.config import RunConfig, Settings
from rftgym.curriculum import TaskOrder
from rftgym.errors import ContractError, RunFailed
from rftgym.selection import best_step, is_stale
from rftgym.types import Sampling, Task, Trajectory

if TYPE_CHECKING:
    from rftgym.env import TextEnv
    from rftgym.monitor import Monitor
    from rftgym.plugins import Plugins
    from rftgym.policy import Policy
    from rftgym.runs.directory import RunDirectory

OBSERVATION_TOKENS = 64
"""What an environment's answer to a completion is taken to be long, where the worst case is needed."""
OPENING_TOKENS = 512
"""The same for a first prompt, where the policy does not say."""


ORDER = "order.json"
"""File of a checkpoint that says how far the order of tasks has gone."""


class StopRequested(Exception):
    """Training should end after this step: :meth:`TrainContext.step_done` raises it because the user asked for it."""


class EarlyStopped(StopRequested):
    """The held-out score has stopped improving (``evaluation.patience``)."""


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
        remark: tells the user something.
        step: the last one that is done, those before a resume included.
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
    remark: Callable[[str], None] = lambda text: None
    step: int = field(init=False)
    _order: TaskOrder = field(init=False, repr=False)
    _batch: Sequence[Task] = field(init=False, default=(), repr=False)
    _monitor: Monitor | None = field(init=False, default=None, repr=False)
    _watched: dict[str, float] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.step = 0 if self.resume_from is None else int(self.resume_from.name.removeprefix("step-"))
        self._order = TaskOrder(self.env.tasks, self.config.curriculum, self.config.seed)
        if self.resume_from is not None:
            self._order.restore(_order_in(self.resume_from))

    def next_batch(self, n: int) -> tuple[list[Task], list[int]]:
        """The next ``n`` tasks to train on, in the order that the curriculum makes, and a seed for each.

        A checkpoint knows how far this has gone, so that a resumed run goes on with the same tasks: ask for a batch
        when it is played, not before.

        Returns:
            Tasks, and episode seeds: functions of (run seed, position, task) only.
        """
        steps = getattr(self.settings, "steps", None)
        first = self._order.handed
        tasks = self._order.next(n, min(1.0, self.step / steps) if steps else 0.0)
        self._batch = tasks
        return tasks, episode_seeds(self.config.seed, tasks, first)

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
        from rftgym.scoring import check_error_share

        trajectories = self.played(f"step-{step}", tasks, seeds, group_size)
        self._order.observe(trajectories)
        self.run.add_trajectories(step, trajectories)
        check_error_share(trajectories, self.config.rewards.max_error_share, where=f"step {step}")
        self.plugins.hooks.on_rollout_end(run=self.run, step=step, trajectories=trajectories)
        self._watched = self._watch(step, len(tasks), trajectories)
        return trajectories

    def _watch(self, step: int, tasks: int, trajectories: Sequence[Trajectory]) -> dict[str, float]:
        """What the monitor has to say; batches are counted by the tasks handed out, which a resume knows."""
        guard = self.config.guard
        if not guard.probe_every:
            return {}
        if self._monitor is None:
            from rftgym.monitor import Monitor

            self._monitor = Monitor(self.env, self.plugins, guard, self.config.seed, self.remark)
        batch = self._order.handed // tasks if self._order.handed else step
        return self._monitor.watch(step, batch, trajectories, self.run.metrics)

    def played(
        self,
        label: str,
        tasks: Sequence[Task],
        seeds: Sequence[int],
        group_size: int,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> list[Trajectory]:
        """Play and score episodes as :meth:`rollout` does, and keep them nowhere.

        Args:
            label: of the batch; group ``i`` is called ``label/i``.
            on_progress: called with (episodes over, episodes in all).
        """
        from rftgym.rollout.engine import play
        from rftgym.scoring import score_trajectories

        trajectories = play(
            self.env,
            self.policy,
            self.sampling,
            tasks=tasks,
            seeds=seeds,
            group_size=group_size,
            label=label,
            on_progress=on_progress,
        )
        score_trajectories(self.env.rubric, trajectories)
        return trajectories

    def step_done(self, step: int, steps: int, metrics: Mapping[str, float]) -> None:
        """Record a step: metrics line, hooks, listeners, and the evaluation that may be due.

        Steps are counted: each is done once, none is left out, neither by the algorithm nor by a resume.

        Raises:
            ContractError: this is not the step after the last one.
            StopRequested: the user wants the run to stop, or :class:`EarlyStopped`. The trainer saves a checkpoint and
                lets it pass; where it cannot be resumed at this step it goes on, and is told again at the next one.
        """
        if step != self.step + 1:
            raise ContractError(
                f"trainer {self.config.trainer.id!r} reports step {step} after step {self.step}: "
                "a step was left out or done twice"
            )
        metrics = {**metrics, **self._order.metrics(self._batch), **self._watched}
        self._watched = {}
        self.run.add_metrics(step, metrics)
        self.step = step
        self.plugins.hooks.on_step_end(run=self.run, step=step, metrics=metrics)
        for listener in self.listeners:
            listener(step, steps, metrics)
        every, last = self.config.evaluation.every, step >= steps
        if every and (step % every == 0 or last) and (self.config.takes_best or not last):
            self.evaluate_now(step)
        if not last and self._is_stale():
            raise EarlyStopped
        if not last and self.stop():
            raise StopRequested

    def is_over(self, step: int, steps: int) -> bool:
        """Whether training had ended at this step: then a trainer that resumes loads the weights and nothing else."""
        return step >= steps or self._is_stale()

    @contextmanager
    def checkpoint(self, step: int) -> Iterator[Path]:
        """Fill a checkpoint: the directory gets its name when the block ends well, and the oldest one goes."""
        with self.run.checkpoint(step, keep=self.config.checkpoints.keep) as directory:
            yield directory
            (directory / ORDER).write_text(json.dumps(self._order.state()), encoding="utf-8")
        self.forget_old()

    def forget_old(self) -> None:
        """Remove the checkpoints and the best weights that the latest checkpoint makes superfluous.

        Not before there is that one: a run that is killed goes back to an older step, and to the best one by then.
        """
        latest = self.run.latest_checkpoint()
        if latest is None:
            return
        self.run.forget_checkpoints(keep=self.config.checkpoints.keep)
        best = best_step(self.run.evaluations(), self.config.evaluation, latest[0])
        if best is not None:
            self.run.forget_best(but=best, upto=latest[0])

    def checkpoint_due(self, step: int, steps: int, *, cycle: int = 1) -> bool:
        """Whether a trainer should save a checkpoint at this step.

        Args:
            cycle: steps between those at which the trainer can be resumed; ``step`` is one of them or the last.
        """
        every = self.config.checkpoints.every
        return step >= steps or bool(every and step // every > (step - cycle) // every)

    def longest_episode_tokens(self) -> int:
        """About how long an episode can become, in tokens: prompts, observations and completions at their limits.

        At most the model's context. First prompts are those of the first tasks; an observation counts
        ``OBSERVATION_TOKENS``.
        """
        said = (self.sampling.max_tokens + OBSERVATION_TOKENS) * self.env.max_turns
        longest = self._longest_opening() + said
        model = getattr(self.policy, "model", None)
        context = getattr(model.config.get_text_config(), "max_position_embeddings", None) if model else None
        return min(longest, context) if context else longest

    def _longest_opening(self, tasks: int = 8) -> int:
        chat = getattr(self.policy, "chat", None)
        if chat is None:
            return OPENING_TOKENS
        env, lengths = self.env.spawn(), []
        for task in self.env.tasks.sample("train", tasks, self.config.seed):
            with suppress(
                Exception, SystemExit
            ):  # the rollout records what it raises; here the others will do
                lengths.append(len(chat.opening(env.start(task, self.config.seed))))
        return max(lengths, default=OPENING_TOKENS)

    def _is_stale(self) -> bool:
        settings = self.config.evaluation
        return bool(settings.patience) and is_stale(self.run.evaluations(), settings, self.step)


def _order_in(checkpoint: Path) -> Mapping[str, Any]:
    try:
        state: Mapping[str, Any] = json.loads((checkpoint / ORDER).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunFailed(
            f"checkpoint {checkpoint} cannot be resumed ({type(error).__name__}: {error}); remove it, and the run goes "
            "on from the one before"
        ) from error
    return state


def episode_seeds(seed: int, tasks: Sequence[Task], first: int = 0) -> list[int]:
    """One seed a task, a function of (run seed, position, task id) only: 31 bits of a SHA-256.

    Args:
        first: position of the first task in the run's order.
    """
    keys = (f"{seed}:{position}:{task.id}".encode() for position, task in enumerate(tasks, start=first))
    return [int.from_bytes(hashlib.sha256(key).digest()[:4], "big") >> 1 for key in keys]


class Trainer(ABC):
    """An algorithm. A class with a ``Config`` and a ``train``.

    Attributes:
        Config: its settings; most derive theirs from :class:`rftgym.config.OptimizerSettings`.
        on_policy: it learns from episodes that the policy plays, so that a look at some of them beforehand says whether
            there will be anything to learn from (``guard.preflight``).
    """

    Config: ClassVar[type[Settings]]
    on_policy: ClassVar[bool] = True

    def check(self, config: RunConfig, policy: Policy, env: TextEnv[Any]) -> None:
        """Refuse what this algorithm cannot train; called before anything is written.

        Raises:
            UsageError: names the setting and the cure.
        """

    def largest_pass(self, context: TrainContext) -> tuple[int, int] | None:
        """Rows and tokens a row of the largest forward and backward pass that training can make; None = unknown.

        The dry step makes it before step 1. Where it has to make it smaller, ``context.settings.micro_batch`` is
        lowered before ``train`` is called.
        """
        return None

    @abstractmethod
    def train(self, context: TrainContext) -> int:
        """Train until the configured number of steps; return the number of steps taken in all.

        Checkpoints go to ``context.checkpoint(step)``, complete or not at all. When ``context.resume_from`` is
        set, go on from there as if nothing had happened. :class:`StopRequested` is let through after a checkpoint was
        written.
        """
