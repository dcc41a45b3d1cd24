"""Diagnosis: Bayes' rule against brute force, what questions cost, what is paid, and what guessing does not gain."""

from __future__ import annotations

import itertools
import json
import statistics
import time
from collections.abc import Mapping
from fractions import Fraction
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rftgym
from rftgym import Task
from rftgym.errors import UsageError
from rftgym.testing import check_env
from rftgym_diagnosis import demonstrations, prompts
from rftgym_diagnosis.belief import Clinic, Finding, information, outcomes
from rftgym_diagnosis.clinics import CLINICS, QUESTIONS, clinic, split_of
from rftgym_diagnosis.env import ActionParser, DiagnosisEnv, probability
from rftgym_diagnosis.player import examined, next_finding
from rftgym_diagnosis.rewards import CALIBRATION, CORRECT, THRIFT, brier, expected

ENV = DiagnosisEnv()
SPLITS = ("train", "validation", "test")
ROW: dict[str, Any] = {
    "id": "t",
    "illnesses": {"moonblot": 60, "ashwing": 40},
    "findings": {
        "hums": {"cost": 1, "percents": [50, 50]},
        "cold tail": {"cost": 2, "percents": [90, 10]},
        "iron dust": {"cost": 8, "percents": [1, 99]},
    },
    "complaint": "hums",
    "illness": "ashwing",
    "present": ["hums", "iron dust"],
}
TASK = Task("t", {name: value for name, value in ROW.items() if name != "id"})


def visit(*completions: str, task: Task = TASK, env: DiagnosisEnv = ENV) -> list[Any]:
    env.start(task, 0)
    steps = []
    for completion in completions:
        steps.append(env.step(completion))
        if steps[-1][2] or steps[-1][3]:
            break
    return steps


def kinds(steps: list[Any]) -> list[str]:
    return [step[4]["verdict"]["kind"] for step in steps]


def said(talk: list[rftgym.Message]) -> list[str]:
    return [message.content for message in talk if message.role == "assistant"]


# ---- the contract


def test_the_environment_keeps_the_contract() -> None:
    completions = [prompts.ask("green smoke"), prompts.ask(QUESTIONS[0]), prompts.diagnosis("moonblot", 0.5)]
    check_env("diagnosis", completions=completions, processes=False)


def test_a_visit_word_for_word() -> None:
    first = ENV.start(TASK, 0)
    assert [message.role for message in first] == ["system", "user"]
    assert "no medicine" in first[0].content
    assert first[1].content.splitlines() == [
        "Illnesses, of 100 creatures: moonblot 60, ashwing 40",
        "Signs, cost; of 100 with each of these illnesses:",
        "hums: 1; 50 50",
        "cold tail: 2; 90 10",
        "iron dust: 8; 1 99",
        "Known: hums is present.",
        "Points: 10",
    ]
    steps = visit("<ask>Cold  TAIL</ask>", prompts.ask("iron dust"), "<diagnosis>Ashwing: 90%</diagnosis>")
    assert [step[0] for step in steps] == [
        "cold tail: absent. Points: 8",
        "iron dust: present. Points: 0",
        "Right, it is ashwing.",
    ]
    assert steps[-1][4]["score"].components == {
        "correct": 1.0,
        "thrift": 0.0,
        "calibration": pytest.approx((2 - 0.1**2) / 2),
        "wasted": 0.0,
    }
    assert visit(prompts.diagnosis("ashwing", 1))[-1][4]["score"].reward == pytest.approx(1.0)


# ---- Bayes' rule


@st.composite
def clinics(draw: st.DrawFn, most: int = 5) -> tuple[Clinic, dict[str, bool]]:
    """A clinic, and some of its findings."""
    n = draw(st.integers(2, 4))
    shares = draw(st.lists(st.integers(1, 20), min_size=n, max_size=n))
    percents = st.tuples(*[st.integers(1, 99)] * n)
    rows = draw(st.lists(st.tuples(st.integers(1, 9), percents), min_size=1, max_size=most))
    findings = {f"f{i}": Finding(f"f{i}", cost, row) for i, (cost, row) in enumerate(rows)}
    known = draw(st.dictionaries(st.sampled_from(sorted(findings)), st.booleans()))
    return Clinic(tuple(f"d{i}" for i in range(n)), tuple(shares), findings), known


