"""``rftgym.compare`` from its statistics to whole comparisons of a toy environment, with the bundled model."""

from __future__ import annotations

import itertools
import json
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym.compare import experiment, measure, table
from rftgym.compare.experiment import ComparisonStopped
from rftgym.compare.folders import job_folder, measures_of, run_of
from rftgym.compare.jobs import all_jobs, arm_config, job_config, reported_id, trials
from rftgym.compare.page import page
from rftgym.compare.plan import ARMS, TRAINED, Plan, planned
from rftgym.compare.plot import plot
from rftgym.compare.pooled import difference_ST, pooled_interval, resampled_means
from rftgym.compare.rates import best_trial
from rftgym.compare.results import at_budget
from rftgym.config import ModelSettings, RunConfig
from rftgym.errors import RunFailed, UsageError
from rftgym.intervals import bootstrap_interval
from rftgym.plugins import Plugins, discover
from rftgym.registry import make_configured, make_policy

sys.path.insert(0, str(Path(__file__).parent))  # tests are no package
import compare_letters
import compare_letters_plugin

sys.path.remove(str(Path(__file__).parent))

SMALL: dict[str, Any] = {
    "env": {"id": "letters"},
    "model": {"id": "tiny"},
    "trainer": {"id": "grpo", "steps": 2, "prompts": 3, "group_size": 2, "learning_rate": 5e-3, "warmup": 0},
    "evaluation": {"n": 6, "every": 1, "every_n": 6},
    "checkpoints": {"every": 1},
    "warm_start": {"settings": {"epochs": 1.0, "warmup": 0}},
}


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    found = discover()
    found.add(compare_letters_plugin, name="letters")
    return found


@pytest.fixture(scope="module")
def whole(plugins: Plugins, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plan, dict[str, Any]]:
    """A comparison of all arms, undisturbed."""
    plan = planned([SMALL], plugins, sizes=[3], seeds=[0, 1], factors=[1.0])
    result = experiment.compare(plan, root=tmp_path_factory.mktemp("whole"), plugins=plugins)
    return Path(result["comparison"]), plan, result


# ---- statistics

tables = st.integers(1, 4).flatmap(
    lambda tasks: st.lists(st.lists(st.floats(-5, 5), min_size=tasks, max_size=tasks), min_size=1, max_size=4)
)


@given(tables)
def test_an_interval_holds_its_mean_and_lies_within_the_values(table: list[list[float]]) -> None:
    found = pooled_interval(table)
    values = [value for row in table for value in row]
    assert found["mean"] == pytest.approx(sum(values) / len(values))
    assert min(values) - 1e-9 <= found["low"] <= found["mean"] <= found["high"] <= max(values) + 1e-9


@given(tables, st.floats(-3, 3))
def test_adding_a_constant_moves_the_interval_and_nothing_else(table: list[list[float]], by: float) -> None:
    found = pooled_interval(table)
    moved = pooled_interval([[value + by for value in row] for row in table])
    for name in ("mean", "low", "high"):
        assert moved[name] == pytest.approx(found[name] + by, abs=1e-6)


def test_seeds_that_agree_task_by_task_are_worth_no_more_than_one() -> None:
    """A nested bootstrap would take the seeds' tasks for independent and give an interval narrower by the root of 3."""
    row = np.random.default_rng(0).integers(0, 2, 200).astype(float).tolist()
    one, three = pooled_interval([row]), pooled_interval([row] * 3)
    tasks_alone = bootstrap_interval([[value] for value in row], 0)
    for name in ("low", "high"):
        assert three[name] == pytest.approx(one[name], abs=0.01)
        assert one[name] == pytest.approx(tasks_alone[name], abs=0.01)


def test_the_variance_between_three_seeds_is_not_made_smaller_than_it_is() -> None:
    """By simulation: that of a mean of three seeds is 1/3 of one seed's; drawing three of three would give 2/9."""
    rng = np.random.default_rng(1)
    found = [resampled_means([[level] for level in rng.normal(0, 1, 3)]).var() for _ in range(1000)]
    assert np.mean(found) == pytest.approx(1 / 3, rel=0.1)


@pytest.mark.parametrize(("value", "low", "high"), [(0.0, 0.0, 0.3085), (1.0, 0.6915, 1.0)])
def test_where_nobody_or_everybody_succeeds_the_interval_is_no_point(
    value: float, low: float, high: float
) -> None:
    found = pooled_interval([[value] * 10] * 3, share=True)
    assert (found["mean"], found["low"], found["high"]) == pytest.approx((value, low, high), abs=1e-4)


