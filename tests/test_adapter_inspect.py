"""Our environments as tasks of inspect-ai: run by inspect, with its own scripted model, against our evaluation."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

import rftgym
from rftgym.env import TextEnv
from rftgym.errors import UsageError
from rftgym.evaluation import Evaluation, evaluate
from rftgym.policy import ScriptedPolicy
from rftgym.tasks import ListTaskset, ProceduralTaskset

inspect_ai = pytest.importorskip("inspect_ai", reason="pip install 'rftgym[inspect]'")
from inspect_ai.model import ModelOutput, ModelUsage, get_model  # noqa: E402

from rftgym.adapters.inspect_ai import task as rftgym_task  # noqa: E402

pytestmark = pytest.mark.timeout(120)
WORDS = ("crane", "slate", "moist", "bided")
Say = Callable[[Sequence[str]], str]


def babble(history: Sequence[str]) -> str:
    """Plays Wordle and does sums, badly; what it says hangs on the conversation alone."""
    rng = Random("|".join(history))
    return f"<guess>{rng.choice(WORDS)}</guess><answer>{rng.randrange(12)}</answer>"


def log_of(
    task: Any, say: Say, folder: Path, *, stop_reason: str = "stop", model: Any = None, **settings: Any
) -> Any:
    """The log of an evaluation by inspect with its own scripted model."""

    def answer(messages: Any, *_: Any) -> ModelOutput:
        output = ModelOutput.from_content("mockllm", say([message.text for message in messages]), stop_reason)
        output.usage = ModelUsage()  # or it is estimated, with a tokenizer that is fetched from the net
        return output

    played = get_model("mockllm/model", custom_outputs=answer)
    (log,) = inspect_ai.eval(task, model=played, log_dir=str(folder), display="none", **settings)
    return log


def metrics(log: Any) -> dict[str, dict[str, float]]:
    assert log.status == "success", log.error
    return {
        score.name: {name: metric.value for name, metric in score.metrics.items()}
        for score in log.results.scores
    }


def ours(env: str | TextEnv[Any], say: Say, **settings: Any) -> Evaluation:
    policy = ScriptedPolicy(lambda messages, rng: say([message.content for message in messages]))
    return evaluate(env, policy, **settings)


@pytest.mark.parametrize(("env", "samples"), [("math", 1), ("wordle", 3), ("wordle:2,math:1", 2)])
def test_inspect_measures_what_we_measure(env: str, samples: int, tmp_path: Path) -> None:
    log = log_of(rftgym_task(env, n=12, seed=3, samples=samples), babble, tmp_path)
    mine = ours(env, babble, n=12, seed=3, samples=samples)
    theirs = metrics(log)
    assert sorted(sample.metadata["rftgym_task"] for sample in log.samples) == sorted(mine.tasks * samples)
    assert math.isclose(theirs["success"]["accuracy"], mine.success["mean"] or 0.0)
    assert math.isclose(theirs["reward"]["mean"], mine.reward["mean"] or 0.0)
    assert "stderr" in theirs["success"] and "stderr" in theirs["reward"]
    for name, interval in mine.components.items():
        if interval["mean"] is not None:
            assert math.isclose(theirs[name]["mean"], interval["mean"], abs_tol=1e-12), name
    said = {(s.metadata["rftgym_seed"], s.epoch): [(m.role, m.text) for m in s.messages] for s in log.samples}
    for trajectory in mine.trajectories:
        key = (trajectory.seed, trajectory.sample + 1)
        assert said[key] == [(message.role, message.content) for message in trajectory.messages]


def test_a_perfect_player_is_told_so(tmp_path: Path) -> None:
    env = rftgym.make("math")
    answers = {}
    for chosen in env.tasks.sample("test", 10, 0):
        talk = env.demonstrate(chosen, 0)
        assert talk is not None
        answers[env.spawn().start(chosen, 0)[-1].content] = talk[-1].content
    log = log_of(rftgym_task(env, n=10), lambda history: answers[history[-1]], tmp_path)
    assert metrics(log)["success"]["accuracy"] == 1.0


@rftgym.reward()
def judged(completion: str) -> float | None:
    if "ill" in completion:
        raise RuntimeError("the judge is ill")
    return None if "who knows" in completion else float("yes" in completion)


@rftgym.reward(weight=0)
def noted(completion: str) -> float | None:
    return None if "no note" in completion else 0.5


class Asked(rftgym.SingleTurnEnv):
    """Asks a number; the player below answers by it."""

    def make_tasks(self) -> ListTaskset:
        return ListTaskset([rftgym.Task(f"t{n}", {"n": n}, "test") for n in range(6)])

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([judged, noted], success="judged")

    def prompt(self, task: rftgym.Task) -> str:
        return str(task.data["n"])

    def respond(self, state: None, turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        if turn.completion == "crash":
            raise KeyError("respond is ill")
        return rftgym.Response(terminated=True)


def test_what_cannot_be_scored_is_unscored_and_not_wrong(tmp_path: Path) -> None:
    said = ["yes", "yes, no note", "no", "ill", "who knows", "crash"]
    log = log_of(rftgym_task(Asked(), n=6), lambda history: said[int(history[0])], tmp_path)
    theirs = metrics(log)
    assert theirs["success"]["accuracy"] == 2 / 3 and theirs["reward"]["mean"] == 2 / 3
    assert theirs["noted"]["mean"] == 0.5
    counts = {score.name: (score.scored_samples, score.unscored_samples) for score in log.results.scores}
    assert counts["success"] == counts["reward"] == (3, 3) and counts["noted"] == (2, 4)
    why = {sample.input[0].text: next(iter(sample.scores.values())).explanation for sample in log.samples}
    assert "the judge is ill" in why["3"] and "None" in why["4"] and "KeyError" in why["5"]
    mine = ours(Asked(), lambda history: said[int(history[0])], n=6)
    assert mine.success["mean"] == theirs["success"]["accuracy"] and mine.unscored == 3


def test_an_episode_that_does_not_start_is_unscored_as_here(tmp_path: Path) -> None:
    class Unwell(Asked):
        def prompt(self, task: rftgym.Task) -> str:
            if task.data["n"] == 2:
                raise RuntimeError("no prompt today")
            return super().prompt(task)

    log = log_of(rftgym_task(Unwell(), n=6), lambda history: "yes", tmp_path)
    assert metrics(log)["success"]["accuracy"] == 1.0
    counts = {score.name: (score.scored_samples, score.unscored_samples) for score in log.results.scores}
    assert counts["success"] == (5, 1)
    (why,) = [score.explanation for s in log.samples for score in s.scores.values() if score.explanation]
    assert "no prompt today" in why
    mine = ours(Unwell(), lambda history: "yes", n=6)
    assert mine.success["mean"] == 1.0 and mine.unscored == 1


def test_where_nothing_can_be_scored_there_is_no_figure(tmp_path: Path) -> None:
    log = log_of(rftgym_task(Asked(), n=2), lambda history: "ill", tmp_path)
    assert log.status == "success"
    assert all(score.scored_samples == 0 for score in log.results.scores)


def test_a_limit_of_inspects_cuts_an_episode_which_is_scored_as_it_is(tmp_path: Path) -> None:
    log = log_of(rftgym_task("wordle", n=2), babble, tmp_path, message_limit=6)
    mine = ours(rftgym.make("wordle", max_turns=2), babble, n=2)
    assert metrics(log)["reward"]["mean"] == mine.reward["mean"]
    for sample in log.samples:
        (score,) = sample.scores.values()
        assert score.metadata["truncated"] and score.metadata["turns"] == 2


def test_a_full_context_ends_the_episode(tmp_path: Path) -> None:
    log = log_of(rftgym_task("wordle", n=1), babble, tmp_path, stop_reason="model_length")
    (score,) = log.samples[0].scores.values()
    assert score.metadata == {"terminated": False, "truncated": True, "turns": 1}


def test_a_model_that_fails_is_inspects_error_and_no_wrong_answer(tmp_path: Path) -> None:
    def fail(history: Sequence[str]) -> str:
        if history[0] == "1":
            raise RuntimeError("the model is ill")
        return "yes"

    log = log_of(rftgym_task(Asked(), n=6), fail, tmp_path, fail_on_error=False)
    assert metrics(log)["success"]["accuracy"] == 1.0
    assert [sample.error is not None for sample in log.samples].count(True) == 1


def test_a_log_can_be_scored_again(tmp_path: Path) -> None:
    made = rftgym_task("wordle:2,math:1", n=6, seed=1)
    log = log_of(made, babble, tmp_path)
    again = inspect_ai.score(
        log, rftgym_task("wordle:2,math:1", n=6, seed=1).scorer, action="overwrite", display="none"
    )
    for name, figures in metrics(log).items():
        assert metrics(again)[name] == pytest.approx(figures)


def test_it_is_found_by_name_with_arguments_of_the_command_line(tmp_path: Path) -> None:
    (folder := tmp_path / "rftgym_inspect-0.1.dist-info").mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: rftgym-inspect\nVersion: 0.1\n")
    (folder / "entry_points.txt").write_text("[inspect_ai]\nrftgym = rftgym.adapters.inspect_ai\n")
    program = f"""
