"""``rftgym audit``: it finds holes made on purpose, says nothing against sound judges; first-party ones pass."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym.audit import Attempt, Audit, Tried, audit
from rftgym.audit.attempts import attempts_of, play, probes, replayed
from rftgym.audit.report import escaped, text
from rftgym.audit.tried import ceiling, unearned
from rftgym.cli import main
from rftgym.config import EnvSettings, RewardSettings
from rftgym.errors import PluginError, UsageError
from rftgym.plugins import discover
from rftgym.registry import installed, make_configured
from rftgym.specs import ProbeSpec
from rftgym.tasks import ProceduralTaskset
from rftgym.types import Score, Task, Trajectory

GAMEABLE = Path(__file__).parent / "gameable" / "holes.py"
QUICK = ("math", "dataset", "chess", "tool-use", "diagnosis", "wordle")
SLOW = (
    "chess-play",
    "code",
    "sql",
    "transpile-java-python",
    "transpile-javascript-python",
    "transpile-python-java",
    "transpile-python-javascript",
    "triton-kernels",
    "triton-kernels-generated",
    "triton-kernels-repair",
)
HEAVY = {"transpile-python-java": 3, "triton-kernels-repair": 3}
"""Tasks, where each answer takes a JVM, or three attempts."""


def _holes() -> ModuleType:
    """The file beside this one: tests are no package, so that it cannot be imported by name."""
    name = "gameable_holes"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, GAMEABLE)
        assert spec is not None and spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


holes = _holes()
PROBES = tuple(installed().ids("probe"))


# ---- holes made on purpose


@pytest.mark.parametrize("hole", holes.HOLES, ids=lambda hole: hole.__name__)
def test_a_hole_is_found_by_a_probe_that_fits(hole: Any) -> None:
    found = audit(hole(), n=20)
    assert not found.passes and (found.gap["mean"] or 0) > 0.3
    assert set(hole.found_by) <= {policy.probe for policy in found.holes}
    assert found.worst is not None and found.worst.name in text(found)


def test_there_are_holes_of_many_kinds() -> None:
    assert len(holes.HOLES) >= 8 and all(hole.found_by for hole in holes.HOLES)


def test_a_sound_judge_passes() -> None:
    found = audit(holes.Sums(), n=50)
    assert found.passes and found.gap == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert not found.wins and not found.survivors and not found.unscored and not found.guessed


def test_a_judge_that_lets_spoilt_answers_pass_is_shown() -> None:
    found = audit(holes.LooseNumbers(), n=20)
    by_probe = {policy.probe for policy in found.spoilt if policy.successes}
    assert set(holes.LooseNumbers.spoilt_by) <= by_probe and (found.spoilt_share or 0) > 0.02
    assert "Spoilt solutions" in text(found) and "mutants/backwards" in text(found)


def test_a_reward_that_the_user_adds_is_audited_with_the_rest() -> None:
    def gap(**rewards: Any) -> float:
        env = make_configured(EnvSettings(id="dataset"), RewardSettings(**rewards))
        return audit(env, n=10).gap["mean"] or 0.0

    assert gap() <= 0.1 < 0.4 < gap(add={"brevity": 1.0})


# ---- what is measured


def scored(
    reward: float | None, *, success: bool = False, answer: Any = None, spoils: bool = False
) -> Attempt:
    task = Task("t", {})
    trajectory = Trajectory("env", task, 0, turns=[rftgym.Turn((), "x", answer=answer)])
    trajectory.score = Score(reward, None if reward is None else success, {})
    return Attempt("probe", "1", task, "x", spoils, trajectory)


REWARDS = st.floats(-10, 10, allow_nan=False)


@given(REWARDS, st.lists(REWARDS, min_size=1))
def test_the_lowest_is_0_and_the_solution_1(gold: float, rewards: list[float]) -> None:
    solution = scored(gold, success=True, answer="right")
    tried = Tried(solution.task, gold, solution, [scored(each) for each in rewards])
    lowest = min(tried.attempts, key=lambda each: each.reward or 0.0)
    if gold - min(rewards) > 1e-6:
        assert tried.gap(solution) == pytest.approx(1)
        assert tried.gap(lowest) == pytest.approx(0)
        gaps = [tried.gap(each) for each in tried.attempts]
        assert all(gap is not None and gap >= 0 for gap in gaps)
    elif gold <= min(rewards):
        assert all(tried.gap(each) == 1 for each in tried.attempts)  # the reward cannot tell


def test_what_cannot_be_scored_has_no_gap() -> None:
    solution = scored(1.0, success=True)
    tried = Tried(solution.task, 1.0, solution, [scored(None), scored(0.0)])
    assert tried.gap(tried.attempts[0]) is None and tried.floor == 0


def an_audit(successes: Sequence[bool], answers: Sequence[str]) -> Audit:
    """One policy on as many tasks; the right answer is "right"."""
    tasks = []
    for won, answer in zip(successes, answers, strict=True):
        solution = scored(1.0, success=True, answer="right")
        attempts = [scored(float(won), success=won, answer=answer), scored(0.0, spoils=True)]
        tasks.append(Tried(solution.task, 1.0, solution, attempts))
    return Audit("env", "train", 0, 0.1, tasks, holes.Sums().rubric)


def test_being_right_by_luck_stands_beside_the_gap() -> None:
    found = an_audit([True, True, *[False] * 8], ["right", "right", *["wrong"] * 8])
    assert found.gap["mean"] == 0 and found.passes and not found.wins
    assert found.luckiest is not None and found.luckiest.luck == pytest.approx(0.2)


def test_a_win_with_another_answer_counts_in_full() -> None:
    found = an_audit([True, True, *[False] * 8], ["right", "strange", *["wrong"] * 8])
    assert found.gap["mean"] == pytest.approx(0.1) and len(found.wins) == 1


def test_being_right_too_often_is_no_luck() -> None:
    found = an_audit([True] * 6 + [False] * 4, ["right"] * 6 + ["wrong"] * 4)
    assert found.gap["mean"] == pytest.approx(0.6) and not found.passes


def test_penalties_make_no_floor() -> None:
    class Penalised(holes.Sums):  # type: ignore[misc, name-defined]
        def make_rubric(self) -> rftgym.Rubric:
            def shouting(completion: str) -> float:
                return -float("!" in completion)

            parts = [
                rftgym.Component("correct", self.judge),
                rftgym.Component("shouting", shouting, bounds=(-1.0, 0.0)),
            ]
            return rftgym.Rubric(parts, success="correct")

    found = audit(Penalised(), n=10)
    assert any(each.reward == -1 for task in found.tasks for each in task.attempts)
    assert found.passes and found.gap["mean"] == 0


def test_without_solutions_gold_is_the_most_that_can_be_paid() -> None:
    class Silent(holes.Substring):  # type: ignore[misc, name-defined]
        def demonstrate(self, task: Task, seed: int) -> None:
            return None

    found = audit(Silent(), n=10)
    assert len(found.guessed) == 10 and found.worst is not None and found.worst.probe == "options"
    assert not found.passes and not found.spoilt and not found.unearned
    assert "Gold is unknown, since demonstrate() shows no solution" in text(found)


class Styled(holes.Sums):  # type: ignore[misc, name-defined]
    """Pays 0.2 for tags, 1 for the sum and 0.8 more for speed, and promises 4 for a style that no answer has."""

    shown: tuple[str, ...] = ()

    def make_rubric(self) -> rftgym.Rubric:
        def tagged(answer: str | None) -> float:
            return float(answer is not None)

        def style(completion: str) -> float:
            return float(completion == "a style that nothing has")

        parts = [
            rftgym.Component("tagged", tagged, weight=0.2),
            rftgym.Component("correct", self.judge),
            rftgym.Component("speed", lambda completion: 1.0, weight=0.8, needs=("correct",)),
            rftgym.Component("style", style, weight=4.0),
        ]
        return rftgym.Rubric(parts, success="correct")

    def demonstrate(self, task: Task, seed: int) -> list[rftgym.Message] | None:
        return super().demonstrate(task, seed) if task.id in self.shown else None  # type: ignore[no-any-return]


def test_what_nobody_earns_does_not_make_the_gap_small() -> None:
    found = audit(Styled(), n=10)
    assert found.unearned == {"style": 4.0} and {task.gold for task in found.tasks} == {2.0}
    assert found.gap["mean"] == pytest.approx(0.1) and found.passes  # of 6 it would be 0.033
    said = text(found)
    assert "the most that the rewards can pay, 2 without what nothing here earned: style (4)." in said
    assert found.to_json()["gold"] == "ceiling" and found.to_json()["unearned"] == {"style": 4.0}


def test_a_solution_on_some_tasks_is_said_so_and_tells_what_can_be_earned() -> None:
    some = Styled()
    some.shown = tuple(task.id for task in some.tasks.survey("train", 10, 0)[:4])
    found = audit(some, n=10)
    assert len(found.guessed) == 6 and found.to_json()["guessed"] == 6
    assert "Gold is unknown on 6 of 10 tasks" in text(found)
    assert {task.gold for task in found.tasks} == {2.0}  # solutions earn 2, and nothing earns style


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_where_success_pays_nothing_all_that_can_be_paid_stays_in_gold(weight: float) -> None:
    def none(trajectory: Trajectory) -> float:
        return 0.0

    parts = [rftgym.Component("won", none, weight=weight), rftgym.Component("outcome", none, weight=3.0)]
    lost = Score(0.0, False, {"won": 0.0, "outcome": 0.0})
    found = unearned(rftgym.Rubric(parts, success="won"), [lost])
    assert found == ({"outcome": 3.0} if weight else {})
    assert not unearned(rftgym.Rubric(parts, success="won"), [lost, Score(3.0, False, {"outcome": 1.0})])
    assert not unearned(rftgym.Rubric(parts, success="won", combine="product"), [lost])


def test_the_most_that_a_rubric_can_pay() -> None:
    parts = [
        rftgym.Component("a", lambda completion: 1.0, weight=0.5),
        rftgym.Component("b", lambda completion: 1.0, weight=-1.0),
        rftgym.Component("c", lambda completion: 1.0, weight=0.0, bounds=None),
    ]
    assert ceiling(rftgym.Rubric(parts, success="a")) == 0.5
    assert ceiling(rftgym.Rubric(parts[:1], success="a", combine="product")) == 1.0
    assert ceiling(rftgym.Rubric(parts, success="a", clip=(-1, 0.3))) == 0.3
    assert ceiling(rftgym.Rubric(parts, success="a", clip=(-1, 9))) == 0.5
    unbounded = rftgym.Component("d", lambda completion: 1.0, bounds=None)
    assert ceiling(rftgym.Rubric([unbounded], success="d")) is None
    assert ceiling(rftgym.Rubric([unbounded], success="d", clip=(0, 9))) == 9


def test_without_solutions_and_bounds_nothing_is_measured() -> None:
    class Unbounded(holes.Unshown):  # type: ignore[misc, name-defined]
        def make_rubric(self) -> rftgym.Rubric:
            def much(answer: str | None) -> float:
                return 3.0 if answer else 0.0

            parts = [rftgym.Component("much", much, bounds=None), rftgym.Component("correct", self.judge)]
            return rftgym.Rubric(parts, success="correct")

    found = audit(Unbounded(), n=5)
    assert found.gap["mean"] is None and not found.passes
    assert "gap unknown" in text(found) and "5 of 5 tasks count nowhere" in text(found)
    json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.parametrize("wrong", [None, ValueError("no number")])
def test_rewards_that_value_hardly_anything_do_not_pass(wrong: Exception | None) -> None:
    class Picky(holes.Sums):  # type: ignore[misc, name-defined]
        def judge(self, completion: str, answer: str | None, task: Task) -> float | None:
            if answer == task.data["answer"]:
                return 1.0
            if wrong is not None:
                raise wrong
            return None

    found = audit(Picky(), n=5)
    assert not found.holes and found.scored_share < 0.1 and not found.passes
    assert "could value only" in text(found)


def test_one_probe_alone_is_not_its_own_floor(tmp_path: Path) -> None:
    probe = tmp_path / "mine.py"
    probe.write_text("def tags(env, task, rng):\n    return ['<answer>x</answer>']\n")
    found = audit(holes.FormatOnly(), n=5, probe_ids=[f"{probe}:tags"])
    assert found.gap["mean"] == pytest.approx(0.8) and len(found.policies) == 1


def test_luck_is_told_beside_what_the_commonest_answer_would_earn() -> None:
    found = an_audit([True, True, *[False] * 8], ["right", "right", *["wrong"] * 8])
    assert found.commonest == 1  # every solution is "right"
    assert "(the commonest answer is right on 100%)" in text(found)


def test_a_solution_that_fails_is_told() -> None:
    class Mistaken(holes.Sums):  # type: ignore[misc, name-defined]
        def demonstrate(self, task: Task, seed: int) -> list[rftgym.Message]:
            return [rftgym.Message("user", "?"), rftgym.Message("assistant", "<answer>no</answer>")]

    found = audit(Mistaken(), n=5)
    assert len(found.unsolved) == 5 and not found.passes
    said = text(found)
    assert "solution is no success on 5 tasks (" in said and "Mend that first" in said
    assert said.splitlines()[-1].startswith("not ok  ") and "does not win on 5 tasks" in said.splitlines()[-1]


def test_a_solution_that_cannot_be_scored_is_told_with_the_reason() -> None:
    def long(answer: str) -> float:
        return float(len(answer))

    env = holes.Sums()
    env.rubric = env.rubric.changed(add=[rftgym.Component("long", long)])
    found = audit(env, n=5)
    said = text(found)
    assert "solution cannot be scored on 5 tasks (" in said and "outside of its bounds" in said
    assert "is no success" not in said and not found.passes


def test_the_last_line_says_whether_it_passes_and_what_pays() -> None:
    assert text(audit(holes.Sums(), n=5)).splitlines()[-1].startswith("ok      ")
    last = text(audit(holes.LengthBonus(), n=5)).splitlines()[-1]
    assert last.startswith("not ok  ") and last.endswith("the worst mostly by length")
    assert "more than 0.1 of a solution" in last


@pytest.mark.parametrize("command", ["audit", "bench"])
def test_a_reward_in_the_place_of_an_environment_is_told_how_it_is_taken(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "taste.py"
    file.write_text("import rftgym\n\n\n@rftgym.reward()\ndef short(completion):\n    return 1.0\n")
    for id in ("brevity", f"{file}:short", str(file)):
        assert main([command, id]) == 2
        said = capsys.readouterr().err
        assert (
            f"is a reward, which needs an environment to judge: rftgym {command} wordle --reward {id}=0.2"
            in said
        )
    assert main([command, f"{file}:long"]) == 2
    assert "has no 'long'" in capsys.readouterr().err


def test_an_environment_that_raises_is_data() -> None:
    class Brittle(holes.Sums):  # type: ignore[misc, name-defined]
        def respond(self, state: None, turn: rftgym.Turn, rng: Random) -> rftgym.Response:
            if "\ud800" in turn.completion:
                raise ValueError("half a character")
            return super().respond(state, turn, rng)  # type: ignore[no-any-return]

    found = audit(Brittle(), n=5)
    assert sum(found.unscored.values()) == 10 and "half a character" in next(iter(found.unscored))
    assert "could not be scored" in text(found)


def test_the_same_seed_gives_the_same_audit() -> None:
    def told(seed: int) -> dict[str, Any]:
        found = audit("dataset", n=12, seed=seed).to_json()
        return {name: value for name, value in found.items() if name != "seconds"}

    assert told(3) == told(3) and told(3) != told(4)
    json.dumps(told(3), allow_nan=False)


def test_an_audit_draws_nothing_from_the_process() -> None:
    import random

    before = random.getstate()
    audit("math", n=3)
    assert random.getstate() == before


def test_the_last_words_are_repeated_until_the_episode_ends() -> None:
    env = rftgym.make("wordle")
    task = env.tasks.item("train", 0)
    episode = replayed(env, task, ("<guess>crane</guess>", "<guess>moist</guess>"))
    assert [turn.info["guess"] for turn in episode.turns] == ["crane", *["moist"] * 5]


# ---- probes are plugins


def test_every_probe_has_something_to_say_and_says_it_again() -> None:
    env = rftgym.make("tool-use")
    task = env.tasks.item("train", 3)
    for spec in probes(installed()):
        once, again = (attempts_of(env, task, spec, 5) for _ in range(2))
        assert once and [each.said for each in once] == [each.said for each in again], spec.id


def test_no_probe_of_policies_asks_for_the_answer() -> None:
    """Policies must not know it: they say the same whatever the task's data hold beyond the question."""
    env = holes.Sums()
    one = Task("train-0-0", {"one": 11, "other": 5, "answer": "16"})
    other = Task("train-0-0", {"one": 11, "other": 5, "answer": "777"})
    for spec in probes(installed()):
        said = [[each.said for each in attempts_of(env, task, spec, 0)] for task in (one, other)]
        assert (said[0] == said[1]) is not spec.spoils, spec.id


