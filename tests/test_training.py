"""What surrounds an algorithm: early stopping, the best weights, warm start, preflight, the dry step, steps counted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch
from safetensors.torch import load_file

import rftgym
from rftgym.config import (
    EnvSettings,
    EvaluationSettings,
    GuardSettings,
    LoraSettings,
    ModelSettings,
    RewardSettings,
    Settings,
    parsed,
)
from rftgym.errors import ContractError, RunFailed, UsageError
from rftgym.memory import available_bytes
from rftgym.plugins import Plugins, discover
from rftgym.preflight import Preflight, measured
from rftgym.registry import installed, make_configured, make_policy
from rftgym.runs.directory import RunDirectory
from rftgym.selection import best_step, is_stale
from rftgym.tasks import ListTaskset, ProceduralTaskset
from rftgym.trainer import StopRequested, TrainContext
from rftgym.training import Progress, RunStopped, resume, train
from rftgym.types import Failure
from rftgym.updates.dry import dry_step


class Scored(rftgym.SingleTurnEnv):
    """Every episode is paid what the test says at the moment, whatever the answer."""

    now: ClassVar[float] = 0.0
    spread: ClassVar[bool] = False

    def make_tasks(self) -> ListTaskset:
        splits = ("train", "validation", "test")
        return ListTaskset(rftgym.Task(f"{split}-{i}", {}, split) for split in splits for i in range(6))

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([rftgym.Component("paid", self.paid)], success="paid")

    @classmethod
    def paid(cls, trajectory: rftgym.Trajectory) -> float:
        return cls.now * (trajectory.sample if cls.spread else 1)

    def prompt(self, task: rftgym.Task) -> str:
        return f"Task {task.id}."

    def demonstrate(self, task: rftgym.Task, seed: int) -> list[rftgym.Message]:
        return [
            rftgym.Message("system", "Be brief."),
            rftgym.Message("user", self.prompt(task)),
            rftgym.Message("assistant", f"answer {task.id}"),
            rftgym.Message("user", "well done"),
        ]


class Nudge(rftgym.Trainer):
    """Adds 1 to one weight a step, and lets the test say what the policy scores after each."""

    class Config(Settings):
        steps: int = 6
        examples: int | None = None
        micro_batch: int | None = None

    on_policy = False
    scores: ClassVar[Mapping[int, float]] = {}
    seen: ClassVar[list[int]] = []
    skip: ClassVar[int | None] = None

    def train(self, context: TrainContext) -> int:
        policy: Any = context.policy
        settings: Any = context.settings
        if context.resume_from is not None:
            policy.restore(context.resume_from)
        step = context.step
        if context.is_over(step, settings.steps):
            return step
        while step < settings.steps:
            step += 2 if step + 1 == self.skip else 1
            self.seen.append(step)
            with torch.no_grad():
                weight(policy)[0, 0] += 1
            Scored.now = self.scores.get(step, Scored.now)
            try:
                context.step_done(step, settings.steps, {"loss": 0.0})
            except StopRequested:
                self.save(context, step)
                raise
            if context.checkpoint_due(step, settings.steps):
                self.save(context, step)
        policy.refresh()
        return step

    @staticmethod
    def save(context: TrainContext, step: int) -> None:
        with context.checkpoint(step) as directory:
            context.policy.save(directory)  # type: ignore[attr-defined]

    def largest_pass(self, context: TrainContext) -> tuple[int, int]:
        return 4, context.longest_episode_tokens()


class Online(Nudge):
    """The same, as an algorithm that learns from episodes."""

    on_policy = True


def weight(policy: Any) -> torch.Tensor:
    named = dict(policy.model.named_parameters())
    found: torch.Tensor = named[min(name for name in named if "lora_B" in name)]
    return found


class Toy:
    @rftgym.hookimpl
    def rftgym_environments(self) -> list[rftgym.EnvSpec]:
        assumed = {"trainer.steps": 5, "nudge.steps": 4, "online.steps": 3, "sampling.max_tokens": 2}
        return [rftgym.EnvSpec("scored", f"{__name__}:Scored", train_defaults=assumed)]

    @rftgym.hookimpl
    def rftgym_trainers(self) -> list[rftgym.TrainerSpec]:
        return [
            rftgym.TrainerSpec("nudge", f"{__name__}:Nudge"),
            rftgym.TrainerSpec("online", f"{__name__}:Online"),
        ]


@pytest.fixture
def plugins() -> Plugins:
    found = discover()
    found.add(Toy(), name="toy")
    return found


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Scored.now, Scored.spread = 0.0, False
    Nudge.scores, Nudge.seen, Nudge.skip = {}, [], None


def run(tmp_path: Path, plugins: Plugins, **settings: Any) -> dict[str, Any]:
    asked = {
        "env": "scored",
        "trainer": {"id": "nudge", "steps": 6},
        "evaluation": {"n": 2, "every": 2, "every_n": 2},
        "checkpoints": {"every": 2},
        "runs": str(tmp_path / "runs"),
    }
    for name, value in settings.items():
        asked[name] = {**asked[name], **value} if isinstance(asked.get(name), dict) else value
    return train(plugins=plugins, **asked)


def final(result: Mapping[str, Any]) -> float:
    tensors = load_file(Path(result["run"]) / "adapter" / "adapter_model.safetensors")
    return float(tensors[min(name for name in tensors if "lora_B" in name)][0, 0])


# ---- selection


def evaluations(**steps: tuple[float, float]) -> dict[str, Any]:
    return {
        f"step-{int(name[1:]):06d}": {"success": {"mean": s}, "reward": {"mean": r}}
        for name, (s, r) in steps.items()
    }


def test_the_best_step_goes_by_the_measure_then_by_the_other_then_by_time() -> None:
    given = evaluations(s10=(0.5, 1.0), s20=(0.5, 2.0), s30=(0.4, 9.0), s40=(0.5, 2.0))
    settings = EvaluationSettings(patience=2)
    assert best_step(given, settings) == 20
    assert best_step(given, settings, 10) == 10
    assert best_step(given, EvaluationSettings(measure="reward")) == 30
    assert best_step({"before": {}, "after": {}}, settings) is None
    assert is_stale(given, settings) and not is_stale(given, settings, 30)
    assert not is_stale(given, EvaluationSettings(patience=0))


# ---- early stopping and the best weights


def test_training_stops_where_the_held_out_score_stops_rising_and_keeps_the_best_weights(
    tmp_path: Path, plugins: Plugins
) -> None:
    Nudge.scores = {2: 0.3, 4: 0.6, 6: 0.5, 8: 0.6}
    result = run(tmp_path, plugins, trainer={"steps": 20}, evaluation={"patience": 2})
    assert result["steps"] == 8 and Nudge.seen == list(range(1, 9))
    assert final(result) == 4
    directory = RunDirectory.open(result["run"])
    assert [path.name for path in (directory.path / "best").iterdir()] == ["step-000004"]
    assert len(directory.metrics()) == 8


def test_without_patience_the_last_weights_stay_unless_the_best_are_asked_for(
    tmp_path: Path, plugins: Plugins
) -> None:
    Nudge.scores = {2: 0.9, 4: 0.1}
    assert final(run(tmp_path, plugins)) == 6
    Nudge.seen, Scored.now = [], 0.0
    assert final(run(tmp_path, plugins, checkpoints={"take": "best"})) == 2
    Nudge.scores, Scored.now = {2: 0.1, 6: 0.2}, 0.0
    assert final(run(tmp_path, plugins, checkpoints={"take": "best"})) == 6  # the end is evaluated too
    Nudge.scores, Scored.now = {1: 0.1}, 0.5
    assert final(run(tmp_path, plugins, checkpoints={"take": "best"})) == 0  # and so is the start


def test_killed_after_an_early_stop_it_resumes_without_a_further_step(
    tmp_path: Path, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    Nudge.scores = {2: 0.6, 4: 0.5}
    settings = {"trainer": {"steps": 20}, "evaluation": {"patience": 1}}
    whole = run(tmp_path / "a", plugins, **settings)
    Scored.now, Nudge.seen = 0.0, []

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "b", plugins, **settings)
    (path,) = (tmp_path / "b" / "runs").iterdir()
    Nudge.seen = []
    again = resume(path, plugins=plugins)
    assert Nudge.seen == [] and again["steps"] == whole["steps"] == 4
    assert final(again) == final(whole) == 2


def test_the_newest_checkpoints_stay(tmp_path: Path, plugins: Plugins) -> None:
    result = run(tmp_path, plugins, trainer={"steps": 9}, checkpoints={"keep": 3, "every": 2})
    assert RunDirectory.open(result["run"]).checkpoint_steps() == [6, 8, 9]


@pytest.mark.parametrize(
    "settings",
    [
        {"evaluation": {"every": 0, "patience": 2}},
        {"evaluation": {"every": 0}, "checkpoints": {"take": "best"}},
    ],
)
def test_what_goes_by_evaluations_wants_some(
    settings: dict[str, Any], tmp_path: Path, plugins: Plugins
) -> None:
    with pytest.raises(UsageError, match=r"evaluation\.every is 0$"):
        run(tmp_path, plugins, **settings)
    assert not (tmp_path / "runs").exists()


# ---- steps are counted


def test_a_step_that_is_left_out_is_an_error(tmp_path: Path, plugins: Plugins) -> None:
    Nudge.skip = 3
    with pytest.raises(ContractError, match="step 4 after step 2"):
        run(tmp_path, plugins)


def test_steps_that_a_resume_skips_are_an_error(tmp_path: Path, plugins: Plugins) -> None:
    asked = iter([False, False, True])
    with pytest.raises(RunStopped):
        run(tmp_path, plugins, stop=lambda: next(asked))
    (path,) = (tmp_path / "runs").iterdir()
    Nudge.skip = 4
    with pytest.raises(ContractError, match="step 5 after step 3"):
        resume(path, plugins=plugins)


def test_a_trainer_that_claims_other_steps_than_it_reported_is_refused(
    tmp_path: Path, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Nudge.train
    monkeypatch.setattr(Nudge, "train", lambda self, context: honest(self, context) + 1)
    with pytest.raises(ContractError, match="7 steps were taken; 6 were reported"):
        run(tmp_path, plugins)


def test_defaults_may_be_for_one_trainer(tmp_path: Path, plugins: Plugins) -> None:
    from rftgym.training import resolve

    for trainer, steps in (("nudge", 4), ("online", 3), ("grpo", 5)):
        config = resolve([{"env": "scored", "trainer": trainer}], plugins)
        assert config.trainer.own["steps"] == steps


# ---- warm start


def test_a_warm_start_is_a_run_of_its_own_whose_weights_are_taken_over(
    tmp_path: Path, plugins: Plugins
) -> None:
    result = run(tmp_path, plugins, warm_start={"examples": 3, "id": "nudge", "settings": {"steps": 10}})
    assert final(result) == 16
    warm = result["warm_start"]
    assert warm["steps"] == 10 and warm["before"]["n"] == 2
    assert RunDirectory.open(warm["run"]).config["trainer"]["examples"] == 3
    assert Path(warm["run"]).parent == Path(result["run"]) / "warm-start"


def test_a_warm_start_that_was_stopped_is_gone_on_with(tmp_path: Path, plugins: Plugins) -> None:
    settings = {"warm_start": {"examples": 3, "id": "nudge", "settings": {"steps": 10}}}
    asked = iter([False] * 4 + [True])
    with pytest.raises(RunStopped, match="in the warm start") as stopped:
        run(tmp_path, plugins, stop=lambda: next(asked), **settings)
    (path,) = (tmp_path / "runs").iterdir()
    assert str(path) in str(stopped.value)
    asked = iter([False] * 8 + [True])  # five steps of the warm start are left, then three of the run
    with pytest.raises(RunStopped):
        resume(path, plugins=plugins, stop=lambda: next(asked))
    result = resume(path, plugins=plugins)
    assert final(result) == 16 and result["steps"] == 6
    assert len(list((path / "warm-start").iterdir())) == 1


def test_a_mistake_in_the_warm_start_is_found_before_anything_is_written(
    tmp_path: Path, plugins: Plugins
) -> None:
    with pytest.raises(UsageError, match=r"warm_start\.settings.*'stepps'"):
        run(tmp_path, plugins, warm_start={"examples": 3, "id": "nudge", "settings": {"stepps": 10}})
    assert not (tmp_path / "runs").exists()


# ---- preflight


def scored(*rewards: float | None) -> list[rftgym.Trajectory]:
    found = []
    for index, reward in enumerate(rewards):
        trajectory = rftgym.Trajectory("e", rftgym.Task("t", {}), 0, sample=index)
        from rftgym.types import Score

        trajectory.score = Score(reward, None if reward is None else reward >= 1, {})
        found.append(trajectory)
    return found


def test_where_nothing_can_be_scored_preflight_says_why() -> None:
    episodes = scored(None, None)
    episodes[0].failures.append(Failure("reward", "paid", "KeyError", "'x'"))
    advice = measured(episodes, 2).advice()
    assert advice is not None and "KeyError: 'x'" in advice


@pytest.mark.parametrize(
    ("rewards", "verdict", "cure"),
    [
        ([0.0, 1.0, 0.0, 0.0], "fine", None),
        ([0.0, 0.1, 0.0, 0.2], "no success yet", "--warm-start"),
        ([0.0, 0.0, 0.1, 0.1], "too hard", "--group-size 4"),
        ([1.0, 1.0, 1.0, 1.0], "too easy", "harder"),
        ([1.0, 1.0, 0.0, 0.0], "flat", "--temperature"),
        ([None, None, None, None], "unscored", "rewards that say None"),
        ([None, 1.0, 0.0, 0.0], "flat", "--group-size"),
    ],
)
def test_preflight_names_what_is_wrong_and_the_cure(
    rewards: list[float | None], verdict: str, cure: str | None
) -> None:
    found = measured(scored(*rewards), 2)
    assert found.verdict == verdict
    advice = found.advice()
    assert advice is None if cure is None else advice is not None and cure in advice


def test_preflights_figures() -> None:
    found = measured(scored(0.0, 1.0, 0.5, 0.5, None, 0.2), 2)
    assert found == Preflight(
        3, 2, success=1 / 5, pass_at_group=1 / 3, signal=1 / 3, unscored=pytest.approx(1 / 6)
    )


def test_a_run_without_a_signal_is_stopped_where_that_was_asked_for(tmp_path: Path, plugins: Plugins) -> None:
    with pytest.raises(RunFailed, match="0% of 16 groups of 8"):
        run(tmp_path, plugins, trainer={"id": "online"}, guard={"preflight": "stop"})
    (path,) = (tmp_path / "runs").iterdir()
    assert json.loads((path / "preflight.json").read_text())["verdict"] == "too hard"
    assert Nudge.seen == []


def test_a_run_with_a_signal_passes(tmp_path: Path, plugins: Plugins) -> None:
    Scored.now, Scored.spread = 1.0, True
    result = run(
        tmp_path, plugins, trainer={"id": "online"}, guard={"preflight": "stop", "preflight_tasks": 3}
    )
    gate = json.loads((Path(result["run"]) / "preflight.json").read_text())
    assert (gate["groups"], gate["signal"], gate["verdict"]) == (3, 1.0, "fine")


@pytest.mark.parametrize("word", [False, "off"])
def test_the_bare_word_off_switches_the_preflight_off(word: object) -> None:
    assert parsed(GuardSettings, {"preflight": word}).preflight == "off"  # YAML 1.1 reads off as false
    with pytest.raises(UsageError, match="preflight"):
        parsed(GuardSettings, {"preflight": True})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"env": {"id": "scored", "kwargs": {"tasks": "mine.jsonl"}}}, "--tasks"),
        ({"env": {"id": "scored", "kwargs": {"rubric": 3}}}, "rubric must be a Rubric, not 3"),
        ({"env": {"id": "scored", "kwargs": {"max_turns": "x"}}}, "max_turns='x'"),
        ({"sampling": {"temperature": float("inf")}}, r"sampling\.temperature.*finite"),
    ],
)
def test_settings_of_a_wrong_kind_are_found_before_anything_is_written(
    settings: dict[str, Any], message: str, tmp_path: Path, plugins: Plugins
) -> None:
    with pytest.raises(UsageError, match=message):
        run(tmp_path, plugins, **settings)
    assert not (tmp_path / "runs").exists()


# ---- few tasks, and solved ones shown


def test_tasks_that_cannot_be_solved_are_replaced_by_others(plugins: Plugins) -> None:
    class Picky(Scored):
        def demonstrate(self, task: rftgym.Task, seed: int) -> list[rftgym.Message]:
            return super().demonstrate(task, seed) if task.id.endswith(("1", "4")) else []

    assert [len(list(Picky().solved(n, 0))) for n in (1, 2, 6)] == [1, 2, 2]


def test_few_train_tasks_are_the_only_ones_and_other_splits_stay_whole(plugins: Plugins) -> None:
    few = make_configured(
        EnvSettings(id="scored", train_tasks=2, train_seed=5), RewardSettings(), plugins=plugins
    )
    walk = few.tasks.order("train", 0)
    assert len({next(walk).id for _ in range(50)}) == few.tasks.size("train") == 2
    assert few.tasks.size("test") == 6
    others = {
        tuple(
            sorted(
                make_configured(
                    EnvSettings(id="scored", train_tasks=2, train_seed=seed), RewardSettings(), plugins=plugins
                ).tasks.item("train", i).id
                for i in range(2)
            )
        )
        for seed in range(8)
    }  # fmt: skip
    assert len(others) > 1
    with pytest.raises(UsageError, match="train_tasks=7: split 'train' has 6 tasks"):
        make_configured(EnvSettings(id="scored", train_tasks=7), RewardSettings(), plugins=plugins)


def test_few_tasks_of_an_endless_taskset() -> None:
    from rftgym.tasks import FewTrainTasks

    whole = ProceduralTaskset(lambda split, rng, id: rftgym.Task(id, {}, split))
    few = FewTrainTasks(whole, 3, seed=4)
    assert [few.item("train", i, seed=9).id for i in range(3)] == ["train-4-0", "train-4-1", "train-4-2"]
    assert few.size("test") is None and few.item("test", 1, 2).id == "test-2-1"
    assert few.by_id("train-8-1").id == "train-8-1"


def test_shots_stand_between_the_system_message_and_the_task(plugins: Plugins) -> None:
    env = make_configured(EnvSettings(id="scored", shots=2), RewardSettings(), plugins=plugins)
    env.system = "Be brief."
    messages = env.start(env.tasks.item("test", 0), 1)
    assert [m.role for m in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert messages[-1].content == "Task test-0." and "train-" in messages[1].content
    assert env.spawn().start(env.tasks.item("test", 0), 1) == messages
    with pytest.raises(UsageError, match="can show 6 solved train tasks"):
        make_configured(EnvSettings(id="scored", shots=7), RewardSettings(), plugins=plugins)
    with pytest.raises(UsageError, match="demonstrate"):
        make_configured(EnvSettings(id="reverse-nowhere", shots=1), RewardSettings(), plugins=unsolved())


def unsolved() -> Plugins:
    class Unsolved:
        @rftgym.hookimpl
        def rftgym_environments(self) -> list[rftgym.EnvSpec]:
            return [rftgym.EnvSpec("reverse-nowhere", f"{__name__}:Silent")]

    found = Plugins()
    found.add(Unsolved(), name="unsolved")
    return found


class Silent(Scored):
    def demonstrate(self, task: rftgym.Task, seed: int) -> None:
        return None


def test_episodes_with_shots_are_token_exact() -> None:
    from rftgym.rollout.engine import play

    env = make_configured(EnvSettings(id="wordle", shots=1), RewardSettings())
    policy = make_policy(ModelSettings(id="tiny"))
    tasks = env.tasks.sample("test", 2, 0)
    episodes = play(env, policy, rftgym.Sampling(max_tokens=16), tasks=tasks, seeds=[1, 2])
    assert [policy.drift(episode) for episode in episodes] == [0, 0]  # type: ignore[attr-defined]


@pytest.mark.parametrize("id", ["wordle", "triton-kernels"])
def test_solutions_solve_their_tasks(id: str) -> None:
    env = rftgym.make(id)
    for talk in env.solved(3, 0):
        assert talk[-1].role == "assistant"
    for task in env.tasks.sample("train", 3, 1):
        talk = env.demonstrate(task, 1) or pytest.fail("no solution")
        env.reset(options={"task": task.id}, seed=1)
        for message in talk:
            if message.role == "assistant":
                *_, info = env.step(message.content)
        assert info["score"].success


# ---- the dry step


def test_a_pass_that_does_not_fit_is_refused_with_the_settings_to_lower(
    tmp_path: Path, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rftgym.updates.dry.available_bytes", lambda: 3_000_000)
    with pytest.raises(RunFailed, match=r"GB are free.*trainer\.micro_batch.*gradient_checkpointing.*qlora"):
        run(tmp_path, plugins)
    assert Nudge.seen == []


def test_the_dry_step_changes_nothing_and_says_what_it_takes() -> None:
    settings = ModelSettings(id="tiny", lora=LoraSettings(dropout=0.5))
    policy: Any = make_policy(settings, trainable=True, seed=0)
    before = {name: p.detach().clone() for name, p in policy.model.named_parameters()}
    modes, state = [module.training for module in policy.model.modules()], torch.get_rng_state()
    found = dry_step(policy.model, 2, 300)
    assert modes == [module.training for module in policy.model.modules()]
    assert found.rows == 2 and found.tokens == 300
    assert found.peak_bytes is not None and found.peak_bytes > 2 * 300 * 1000
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(before[name], p) and p.grad is None for name, p in policy.model.named_parameters())


@pytest.mark.parametrize("recomputes", [False, True])
def test_the_dry_step_recomputes_activations_where_training_does(recomputes: bool) -> None:
    settings = ModelSettings(id="tiny", gradient_checkpointing=recomputes)
    model = make_policy(settings, trainable=True, seed=0).model  # type: ignore[attr-defined]
    passes = []
    model.get_base_model().model.layers[0].mlp.register_forward_pre_hook(lambda *_: passes.append(1))
    dry_step(model, 1, 50)
    assert len(passes) == 1 + recomputes


def test_a_cpus_dry_step_counts_what_does_not_grow_with_the_rows_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rftgym.updates.dry._pass", lambda model, rows, tokens: 1000 + 40)
    monkeypatch.setattr("rftgym.updates.dry.available_bytes", lambda: 4 * 1000 + 3 * 40)
    model = torch.nn.Linear(10, 1, bias=False)  # 40 bytes
    model.device = torch.device("cpu")  # type: ignore[assignment]
    assert dry_step(model, 4, 7).peak_bytes == 4 * 1000 + 3 * 40  # gradients and two moments
    with pytest.raises(RunFailed, match=r"trainer\.micro_batch=4 would fit"):
        dry_step(model, 5, 7)


def test_memory_is_limited_by_every_control_group_around_the_process(tmp_path: Path) -> None:
    def put(name: str, text: str) -> None:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    assert available_bytes(tmp_path) is None
    put("proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:    8000 kB\n")
    assert available_bytes(tmp_path) == 8000 * 1024
    put("proc/self/cgroup", "1:name=systemd:/elsewhere\n0::/jobs/mine\n")
    for group, limit in (("", "max"), ("jobs/", "5000000"), ("jobs/mine/", "7000000")):
        put(f"sys/fs/cgroup/{group}memory.max", f"{limit}\n")
        put(f"sys/fs/cgroup/{group}memory.current", "2000000\n")
        put(f"sys/fs/cgroup/{group}memory.stat", "anon 5\ninactive_file 300000\n")
    assert available_bytes(tmp_path) == 5_000_000 - 2_000_000 + 300_000


class Narrow(torch.nn.Module):
    """A model on another device than the CPU that has room for so many rows."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.rows, self.passes = rows, list[int]()
        self.device, self.trained = torch.device("meta"), torch.nn.Parameter(torch.zeros(3, device="meta"))

    def forward(self, input_ids: torch.Tensor, **_: Any) -> SimpleNamespace:
        self.passes.append(len(input_ids))
        if len(input_ids) > self.rows:
            raise torch.OutOfMemoryError("out of memory")
        assert self.training
        return SimpleNamespace(logits=torch.zeros((*input_ids.shape, 5), device="meta", requires_grad=True))