def test_what_is_not_known_weighs_nothing() -> None:
    nan = float("nan")
    assert pooled_interval([[1.0, nan], [nan, 0.0]])["mean"] == 0.5
    assert pooled_interval([[nan, nan]]) == {"mean": None, "low": None, "high": None}
    assert pooled_interval([[0.25, nan, 0.25]]) == {"mean": 0.25, "low": 0.25, "high": 0.25}


def test_differences_are_paired_and_the_base_serves_every_seed() -> None:
    assert difference_ST([[1.0, 0.0], [1.0, 1.0]], [[0.0, 1.0]]) == [[1.0, -1.0], [1.0, 0.0]]
    with pytest.raises(ValueError, match="zip"):
        difference_ST([[1.0, 0.0]], [[0.0]])


# ---- plans and jobs


@pytest.fixture
def plan(plugins: Plugins) -> Plan:
    return planned([SMALL], plugins, sizes=[3, 12], seeds=[4, 7], factors=[0.5, 1, 2])


def test_every_job_comes_after_what_it_needs(plan: Plan) -> None:
    jobs = all_jobs(plan)
    ids = [job.id for job in jobs]
    assert len(ids) == len(set(ids)) == 1 + 3 * 3 + 4 * (3 + 1)
    for index, job in enumerate(jobs):
        assert set(job.needs) <= set(ids[:index])
    chained = next(job for job in jobs if job.id == "sft-rft-n3-seed7")
    assert "sft-n3-seed7" in chained.needs and "rate-sft-rft-x2" in chained.needs


def test_trials_have_the_largest_size_and_a_seed_that_is_not_reported(plan: Plan, plugins: Plugins) -> None:
    for arm in ("sft", "rft", "sft-rft"):
        for job in trials(plan, arm):
            config = job_config(plan, job, plugins, runs="x", rate=1e-3, weights=None)
            assert (job.size, config.env.train_tasks) == (12, 12)
            assert config.seed == config.env.train_seed == job.seed
            assert job.seed not in plan.seeds
            assert (config.evaluation.split, config.evaluation.every) == ("validation", 0)
    assert trials(plan.model_copy(update={"factors": [1.0]}), "rft") == []


def test_arms_of_a_cell_differ_in_their_training_and_in_nothing_else(plan: Plan, plugins: Plugins) -> None:
    jobs = {job.arm: job for job in all_jobs(plan) if (job.size, job.seed, job.factor) == (3, 7, None)}
    configs = {
        arm: job_config(plan, job, plugins, runs="x", rate=1e-3 if job.trains else None, weights=None)
        for arm, job in jobs.items()
    }
    plain = RunConfig.model_validate(SMALL | {"trainer": {"id": "grpo"}})
    for config in configs.values():
        assert config.env == configs["sft"].env
        assert config.model == plain.model
        assert replace(config.sampling.to_sampling()) == configs["sft"].sampling.to_sampling()
        assert config.evaluation.model_copy(update={"every": 0}) == plain.evaluation.model_copy(
            update={"every": 0}
        )
    assert configs["rft"].trainer.id == configs["sft-rft"].trainer.id == "grpo"
    assert configs["sft"].trainer.id == "sft"
    assert configs["sft"].trainer.own["source"] == "solutions"


def test_supervised_training_holds_nothing_back_of_a_handful(plan: Plan, plugins: Plugins) -> None:
    shares = {}
    for job in all_jobs(plan):
        if job.arm == "sft" and job.factor is None:
            config = job_config(plan, job, plugins, runs="x", rate=1e-3, weights=None)
            own = config.trainer.own
            shares[job.size] = (own["examples"], own["validation_share"], own["patience"])
    assert shares == {3: (3, 0.0, 0), 12: (12, 0.1, 3)}


def test_a_curriculum_is_for_the_arms_that_play(plan: Plan, plugins: Plugins) -> None:
    settings = {**plan.settings, "curriculum": {"kind": "staged"}}
    staged = plan.model_copy(update={"settings": settings})
    kinds = {arm: arm_config(staged, arm, 4, plugins).curriculum.kind for arm in TRAINED}
    assert kinds == {"sft": "off", "rft": "staged", "sft-rft": "staged"}