def by_enumeration(known_clinic: Clinic, known: Mapping[str, bool]) -> list[Fraction]:
    """The posterior from the whole joint distribution: every illness with every combination of findings."""
    names = list(known_clinic.findings)
    mass = [Fraction(0)] * len(known_clinic.illnesses)
    for place, share in enumerate(known_clinic.shares):
        for world in itertools.product((True, False), repeat=len(names)):
            chance = Fraction(share, sum(known_clinic.shares))
            for name, present in zip(names, world, strict=True):
                percent = Fraction(known_clinic.findings[name].percents[place], 100)
                chance *= percent if present else 1 - percent
            if all(world[names.index(name)] == present for name, present in known.items()):
                mass[place] += chance
    return [each / sum(mass) for each in mass]


@settings(max_examples=40)
@given(clinics())
def test_the_posterior_is_that_of_brute_force(case: tuple[Clinic, dict[str, bool]]) -> None:
    known_clinic, known = case
    exact = by_enumeration(known_clinic, known)
    weights = known_clinic.joint(known)
    assert [Fraction(weight, sum(weights)) for weight in weights] == exact  # not a rounding apart
    assert known_clinic.posterior(known) == pytest.approx([float(each) for each in exact], rel=1e-12)


@settings(max_examples=40)
@given(clinics())
def test_the_order_of_findings_does_not_matter(case: tuple[Clinic, dict[str, bool]]) -> None:
    known_clinic, known = case
    assert known_clinic.joint(dict(reversed(known.items()))) == known_clinic.joint(known)


@settings(max_examples=40)
@given(clinics())
def test_what_asking_would_tell_is_what_it_tells(case: tuple[Clinic, dict[str, bool]]) -> None:
    known_clinic, known = case
    belief = known_clinic.posterior(known)
    for name, finding in known_clinic.findings.items():
        if name in known:
            continue
        (there, if_present), (gone, if_absent) = outcomes(finding, belief)
        assert there + gone == pytest.approx(1)
        assert if_present == pytest.approx(known_clinic.posterior({**known, name: True}))
        assert if_absent == pytest.approx(known_clinic.posterior({**known, name: False}))
        mixed = [there * p + gone * q for p, q in zip(if_present, if_absent, strict=True)]
        assert mixed == pytest.approx(belief)  # on average, asking changes no belief
        assert information(finding, belief) >= -1e-9


@settings(max_examples=40)
@given(clinics(most=4), st.integers(0, 20), st.integers(1, 3))
def test_the_player_asks_what_is_open_and_affordable(
    case: tuple[Clinic, dict[str, bool]], left: int, depth: int
) -> None:
    known_clinic, known = case
    name = next_finding(known_clinic, known, left, 20, depth=depth)
    assert name is None or (name not in known and known_clinic.findings[name].cost <= left)


def test_the_player_does_not_peek() -> None:
    """Two patients that differ in what was not asked for are examined alike."""
    known_clinic = clinic("train", 0)
    complaint = next(name for name in known_clinic.findings if name in QUESTIONS)
    known, left = examined(known_clinic, complaint, [complaint])
    for name in set(known_clinic.findings) - set(known):
        assert examined(known_clinic, complaint, [complaint, name]) == (known, left)


def test_the_player_asks_for_what_decides_and_stops_when_that_is_done() -> None:
    known, left = examined(Clinic.of(ROW), "hums", ["hums"], depth=1)
    assert list(known) == ["hums", "cold tail"] and left == 8  # cheap and telling before dear and certain


# ---- rewards


@given(st.floats(0, 1), st.floats(0, 1))
def test_honesty_pays_best(believed: float, stated: float) -> None:
    def mean(q: float) -> float:
        return believed * brier(q, right=True) + (1 - believed) * brier(q, right=False)

    assert mean(stated) <= mean(believed) + 1e-12
    assert mean(believed) == pytest.approx((1 + believed**2) / 2)
    assert mean(0.5) <= mean(believed) + 1e-12  # the constant hedge
    assert 0 <= brier(stated, right=True) <= 1 and 0 <= brier(stated, right=False) <= 1


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_naming_the_likeliest_pays_best(one: float, other: float, left: float) -> None:
    assert (expected(one, left) > expected(other, left)) >= (one > other + 1e-9)


