"""Evaluation: means, intervals, pass@k and paired differences."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from itertools import combinations
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rftgym
from rftgym.errors import RunFailed, UnknownIdError, UsageError
from rftgym.evaluation import Evaluation, bootstrap_interval, episode_seed, evaluate, pass_at_k
from rftgym.intervals import share_interval
from rftgym.memory import forget_peak, peak_bytes
from rftgym.policy import Conversations, Policy, Reply, Request
from rftgym.rubric import Component
from rftgym.tasks import ListTaskset, ProceduralTaskset, Taskset
from rftgym.types import Message, Sampling, Task, Turn

# ---- intervals


def test_intervals_cover_the_true_mean_as_often_as_they_say() -> None:
    """Binary outcomes of 100 tasks, 300 times: a 95% interval may miss about one in 20."""
    rng = np.random.default_rng(7)
    hits = 0
    for trial in range(300):
        values = (rng.random(100) < 0.3).astype(float)
        interval = bootstrap_interval([[value] for value in values], trial, resamples=2000)
        hits += bool(interval["low"] <= 0.3 <= interval["high"])  # type: ignore[operator]
    assert 0.90 <= hits / 300 <= 0.985


def test_clustered_intervals_cover_where_samples_of_a_task_agree() -> None:
    """8 samples of a task that are all alike are one observation, not 8."""
    rng = np.random.default_rng(8)
    hits, widths = 0, []
    for trial in range(100):
        tasks = [[float(rng.random() < 0.5)] * 8 for _ in range(60)]
        clustered = bootstrap_interval(tasks, trial, resamples=1000)
        flat = bootstrap_interval([[value] for task in tasks for value in task], trial, resamples=1000)
        hits += bool(clustered["low"] <= 0.5 <= clustered["high"])  # type: ignore[operator]
        widths.append(_width(clustered) / _width(flat))
    assert 0.90 <= hits / 100 <= 0.99
    assert np.mean(widths) == pytest.approx(math.sqrt(8), rel=0.1)


def _width(interval: Any) -> float:
    return float(interval["high"] - interval["low"])


def test_an_interval_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(1).normal(2.0, 3.0, 400)
    interval = bootstrap_interval([[value] for value in values], 0)
    assert interval["mean"] == pytest.approx(values.mean())
    assert _width(interval) == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.05)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.floats(-1e6, 1e6), max_size=3), max_size=20), st.integers(0, 2**31))
def test_laws_of_intervals(values: list[list[float]], seed: int) -> None:
    interval = bootstrap_interval(values, seed, resamples=200)
    assert interval == bootstrap_interval(values, seed, resamples=200)
    means = [sum(task) / len(task) for task in values if task]
    if not means:
        assert interval == {"mean": None, "low": None, "high": None}
        return
    low, mean, high = interval["low"], interval["mean"], interval["high"]
    assert low is not None
    assert mean is not None
    assert high is not None
    slack = 1e-6
    assert min(means) - slack <= low <= mean <= high <= max(means) + slack
    assert mean == pytest.approx(sum(means) / len(means), abs=1e-6)


def test_resampling_in_parts_is_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [[float(i % 3)] for i in range(50)]
    whole = bootstrap_interval(values, 3)
    monkeypatch.setattr("rftgym.intervals._DRAWS_AT_A_TIME", 120)
    assert bootstrap_interval(values, 3, resamples=5000) == pytest.approx(whole, abs=0.03)


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=9), st.integers(1, 9))
def test_pass_at_k_is_the_share_of_subsets_with_a_success(successes: list[bool], k: int) -> None:
    if k > len(successes):
        assert pass_at_k(successes, k) is None
        return
    subsets = list(combinations(successes, k))
    assert pass_at_k(successes, k) == pytest.approx(sum(map(any, subsets)) / len(subsets))


# ---- evaluations


class Guess(rftgym.SingleTurnEnv):
    """Name the task's number."""

    def make_tasks(self) -> Taskset:
        return ListTaskset(Task(f"n{i}", {"number": i}, split="test") for i in range(30))

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric(
            [
                Component("right", lambda task, completion: float(completion == str(task.data["number"]))),
                Component("length", lambda completion: float(len(completion)), weight=0.0, bounds=None),
            ],
            success="right",
        )

    def prompt(self, task: Task) -> str:
        return str(task.data["number"])