def test_an_environment_without_solutions_is_compared_without_arms_that_need_them(plugins: Plugins) -> None:
    settings = SMALL | {"env": {"id": "unsolved"}}
    assert planned([settings], plugins, sizes=[3]).arms == ["base", "rft"]
    with pytest.raises(UsageError, match="demonstrate"):
        planned([settings], plugins, sizes=[3], arms=["sft", "rft"])


@pytest.mark.parametrize(
    ("options", "settings", "message"),
    [
        ({"sizes": []}, {}, "--sizes"),
        ({"sizes": [3, 0]}, {}, "--sizes 3,0"),
        ({"sizes": [3, 3]}, {}, "different numbers"),
        ({"sizes": [13]}, {}, "has 12 tasks"),
        ({"seeds": []}, {}, "--seeds"),
        ({"factors": [1, -1]}, {}, "--rates 1,-1"),
        ({"factors": [float("inf")]}, {}, "--rates inf"),
        ({"arms": ["sft", "dpo"]}, {}, "no arm 'dpo'"),
        ({"arms": ["base"]}, {}, "at least one arm"),
        ({"others": ["wordel"]}, {}, "wordle"),
        ({}, {"env": {"id": "letters", "train_tasks": 3}}, "train_tasks"),
        ({}, {"trainer": {"id": "sft"}}, "an algorithm that plays"),
        ({}, {"model": {"id": "openai:x@http://127.0.0.1:9/v1"}}, "no weights"),
        ({}, {"trainer": {"id": "grpo", "stepz": 3}}, "stepz"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    options: dict[str, Any], settings: dict[str, Any], message: str, plugins: Plugins
) -> None:
    with pytest.raises(UsageError, match=message):
        planned([SMALL | settings], plugins, **{"sizes": [3], **options})


# ---- learning rates, equal compute, what fits


def test_the_best_trial_has_the_best_score_and_ties_go_to_the_default() -> None:
    def trial(factor: float, success: float | None, reward: float | None) -> dict[str, Any]:
        return {"factor": factor, "success": success, "reward": reward}

    assert best_trial([trial(0.5, 0.2, 0.9), trial(1, 0.3, 0.1)])["factor"] == 1
    assert best_trial([trial(0.5, 0.2, 0.9), trial(1, 0.3, 0.1)], "reward")["factor"] == 0.5
    assert best_trial([trial(3, 0.0, 0.5), trial(1, 0.0, 0.4)])["factor"] == 3
    assert best_trial([trial(0.3, 0.0, 0.5), trial(1, 0.0, 0.5), trial(3, 0.0, 0.5)])["factor"] == 1
    assert best_trial([trial(1, None, None), trial(3, 0.0, 0.0)])["factor"] == 3


def test_at_a_budget_the_last_evaluation_within_it_counts() -> None:
    curve: Any = [(0.0, "start"), (10.0, "early"), (20.0, "late")]
    assert [at_budget(curve, budget)[1] for budget in (0.0, 9.9, 10.0, 19.0, 50.0)] == [
        "start", "start", "early", "early", "late",
    ]  # fmt: skip


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=6).map(sorted),
    st.integers(1, 900),
    st.integers(1, 900),
)
def test_shots_fit_as_long_as_the_longest_episode_does(
    openings: list[int], longest: int, context: int
) -> None:
    shots = measure.fitting_shots(openings, longest, context)
    if shots:
        assert openings[shots] - openings[0] + longest <= context
    if shots + 1 < len(openings):
        assert openings[shots + 1] - openings[0] + longest > context
    assert measure.fitting_shots(openings, longest, None) == len(openings) - 1


# ---- what is measured on a policy


@pytest.fixture(scope="module")
def tiny() -> Any:
    return make_policy(ModelSettings(id="tiny"))