def test_a_probe_of_ones_own_is_played(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    probe = tmp_path / "mine.py"
    probe.write_text("def magic(env, task, rng):\n    return ['<answer>xyzzy</answer>']\n")
    command = ["audit", f"{GAMEABLE}:KnownCheat", "-n", "5", "--probe", f"{probe}:magic", "--json"]
    assert main(command) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["gap"]["mean"] == 1 and found["policy"] == f"{probe}:magic/1"


@pytest.mark.parametrize("given", ["one text", [3], {"way": [None]}, [["fine"], 3]])
def test_a_probe_that_gives_no_text_is_named(given: object) -> None:
    plugins = discover([])
    plugins.register(ProbeSpec("odd", f"{__name__}:odd"))
    globals()["odd"] = lambda env, task, rng: given
    sys.modules.setdefault(__name__, sys.modules[test_a_probe_that_gives_no_text_is_named.__module__])
    with pytest.raises(PluginError, match="'odd'"):
        audit(holes.Sums(), n=1, plugins=plugins)


@pytest.mark.parametrize("name", ["cheats", "demonstrate"])
def test_an_author_who_fails_is_named(name: str) -> None:
    def fail(self: Any, *arguments: Any) -> None:
        raise RuntimeError("not today")

    env = type("Failing", (holes.Sums,), {name: fail})()
    with pytest.raises(PluginError, match=rf"{name}\(\) of .*train-0-.*not today"):
        audit(env, n=1)


def test_an_author_may_know_many_cheats() -> None:
    class Many(holes.KnownCheat):  # type: ignore[misc, name-defined]
        def cheats(self, task: Task) -> dict[str, str]:
            return {**{f"way {i}": str(i) for i in range(99)}, **super().cheats(task)}

    assert not audit(Many(), n=5, probe_ids=["cheats"]).passes


def test_cheats_without_names_are_refused() -> None:
    env = type("Unnamed", (holes.Sums,), {"cheats": lambda self, task: ["a"]})()
    with pytest.raises(PluginError, match="no mapping"):
        audit(env, n=1)


def test_what_is_said_twice_is_played_once() -> None:
    env, task = holes.Sums(), holes.Sums().tasks.item("train", 0)
    one, other = (Attempt("probe", way, task, "same") for way in "12")
    play(env, [one, other])
    assert one.trajectory is other.trajectory is not None


# ---- the command


def test_the_command_says_what_it_found_and_how_it_ended(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", f"{GAMEABLE}:Sums", "-n", "10"]) == 0
    assert "Gameability gap 0.000" in capsys.readouterr().out
    assert main(["audit", f"{GAMEABLE}:Substring", "-n", "10"]) == 1
    said = capsys.readouterr().out
    assert "options/numbers" in said and "Paid too much" in said
    assert main(["audit", f"{GAMEABLE}:Substring", "-n", "10", "--max-gap", "1"]) == 0
    capsys.readouterr()


def test_a_weight_of_the_users_changes_the_gap(capsys: pytest.CaptureFixture[str]) -> None:
    gaps = []
    for weight in ("0.5", "0"):
        main(["audit", f"{GAMEABLE}:LengthBonus", "-n", "5", "--weight", f"length={weight}", "--json"])
        gaps.append(json.loads(capsys.readouterr().out)["gap"]["mean"])
    assert gaps[0] > 0.3 and gaps[1] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-env"], "unknown env"),
        (["dataset", "--probe", "no-such-probe"], "unknown probe"),
        (["./nothing.py:Env"], "no file"),
        (["dataset", "--weight", "nothing=2"], "no reward component"),
        (["dataset", "-n", "0"], "-n"),
    ],
)
def test_bad_usage_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", *arguments]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and not captured.out