import sys; sys.path.insert(0, {str(tmp_path)!r})
import inspect_ai
from inspect_ai._cli.util import parse_cli_args
from inspect_ai.model import ModelOutput, ModelUsage, get_model
def answer(*_):
    output = ModelOutput.from_content("mockllm", "<guess>crane</guess>")
    output.usage = ModelUsage()
    return output
arguments = parse_cli_args(["env=wordle:2,math:1", "n=4", "split=validation"])
model = get_model("mockllm/model", custom_outputs=answer)
(log,) = inspect_ai.eval("rftgym/task", task_args=arguments, model=model, log_dir={str(tmp_path)!r}, display="none")
print(log.status, log.eval.task, len(log.samples), log.eval.metadata)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert "success rftgym/task 4" in done.stdout, done.stdout + done.stderr[-2000:]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"env": "wordel"}, "wordle"),
        ({"env": "wordle", "split": "dev"}, "dev"),
        ({"env": "wordle", "n": 0}, "n=0"),
        ({"env": "wordle", "n": "many"}, "n='many'"),
        ({"env": "wordle", "n": 2.5}, "n=2.5"),
        ({"env": "wordle", "samples": 0}, "samples=0"),
        ({"env": "wordle", "seed": 1.5}, "seed=1.5"),
        ({"env": 3}, "env=3"),
        ({"env": []}, r"env=\[\]"),
        ({"env": ["wordle", 2]}, "list of ids"),
        ({"env": "wordle", "colour": "red"}, "colour"),
        ({"env": Asked(), "max_turns": 2}, "max_turns"),
    ],
)
def test_what_cannot_be_is_bad_usage(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        rftgym_task(**arguments)


def test_a_task_that_comes_twice_is_two_samples(tmp_path: Path) -> None:
    class Again(Asked):
        def make_tasks(self) -> ProceduralTaskset:  # type: ignore[override]
            return _Again()

    log = log_of(rftgym_task(Again(), n=3), lambda history: "yes", tmp_path)
    assert sorted(sample.id for sample in log.samples) == ["one", "one (2)", "one (3)"]


class _Again(ProceduralTaskset):
    """An endless walk over one task."""

    def __init__(self) -> None:
        pass

    def size(self, split: str) -> int | None:
        return None

    def item(self, split: str, index: int, seed: int = 0) -> rftgym.Task:
        return self.by_id("one")

    def by_id(self, id: str) -> rftgym.Task:
        return rftgym.Task("one", {"n": 1}, "test")