def test_out_of_memory_on_a_gpu_is_told_or_retreated_from() -> None:
    with pytest.raises(RunFailed, match=r"8 rows of 100 tokens.*guard\.retreat=true"):
        dry_step(Narrow(3), 8, 100)
    model = Narrow(3).eval()
    assert dry_step(model, 8, 100, retreat=True).rows == 2 and not model.training
    assert model.passes == [8, 4, 2]
    with pytest.raises(RunFailed, match="1 rows"):
        dry_step(Narrow(0), 8, 100, retreat=True)


def test_memory_that_runs_out_later_names_the_cures(
    tmp_path: Path, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out(self: Nudge, context: TrainContext) -> int:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Nudge, "train", out)
    with pytest.raises(RunFailed, match=r"out of memory after step 0.*--max-tokens"):
        run(tmp_path, plugins)


def test_a_retreat_lowers_the_trainers_micro_batch(
    tmp_path: Path, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    honest = Nudge.train

    def train_(self: Nudge, context: TrainContext) -> int:
        seen.append(context.settings.micro_batch)  # type: ignore[attr-defined]
        return honest(self, context)

    monkeypatch.setattr(Nudge, "train", train_)
    monkeypatch.setattr("rftgym.updates.dry._pass", lambda model, rows, tokens: 1000)
    monkeypatch.setattr("rftgym.updates.dry._bytes", lambda parameter: 0)
    monkeypatch.setattr("rftgym.updates.dry.available_bytes", lambda: 2500)
    run(tmp_path, plugins, guard={"retreat": True})
    assert seen == [2]


def test_no_episode_is_longer_than_the_context(monkeypatch: pytest.MonkeyPatch) -> None:
    env = rftgym.make("wordle")
    config = rftgym.training.resolve([{"env": "wordle"}], installed())  # type: ignore[attr-defined]
    policy = make_policy(config.model, trainable=True, seed=0)
    given = {"config": config, "settings": config, "env": env, "policy": policy, "plugins": installed()}
    context = TrainContext(
        **given, sampling=rftgym.Sampling(max_tokens=32), run=None, resume_from=None, evaluate_now=print
    )
    assert 400 < context.longest_episode_tokens() <= 1024
    whole, honest = context.longest_episode_tokens(), env.begin

    def begin(self: Any, task: Any, rng: Any) -> Any:
        if task.id == first.id:
            raise RuntimeError("the board is gone")
        return honest(task, rng)

    first = env.tasks.sample("train", 1, config.seed)[0]
    monkeypatch.setattr(type(env), "begin", begin)
    assert (
        context.longest_episode_tokens() == whole
    )  # the rollout tells of it; here the others' lengths will do


# ---- a model that has no chance


class Remarks(Progress):
    def __init__(self) -> None:
        self.said: list[str] = []

    def remark(self, step: int, text: str) -> None:
        self.said.append(text)


@pytest.mark.parametrize(
    ("env", "model", "named"),
    [
        ("chess", "tiny", "smollm2-135m"),
        ("math", "tiny", "tiny-mixed"),
        ("wordle:1,chess:1", "tiny-kernels", "smollm2-135m"),
        ("wordle", "tiny", None),
        ("chess", "smollm2-135m", None),
    ],
)
def test_a_special_model_without_a_chance_is_told_before_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env: str, model: str, named: str | None
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise UsageError("it is loaded now")

    monkeypatch.setattr("rftgym.training.make_policy", refuse)
    remarks = Remarks()
    with pytest.raises(UsageError, match="it is loaded now"):
        train(env=env, model=model, runs=str(tmp_path), progress=remarks)
    if named is None:
        assert remarks.said == []
    else:
        (said,) = remarks.said
        assert f"model {model!r}" in said
        assert f"--model {named}" in said
    assert not list(tmp_path.iterdir())


def test_nothing_is_said_of_the_model_where_the_environment_cannot_be_made(tmp_path: Path) -> None:
    remarks = Remarks()
    with pytest.raises(UsageError, match="no reward component"):
        train(env="chess", rewards={"weights": {"none": 1}}, runs=str(tmp_path), progress=remarks)
    assert remarks.said == []