def test_off_task_loss_is_that_of_the_text(tiny: Any) -> None:
    import torch

    text = "The cat sat on the mat.\nIt was warm.\n"
    found = measure.off_task_loss(tiny, text)
    ids = tiny.tokenizer(text, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        logprobs = tiny.model(torch.tensor([ids])).logits[0].log_softmax(-1)
    expected = -sum(float(logprobs[i, ids[i + 1]]) for i in range(len(ids) - 1))
    assert found["characters"] == len(text) - len(tiny.tokenizer.decode(ids[:1]))
    assert found["nats_per_character"] == pytest.approx(expected / found["characters"], rel=1e-5)


def test_the_bundled_text_is_long_enough_and_mixed() -> None:
    text = measure.off_task_text()
    assert 3_000 < len(text) < 20_000
    assert "def " in text and "The " in text and text.isascii()


def test_divergence_is_zero_from_itself_and_positive_from_another(tiny: Any) -> None:
    import torch

    env = compare_letters.Letters()
    episodes = rftgym.evaluate(env, tiny, n=6, samples=8, sampling=rftgym.Sampling(max_tokens=6)).trajectories
    assert measure.kl_from(tiny, tiny, episodes, 1.0)["per_token"] == 0.0
    other: Any = make_policy(ModelSettings(id="tiny"))
    with torch.no_grad():
        other.model.lm_head.weight.mul_(0.5)
    found = measure.kl_from(other, tiny, episodes, 1.0)
    assert found["per_token"] > 0
    assert found["per_episode"] == pytest.approx(found["per_token"] * found["tokens"] / found["episodes"])
    recorded = sum(sum(turn.logprobs) for episode in episodes for turn in episode.turns)
    again = sum(float(row.sum()) for row in measure._logprobs(tiny.model, episodes, 1.0))
    assert again == pytest.approx(recorded, rel=1e-3)
    assert torch.is_grad_enabled()


def test_divergence_without_a_token_is_an_error(tiny: Any) -> None:
    with pytest.raises(RunFailed, match="token"):
        measure.kl_from(tiny, tiny, [rftgym.Trajectory("e", rftgym.Task("t", {}), 0)], 1.0)


# ---- whole comparisons


def test_a_comparison_has_every_figure(whole: tuple[Path, Plan, dict[str, Any]]) -> None:
    directory, plan, result = whole
    assert json.loads((directory / "results.json").read_text()) == {
        key: value for key, value in result.items() if key != "comparison"
    }
    assert plan.arms == list(ARMS)
    assert [(cell["arm"], cell["size"]) for cell in result["cells"]] == [(arm, 3) for arm in ARMS[1:]]
    for cell in result["cells"]:
        assert [seed["seed"] for seed in cell["seeds"]] == [0, 1]
        base = result["base"]["success"]["mean"]
        assert cell["gain"]["mean"] == pytest.approx(cell["success"]["mean"] - base)
        if cell["arm"] != "few-shot":
            assert cell["cpu_seconds"] > 0 and cell["tokens_trained"] > 0
            assert cell["off_task_change"] != 0
            assert cell["equal_compute"]["used_cpu_seconds"] <= cell["equal_compute"]["cpu_seconds"] + 1e-9
    by_arm = {cell["arm"]: cell for cell in result["cells"]}
    assert by_arm["sft"]["tokens_sampled"] == 0 < by_arm["rft"]["tokens_sampled"]
    assert by_arm["sft-rft"]["cpu_seconds"] > by_arm["sft"]["cpu_seconds"]
    assert len(result["differences"]) == 6


def test_the_cheapest_arm_keeps_its_whole_training_at_equal_compute(
    whole: tuple[Path, Plan, dict[str, Any]],
) -> None:
    directory, _, result = whole
    trained = [cell for cell in result["cells"] if "cpu_seconds" in cell]
    for index in range(2):
        cheapest = min(trained, key=lambda cell: cell["seeds"][index]["cpu_seconds"])
        others = [cell for cell in trained if cell is not cheapest]
        budget = cheapest["seeds"][index]["cpu_seconds"]
        assert all(cell["seeds"][index]["cpu_seconds"] >= budget for cell in others)
    assert any("validation" in measures_of(directory, cell["seeds"][0]["job"]) for cell in trained)


def test_all_arms_learn_from_the_same_tasks(
    whole: tuple[Path, Plan, dict[str, Any]], plugins: Plugins
) -> None:
    directory, plan, _ = whole
    chosen = {}
    for seed in plan.seeds:
        played = {
            arm: {t.task.id for t in run_of(directory, reported_id(arm, 3, seed)).trajectories()}
            for arm in ("rft", "sft-rft")
        }
        config = RunConfig.model_validate(run_of(directory, reported_id("sft", 3, seed)).config)
        env = make_configured(config.env, config.rewards, plugins=plugins)
        shown = {env.tasks.item("train", index).id for index in range(3)}
        assert played["rft"] == played["sft-rft"] == shown
        assert len(shown) == 3 and all(id.startswith("train-") for id in shown)
        chosen[seed] = shown
    assert chosen[0] != chosen[1]


def test_all_arms_play_the_same_held_out_tasks(whole: tuple[Path, Plan, dict[str, Any]]) -> None:
    directory, plan, _ = whole
    tasks = {tuple(measures_of(directory, "base")["test"]["per_task"]["tasks"])}
    for seed in plan.seeds:
        tasks.add(
            tuple(measures_of(directory, reported_id("few-shot", 3, seed))["test"]["per_task"]["tasks"])
        )
        for arm in ("sft", "rft", "sft-rft"):
            after = run_of(directory, reported_id(arm, 3, seed)).evaluations()["after"]
            tasks.add(tuple(after["per_task"]["tasks"]))
    assert len(tasks) == 1
    assert all(id.startswith("test-") for id in tasks.pop())


def test_sft_then_rft_starts_from_what_sft_made_of_the_same_tasks(
    whole: tuple[Path, Plan, dict[str, Any]],
) -> None:
    directory, _, _ = whole
    for seed in (0, 1):
        sft = run_of(directory, reported_id("sft", 3, seed))
        both = run_of(directory, reported_id("sft-rft", 3, seed))
        assert both.config["model"]["weights"] == str(sft.adapter)
        before, after = both.evaluations()["before"], sft.evaluations()["after"]
        assert before["per_task"] == after["per_task"]


def test_a_finished_comparison_is_not_done_again(
    whole: tuple[Path, Plan, dict[str, Any]], plugins: Plugins
) -> None:
    directory, _, result = whole
    before = {path: path.stat().st_mtime_ns for path in directory.glob("runs/**/*.json")}
    assert experiment.resume(directory, plugins=plugins) == result
    assert {path: path.stat().st_mtime_ns for path in directory.glob("runs/**/*.json")} == before


def test_readers_get_table_plot_report_and_advice(whole: tuple[Path, Plan, dict[str, Any]]) -> None:
    directory, _, result = whole
    svg = ET.fromstring((directory / "plot.svg").read_text())
    texts = [node.text for node in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert {"base", "few-shot", "sft", "rft", "sft-rft", "3"} <= set(texts)
    assert len(list(svg.iter("{http://www.w3.org/2000/svg}circle"))) == len(result["cells"])
    lines = (directory / "table.md").read_text().splitlines()
    assert sum(line.startswith("| ") for line in lines) == 2 + 1 + len(result["cells"])
    advice = (directory / "advice.txt").read_text().strip()
    assert advice == result["advice"]
    assert advice in (directory / "table.md").read_text()
    html = (directory / "report.html").read_text()
    assert "<script" not in html and "rft-n3-seed1" in html


def asked_to_stop_after(polls: int) -> Callable[[], bool]:
    """A user who loses patience, and stays impatient."""
    count = itertools.count()
    return lambda: next(count) >= polls


def scores(result: Mapping[str, Any]) -> Any:
    """All that does not depend on the clock."""
    clocked = {
        "cpu_seconds",
        "wall_seconds",
        "equal_compute",
        "run",
        "advice",
        "comparison",
        "tokens_per_second",
    }

    def kept(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: kept(item) for key, item in value.items() if key not in clocked}
        return [kept(item) for item in value] if isinstance(value, list) else value

    return kept(result)


def test_stopped_again_and_again_it_ends_as_undisturbed(
    whole: tuple[Path, Plan, dict[str, Any]], plugins: Plugins, tmp_path: Path
) -> None:
    _, _, undisturbed = whole
    plan = planned([SMALL], plugins, sizes=[3], seeds=[0, 1], arms=["rft"], factors=[1.0])
    with pytest.raises(ComparisonStopped, match="rftgym compare --resume"):
        experiment.compare(plan, root=tmp_path, plugins=plugins, stop=asked_to_stop_after(1))
    (directory,) = tmp_path.iterdir()
    for attempt in itertools.count(1):
        try:
            result = experiment.resume(directory, plugins=plugins, stop=asked_to_stop_after(1))
            break
        except ComparisonStopped:
            assert attempt < 20
    expected = next(cell for cell in undisturbed["cells"] if cell["arm"] == "rft")
    assert scores(result["cells"]) == scores([expected])
    for seed in (0, 1):  # gone on with, not begun anew
        (lock,) = job_folder(directory, f"rft-n3-seed{seed}").glob("*/environment.json")
        assert [each["step"] for each in json.loads(lock.read_text())["resumed"]] == [1]


def test_a_learning_rate_is_chosen_on_validation_alone(plugins: Plugins, tmp_path: Path) -> None:
    settings = SMALL | {"trainer": SMALL["trainer"] | {"steps": 1}}
    plan = planned([settings], plugins, sizes=[2, 4], seeds=[0], arms=["rft"], factors=[0.01, 1.0])
    result = experiment.compare(plan, root=tmp_path, plugins=plugins)
    directory = Path(result["comparison"])
    (rate,) = result["rates"].values()
    assert [trial["rate"] for trial in rate["tried"]] == pytest.approx([5e-5, 5e-3])
    assert rate["chosen"] == best_trial(rate["tried"])["rate"]
    assert rate["cpu_seconds"] == pytest.approx(sum(trial["cpu_seconds"] for trial in rate["tried"]))
    for trial in rate["tried"]:
        run = run_of(directory, trial["job"])
        assert run.config["env"]["train_tasks"] == 4
        for evaluation in run.evaluations().values():
            assert evaluation["split"] == "validation"
            assert all(id.startswith("validation-") for id in evaluation["per_task"]["tasks"])
    for cell in result["cells"]:
        assert run_of(directory, cell["seeds"][0]["job"]).config["trainer"]["learning_rate"] == rate["chosen"]


@pytest.fixture
def failing(plugins: Plugins, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    from rftgym.errors import RftgymError

    def fails(*arguments: object, **options: object) -> None:
        raise RftgymError("the disk is full")

    monkeypatch.setattr("rftgym.compare.work.training.train", fails)
    return monkeypatch


def test_a_run_that_fails_is_named_and_can_be_tried_again(
    failing: pytest.MonkeyPatch, plugins: Plugins, tmp_path: Path
) -> None:
    settings = SMALL | {"trainer": SMALL["trainer"] | {"steps": 1}}
    plan = planned([settings], plugins, sizes=[2], seeds=[0], arms=["rft"], factors=[1.0])
    with pytest.raises(RunFailed, match=r"rft-n2-seed0 failed: the disk is full.*--resume"):
        experiment.compare(plan, root=tmp_path, plugins=plugins)
    failing.undo()
    (directory,) = tmp_path.iterdir()
    assert experiment.resume(directory, plugins=plugins)["cells"][0]["arm"] == "rft"


def test_a_prompt_that_does_not_fit_is_said_so_and_takes_no_part(
    plugins: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "context_tokens", lambda policy: 40)
    plan = planned([SMALL], plugins, sizes=[3], seeds=[0], arms=["few-shot"])
    result = experiment.compare(plan, root=tmp_path, plugins=plugins)
    (cell,) = result["cells"]
    assert (cell["success"], cell["gain"]) == (None, None)
    assert cell["note"].endswith("the model's context has 40")
    (row,) = table.rows(result)[1:]
    assert row[:3] == ("few-shot", "3", "does not fit")
    assert "few-shot with 3 tasks was not played" in "\n".join(table.notes(result))
    assert "no arm is shown to beat" in result["advice"]
    ET.fromstring((Path(result["comparison"]) / "plot.svg").read_text())


def test_whatever_stands_in_the_results_stays_text(whole: tuple[Path, Plan, dict[str, Any]]) -> None:
    _, plan, result = whole
    hostile = "</title><script>alert(1)</script>"
    html = page({**result, "model": hostile, "advice": hostile}, plan, hostile)
    assert "<script" not in html and "&lt;script" in html
    assert ET.fromstring(plot({**result, "model": hostile}))[0].text.endswith(hostile)


@pytest.mark.slow
def test_worker_processes_register_a_plugin_that_is_not_installed(
    plugins: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its modules can be found on the path, so that the jobs need not be done in this process."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    assert [each["module"] for each in plugins.portable()] == ["compare_letters_plugin"]
    plan = planned([SMALL], plugins, sizes=[3], seeds=[0], factors=[1.0], arms=["base", "rft"])
    result = experiment.compare(plan, root=tmp_path, plugins=plugins, workers=2)
    assert list((Path(result["comparison"]) / "log").glob("worker-*.log"))
    assert result["arms"]