def knows(share: float, *, id: str) -> rftgym.ScriptedPolicy:
    def answer(messages: Sequence[Message], rng: Random) -> str:
        return messages[-1].content if rng.random() < share else "?"

    return rftgym.ScriptedPolicy(answer, id=id)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def test_the_json_has_the_promised_shape_and_the_right_figures() -> None:
    evaluation = evaluate(Guess(), knows(0.5, id="half"), n=20, samples=4, seed=3, sampling=Sampling())
    shape = json.loads(json.dumps(evaluation.to_json(), allow_nan=False))
    promised = "env model split n success reward components tokens_per_second peak_memory_bytes"
    assert list(shape)[:9] == promised.split()
    assert (shape["env"], shape["model"], shape["split"], shape["n"], shape["samples"]) == (
        evaluation.env,
        "half",
        "test",
        20,
        4,
    )
    assert shape["tokens_per_second"] is None  # a script has no tokens
    assert shape["peak_memory_bytes"] > 2**20
    for interval in (
        shape["success"],
        shape["reward"],
        *shape["components"].values(),
        *shape["pass_at_k"].values(),
    ):
        assert set(interval) == {"mean", "low", "high"}
        assert interval["low"] <= interval["mean"] <= interval["high"]
    successes = [t.score.success for t in evaluation.trajectories if t.score]
    assert len(successes) == 80
    assert shape["success"]["mean"] == pytest.approx(mean([float(bool(s)) for s in successes]))
    assert shape["components"]["right"] == shape["reward"] == shape["success"]
    assert list(shape["pass_at_k"]) == ["1", "2", "4"]
    assert shape["pass_at_k"]["1"] == pytest.approx(shape["success"])
    any_of_4 = [float(any(successes[first : first + 4])) for first in range(0, 80, 4)]
    assert shape["pass_at_k"]["4"]["mean"] == pytest.approx(mean(any_of_4))
    assert "baseline" not in shape
    assert "difference" not in shape


def test_the_same_seed_gives_the_same_figures_and_another_one_others() -> None:
    def go(seed: int) -> dict[str, Any]:
        found = evaluate(
            Guess(), knows(0.5, id="half"), n=15, samples=2, seed=seed, sampling=Sampling()
        ).to_json()
        del found["peak_memory_bytes"]
        return found

    state = random.getstate()
    assert go(1) == go(1)
    assert go(1)["success"] != go(2)["success"]
    assert random.getstate() == state


def test_a_finite_split_is_played_once_and_n_tells_the_truth() -> None:
    evaluation = evaluate(Guess(), knows(1, id="all"), n=100, sampling=Sampling())
    assert evaluation.n == 30 == len(set(evaluation.tasks))
    assert evaluation.notes == ("split 'test' has 30 tasks, so n is 30 and not 100",)
    assert evaluation.success == {"mean": 1.0, "low": pytest.approx(0.025 ** (1 / 30)), "high": 1.0}
    assert evaluate(Guess(), knows(1, id="all"), n=30, sampling=Sampling()).notes == ()


def test_a_split_without_end_has_as_many_as_asked() -> None:
    class Endless(Guess):
        def make_tasks(self) -> Taskset:
            return ProceduralTaskset(lambda split, rng, id: Task(id, {"number": rng.random()}, split))

    assert evaluate(Endless(), knows(1, id="all"), n=70, sampling=Sampling()).n == 70


def test_model_and_baseline_play_the_same_tasks_with_the_same_seeds() -> None:
    progress: list[tuple[int, int]] = []
    evaluation = evaluate(
        Guess(),
        knows(0.9, id="good"),
        baseline=knows(0.3, id="poor"),
        n=20,
        samples=2,
        sampling=Sampling(),
        on_progress=lambda *pair: progress.append(pair),
    )
    baseline, difference = evaluation.baseline, evaluation.difference
    assert baseline is not None
    assert difference is not None
    pairs = list(zip(evaluation.trajectories, baseline.trajectories, strict=True))
    assert all((a.task, a.seed, a.sample, a.group) == (b.task, b.seed, b.sample, b.group) for a, b in pairs)
    gaps = [a.reward - b.reward for a, b in pairs if a.reward is not None and b.reward is not None]
    assert difference.reward["mean"] == pytest.approx(mean(gaps))
    assert difference.reward["low"] > 0  # type: ignore[operator]
    shape = evaluation.to_json()
    assert list(shape["baseline"])[:9] == list(shape["difference"])[:9] == list(shape)[:9]
    assert shape["difference"]["model"] == "good - poor"
    assert shape["difference"]["pass_at_k"]["2"]["mean"] == pytest.approx(
        shape["pass_at_k"]["2"]["mean"] - shape["baseline"]["pass_at_k"]["2"]["mean"]
    )
    assert progress[-1] == (80, 80)
    assert progress == sorted(progress)