def test_a_split_without_tasks_is_refused() -> None:
    with pytest.raises(UsageError, match="no tasks in split"):
        audit(holes.Sums(), split="nowhere")
    nothing = type("Nothing", (ProceduralTaskset,), {"size": lambda self, split: 0})
    empty = type("Empty", (holes.Sums,), {"make_tasks": lambda self: nothing(holes.sum_task)})
    with pytest.raises(UsageError, match="any split"):
        audit(empty())


def test_what_was_said_cannot_steer_a_terminal() -> None:
    found = audit(holes.Folded(), n=5)
    said = text(found)
    assert all(letter.isprintable() or letter == "\n" for letter in said)
    assert escaped("\x1b[31m\ud800") == "\\x1b[31m\\ud800"


# ---- first-party environments


def report(found: Audit) -> str:
    return text(found)


@pytest.mark.parametrize("id", QUICK)
def test_a_first_party_environment_pays_little_for_nothing(id: str) -> None:
    found = audit(id, n=30)
    assert found.passes, report(found)


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.timeout(900)
@pytest.mark.parametrize("id", SLOW)
def test_a_slow_first_party_environment_pays_little_for_nothing(id: str) -> None:
    found = audit(id, n=HEAVY.get(id))
    assert found.passes, report(found)


def test_every_first_party_environment_is_audited() -> None:
    first_party = {
        each.spec.id
        for each in installed().registrations("env")
        if each.plugin.distribution == "rftgym" and not getattr(each.spec, "scheme", None)
    }
    assert first_party == {*QUICK, *SLOW}


