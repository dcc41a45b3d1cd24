"""Evaluation: how good a model is on held-out tasks, and how sure that is."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from time import perf_counter
from typing import Any, TypeVar

from rftgym.config import ModelSettings, SamplingSettings, dotted, parsed
from rftgym.env import TextEnv
from rftgym.errors import RunFailed, UsageError
from rftgym.intervals import Interval, bootstrap_interval, pass_at_k, share_interval
from rftgym.memory import forget_peak, peak_bytes
from rftgym.plugins import Plugins
from rftgym.policy import Policy
from rftgym.registry import defaults_of, installed, make, make_policy, policy_spec
from rftgym.rollout.engine import play
from rftgym.scoring.batch import score_trajectories, unscored_reasons
from rftgym.tasks import SPLITS
from rftgym.types import Sampling, Task, Trajectory

__all__ = ["Evaluation", "Interval", "bootstrap_interval", "evaluate", "pass_at_k"]

Number = TypeVar("Number", int, float)
Values = Mapping[str, Sequence[Sequence[float]]]
"""By measure ("success", "reward", "component/<name>"): for each task, the values of the samples that have one."""
_PLAIN = (
    *(
        "env",
        "model",
        "split",
        "n",
        "success",
        "reward",
        "components",
        "tokens_per_second",
        "peak_memory_bytes",
    ),
    *("samples", "seed", "unscored", "failures"),
)


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found. Means are over tasks, with 95% bootstrap intervals.

    Attributes:
        n: tasks played, ``samples`` episodes each.
        success: Interval of the success rate; ``reward`` and ``components`` likewise.
        pass_at_k: the chance of at least one success in k samples, for k = 1, 2, 4... up to ``samples``.
        tokens_per_second: sampled tokens by wall-clock time, environments included; None for a policy without
            tokens.
        peak_memory_bytes: of the GPU where one was used, else of the process.
        unscored: episodes that could not be scored; they are left out of every mean. In a difference: tasks
            without a pair.
        failures: the commonest things that went wrong, with counts.
        notes: what a reader has to know, in sentences.
        baseline: the evaluation this one was compared with.
        difference: this minus the baseline, paired by task.
        tasks: their ids; ``values`` has the figures behind the means, task by task in this order.
        trajectories: the episodes, task by task.
    """

    env: str
    model: str
    split: str
    n: int
    success: Interval
    reward: Interval
    components: dict[str, Interval]
    tokens_per_second: float | None
    peak_memory_bytes: int | None
    samples: int
    seed: int
    pass_at_k: dict[int, Interval]
    unscored: int
    failures: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    baseline: Evaluation | None = None
    difference: Evaluation | None = None
    tasks: tuple[str, ...] = field(default=(), repr=False)
    values: Values = field(default_factory=dict, repr=False)
    trajectories: tuple[Trajectory, ...] = field(default=(), repr=False)

    def to_json(self, *, per_task: bool = False) -> dict[str, Any]:
        """The shape that ``rftgym eval --json`` prints.

        Args:
            per_task: also the figures task by task, from which :meth:`from_json` makes an evaluation that can
                be compared.
        """
        result: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN}
        result["pass_at_k"] = {str(k): interval for k, interval in self.pass_at_k.items()}
        result["notes"] = list(self.notes)
        if per_task:
            result["per_task"] = {
                "tasks": list(self.tasks),
                "values": {k: [list(v) for v in vs] for k, vs in self.values.items()},
            }
        for name in ("baseline", "difference"):
            other = getattr(self, name)
            if other is not None:
                result[name] = other.to_json()
        return result

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Evaluation:
        """What :meth:`to_json` wrote with ``per_task``, without trajectories, baseline and difference."""
        return cls(
            **{name: data[name] for name in _PLAIN},
            pass_at_k={int(k): interval for k, interval in data["pass_at_k"].items()},
            notes=tuple(data["notes"]),
            tasks=tuple(data["per_task"]["tasks"]),
            values=data["per_task"]["values"],
        )

    def versus(self, baseline: Evaluation) -> Evaluation:
        """This evaluation with a baseline and the paired difference to it.

        Raises:
            UsageError: they are not of the same tasks.
        """
        return replace(self, baseline=baseline, difference=_difference(self, baseline))