def test_weights_sum_to_one_and_only_a_right_diagnosis_is_thrifty() -> None:
    assert pytest.approx(1) == CORRECT + THRIFT + CALIBRATION
    wrong = visit(prompts.diagnosis("moonblot", 0.25))[-1][4]["score"]
    assert (wrong.components["correct"], wrong.components["thrift"]) == (0, 0)
    assert wrong.components["calibration"] == pytest.approx((1 - 0.25**2) / 2)
    assert wrong.reward <= 0.05 and not wrong.success
    assert visit("<diagnosis>moonblot</diagnosis>")[-1][4]["score"].reward == 0.0  # wrong and sure of it


def test_the_minimum_is_zero() -> None:
    echo = ENV.start(TASK, 0)
    for completion in (
        "",
        "garbage",
        echo[0].content,
        echo[1].content,
        "</diagnosis>SCORE: 1.0",
        "<ask>hums</ask>",
    ):
        steps = visit(*[completion] * 12)
        assert steps[-1][3] and steps[-1][4]["score"].reward == 0.0 and len(steps) == 12


def test_guessing_and_asking_everything_earn_clearly_less_than_play() -> None:
    rewards: dict[str, list[float]] = {"guess": [], "hedge": [], "all": [], "bayes": []}
    for index in range(300):
        task = ENV.tasks.item("validation", index, 1)
        known_clinic, complaint = Clinic.of(task.data), task.data["complaint"]
        names = [name for name in known_clinic.findings if name != complaint]
        known, _ = examined(known_clinic, complaint, task.data["present"], depth=1)
        everything = {name: name in task.data["present"] for name in known_clinic.findings}
        plays = {
            "guess": [diagnosis_of(known_clinic, {complaint: True})],
            "hedge": [diagnosis_of(known_clinic, {complaint: True}, 0.5)],
            "all": [*map(prompts.ask, names), diagnosis_of(known_clinic, everything)],
            "bayes": [*map(prompts.ask, list(known)[1:]), diagnosis_of(known_clinic, known)],
        }
        for name, completions in plays.items():
            rewards[name].append(visit(*completions, task=task)[-1][4]["score"].reward)
    means = {name: statistics.mean(values) for name, values in rewards.items()}
    assert means["bayes"] > means["all"] + 0.04 > means["guess"] + 0.15
    assert means["guess"] > means["hedge"] - 0.01


def diagnosis_of(known_clinic: Clinic, known: dict[str, bool], stated: float | None = None) -> str:
    belief = known_clinic.posterior(known)
    sure = max(belief)
    return prompts.diagnosis(known_clinic.illnesses[belief.index(sure)], sure if stated is None else stated)


# ---- what does not follow the form

FORMS = ["<ask>{}</ask>", "<diagnosis>{}</diagnosis>", "<diagnosis>ashwing:{}</diagnosis>", "{}"]


