"""The monitor: the probes of ``rftgym audit`` played now and then in training, on tasks of the current batch.

A policy that is trained on a reward finds what pays. Every ``guard.probe_every`` batches, probes that solve nothing
are scored by the run's own rubric beside the policy's episodes. Where one of them earns as much as the policy does, the
policy may be doing what the probe does; where rewards rise and successes don't, something else than the task is learnt.

Nothing of it reaches the update: probes are drawn from the run's seed and the step, episodes are played in
environments of their own, and the process's global random state is not touched.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from rftgym.audit.attempts import Attempt, attempts_of, play, probes, solution_of
from rftgym.audit.figures import Audit, Policy
from rftgym.audit.tried import Tried
from rftgym.config import GuardSettings
from rftgym.env import TextEnv
from rftgym.plugins import Plugins
from rftgym.types import Task, Trajectory

WAYS = 2
"""Of each probe; one where an answer takes a process."""
RISE = 0.05
"""Of the mean reward, in shares of the way from the probes' floor to a solution: then it is looked at successes."""
Remark = Callable[[str], None]


@dataclass
class Monitor:
    """Plays probes in training; see the module's head.

    Attributes:
        settings: how often, and on how many tasks.
        seed: of the run.
        remark: tells the user; each kind of remark is made once.
    """

    env: TextEnv[Any]
    plugins: Plugins
    settings: GuardSettings
    seed: int
    remark: Remark
    _said: set[str] = field(default_factory=set)

    def watch(
        self,
        step: int,
        batch: int,
        trajectories: Sequence[Trajectory],
        history: Callable[[], Sequence[Mapping[str, Any]]],
    ) -> dict[str, float]:
        """Look at a batch of episodes, where it is time to.

        Args:
            step: the optimizer step that the batch is for.
            batch: its number, from 1.
            trajectories: scored.
            history: gives the run's lines of metrics so far.

        Returns:
            "probe/reward" (the best probe's mean), "probe/gap" (its gap, where a solution is known), "probe/ratio" (its
            mean over the policy's in the whole batch, both from the floor on); empty where it is not time.
        """
        every = self.settings.probe_every
        if not every or batch % every:
            return {}
        played = self._played(step, trajectories)
        if played is None or not any(each.rewards for each in played.policies):
            return {}
        metrics = self._compared(played, trajectories)
        self._check_rise(played, trajectories, history())
        return metrics

    def _played(self, step: int, trajectories: Sequence[Trajectory]) -> Audit | None:
        chosen = self._tasks(step, trajectories)
        tasks = []
        try:
            for task in chosen:
                said = solution_of(self.env, task)
                solution = None if said is None else Attempt("solution", "1", task, said)
                found = Tried(task, None, solution, rubric=self.env.rubric, same=self.env.same_answer)
                ways = 1 if self.env.slow else WAYS
                for spec in probes(self.plugins):
                    if spec.watched:
                        found.attempts += attempts_of(self.env, task, spec, self.seed + step, ways)
                tasks.append(found)
            play(self.env, [each for task in tasks for each in task.played])
        except Exception as error:  # noqa: BLE001  # a probe, or demonstrate(): a look must never end a run
            self._once("broken", f"the probes could not be played: {type(error).__name__}: {error}")
            return None
        for tried in tasks:
            tried.gold = tried.solution.reward if tried.solution else None
        return Audit(self.env.id, "train", self.seed, 1.0, tasks, self.env.rubric) if tasks else None

    def _tasks(self, step: int, trajectories: Sequence[Trajectory]) -> list[Task]:
        unique = {trajectory.task.id: trajectory.task for trajectory in trajectories}
        ids = Random(f"{self.seed}:{step}:monitor").sample(
            sorted(unique), min(len(unique), self.settings.probe_tasks)
        )
        return [unique[id] for id in ids]

    def _compared(self, played: Audit, trajectories: Sequence[Trajectory]) -> dict[str, float]:
        valued = [each for each in played.policies if each.rewards]
        earned = {each.name: _earned(played, each) for each in valued}
        best = max(valued, key=lambda each: earned[each.name])
        metrics = {"probe/reward": earned[best.name]}
        if played.worst is not None and played.worst.gaps:
            metrics["probe/gap"] = played.worst.gap
        known = [each for each in trajectories if each.reward is not None and each.score is not None]
        floor = min((task.floor for task in played.tasks if task.floor is not None), default=0.0)
        mean = _mean([each.reward or 0.0 for each in known])
        success = _mean([float(bool(each.score and each.score.success)) for each in known])
        if known and mean - floor > 0:
            metrics["probe/ratio"] = (metrics["probe/reward"] - floor) / (mean - floor)
        if known and metrics["probe/reward"] >= mean > floor:
            self._once(
                "as-good",
                f"the probe {best.name} ({_summary(self.plugins, best.probe)}) solves nothing and earns "
                f"{metrics['probe/reward']:.3f}, the policy {mean:.3f} (success {success:.0%}): it may be doing the "
                "same, or may not be ahead of it yet. `rftgym audit` shows what is paid for it",
            )
        return metrics

    def _check_rise(
        self, played: Audit, trajectories: Sequence[Trajectory], history: Sequence[Mapping[str, Any]]
    ) -> None:
        """Compare the last batches with as many before them."""
        n = self.settings.probe_every
        lines = [each for each in history if "reward/mean" in each and "success/mean" in each]
        if len(lines) < 2 * n:
            return
        former, latest = lines[-2 * n : -n], lines[-n:]
        scales = [
            task.gold - task.floor
            for task in played.tasks
            if task.gold is not None and task.floor is not None
        ]
        scale = max(scales, default=0.0) or 1.0
        rise = (_of(latest, "reward/mean") - _of(former, "reward/mean")) / scale
        gain = _of(latest, "success/mean") - _of(former, "success/mean")
        if rise > RISE and gain <= 0:
            self._once(
                "rise",
                f"over the last {n} batches the reward rose by {rise:.2f} of the way to a solution's while successes "
                f"did not ({_of(former, 'success/mean'):.1%} to {_of(latest, 'success/mean'):.1%}): the policy "
                "is learning what pays beside the task. `rftgym audit` finds what that may be",
            )

    def _once(self, kind: str, text: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            self.remark(text)


def _earned(played: Audit, policy: Policy) -> float:
    """A policy's mean reward; where it is right by luck, as where it repeats a task's solution, the floor counts."""
    found = [(task, each) for task in played.tasks for each in task.attempts if each.policy == policy.name]
    return _mean(
        [
            (task.floor or 0.0) if task.is_solution(each) else each.reward
            for task, each in found
            if each.reward is not None
        ]
    )


def _summary(plugins: Plugins, probe: str) -> str:
    return next((each.summary for each in probes(plugins) if each.id == probe), "")


def _of(lines: Sequence[Mapping[str, Any]], name: str) -> float:
    return _mean([float(each[name]) for each in lines])


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0