def evaluate(
    env: str | TextEnv[Any],
    model: str | Policy = "tiny",
    *,
    baseline: str | Policy | None = None,
    split: str = "test",
    n: int = 256,
    samples: int = 1,
    seed: int = 0,
    sampling: Sampling | None = None,
    plugins: Plugins | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Play tasks of a split and say how well the model did.

    Args:
        model: what ``--model`` takes, or a policy.
        baseline: another model, which plays the same tasks with the same seeds.
        n: tasks; a finite split has no more than it has.
        samples: episodes a task; more than one give pass@k.
        seed: of the choice of tasks, the episodes and the intervals.
        sampling: by default what the environment asks ``train`` to use.
        on_progress: called with (episodes over, episodes in all), those of the baseline included.
    Raises:
        UsageError: an unknown id or split, or ``n`` or ``samples`` below 1.
        RunFailed: not one episode could be scored; says why.
    """
    if n < 1 or samples < 1:
        raise UsageError(f"an evaluation needs at least 1 task and 1 sample, not n={n} and samples={samples}")
    made = make(env, plugins=plugins) if isinstance(env, str) else env
    size = made.tasks.size(split)
    if size == 0:
        raise UsageError(
            f"environment {made.id!r} has no tasks in split {split!r}; splits are {', '.join(SPLITS)}"
        )
    models = [model] if baseline is None else [model, baseline]
    for each in models:  # a misspelt baseline is found out before the model plays for minutes
        if isinstance(each, str):
            policy_spec(each, plugins or installed())
    count = n if size is None else min(n, size)
    plan = _Plan(
        made,
        split,
        made.tasks.sample(split, count, seed),
        samples,
        seed,
        sampling or _default_sampling(made.id, plugins or installed()),
        plugins,
        (f"split {split!r} has {size} tasks, so n is {count} and not {n}",) if count < n else (),
    )
    episodes = count * samples

    def progress_from(first: int) -> Callable[[int, int], None]:
        return lambda over, _: on_progress(first + over, episodes * len(models)) if on_progress else None

    results = [_evaluate(plan, each, progress_from(index * episodes)) for index, each in enumerate(models)]
    return results[0] if baseline is None else results[0].versus(results[1])


@dataclass(frozen=True)
class _Plan:
    """What is the same for a model and its baseline."""

    env: TextEnv[Any]
    split: str
    tasks: list[Task]
    samples: int
    seed: int
    sampling: Sampling
    plugins: Plugins | None
    notes: tuple[str, ...]


def episode_seed(seed: int, index: int) -> int:
    """The seed of an evaluation's ``index``-th group: 31 bits of BLAKE2b over ``"evaluation:seed:index"``."""
    digest = hashlib.blake2b(b"evaluation:%d:%d" % (seed, index), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


def _default_sampling(env_id: str, plugins: Plugins) -> Sampling:
    defaults = defaults_of(env_id, plugins) if env_id in plugins.ids("env") else {}
    settings: SamplingSettings = parsed(
        SamplingSettings, dotted(defaults).get("sampling", {}), where=f"environment {env_id!r}"
    )
    return settings.to_sampling()


def _evaluate(plan: _Plan, model: str | Policy, on_progress: Callable[[int, int], None]) -> Evaluation:
    policy = make_policy(ModelSettings(id=model), plugins=plan.plugins) if isinstance(model, str) else model
    forget_peak()
    started = perf_counter()
    seeds = [episode_seed(plan.seed, index) for index in range(len(plan.tasks))]
    trajectories = play(
        plan.env,
        policy,
        plan.sampling,
        tasks=plan.tasks,
        seeds=seeds,
        group_size=plan.samples,
        label=f"evaluation-{plan.split}",
        on_progress=on_progress,
    )
    seconds = perf_counter() - started
    memory = peak_bytes()
    score_trajectories(plan.env.rubric, trajectories)
    name = model if isinstance(model, str) else model.id
    return _summed_up(plan, name, trajectories, seconds, memory)


def _summed_up(
    plan: _Plan, model: str, trajectories: list[Trajectory], seconds: float, memory: int | None
) -> Evaluation:
    unscored = sum(trajectory.reward is None for trajectory in trajectories)
    if unscored == len(trajectories):
        raise RunFailed(
            f"evaluation of {model!r}: no episode can be scored. {unscored_reasons(trajectories)}"
        )
    note = f"{unscored} of {len(trajectories)} episodes could not be scored and are left out"
    failures = Counter(f"{f.stage} {f.name}: {f.kind}: {f.message}" for t in trajectories for f in t.failures)
    tokens = sum(len(turn.completion_ids) for trajectory in trajectories for turn in trajectory.turns)
    names = plan.env.rubric.measures
    groups = [
        trajectories[first : first + plan.samples] for first in range(0, len(trajectories), plan.samples)
    ]
    values = _values(groups, names)
    return Evaluation(
        env=plan.env.id,
        model=model,
        split=plan.split,
        n=len(plan.tasks),
        success=share_interval(values["success"], plan.seed),
        reward=bootstrap_interval(values["reward"], plan.seed),
        components={name: _interval(name, values[f"component/{name}"], plan.seed) for name in names},
        tokens_per_second=tokens / seconds if tokens else None,
        peak_memory_bytes=memory,
        samples=plan.samples,
        seed=plan.seed,
        pass_at_k={k: share_interval(_passes(values, k), plan.seed) for k in _powers_of_two(plan.samples)},
        unscored=unscored,
        failures=dict(failures.most_common(10)),
        notes=(*plan.notes, *((note,) if unscored else ())),
        tasks=tuple(task.id for task in plan.tasks),
        values=values,
        trajectories=tuple(trajectories),
    )


def _interval(name: str, values: Sequence[Sequence[float]], seed: int) -> Interval:
    """A component's; the success of an environment in a mix is a share like the success of the whole."""
    return (share_interval if name.endswith("/success") else bootstrap_interval)(values, seed)


def _values(groups: Sequence[Sequence[Trajectory]], components: Sequence[str]) -> Values:
    scores = [
        [t.score for t in group if t.score is not None and t.score.reward is not None] for group in groups
    ]
    values: dict[str, list[list[float]]] = {
        "success": [[float(bool(score.success)) for score in group] for group in scores],
        "reward": [[score.reward for score in group if score.reward is not None] for group in scores],
    }
    for (
        name
    ) in components:  # a component may be known where the reward as a whole is not, and the other way round
        known = [[t.score.components.get(name) for t in group if t.score is not None] for group in groups]
        values[f"component/{name}"] = [[value for value in group if value is not None] for group in known]
    return values


def _passes(values: Values, k: int) -> list[list[float]]:
    chances = [pass_at_k([value == 1.0 for value in task], k) for task in values["success"]]
    return [[] if chance is None else [chance] for chance in chances]


def _powers_of_two(limit: int) -> Iterator[int]:
    return takewhile(lambda k: k <= limit, (2**i for i in range(limit.bit_length())))


def _difference(model: Evaluation, baseline: Evaluation) -> Evaluation:
    if (model.env, model.tasks) != (baseline.env, baseline.tasks) or not model.tasks:
        raise UsageError(
            f"{model.model!r} and {baseline.model!r} did not play the same tasks and cannot be compared"
        )

    def paired(ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]) -> Interval:
        both = zip(ours, theirs, strict=True)
        return bootstrap_interval([[_mean(a) - _mean(b)] if a and b else [] for a, b in both], model.seed)

    names = [name for name in model.components if name in baseline.components]
    pairs = [bool(a and b) for a, b in zip(model.values["success"], baseline.values["success"], strict=True)]
    return Evaluation(
        env=model.env,
        model=f"{model.model} - {baseline.model}",
        split=model.split,
        n=sum(pairs),
        success=paired(model.values["success"], baseline.values["success"]),
        reward=paired(model.values["reward"], baseline.values["reward"]),
        components={
            name: paired(*(e.values[f"component/{name}"] for e in (model, baseline))) for name in names
        },
        tokens_per_second=_minus(model.tokens_per_second, baseline.tokens_per_second),
        peak_memory_bytes=_minus(model.peak_memory_bytes, baseline.peak_memory_bytes),
        samples=min(model.samples, baseline.samples),
        seed=model.seed,
        pass_at_k={
            k: paired(_passes(model.values, k), _passes(baseline.values, k))
            for k in model.pass_at_k
            if k in baseline.pass_at_k
        },
        unscored=len(pairs) - sum(pairs),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _minus(ours: Number | None, theirs: Number | None) -> Number | None:
    return None if ours is None or theirs is None else ours - theirs