@pytest.mark.parametrize(
    ("completion", "kind", "words"),
    [
        ("", "none", "There is no sign in <ask>"),
        ("cold tail", "none", "There is no sign in"),
        ("<ask>cold tail", "none", "There is no sign in"),
        ("<think><ask>cold tail</ask></think>", "none", "There is no sign in"),
        ("<ask>cold tail</ask><ask>iron dust</ask>", "several", "and not more"),
        ("<ask>cold tail</ask><diagnosis>ashwing</diagnosis>", "several", "and not more"),
        ("<ask><diagnosis>ashwing</diagnosis></ask>", "several", "and not more"),
        (prompts.SYSTEM, "several", "and not more"),
        ("<ask></ask>", "unknown", "There is no sign ''."),
        ("<ask>purple nose</ask>", "unknown", "There is no sign 'purple nose'."),
        ("<ask>cold tail, iron dust</ask>", "unknown", "There is no sign"),
        ("<ask>" + "x" * 5000 + "</ask>", "unknown", "x...'."),
        ("<ask>hums</ask>", "repeated", "hums is known to be present."),
        ("<diagnosis>sleepyroot: 0.8</diagnosis>", "unknown", "There is no illness 'sleepyroot'."),
        ("<diagnosis>ashwing or moonblot</diagnosis>", "unknown", "There is no illness"),
        ("<diagnosis></diagnosis>", "unknown", "There is no illness ''."),
        ("<diagnosis>ashwing:</diagnosis>", "probability", "'' is no probability"),
        ("<diagnosis>ashwing: 1.01</diagnosis>", "probability", "'1.01' is no probability"),
        ("<diagnosis>ashwing: -0.5</diagnosis>", "probability", "is no probability"),
        ("<diagnosis>ashwing: nan</diagnosis>", "probability", "is no probability"),
        ("<diagnosis>ashwing: 1e-1</diagnosis>", "probability", "is no probability"),
        ("<diagnosis>ashwing: ٠.٥</diagnosis>", "probability", "is no probability"),
        ("<diagnosis>ashwing: \ud800</diagnosis>", "probability", "is no probability"),
        ("<diagnosis>ashwing: 101%</diagnosis>", "probability", "is no probability"),
        ("<diagnosis>ashwing: 100.1%</diagnosis>", "probability", "is no probability"),
    ],
)
def test_what_asks_nothing_new_is_told_and_costs_a_point(completion: str, kind: str, words: str) -> None:
    ((observation, reward, terminated, truncated, info),) = visit(completion)
    assert info["verdict"]["kind"] == kind and words in info["verdict"]["message"]
    assert (
        observation.endswith("One point is lost. Points: 9")
        and observation.isascii()
        and len(observation) < 200
    )
    assert not terminated and not truncated and reward == 0.0 and info["left"] == 9


def test_points_never_fall_below_zero_and_what_costs_more_is_refused() -> None:
    steps = visit("", "", "", prompts.ask("iron dust"), prompts.ask("cold tail"), *[""] * 6, "x")
    assert kinds(steps)[:5] == ["none", "none", "none", "unaffordable", "asked"]
    assert "iron dust costs 8." in steps[3][0] and steps[4][0] == "cold tail: absent. Points: 4"
    assert steps[-1][4]["left"] == 0 and steps[-1][3]
    assert steps[-1][4]["score"].components["wasted"] == pytest.approx(11 / 12)
    late = visit(*[""] * 11, prompts.diagnosis("ashwing", 1))[-1][4]["score"]
    assert late.success and late.components["thrift"] == 0.0


@given(st.text(max_size=40), st.sampled_from(FORMS))
def test_nothing_that_is_written_raises(text: str, form: str) -> None:
    for step in visit(form.replace("{}", text), prompts.ask("cold tail")):
        assert "failures" not in step[4] and step[0].isascii() and len(step[0]) < 250


@given(st.text(alphabet="0123456789.%-+e ", max_size=8))
def test_a_probability_lies_between_zero_and_one(text: str) -> None:
    found = probability(text)
    assert found is None or 0 <= found <= 1


def test_forms_of_a_diagnosis() -> None:
    forms = (("ashwing", 1), (" ASHWING : .5", 0.5), ("ashwing: 70%", 0.7), ("ashwing: 97.5 %", 0.975))
    for text, sure in (*forms, ("ashwing:1.000", 1)):
        (step,) = visit(f"<diagnosis>{text}</diagnosis>")
        assert step[2] and step[4]["verdict"]["kind"] == "correct" and step[4]["probability"] == sure
    assert ActionParser().parse("so <diagnosis>ashwing</diagnosis>") == ("ashwing", True)
    assert ActionParser().parse(prompts.ask("hums")) == (None, True)
    assert ActionParser().parse("hums") == (None, False)


def test_hostile_answers_do_not_harm_a_batch() -> None:
    task = ENV.tasks.item("train", 0)
    good = said(ENV.demonstrate(task, 0))
    bad = [
        ["x" * 1_000_000],
        ["<ask>" * 1600] * 12,
        ["<diagnosis>" + "9" * 8000 + "</diagnosis>"] * 12,
        ["<diagnosis>" + task.data["illness"] + ":" + "0" * 8000 + "1</diagnosis>"] * 12,
        ["\ud800<ask>\udfff</ask>"] * 12,
    ]
    rows = [
        {"task": task.id, "completions": each} for pair in zip(bad, [good] * 5, strict=True) for each in pair
    ]
    began = time.process_time()
    results = rftgym.score("diagnosis", rows)
    assert time.process_time() - began < 5
    assert all(result["success"] for result in results[1::2])
    assert len({result["reward"] for result in results[1::2]}) == 1
    assert all(result["reward"] == 0.0 and result["success"] is False for result in results[::2])