@pytest.mark.parametrize("id", [*QUICK, "code", "sql", "chess-play", "triton-kernels"])
def test_an_environment_knows_cheats(id: str) -> None:
    env = rftgym.make(id)
    ways: Mapping[str, Sequence[str] | str] = env.cheats(env.tasks.item("train", 0))
    assert len(ways) >= 10 and all(said for said in ways.values())


def test_a_mix_is_audited_part_by_part() -> None:
    found = audit("math:2,tool-use:1", n=5)
    assert len(found.tasks) == 10 and found.passes, report(found)
    assert {each.part for each in found.policies} == {"math", "tool-use"}


def test_no_part_of_a_mix_hides_behind_the_others() -> None:
    found = audit(f"dataset:3,{GAMEABLE}:FormatOnly:1", n=5)
    assert found.gap["mean"] == pytest.approx(0.8) and not found.passes
    assert (
        found.worst is not None and found.worst.part in found.worst.name and "FormatOnly" in found.worst.part
    )
    assert found.to_json()["policies"][0]["part"] == found.worst.part


def test_the_most_that_can_be_paid_is_that_of_the_part() -> None:
    found = audit(f"dataset:1,{GAMEABLE}:Unshown:1", n=5)
    assert found.guessed and {task.gold for task in found.tasks if "Unshown" in task.part} == {1.0}
    assert found.gap["mean"] == 1