def test_the_difference_is_paired() -> None:
    """Tasks differ far more than the two models do: only pairing sees the small gap."""

    class Hard(Guess):
        def make_rubric(self) -> rftgym.Rubric:
            def value(task: Task, completion: str) -> float:
                return task.data["number"] + float(completion)

            return rftgym.Rubric([Component("value", value, bounds=None)], success="value")

    evaluation = evaluate(
        Hard(),
        rftgym.ScriptedPolicy(lambda messages, rng: f"{0.5 + 0.2 * rng.random()}", id="a"),
        baseline=rftgym.ScriptedPolicy(lambda messages, rng: f"{0.2 * rng.random()}", id="b"),
        n=30,
        sampling=Sampling(),
    )
    assert evaluation.difference is not None
    assert evaluation.difference.reward["mean"] == pytest.approx(0.5)
    assert _width(evaluation.difference.reward) < 0.1 < 5 < _width(evaluation.reward)


def test_comparing_later_and_after_a_restart() -> None:
    before, after = (evaluate(Guess(), knows(p, id=f"{p}"), n=20, sampling=Sampling()) for p in (0.2, 0.8))
    stored = Evaluation.from_json(json.loads(json.dumps(before.to_json(per_task=True))))
    assert stored.to_json() == before.to_json()
    one, other = after.versus(before).difference, after.versus(stored).difference
    assert one is not None
    assert one == other
    assert "per_task" not in before.to_json()
    with pytest.raises(UsageError, match="same tasks"):
        after.versus(evaluate(Guess(), knows(0.5, id="x"), n=19, sampling=Sampling()))


def test_what_cannot_be_scored_is_left_out_and_said() -> None:
    class Touchy(Guess):
        def respond(self, state: None, turn: Turn, rng: Random) -> rftgym.Response:
            if self.trajectory.task.data["number"] % 3 == 0:
                raise RuntimeError("threes are broken")
            return super().respond(state, turn, rng)

    evaluation = evaluate(
        Touchy(), knows(1, id="all"), baseline=knows(0, id="none"), n=30, sampling=Sampling()
    )
    assert evaluation.success["mean"] == 1.0
    assert (evaluation.n, evaluation.unscored) == (30, 10)
    assert evaluation.notes == ("10 of 30 episodes could not be scored and are left out",)
    assert evaluation.failures == {f"environment {evaluation.env}: RuntimeError: threes are broken": 10}
    assert evaluation.difference is not None
    assert (evaluation.difference.n, evaluation.difference.unscored) == (20, 10)
    assert evaluation.difference.success["mean"] == 1.0


def test_where_nothing_can_be_scored_the_evaluation_fails_and_says_why() -> None:
    class Down(Guess):
        def respond(self, state: None, turn: Turn, rng: Random) -> rftgym.Response:
            raise ConnectionError("refused")

    with pytest.raises(RunFailed, match=r"no episode can be scored\. .*ConnectionError: refused\. Mend"):
        evaluate(Down(), knows(1, id="all"), n=5, sampling=Sampling())


def test_a_metric_that_is_unknown_does_not_make_a_reward_unknown() -> None:
    class Metric(Guess):
        def make_rubric(self) -> rftgym.Rubric:
            unknown = Component("unknown", lambda completion: None, weight=0.0)
            return rftgym.Rubric([*super().make_rubric().components, unknown], success="right")

    evaluation = evaluate(Metric(), knows(1, id="all"), n=5, sampling=Sampling())
    assert evaluation.components["unknown"] == {"mean": None, "low": None, "high": None}
    assert (evaluation.success["mean"], evaluation.unscored) == (1.0, 0)