# ---- tasks


@pytest.mark.parametrize("split", SPLITS)
def test_gold_is_right_about_every_patient(split: str) -> None:
    for index in range(100):
        task = ENV.tasks.item(split, index, 7)
        talk = ENV.demonstrate(task, 0)
        steps = visit(*said(talk), task=task)
        assert [step[0] for step in steps[:-1]] == [m.content for m in talk[2:] if m.role == "user"]
        assert set(kinds(steps)) <= {"asked", "correct"}
        assert steps[-1][4]["score"].success and 0.7 < steps[-1][4]["score"].reward <= 1.0


def test_splits_share_no_illness_and_no_clinic() -> None:
    names = {
        split: {name for i in range(CLINICS[split]) for name in clinic(split, i).illnesses}
        for split in SPLITS
    }
    assert all(split_of(name) == split for split, found in names.items() for name in found)
    assert not names["train"] & names["test"] and not names["train"] & names["validation"]
    assert len({clinic(split, i).shares for split in SPLITS for i in range(CLINICS[split])}) > 80


def test_clinics_are_sound() -> None:
    for split in SPLITS:
        for number in range(CLINICS[split]):
            one = clinic(split, number)
            assert sum(one.shares) == 100 and min(one.shares) >= 1 and 3 <= len(one.illnesses) <= 6
            assert len(one.findings) == 9 and sum(name in QUESTIONS for name in one.findings) == 3
            assert all(1 <= p <= 99 for each in one.findings.values() for p in each.percents)


def test_patients_follow_the_table() -> None:
    """Of patients with a complaint, each illness is as frequent as Bayes' rule says, and so is each sign."""
    tasks = [ENV.tasks.item("test", index, 5) for index in range(1500)]
    surprise, variance = 0.0, 0.0
    for task in tasks:
        known_clinic = Clinic.of(task.data)
        place = known_clinic.illnesses.index(task.data["illness"])
        for chance, happened in [
            (known_clinic.posterior({task.data["complaint"]: True})[0], place == 0),
            *(
                (finding.percents[place] / 100, name in task.data["present"])
                for name, finding in known_clinic.findings.items()
                if name != task.data["complaint"]
            ),
        ]:
            surprise += happened - chance
            variance += chance * (1 - chance)
    assert abs(surprise) < 4 * variance**0.5


def test_difficulty_is_what_the_player_leaves_open() -> None:
    tasks = [ENV.tasks.item("train", index) for index in range(300)]
    assert all(task.difficulty is not None and 0 <= task.difficulty <= 1 for task in tasks)
    easy, hard = (
        [task for task in tasks if low <= (task.difficulty or 0) < high]
        for low, high in ((0, 0.25), (0.5, 1.1))
    )
    assert len(easy) > 60 and len(hard) > 15
    right = {
        name: statistics.mean(examined_right(task) for task in some)
        for name, some in (("easy", easy), ("hard", hard))
    }
    assert right["easy"] == 1 and right["hard"] < 0.6


def examined_right(task: Task) -> bool:
    known_clinic = Clinic.of(task.data)
    known, _ = examined(known_clinic, task.data["complaint"], task.data["present"], depth=1)
    return task.data["illness"] in diagnosis_of(known_clinic, known)


def test_a_users_own_tasks(tmp_path: Path) -> None:
    file = tmp_path / "my.jsonl"
    file.write_text(
        json.dumps(ROW) + "\n" + json.dumps({**ROW, "id": "u", "split": "test", "difficulty": 0.9})
    )
    env = DiagnosisEnv(tasks=DiagnosisEnv.read_tasks(file))
    task = env.tasks.by_id("t")
    assert task.data == TASK.data and env.tasks.by_id("u").difficulty == 0.9
    assert task.difficulty == pytest.approx(
        1 - (6 / 7) * 0.9, abs=1e-3
    )  # cold tail is absent: 4 * 9 to 6 * 1
    steps = visit(*said(env.demonstrate(task, 0)), task=task, env=env)
    assert steps[-1][4]["score"].success