def test_an_argument_handed_back_is_no_translation() -> None:
    """What the audit found: a sort of what is sorted already, an absolute value of what is positive."""
    env = rftgym.make("transpile-java-python")
    from rftgym_transpile.truth import truth_of

    assert (
        truth_of(
            [[[1, 2]], [[2, 1]], [[3]]], [{"returns": [1, 2]}, {"returns": [1, 2]}, {"returns": [3]}]
        ).constant
        == 2
    )
    assert env.cheats(env.tasks.item("train", 0))["first argument"]


# ---- the monitor in training


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Any]:
    """The same short run with probes after every batch, and without."""
    return {every: _trained(tmp_path_factory.mktemp(f"every{every}"), every) for every in (0, 1)}


def _trained(folder: Path, every: int) -> tuple[dict[str, Any], list[str]]:
    from rftgym.training import Progress

    remarks: list[str] = []

    class Listening(Progress):
        def remark(self, step: int, text: str) -> None:
            remarks.append(text)

    config = rftgym_config(folder, every)
    return rftgym.train(config, progress=Listening()), remarks


def rftgym_config(folder: Path, every: int) -> Any:
    from rftgym.training import resolve

    settings = {
        "env": "wordle",
        "trainer": {"id": "grpo", "steps": 2, "prompts": 2, "group_size": 2},
        "evaluation": {"n": 1, "every": 0},
        "checkpoints": {"every": 0},
        "guard": {"preflight": "off", "dry_step": False, "probe_every": every},
        "runs": str(folder),
    }
    return resolve([settings], installed())