class Tokens(Policy):
    """Answers with three tokens."""

    id = "tokens"

    def open(self, sampling: Sampling) -> Conversations:
        class Talk(Conversations):
            rows: Sequence[Request] = ()

            def submit(self, requests: Sequence[Request]) -> None:
                self.rows = requests

            def run(self, steps: int | None = None) -> list[Reply]:
                return [
                    Reply(r.row, f"{sampling.max_tokens}", (1,), (1, 2, 3), (-1.0,) * 3) for r in self.rows
                ]

        return Talk()


def test_tokens_per_second_counts_what_was_sampled() -> None:
    evaluation = evaluate(Guess(), Tokens(), n=20, sampling=Sampling())
    assert evaluation.tokens_per_second is not None
    assert evaluation.tokens_per_second > 60 / 10


def test_bad_requests() -> None:
    policy = knows(1, id="all")
    with pytest.raises(UsageError, match="no tasks in split 'validation'"):
        evaluate(Guess(), policy, split="validation", sampling=Sampling())
    with pytest.raises(UsageError, match="n=0"):
        evaluate(Guess(), policy, n=0)
    with pytest.raises(UsageError, match="samples=0"):
        evaluate(Guess(), policy, samples=0)
    with pytest.raises(UnknownIdError, match="unknown env 'wordel'"):
        evaluate("wordel", policy)


def test_an_unknown_baseline_is_found_out_before_the_model_plays() -> None:
    def never(messages: Sequence[Message], rng: Random) -> str:
        raise AssertionError("played before the baseline was checked")

    with pytest.raises(UsageError, match="nobody"):
        evaluate(Guess(), rftgym.ScriptedPolicy(never), baseline="nobody", sampling=Sampling())


def test_environments_and_models_by_id() -> None:
    from rftgym.plugins import Plugins

    class Plugin:
        @rftgym.hookimpl
        def rftgym_environments(self) -> list[rftgym.EnvSpec]:
            defaults = {"sampling.max_tokens": 7, "sampling.temperature": 0.5}
            return [rftgym.EnvSpec("guess", f"{__name__}:Guess", train_defaults=defaults)]

        @rftgym.hookimpl
        def rftgym_policies(self) -> list[rftgym.PolicySpec]:
            return [rftgym.PolicySpec("tokens", f"{__name__}:tokens")]

    plugins = Plugins()
    plugins.add(Plugin(), name="test")
    evaluation = evaluate("guess", "tokens", baseline="tokens", n=9, plugins=plugins)
    assert (evaluation.env, evaluation.model) == ("guess", "tokens")
    assert evaluation.trajectories[0].turns[0].completion == "7"  # the environment's own sampling settings
    assert evaluation.difference is not None
    assert evaluation.difference.success == {"mean": 0.0, "low": 0.0, "high": 0.0}


def tokens(settings: Any, *, trainable: bool = False, **kwargs: Any) -> Policy:
    return Tokens()


def test_episode_seeds_are_what_they_were() -> None:
    seeds = [episode_seed(0, index) for index in range(1000)]
    assert len(set(seeds)) == 1000
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert seeds[:2] == [726838589, 617694561]


def test_the_peak_of_memory_is_seen() -> None:
    forget_peak()
    before = peak_bytes()
    block = np.ones(2**24, dtype=np.float64)  # 128 MiB
    after = peak_bytes()
    del block
    assert before is not None
    assert after is not None
    assert after - before > 100 * 2**20


@pytest.mark.parametrize("n", [1, 20, 200])
def test_shares_without_a_success_or_a_failure_have_exact_bounds(n: int) -> None:
    """Clopper and Pearson: the share at which 0 of n has a chance of 2.5%."""
    none = share_interval([[0.0]] * n, 0)
    every = share_interval([[1.0]] * n, 0)
    assert (none["mean"], none["low"], every["mean"], every["high"]) == (0.0, 0.0, 1.0, 1.0)
    assert (1 - none["high"]) ** n == pytest.approx(0.025)
    assert every["low"] ** n == pytest.approx(0.025)
    assert share_interval([[0.0], [1.0]] * 9, 0) == bootstrap_interval([[0.0], [1.0]] * 9, 0)
