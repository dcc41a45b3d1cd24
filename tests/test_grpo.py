"""GRPO from end to end on a toy environment, with the bundled model."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym.config import ModelSettings, RunConfig
from rftgym.errors import UsageError
from rftgym.plugins import Plugins
from rftgym.registry import installed, make_policy
from rftgym.runs.directory import RunDirectory
from rftgym.tasks import ListTaskset
from rftgym.trainer import StopRequested, TrainContext

grpo = pytest.importorskip("rftgym_grpo.trainer")


class Letters(rftgym.SingleTurnEnv):
    """Reward: the share of characters that are the letter the task names. Easy to learn, impossible by luck."""

    def make_tasks(self) -> ListTaskset:
        return ListTaskset(rftgym.Task(f"e-{i}", {"letter": "e"}) for i in range(16))

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([rftgym.Component("share", self.share)], success="share")

    @staticmethod
    def share(completion: str, task: rftgym.Task) -> float | None:
        return sum(c == task.data["letter"] for c in completion) / max(1, len(completion))

    def prompt(self, task: rftgym.Task) -> str:
        return f"Write {task.data['letter']}."


class Constant(Letters):
    """Every reward is equal: no group carries a signal."""

    @staticmethod
    def share(completion: str, task: rftgym.Task) -> float | None:
        return 0.5


class Unscorable(Letters):
    """Nothing can be scored."""

    @staticmethod
    def share(completion: str, task: rftgym.Task) -> float | None:
        return None


class Counting(Letters):
    """Half of the episodes cannot be scored, the other half are all alike."""

    @staticmethod
    def share(trajectory: rftgym.Trajectory) -> float | None:
        return None if trajectory.sample % 2 else 0.25


def context(
    directory: Path, env: rftgym.TextEnv[Any], *, stop: Any = None, resume_from: Path | None = None,
    run: RunDirectory | None = None, max_error_share: float = 1.0, model: Mapping[str, Any] | None = None,
    checkpoint_every: int = 2, **settings: Any,
) -> TrainContext:  # fmt: skip
    own = grpo.GRPOSettings(**{"steps": 3, "prompts": 2, "group_size": 4, "learning_rate": 1e-2} | settings)
    config = RunConfig.model_validate(
        {
            "env": "letters",
            "model": {"id": "tiny", **(model or {})},
            "rewards": {"max_error_share": max_error_share},
            "evaluation": {"every": 0},
            "checkpoints": {"every": checkpoint_every},
        }
    )
    run = run or RunDirectory.create(
        directory, name="test", config=config.model_dump(mode="json"), plugins=Plugins()
    )
    return TrainContext(
        config=config,
        settings=own,
        env=env,
        policy=make_policy(ModelSettings(id="tiny", **(model or {})), trainable=True, seed=0),
        sampling=rftgym.Sampling(max_tokens=8),
        run=run,
        plugins=installed(),
        resume_from=resume_from,
        evaluate_now=lambda step: None,
        stop=stop or (lambda: False),
    )


def weights(ctx: TrainContext) -> dict[str, Any]:
    model = ctx.policy.model  # type: ignore[attr-defined]
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    import torch

    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def untimed(ctx: TrainContext) -> str:
    timing = ("time", "seconds")
    return json.dumps(
        [{k: v for k, v in line.items() if not k.startswith(timing)} for line in ctx.run.metrics()]
    )


INIT = [each.name for each in dataclasses.fields(TrainContext) if each.init]


def test_learns_a_toy_task(tmp_path: Path) -> None:
    ctx = context(tmp_path, Letters(), steps=12, prompts=4, group_size=8)
    assert grpo.GRPO().train(ctx) == 12
    rewards = [line["reward/mean"] for line in ctx.run.metrics()]
    assert len(rewards) == 12
    assert max(rewards[-3:]) > rewards[0] + 0.15, rewards
    assert all(line["drift"] == 0 for line in ctx.run.metrics())
    assert max(line["sampler_gap/max"] for line in ctx.run.metrics()) < 1e-2


@pytest.mark.parametrize("env", [Constant(), Unscorable(), Counting()], ids=lambda env: type(env).__name__)
def test_rewards_without_a_signal_change_nothing_and_are_counted(
    env: rftgym.TextEnv[Any], tmp_path: Path
) -> None:
    ctx = context(tmp_path, env, steps=2)
    before = weights(ctx)
    grpo.GRPO().train(ctx)
    assert same(before, weights(ctx))
    line = ctx.run.metrics()[-1]
    assert line["groups/zero_spread"] + line["groups/unscored"] == 1.0
    assert line["unscored"] == {"Constant": 0.0, "Unscorable": 1.0, "Counting": 0.5}[type(env).__name__]
    assert math.isfinite(line["loss"])


def test_too_many_unscorable_episodes_end_the_run(tmp_path: Path) -> None:
    from rftgym.errors import RunFailed

    with pytest.raises(RunFailed, match="step 1"):
        grpo.GRPO().train(context(tmp_path, Unscorable(), max_error_share=0.5))


@pytest.mark.parametrize("loss", ["grpo", "dapo", "bnpo", "cispo", "sapo", "gspo", "luspo", "vespo"])
def test_every_loss_takes_a_step(loss: str, tmp_path: Path) -> None:
    ctx = context(tmp_path, Letters(), steps=1, loss=loss, warmup=0)
    before = weights(ctx)
    grpo.GRPO().train(ctx)
    assert not same(before, weights(ctx))


def test_cispo_clips_where_the_settings_say(tmp_path: Path) -> None:
    """On-policy every ratio is 1 and nothing is clipped: the gradient is that of the plain policy gradient."""
    first = {}
    for loss in ("dapo", "cispo"):
        ctx = context(tmp_path / loss, Letters(), steps=1, warmup=2, loss=loss)
        grpo.GRPO().train(ctx)
        (first[loss],) = ctx.run.metrics()
    assert first["cispo"]["gradient_norm"] == pytest.approx(first["dapo"]["gradient_norm"], rel=1e-4)
    assert first["cispo"]["clip_share"] == 0.0


def test_a_mixture_of_experts_takes_a_step(tmp_path: Path) -> None:
    """TRL wants its balancing loss too, which shared prompts would leave out."""
    import torch
    import transformers

    from rftgym_transformers.policy import TransformersPolicy

    ctx = context(tmp_path, Letters(), steps=1, warmup=0)
    tokenizer = ctx.policy.tokenizer  # type: ignore[attr-defined]
    config = transformers.MixtralConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, num_local_experts=4, max_position_embeddings=256,
    )  # fmt: skip
    with torch.random.fork_rng():
        model = transformers.AutoModelForCausalLM.from_config(config)
    ctx.policy = TransformersPolicy("experts", model, tokenizer)
    before = weights(ctx)
    assert grpo.GRPO().train(ctx) == 1
    after = weights(ctx)
    assert [name for name in before if "gate" in name and not torch.equal(before[name], after[name])]
    assert ctx.run.metrics()[0]["sampler_gap/max"] < 1e-2


@pytest.mark.parametrize(
    ("env", "settings"),
    [(Unscorable(), {}), (Letters(), {"mask_truncated": True})],
    ids=["unscored", "cut off"],
)
def test_what_takes_no_part_is_in_no_term_of_the_loss(
    env: rftgym.TextEnv[Any], settings: dict[str, Any], tmp_path: Path
) -> None:
    """Neither in the divergence from the reference nor in the entropy bonus."""
    ctx = context(
        tmp_path, env, steps=2, iterations=2, warmup=0, beta=0.5, entropy_coefficient=0.5, **settings
    )
    ctx.sampling = rftgym.Sampling(max_tokens=1)  # no completion comes to its end
    before = weights(ctx)
    grpo.GRPO().train(ctx)
    assert {turn.stop_reason for t in ctx.run.trajectories(1) for turn in t.turns} == {"length"}
    assert same(before, weights(ctx))


def test_several_gpus_are_no_larger_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rftgym_grpo import trl_bridge

    usual = trl_bridge._arguments

    def with_two_gpus(*given: Any) -> Any:
        args = usual(*given)
        assert args.n_gpu in (0, 1)
        args._n_gpu = 2
        return args

    monkeypatch.setattr(trl_bridge, "_arguments", with_two_gpus)
    ctx = context(tmp_path, Letters(), steps=1)
    assert grpo.GRPO().train(ctx) == 1
    assert len(list(ctx.run.trajectories(1))) == 8


def test_several_processes_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for trainer in ("grpo", "rloo", "ppo", "sft"):
        with pytest.raises(UsageError, match="WORLD_SIZE is 2"):
            rftgym.train(env="wordle", trainer=trainer, runs=str(tmp_path / "runs"))
    assert not (tmp_path / "runs").exists()


def test_full_fine_tuning_and_kl(tmp_path: Path) -> None:
    ctx = context(
        tmp_path, Letters(), steps=2, warmup=0, learning_rate=1e-3, beta=0.1, model={"adapter": "full"}
    )
    before = weights(ctx)
    grpo.GRPO().train(ctx)
    assert not same(before, weights(ctx))
    assert ctx.run.metrics()[-1]["kl"] >= 0


@pytest.mark.parametrize("adapter", ["lora", "full"])
def test_the_reference_is_the_policy_that_training_started_from(adapter: str, tmp_path: Path) -> None:
    """Not the model that the policy was made from: it may have been trained before, as in a warm start."""
    import torch

    ctx = context(tmp_path, Letters(), steps=1, warmup=2, beta=0.1, model={"adapter": adapter})
    with torch.no_grad():
        for name, parameter in ctx.policy.model.named_parameters():  # type: ignore[attr-defined]
            if parameter.requires_grad and ("lora_B" in name or adapter == "full"):
                parameter += 0.02
    ctx.policy.refresh()  # type: ignore[attr-defined]
    grpo.GRPO().train(ctx)
    assert ctx.run.metrics()[0]["kl"] == pytest.approx(0.0, abs=1e-6)


def test_stopped_and_resumed_ends_as_undisturbed(tmp_path: Path) -> None:
    whole = context(tmp_path / "a", Letters(), steps=4)
    grpo.GRPO().train(whole)

    asked = iter([False, True])
    stopped = context(tmp_path / "b", Letters(), steps=4, stop=lambda: next(asked))
    with pytest.raises(StopRequested):
        grpo.GRPO().train(stopped)
    step, checkpoint = stopped.run.latest_checkpoint() or pytest.fail("no checkpoint")
    assert step == 2
    stopped.run.rewind(step)
    resumed = context(tmp_path / "b", Letters(), steps=4, run=stopped.run, resume_from=checkpoint)
    assert grpo.GRPO().train(resumed) == 4

    assert same(weights(whole), weights(resumed))
    assert untimed(whole) == untimed(resumed)


@pytest.mark.parametrize(
    "settings",
    [
        {"minibatches": 2, "iterations": 2, "micro_batch": 2},
        {"iterations": 3, "beta": 0.05, "schedule": "cosine-floor"},
        {"iterations": 2, "beta": 0.05, "learning_rate": 1e-4, "model": {"adapter": "full"}},
    ],
    ids=["minibatches", "a reference", "all weights"],
)
def test_resumes_exactly_with_several_updates_a_batch(settings: dict[str, Any], tmp_path: Path) -> None:
    whole = context(tmp_path / "a", Letters(), steps=12, **settings)
    grpo.GRPO().train(whole)
    cycle = whole.settings.cycle  # type: ignore[attr-defined]
    asked = iter([False] * (cycle + 1) + [True] * cycle)
    stopped = context(tmp_path / "b", Letters(), steps=12, stop=lambda: next(asked), **settings)
    with pytest.raises(StopRequested):
        grpo.GRPO().train(stopped)
    step, checkpoint = stopped.run.latest_checkpoint() or pytest.fail("no checkpoint")
    assert step == 2 * cycle
    stopped.run.rewind(step)
    resumed = context(
        tmp_path / "b", Letters(), steps=12, run=stopped.run, resume_from=checkpoint, **settings
    )
    assert grpo.GRPO().train(resumed) == 12
    assert same(weights(whole), weights(resumed))
    assert untimed(whole) == untimed(resumed)


def test_a_resume_at_the_end_only_loads_the_weights(tmp_path: Path) -> None:
    done = context(tmp_path, Letters(), steps=3)
    grpo.GRPO().train(done)
    step, checkpoint = done.run.latest_checkpoint() or pytest.fail("no checkpoint")
    again = context(tmp_path, Letters(), steps=3, run=done.run, resume_from=checkpoint)
    assert grpo.GRPO().train(again) == step == 3
    assert same(weights(done), weights(again)) and again.policy.version == done.policy.version
    assert len(done.run.metrics()) == 3


def test_a_resume_that_would_leave_steps_out_is_an_error(tmp_path: Path) -> None:
    from rftgym.errors import ContractError

    done = context(tmp_path, Letters(), steps=2)
    grpo.GRPO().train(done)
    _, checkpoint = done.run.latest_checkpoint() or pytest.fail("no checkpoint")
    claimed = checkpoint.rename(checkpoint.with_name("step-000004"))
    with pytest.raises(ContractError, match="step 3 after step 4"):
        grpo.GRPO().train(context(tmp_path, Letters(), steps=6, run=done.run, resume_from=claimed))


@pytest.mark.parametrize("cycle", [1, 2])
def test_early_stopping_ends_at_a_checkpoint_and_is_let_through(cycle: int, tmp_path: Path) -> None:
    from rftgym.trainer import EarlyStopped

    class Stale(TrainContext):
        """Nothing has improved since step 3."""

        def _is_stale(self) -> bool:
            return self.step >= 3

    usual = context(tmp_path, Letters(), steps=8, iterations=cycle)
    ctx = Stale(**{name: getattr(usual, name) for name in INIT})
    with pytest.raises(EarlyStopped):
        grpo.GRPO().train(ctx)
    assert ctx.step == {1: 3, 2: 4}[cycle]
    step, checkpoint = ctx.run.latest_checkpoint() or pytest.fail("no checkpoint")
    assert step == ctx.step
    again = Stale(**{name: getattr(usual, name) for name in INIT} | {"resume_from": checkpoint})
    assert grpo.GRPO().train(again) == step


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine", "cosine-floor", "inverse-sqrt"])
def test_schedules_mean_what_they_say(schedule: Any, tmp_path: Path) -> None:
    from rftgym.updates.schedules import learning_rate_factor

    ctx = context(tmp_path, Constant(), steps=5, warmup=2, schedule=schedule, prompts=1, group_size=2)
    grpo.GRPO().train(ctx)
    expected = [1e-2 * learning_rate_factor(n, steps=5, warmup=2, schedule=schedule) for n in range(1, 6)]
    assert [line["learning_rate"] for line in ctx.run.metrics()] == pytest.approx(expected)


def test_the_largest_pass_is_what_training_makes(tmp_path: Path) -> None:
    ctx = context(tmp_path, Letters(), prompts=4, group_size=6, micro_batch=7)
    rows, tokens = grpo.GRPO().largest_pass(ctx)
    assert rows == 6  # the largest divisor of 24 that is allowed
    assert tokens == ctx.longest_episode_tokens()


def test_a_wish_to_stop_inside_a_cycle_waits_for_its_end(tmp_path: Path) -> None:
    ctx = context(tmp_path, Letters(), steps=6, minibatches=2, stop=lambda: True)
    with pytest.raises(StopRequested):
        grpo.GRPO().train(ctx)
    lines = ctx.run.metrics()
    assert [line["step"] for line in lines] == [1, 2]
    assert ["reward/mean" in line for line in lines] == [True, False]  # one batch of episodes, two updates
    assert (ctx.run.latest_checkpoint() or pytest.fail("no checkpoint"))[0] == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sampling": {"temperature": 0}}, "sampling.temperature is 0"),
        ({"model": "openai:anything@http://127.0.0.1:9/v1"}, "no weights"),
        ({"model": {"lora": {"dropout": 0.05}}}, "dropout is 0.05"),
    ],
)
def test_what_grpo_cannot_train_is_refused_before_anything_is_written(
    settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        rftgym.train(env="wordle", runs=str(tmp_path / "runs"), **settings)
    assert not (tmp_path / "runs").exists()


def test_a_configuration_and_settings_together_are_refused() -> None:
    with pytest.raises(UsageError, match="not both"):
        rftgym.train(RunConfig.model_validate({"env": "wordle"}), seed=1)


def test_callers_generators_are_left_alone(tmp_path: Path) -> None:
    import random

    import numpy as np
    import torch

    legacy = np.random  # its global generator

    def states() -> tuple[Any, ...]:
        return random.getstate(), legacy.get_state()[1].tolist(), torch.get_rng_state().tolist()

    before = states()
    grpo.GRPO().train(context(tmp_path, Letters(), steps=1))
    assert before == states()


tokens = st.lists(st.integers(0, 99), min_size=1, max_size=6).map(tuple)


@given(st.lists(st.tuples(tokens, tokens), min_size=1, max_size=4))
def test_layout_keeps_every_token_and_marks_the_models(
    turns: list[tuple[tuple[int, ...], tuple[int, ...]]],
) -> None:
    from rftgym.updates.layout import laid_out

    trajectory = rftgym.Trajectory("e", rftgym.Task("t", {}), 0)
    for prompt, completion in turns:
        logprobs = tuple(-1.0 - token for token in completion)
        trajectory.turns.append(rftgym.Turn((), "", prompt, completion, logprobs))
    rows = laid_out([trajectory])
    prompt_ids, completion_ids, mask, logprobs = (
        rows[k][0] for k in ("prompt_ids", "completion_ids", "env_mask", "logprobs")
    )
    assert prompt_ids + completion_ids == trajectory.token_ids
    assert [0] * len(prompt_ids) + mask == trajectory.model_mask
    assert [(t, p) for t, p, m in zip(completion_ids, logprobs, mask, strict=True) if m] == [
        (t, -1.0 - t) for _, completion in turns for t in completion
    ]


def test_what_never_became_tokens_is_one_masked_token() -> None:
    from rftgym.updates.layout import laid_out, padded

    refused = rftgym.Trajectory("e", rftgym.Task("t", {}), 0)
    refused.turns.append(rftgym.Turn((), "", (), (), ()))  # its prompt could not be put into tokens
    silent = rftgym.Trajectory("e", rftgym.Task("t", {}), 0)
    silent.turns.append(
        rftgym.Turn((), "ab", (5, 6), (7, 8), ())
    )  # a policy that records no log-probabilities
    rows = laid_out([refused, rftgym.Trajectory("e", rftgym.Task("t", {}), 0), silent])
    assert rows["prompt_ids"] == [[0], [0], [5, 6]] and rows["completion_ids"] == [[0], [0], [7, 8]]
    assert rows["env_mask"] == [[0], [0], [1, 1]]
    assert all(not padded(rows[name]).is_floating_point() for name in ("prompt_ids", "completion_ids"))
    assert [len(row) for row in rows["logprobs"]] == [1, 1, 2] and all(map(math.isnan, rows["logprobs"][2]))


payout_groups = st.integers(1, 4).flatmap(
    lambda size: st.lists(
        st.one_of(st.none(), st.lists(st.floats(-2, 2), min_size=1, max_size=4)),
        min_size=size,
        max_size=3 * size,
    ).map(lambda rows: (size, rows[: len(rows) // size * size]))
)


@given(payout_groups, st.sampled_from(["turn", "episode"]), st.sampled_from(["none", "group", "batch"]))
def test_advantages_are_centred_and_cover_every_scorable_turn(
    groups: tuple[int, list[list[float] | None]], credit: Any, scale: Any
) -> None:
    size, payouts = groups
    found = grpo.advantages(payouts, size, credit=credit, scale=scale)
    assert [len(row) for row in found] == [len(paid or ()) for paid in payouts]
    for first in range(0, len(payouts), size):
        rows = [row for row in found[first : first + size] if row]
        if credit == "episode":
            assert all(len(set(row)) == 1 for row in rows)
            assert sum(row[0] for row in rows) == pytest.approx(0, abs=1e-6 if scale == "none" else 1e-2)
        else:
            for turn in range(max(map(len, rows), default=0)):
                here = [row[turn] for row in rows if turn < len(row)]
                assert sum(here) == pytest.approx(0, abs=1e-6 if scale == "none" else 1e-2)


@pytest.mark.parametrize("scale", ["none", "group", "batch"])
def test_advantages_of_episodes_equal_trls(scale: Any) -> None:
    """The arithmetic of ``GRPOTrainer._generate_and_score_completions``, in tensors."""
    import torch
    from trl.trainer.utils import nanstd

    payouts = [[0.25, 0.5], [1.0], [0.0, 0.1, 0.3], None, [0.5], [0.5], [2.0, -1.0], [0.0]]
    rewards = torch.tensor([math.nan if p is None else sum(p) for p in payouts]).view(2, 4)
    centred = rewards - rewards.nanmean(dim=1, keepdim=True)
    if scale == "group":
        centred = centred / (nanstd(rewards, dim=1).unsqueeze(1) + 1e-4)
    elif scale == "batch":
        centred = centred / (nanstd(rewards.flatten()) + 1e-4)
    found = grpo.advantages(payouts, 4, credit="episode", scale=scale)
    expected = centred.flatten().tolist()
    assert [row[0] if row else math.nan for row in found] == pytest.approx(expected, abs=1e-5, nan_ok=True)


@given(
    st.lists(st.sampled_from(["crane", "slate", "moist", "zzzzz", "?"]), min_size=1, max_size=6),
    st.integers(0, 9),
)
def test_payouts_sum_to_the_reward_and_count_where_they_were_earned(words: list[str], seed: int) -> None:
    env = rftgym.make("wordle")
    env.reset(seed=seed)
    for word in words:
        _, _, terminated, truncated, _ = env.step(f"<guess>{word}</guess>")
        if terminated or truncated:
            break
    trajectory = env.trajectory
    if trajectory.score is None:
        assert env.rubric.payouts(trajectory) is None
    env.rubric.score(trajectory)
    paid = env.rubric.payouts(trajectory)
    assert sum(paid) == pytest.approx(trajectory.reward)
    weight = env.rubric.weights["consistent"] / len(trajectory.turns)
    alone = env.rubric.changed(weights={n: 0.0 for n in env.rubric.weights if n != "consistent"})
    alone.score(trajectory)
    assert alone.payouts(trajectory) == pytest.approx(
        [weight * t.rewards["consistent"] for t in trajectory.turns]
    )


def test_credit_by_turn_looks_ahead_only() -> None:
    found = grpo.advantages([[1.0, 0.0, 2.0], [0.0, 1.0]], 2, credit="turn", scale="none")
    assert found == [[1.0, 0.5, 0.0], [-1.0, -0.5]]
    clipped = grpo.advantages([[1.0, 0.0, 2.0], [0.0, 1.0]], 2, credit="turn", scale="none", clip=(0.0, 1.0))
    assert clipped == [[0.0, 0.0, 0.0], [0.0, 0.0]]


def test_a_forward_pass_takes_what_fits_and_divides_a_minibatch() -> None:
    settings = grpo.GRPOSettings(prompts=4, group_size=6)
    gigabyte = 1024**3
    assert settings.rows_per_forward(1) == 12  # the largest divisor of 24 up to 16
    assert settings.rows_per_forward(gigabyte) == 4
    assert settings.rows_per_forward(gigabyte * 3 // 4) == 4  # 5 would fit and does not divide
    assert settings.rows_per_forward(100 * gigabyte) == 1
    assert grpo.GRPOSettings(prompts=4, group_size=6, micro_batch=8).rows_per_forward(gigabyte) == 8
    assert grpo.GRPOSettings(prompts=4, group_size=6, micro_batch=7).rows_per_forward(1) == 6


def test_seeds_depend_on_run_seed_and_position_only() -> None:
    from rftgym.trainer import episode_seeds

    tasks = [rftgym.Task(str(i), {}) for i in range(50)]
    assert episode_seeds(3, tasks) == episode_seeds(3, tasks[:50])
    assert episode_seeds(3, tasks)[:10] == episode_seeds(3, tasks[:10])
    assert len(set(episode_seeds(3, tasks)) | set(episode_seeds(4, tasks))) == 100


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prompts": 3, "group_size": 3, "minibatches": 2}, "cannot be cut"),
        ({"group_size": 1}, "greater than or equal to 2"),
        ({"stepz": 1}, "stepz"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        grpo.GRPOSettings(**settings)