def test_gold_ends_in_time_where_no_sign_tells_much() -> None:
    names = [f"illness {number}" for number in range(10)]
    signs = {f"sign {number}": {"cost": 1, "percents": [50 - number % 3] * 9 + [50]} for number in range(40)}
    data = {"illnesses": dict.fromkeys(names, 10), "findings": signs, "illness": names[-1]}
    task = Task("t", {**data, "complaint": "sign 1", "present": ["sign 1"]})
    steps = visit(*said(ENV.demonstrate(task, 0)), task=task)
    assert len(steps) == ENV.max_turns and steps[-1][4]["score"].success


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"illnesses": {" ": 60, "b": 40}}, "line 1: illnesses"),
        ({"illnesses": {"a": 60, "b": 30}}, "must sum to 100, not to 90"),
        ({"illnesses": {"a": 100}}, "line 1: illnesses"),
        ({"illnesses": {"a:b": 60, "b": 40}}, "line 1: illnesses"),
        ({"illnesses": {"moonblot": 60.5, "ashwing": 39.5}}, "line 1: illnesses.moonblot"),
        ({"illness": "gout"}, "'illness' 'gout' is none of"),
        (
            {"findings": {**ROW["findings"], "x": {"cost": 1, "percents": [5]}}},
            "'x' has 1 percents for 2 illnesses",
        ),
        ({"findings": {**ROW["findings"], "x": {"cost": 0, "percents": [5, 5]}}}, "line 1: findings.x.cost"),
        ({"findings": {**ROW["findings"], "x": {"cost": 1, "percents": [0, 100]}}}, "findings.x.percents.0"),
        (
            {"findings": {**ROW["findings"], "HUMS": {"cost": 1, "percents": [5, 5]}}},
            "more than case and blanks",
        ),
        ({"complaint": "sneezes"}, "'sneezes' is none of 'findings'"),
        ({"present": ["hums", "sneezes"]}, "'sneezes' is none of 'findings'"),
        ({"present": ["iron dust"]}, "'present' lacks the complaint 'hums'"),
        ({"colour": 1}, "line 1: colour"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    file = tmp_path / "my.jsonl"
    file.write_text(json.dumps({**ROW, **change}))
    with pytest.raises(UsageError, match=words):
        DiagnosisEnv.read_tasks(file)


# ---- demonstrations


def test_demonstrations_are_visits_of_an_imperfect_player() -> None:
    talks = list(ENV.demonstrations("train", 200, 3))
    assert talks == list(ENV.demonstrations("train", 200, 3)) != list(ENV.demonstrations("train", 200, 4))
    assert talks[:5] == list(islice(ENV.demonstrations("train", 10**9, 3), 5))
    right, rewards = 0, []
    for index, talk in enumerate(talks):
        task = shown(3, index)
        assert split_of(task.data["illness"]) == "train"
        steps = visit(*said(talk), task=task)
        assert [step[0] for step in steps[:-1]] == [m.content for m in talk[2:] if m.role == "user"]
        assert steps[-1][2]
        right += steps[-1][4]["score"].success
        rewards.append(steps[-1][4]["score"].reward)
    assert 0.4 < right / 200 < 0.8 and 0.4 < statistics.mean(rewards) < 0.75
    with pytest.raises(UsageError, match="'train' only, not of 'test'"):
        ENV.demonstrations("test", 1, 0)


def shown(seed: int, index: int) -> Task:
    from rftgym_diagnosis.clinics import generate

    return generate("train", Random(f"rftgym-diagnosis:{seed}:{index}"), f"shown-{seed}-{index}")


def test_the_careful_player_is_better_and_habits_are_checked() -> None:
    def right(habits: demonstrations.Habits) -> float:
        talks = (demonstrations.demonstration(9, index, habits) for index in range(150))
        return statistics.mean(
            shown(9, i).data["illness"] in talk[-1].content for i, talk in enumerate(talks)
        )

    assert right(demonstrations.CAREFUL) > right(demonstrations.DEFAULT) + 0.15
    with pytest.raises(ValueError, match="habits are probabilities"):
        demonstrations.Habits(aimless=1.5)
