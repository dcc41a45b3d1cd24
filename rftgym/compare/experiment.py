"""A whole comparison: its directory, its jobs in an order that their needs allow, and the files at its end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rftgym.compare.folders import (
    WRITER,
    created,
    is_over,
    job_folder,
    measures_of,
    publish,
    read_plan,
    run_of,
)
from rftgym.compare.jobs import Job, all_jobs, arm_config, job_config, reported_id, work_units
from rftgym.compare.plan import Plan
from rftgym.compare.pool import Inline, Outcome, Pool, Processes
from rftgym.compare.rates import chosen_trial
from rftgym.compare.results import collected
from rftgym.compare.watcher import Watcher
from rftgym.compare.work import Order
from rftgym.config import RunConfig
from rftgym.errors import PluginError, RftgymError, RunFailed
from rftgym.plugins import Plugins, Portable
from rftgym.registry import installed
from rftgym.runs import atomic
from rftgym.training import never


class ComparisonStopped(RunFailed):
    """The comparison was asked to stop and did; its message says how to go on."""


@dataclass
class _Comparison:
    """A comparison under way."""

    directory: Path
    plan: Plan
    plugins: Plugins
    watcher: Watcher
    jobs: list[Job]
    workers: int
    over: set[str] = field(default_factory=set)
    lost: dict[str, str] = field(default_factory=dict)
    units: dict[str, float] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)
    worked: float = 0.0

    def __post_init__(self) -> None:
        self.over = {job.id for job in self.jobs if is_over(self.directory, job.id)}
        for job in self.jobs:
            self.units[job.id] = work_units(job, self.config(job, rate=None, weights=None))

    def config(self, job: Job, *, rate: float | None, weights: str | None) -> RunConfig:
        """Of a job's run."""
        runs = str(job_folder(self.directory, job.id))
        return job_config(self.plan, job, self.plugins, runs=runs, rate=rate, weights=weights)


def compare(
    plan: Plan,
    *,
    root: str | Path = "comparisons",
    workers: int | None = None,
    plugins: Plugins | None = None,
    watcher: Watcher | None = None,
    stop: Callable[[], bool] = never,
) -> dict[str, Any]:
    """Make a comparison from its plan.

    Args:
        plan: of :func:`rftgym.compare.plan.planned`.
        root: directory that the comparison's own directory goes into.
        workers: processes at once, each with one thread; None: one a usable core, or one where a GPU is in use. The
            scores do not depend on it.
        plugins: others than those installed; worker processes register them too. Where one is an object of this
            process only, the jobs are done here.
        watcher: told what happens.
        stop: asked several times a second; once it returns True, runs under way write a checkpoint and everything
            stops.

    Returns:
        {"comparison": path, and what is in results.json}.

    Raises:
        UsageError: a setting of an arm is wrong, or nothing can be written there.
        ComparisonStopped: ``stop`` returned True; the message says how to go on.
        RunFailed: a run failed; the others are done, and the message says how to try again.
    """
    for arm in plan.runs_trained:  # a wrong setting is found before anything is written
        arm_config(plan, arm, plan.sizes[-1], plugins or installed())
    directory = created(Path(root), plan, plugins or installed())
    return _carry_out(directory, plan, workers, plugins, watcher or Watcher(), stop)


def resume(
    path: str | Path,
    *,
    workers: int | None = None,
    plugins: Plugins | None = None,
    watcher: Watcher | None = None,
    stop: Callable[[], bool] = never,
) -> dict[str, Any]:
    """Go on with a comparison that was stopped or killed: what is over stays, runs go on from their checkpoints.

    Raises:
        UsageError: there is no comparison at ``path``, or another process is at it.
    """
    directory = Path(path)
    plan = read_plan(directory)
    return _carry_out(directory.resolve(), plan, workers, plugins, watcher or Watcher(), stop)


def _carry_out(
    directory: Path,
    plan: Plan,
    workers: int | None,
    plugins: Plugins | None,
    watcher: Watcher,
    stop: Callable[[], bool],
) -> dict[str, Any]:
    known = plugins or installed()
    portable = _portable(known)
    count = 1 if portable is None else workers or _usable_workers(plan)
    with atomic.claim(directory / WRITER):
        atomic.sweep(directory)
        state = _Comparison(directory, plan, known, watcher, all_jobs(plan), count)
        watcher.planned(directory, plan, len(state.jobs), len(state.over))
        with Inline(known) if portable is None else Processes(count, directory / "log", portable) as pool:
            _work(state, pool, stop)
        results = collected(directory, plan, known)
        publish(directory, plan, results)
    return {"comparison": str(directory), **results}


def _portable(plugins: Plugins) -> list[Portable] | None:
    """What worker processes register beyond what is installed; None where only this process has a plugin."""
    try:
        return plugins.portable()
    except PluginError:
        return None