def _metrics(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    lines = (Path(result["run"]) / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_probes_are_in_the_metrics_and_nothing_else_changes(watched: dict[int, Any]) -> None:
    (off, _), (on, _) = watched[0], watched[1]
    for bare, line in zip(_metrics(off), _metrics(on), strict=True):
        assert {"probe/reward", "probe/gap"} <= set(line)
        assert 0 <= line["probe/gap"] < 0.3
        kept = {
            name for name in bare if not name.startswith(("time", "seconds", "tokens_per_second", "memory"))
        }
        assert {name: bare[name] for name in kept} == {name: line[name] for name in kept}


def test_the_weights_are_the_same_with_and_without_probes(watched: dict[int, Any]) -> None:
    files = [
        (Path(watched[every][0]["run"]) / "adapter" / "adapter_model.safetensors").read_bytes()
        for every in (0, 1)
    ]
    assert files[0] == files[1]


def monitor(env: Any, remarks: list[str], **settings: Any) -> Any:
    from rftgym.config import GuardSettings
    from rftgym.monitor import Monitor

    return Monitor(env, installed(), GuardSettings(**settings), 0, remarks.append)


def episodes(env: Any, said: str, n: int = 6) -> list[Trajectory]:
    from rftgym.scoring import score_trajectories

    found = [replayed(env, task, said) for task in env.tasks.sample("train", n, 0)]
    score_trajectories(env.rubric, found)
    return found


def test_a_policy_that_does_what_a_probe_does_is_told_so() -> None:
    remarks: list[str] = []
    env = holes.FormatOnly()
    batch = episodes(env, "<answer>0</answer>")
    watching = monitor(env, remarks, probe_every=2)
    assert watching.watch(1, 1, batch, list) == {}
    found = watching.watch(2, 2, batch, list)
    assert found["probe/gap"] == pytest.approx(0.8) and found["probe/ratio"] == pytest.approx(1)
    assert len(remarks) == 1 and "constant" in remarks[0]
    watching.watch(4, 4, batch, list)
    assert len(remarks) == 1


def test_a_policy_ahead_of_the_probes_hears_nothing() -> None:
    remarks: list[str] = []
    env = holes.Sums()
    batch = []
    for task in env.tasks.sample("train", 4, 0):
        batch.append(replayed(env, task, env.demonstrate(task, 0)[-1].content))
    from rftgym.scoring import score_trajectories

    score_trajectories(env.rubric, batch)
    assert monitor(env, remarks, probe_every=1).watch(1, 1, batch, list)["probe/gap"] == 0
    assert not remarks


@pytest.mark.parametrize(("successes", "told"), [((0.2, 0.2), True), ((0.2, 0.1), True), ((0.2, 0.4), False)])
def test_rewards_that_rise_without_successes_are_told(successes: tuple[float, float], told: bool) -> None:
    remarks: list[str] = []
    env = holes.Sums()
    lines = [{"reward/mean": 0.3, "success/mean": successes[0]}] * 2
    lines += [{"reward/mean": 0.6, "success/mean": successes[1]}] * 2
    watching = monitor(env, remarks, probe_every=2)
    watching.watch(4, 4, episodes(env, "<answer>0</answer>"), lambda: lines)
    assert any("the reward rose" in each for each in remarks) is told


def test_what_cannot_be_scored_is_not_the_best_probe() -> None:
    class Harsh(holes.Sums):  # type: ignore[misc, name-defined]
        def make_rubric(self) -> rftgym.Rubric:
            return rftgym.Rubric(
                [rftgym.Component("correct", self.judge, bounds=(-1.0, 1.0))], success="correct"
            )

        def judge(self, completion: str, answer: str | None, task: Task) -> float | None:
            return None if not completion.strip() else 2 * super().judge(completion, answer, task) - 1

    env = Harsh()
    found = monitor(env, [], probe_every=1).watch(1, 1, episodes(env, "<answer>0</answer>"), list)
    assert found["probe/reward"] == -1 and found["probe/gap"] == 0


def test_a_probe_that_fails_ends_no_run() -> None:
    remarks: list[str] = []

    class Broken(holes.Sums):  # type: ignore[misc, name-defined]
        def demonstrate(self, task: Task, seed: int) -> list[rftgym.Message]:
            raise RuntimeError("no solution today")

    env = Broken()
    assert monitor(env, remarks, probe_every=1).watch(1, 1, episodes(env, "x"), list) == {}
    assert "no solution today" in remarks[0]