def _usable_workers(plan: Plan) -> int:
    """One a core; a GPU is not shared unless the user says so."""
    if plan.settings.get("model", {}).get("device", "auto") == "auto":
        import torch

        if torch.cuda.is_available():
            return 1
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


# ---- jobs


def _work(state: _Comparison, pool: Pool, stop: Callable[[], bool]) -> None:
    """Do every job that is not over.

    Raises:
        ComparisonStopped, RunFailed: see :func:`compare`.
    """
    under_way: set[str] = set()
    while True:
        for job in _ready(state, under_way)[: 0 if stop() else pool.free()]:
            pool.submit(_order(state, job))
            under_way.add(job.id)
        if not under_way:
            break
        outcome = pool.wait(stop)
        under_way.remove(outcome.id)
        _take(state, outcome)
    again = f"rftgym compare --resume {state.directory}"
    if len(state.over) < len(state.jobs) and stop():
        raise ComparisonStopped(f"stopped; go on with: {again}")
    if state.lost:
        first, reason = next(iter(state.lost.items()))
        more = f" (and {len(state.lost) - 1} more)" if len(state.lost) > 1 else ""
        raise RunFailed(f"{first}{more} failed: {reason}. What is over is kept; try again with: {again}")


def _ready(state: _Comparison, under_way: set[str]) -> list[Job]:
    """Jobs that can begin, in the order of the plan."""
    taken = state.over | under_way | set(state.lost)
    return [job for job in state.jobs if job.id not in taken and state.over.issuperset(job.needs)]


def _take(state: _Comparison, outcome: Outcome) -> None:
    if outcome.status == "failed":
        state.lost[outcome.id] = outcome.reason
        state.watcher.failed(outcome.id, outcome.reason)
    if outcome.status != "done":
        return
    state.over.add(outcome.id)
    state.worked += state.units[outcome.id]
    score = _score(state.directory, outcome.id)
    state.watcher.finished(outcome.id, score, len(state.over), len(state.jobs), _seconds_left(state))
    if outcome.id == "base" and (left := _seconds_left(state)) is not None:
        state.watcher.estimated(left)


def _seconds_left(state: _Comparison) -> float | None:
    """From what is done since this process began; while one job alone was done, no other has run beside it."""
    if not state.worked:
        return None
    left = sum(units for id, units in state.units.items() if id not in state.over)
    pace = (time.monotonic() - state.begun) / state.worked
    alone = state.worked == state.units["base"]
    return pace * left / (state.workers if alone else 1)


def _score(directory: Path, id: str) -> float | None:
    measures = measures_of(directory, id)
    test: Mapping[str, Any] | None = measures.get("test")
    if "run" in measures:
        test = run_of(directory, id).evaluations()["after"]
    return None if test is None else test["success"]["mean"]


def _order(state: _Comparison, job: Job) -> Order:
    """A job as a worker gets it: with the learning rate that was chosen and the weights to start from."""
    rate = _rate(state, job) if job.trains else None
    config = state.config(job, rate=rate, weights=_weights(state, job))
    if job.arm == "few-shot":
        env = config.env.model_copy(update={"shots": state.plan.shots})
        config = config.model_copy(update={"env": env})
    longest = 0
    if job.arm == "few-shot":
        longest = measures_of(state.directory, "base")["test"]["longest_tokens"]
    return Order(
        id=job.id,
        folder=str(job_folder(state.directory, job.id)),
        config=config.model_dump(mode="json"),
        kind="trial" if job.factor is not None else "train" if job.trains else "evaluate",
        base=arm_config(state.plan, "base", 0, state.plugins).model.model_dump(mode="json"),
        others=state.plan.others,
        other_tasks=state.plan.other_tasks,
        longest=longest,
    )


def _rate(state: _Comparison, job: Job) -> float:
    """The arm's own learning rate, times the factor that is tried or that did best."""
    config = arm_config(state.plan, job.arm, job.size, state.plugins)
    default = float(config.trainer.own["learning_rate"])
    if job.factor is not None:
        return default * job.factor
    trial = chosen_trial(state.directory, state.plan, job.arm, config.evaluation.measure)
    return default if trial is None or trial.factor is None else default * trial.factor


def _weights(state: _Comparison, job: Job) -> str | None:
    """SFT then RFT starts from what the SFT arm made of the same tasks; a trial of it from the SFT arm's best trial."""
    if job.arm != "sft-rft":
        return None
    if job.factor is None:
        start = reported_id("sft", job.size, job.seed)
    else:
        measure = arm_config(state.plan, "sft", job.size, state.plugins).evaluation.measure
        trial = chosen_trial(state.directory, state.plan, "sft", measure)
        if trial is None:
            raise RftgymError("the SFT arm has no trials to start from")
        start = trial.id
    return str(run_of(state.directory, start).adapter)
