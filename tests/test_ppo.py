"""PPO: its arithmetic against definitions, and its loop on problems whose best policy is known."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym.config import ModelSettings, RunConfig
from rftgym.errors import RunFailed, UsageError
from rftgym.plugins import Plugins
from rftgym.policy import Conversations, Policy, Reply, Request
from rftgym.registry import installed, make_policy
from rftgym.runs.directory import RunDirectory
from rftgym.tasks import ListTaskset
from rftgym.trainer import StopRequested, TrainContext
from rftgym.types import Score
from rftgym.updates.batches import token_batch
from rftgym_ppo import estimates
from rftgym_ppo.loop import Learner
from rftgym_ppo.trainer import PPO, PPOSettings
from rftgym_ppo.value import ValueHead

ALPHABET = "abcd>"
"""The characters of the small policy's world; a token each."""


class SmallPolicy(Policy):
    """A llama of one layer over five letters, which says one of them a turn. No tokenizer, no decoder."""

    id = "small"

    def __init__(self, seed: int = 0) -> None:
        config = transformers.LlamaConfig(
            vocab_size=len(ALPHABET),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=32,
        )
        with torch.random.fork_rng():
            self.model = transformers.LlamaForCausalLM(config).eval()
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)

    def open(self, sampling: rftgym.Sampling) -> SmallConversations:
        return SmallConversations(self.model, sampling.temperature)

    def refresh(self) -> None:
        self.version += 1

    def save(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.model.save_pretrained(directory)

    def restore(self, directory: Path) -> None:
        saved = transformers.LlamaForCausalLM.from_pretrained(directory)
        self.model.load_state_dict(saved.state_dict())


class SmallConversations(Conversations):
    def __init__(self, model: Any, temperature: float) -> None:
        self._model, self._temperature = model, temperature
        self._ids: dict[int, list[int]] = {}
        self._queue: list[Request] = []

    def submit(self, requests: Sequence[Request]) -> None:
        self._queue += requests

    @torch.no_grad()
    def run(self, steps: int | None = None) -> list[Reply]:
        """All rows are at the same turn, hence equally long."""
        queue, self._queue = self._queue, []
        heard = [[ALPHABET.index(c) for m in request.messages for c in m.content] for request in queue]
        rows = [self._ids.setdefault(request.row, []) for request in queue]
        for ids, new in zip(rows, heard, strict=True):
            ids += new
        logits = self._model(input_ids=torch.tensor(rows)).logits[:, -1]
        logprobs = (logits / self._temperature).log_softmax(-1)
        return [self._reply(*each) for each in zip(queue, heard, logprobs, strict=True)]

    def _reply(self, request: Request, heard: list[int], logprobs: torch.Tensor) -> Reply:
        generator = torch.Generator().manual_seed(request.seed)
        said = int(torch.multinomial(logprobs.exp(), 1, generator=generator))
        self._ids[request.row].append(said)
        recorded = (float(logprobs[said]),)
        return Reply(request.row, ALPHABET[said], tuple(heard), (said,), recorded, stop_reason="stop")


class Fork(rftgym.MultiTurnEnv[list[str]]):
    """Two letters. "a" first pays 0.2 at once; "b" first pays nothing, and 1 if "c" follows. Best: "b", "c"."""

    max_turns = 2

    def make_tasks(self) -> ListTaskset:
        return ListTaskset(rftgym.Task(f"t-{i}", {}) for i in range(4))

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric(
            [
                rftgym.Component("bait", self.bait, per="turn", reduce="sum"),
                rftgym.Component("prize", self.prize),
            ],
            success="prize",
        )

    @staticmethod
    def bait(turn: rftgym.Turn) -> float | None:
        return 0.2 if turn.info["said"] == "a" else 0.0

    @staticmethod
    def prize(trajectory: rftgym.Trajectory) -> float | None:
        return 1.0 if [t.completion for t in trajectory.turns] == ["b", "c"] else 0.0

    def begin(self, task: rftgym.Task, rng: Any) -> tuple[list[str], str]:
        return [], ">"

    def respond(self, state: list[str], turn: rftgym.Turn, rng: Any) -> rftgym.Response:
        state.append(turn.completion)
        said = turn.completion if len(state) == 1 else ""  # the bait is there in the first turn only
        return rftgym.Response(">", len(state) == 2, {"said": said})


class Unscorable(Fork):
    """Nothing can be scored."""

    @staticmethod
    def prize(trajectory: rftgym.Trajectory) -> float | None:
        return None


class Endless(Fork):
    """Never terminates: its turn limit cuts it off."""

    def respond(self, state: list[str], turn: rftgym.Turn, rng: Any) -> rftgym.Response:
        return rftgym.Response(">", False, {"said": turn.completion})


class Letters(rftgym.SingleTurnEnv):
    """Reward: the share of characters that are an "e"."""

    def make_tasks(self) -> ListTaskset:
        return ListTaskset(rftgym.Task(f"e-{i}", {}) for i in range(16))

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([rftgym.Component("share", self.share)], success="share")

    @staticmethod
    def share(completion: str) -> float | None:
        return completion.count("e") / max(1, len(completion))

    def prompt(self, task: rftgym.Task) -> str:
        return "Write e."


def context(
    directory: Path, env: rftgym.TextEnv[Any] | None = None, *, stop: Any = None, resume_from: Path | None = None,
    run: RunDirectory | None = None, policy: Policy | None = None, config: Mapping[str, Any] | None = None,
    **settings: Any,
) -> TrainContext:  # fmt: skip
    few = {"steps": 3, "prompts": 4, "group_size": 4, "epochs": 2, "minibatches": 2}
    few |= {"learning_rate": 1e-2, "warmup": 0}
    configuration = RunConfig.model_validate(
        {
            "env": "fork",
            "rewards": {"max_error_share": 1.0},
            "evaluation": {"every": 0},
            "checkpoints": {"every": 2},
            "model": {"adapter": "full"},
        }
        | dict(config or {})
    )
    return TrainContext(
        config=configuration,
        settings=PPOSettings(**few | settings),
        env=env or Fork(),
        policy=policy or SmallPolicy(),
        sampling=rftgym.Sampling(max_tokens=8),
        run=run
        or RunDirectory.create(
            directory, name="test", config=configuration.model_dump(mode="json"), plugins=Plugins()
        ),
        plugins=installed(),
        resume_from=resume_from,
        evaluate_now=lambda step: None,
        stop=stop or (lambda: False),
    )


def tiny_context(directory: Path, env: rftgym.TextEnv[Any], **more: Any) -> TrainContext:
    """With the bundled model and a new adapter."""
    policy = make_policy(ModelSettings(id="tiny"), trainable=True, seed=0)
    return context(directory, env, policy=policy, config={"model": "tiny"}, **more)


def learner_of(ctx: TrainContext) -> Learner:
    assert isinstance(ctx.settings, PPOSettings)
    return Learner(ctx, ctx.settings)


def weights(ctx: TrainContext) -> dict[str, Any]:
    model = ctx.policy.model  # type: ignore[attr-defined]
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def lines(ctx: TrainContext) -> list[dict[str, Any]]:
    """The metrics without what a clock says."""
    timing = ("time", "seconds")
    return [{k: v for k, v in line.items() if not k.startswith(timing)} for line in ctx.run.metrics()]


# ---- arithmetic

numbers = st.floats(-3, 3, allow_subnormal=False)
steps = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=12)


@given(steps, st.floats(0, 1), st.floats(0, 1), numbers)
def test_gae_is_its_definition(
    pairs: list[tuple[float, float]], gamma: float, lam: float, last: float
) -> None:
    rewards, values = [r for r, _ in pairs], [v for _, v in pairs]
    after = [*values[1:], last]
    deltas = [r + gamma * n - v for r, n, v in zip(rewards, after, values, strict=True)]
    expected = [
        sum((gamma * lam) ** (k - t) * deltas[k] for k in range(t, len(deltas))) for t in range(len(deltas))
    ]
    assert estimates.gae(rewards, values, gamma=gamma, lam=lam, bootstrap=last) == pytest.approx(
        expected, abs=1e-9
    )


@given(steps)
def test_gae_at_its_ends(pairs: list[tuple[float, float]]) -> None:
    rewards, values = [r for r, _ in pairs], [v for _, v in pairs]
    to_go = [sum(rewards[t:]) - values[t] for t in range(len(rewards))]
    assert estimates.gae(rewards, values, gamma=1.0, lam=1.0) == pytest.approx(to_go, abs=1e-9)
    exact = [
        sum(rewards[t:]) for t in range(len(rewards))
    ]  # values that foresee everything leave no advantage
    assert estimates.gae(rewards, exact, gamma=1.0, lam=0.3) == pytest.approx([0.0] * len(rewards), abs=1e-9)


masks = st.lists(st.lists(st.booleans(), min_size=8, max_size=8), min_size=1, max_size=4)


@given(masks, st.integers(0, 2**31))
def test_advantages_skip_what_the_environment_wrote(rows: list[list[bool]], seed: int) -> None:
    mask_BT = torch.tensor(rows)
    generator = torch.Generator().manual_seed(seed)
    rewards_BT, values_BT = (torch.randn(mask_BT.shape, generator=generator) for _ in range(2))
    after_B = torch.randn(len(rows), generator=generator)
    found = estimates.token_advantages(rewards_BT, values_BT, mask_BT, after_B, gamma=0.9, lam=0.8)
    assert not found[~mask_BT].any()
    for row, mask in enumerate(mask_BT):
        rewards, values = rewards_BT[row][mask].tolist(), values_BT[row][mask].tolist()
        alone = estimates.gae(rewards, values, gamma=0.9, lam=0.8, bootstrap=float(after_B[row]))
        assert found[row][mask].tolist() == pytest.approx(alone, abs=1e-5)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-9, 9)), min_size=1, max_size=6).filter(
        lambda turns: any(said for said, _ in turns)
    )
)
def test_a_turns_reward_stands_on_its_last_token(turns: list[tuple[int, int]]) -> None:
    places = [-1] + [n for n, (said, _) in enumerate(turns) for n in [n] * said + [-1]]
    rewards = estimates.token_rewards([[float(paid) for _, paid in turns]], torch.tensor([places]))[0]
    assert float(rewards.sum()) == sum(paid for _, paid in turns)
    assert all(places[t] >= 0 for t in rewards.nonzero().flatten().tolist())
    if all(said for said, _ in turns):
        last = [max(t for t, turn in enumerate(places) if turn == n) for n in range(len(turns))]
        assert [float(rewards[t]) for t in last] == [float(paid) for _, paid in turns]


@given(masks.filter(lambda rows: any(map(any, rows))), st.sampled_from(["token", "sequence"]))
def test_weights_of_a_mean(rows: list[list[bool]], mean: Any) -> None:
    rows = [row for row in rows if any(row)]
    weights_BT = estimates.token_weights(torch.tensor(rows), mean)
    assert float(weights_BT.sum()) == pytest.approx(1.0, abs=1e-6)
    assert not weights_BT[~torch.tensor(rows)].any()
    by_row = weights_BT.sum(1).tolist()
    tokens = [sum(row) for row in rows]
    expected = [n / sum(tokens) if mean == "token" else 1 / len(rows) for n in tokens]
    assert by_row == pytest.approx(expected, abs=1e-6)


def test_the_clip_takes_the_gradient_only_from_what_went_too_far() -> None:
    old = torch.zeros(6)
    moved = torch.tensor([0.5, -0.5, 0.5, -0.5, 0.1, -0.1], requires_grad=True)
    gains = torch.tensor([1.0, -1.0, -1.0, 1.0, 1.0, 1.0])
    losses, clipped = estimates.policy_losses(moved, old, gains, epsilon=0.2, epsilon_high=0.28)
    losses.sum().backward()
    assert clipped.tolist() == [True, True, False, False, False, False]
    assert moved.grad is not None and (moved.grad == 0).tolist() == clipped.tolist()
    assert losses[0].item() == pytest.approx(-1.28) and losses[1].item() == pytest.approx(0.8)


def test_a_value_that_moved_too_far_gets_no_further_push() -> None:
    old, returns = torch.zeros(3), torch.tensor([1.0, 1.0, -1.0])
    values = torch.tensor([0.1, 0.5, 0.5], requires_grad=True)
    losses = estimates.value_losses(values, old, returns, clip=0.2)
    losses.sum().backward()
    # Within the clip; beyond it on the way to its return: the clipped error is larger, and flat; beyond it, away.
    assert values.grad is not None and values.grad.tolist() == pytest.approx([-0.9, 0.0, 1.5])
    assert losses[1].item() == pytest.approx(0.5 * 0.8**2)
    free = estimates.value_losses(values, old, returns, clip=None)
    assert (losses >= free).all() and free[1].item() == pytest.approx(0.5 * 0.25)


def test_whitening() -> None:
    mask = torch.tensor([[True, True, False], [True, False, False]])
    white = estimates.whitened(torch.tensor([[1.0, 3.0, 99.0], [5.0, 99.0, 99.0]]), mask)
    assert white[mask].tolist() == pytest.approx([-math.sqrt(1.5), 0.0, math.sqrt(1.5)])
    assert not white[~mask].any()


@pytest.mark.parametrize("value", [0.0, 0.1, 0.7, 1 / 3, 4.0, -1e6])
@pytest.mark.parametrize("tokens", [1, 3, 10, 1000])
def test_what_is_all_alike_is_whitened_to_nothing(value: float, tokens: int) -> None:
    """Not to what the mean was rounded by, blown up."""
    mask = torch.ones((1, tokens), dtype=torch.bool)
    assert not estimates.whitened(torch.full((1, tokens), value), mask).any()


@given(st.lists(numbers, min_size=2, max_size=20))
def test_the_running_deviation_is_that_of_all_numbers(values: list[float]) -> None:
    import statistics

    running = estimates.RunningDeviation()
    for first in range(0, len(values), 3):
        running.add(values[first : first + 3])
    assert running.count == len(values) and running.mean == pytest.approx(statistics.fmean(values), abs=1e-9)
    expected = statistics.pstdev(values)
    assert running.deviation == pytest.approx(expected if running.squares > 0 else 1.0, abs=1e-6)


def test_the_divergence_estimate_is_unbiased_and_never_negative() -> None:
    p, q = torch.tensor([0.5, 0.3, 0.2]).log(), torch.tensor([0.2, 0.2, 0.6]).log()
    by_token = estimates.divergence(p, q)
    assert (by_token >= 0).all()
    assert float((p.exp() * by_token).sum()) == pytest.approx(float((p.exp() * (p - q)).sum()))


def test_the_coefficient_follows_the_divergence() -> None:
    assert estimates.adapted_coefficient(0.1, 0.02, 0.01, 0.1) == pytest.approx(
        0.1 * 1.02
    )  # the error is cut to 20%
    assert estimates.adapted_coefficient(0.1, 0.0, 0.01, 0.1) == pytest.approx(0.1 * 0.98)
    assert estimates.adapted_coefficient(0.1, 0.0105, 0.01, 0.1) == pytest.approx(0.1 * 1.005)


def test_a_value_head_begins_at_zero_and_is_a_function_of_its_seed() -> None:
    states = torch.randn(3, 4, 16, generator=torch.Generator().manual_seed(0)) * 100
    turns = torch.tensor([[-1, 0, 1, 7]] * 3)
    for inner in (0, 8):
        head = ValueHead(16, turns=2, inner=inner, seed=1)
        assert not head(states, turns).any()
        assert same(
            dict(head.named_parameters()),
            dict(ValueHead(16, turns=2, inner=inner, seed=1).named_parameters()),
        )
    torch.nn.init.constant_(head.by_turn, 0.25)
    assert head(states.bfloat16(), turns).tolist() == [[1.0] * 4] * 3  # a quarter of the root of 16


# ---- one batch


def test_every_reward_value_and_advantage_is_at_its_token(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wordle games, token by token: values are set to the number of the turn, so that each can be told."""
    env = rftgym.make("wordle")
    ctx = tiny_context(tmp_path, env, prompts=3, group_size=1, lam=0.9, normalise_advantages=False)
    learner = learner_of(ctx)
    with torch.no_grad():
        learner.value_head.by_turn.copy_(torch.arange(1.0, 7.0) / 16)  # 16 is the root of the model's width
    trajectories = ctx.rollout(1, env.tasks.sample("train", 3, 0), [1, 2, 3], 1)
    experience, metrics = learner.experience(trajectories)
    batch = experience.batch
    tokenizer = ctx.policy.tokenizer  # type: ignore[attr-defined]
    for row, trajectory in enumerate(trajectories):
        payouts = env.rubric.payouts(trajectory)
        said = [
            (n, i, len(t.completion_ids))
            for n, t in enumerate(trajectory.turns)
            for i in range(len(t.completion_ids))
        ]
        expected_rewards = [payouts[n] if i == length - 1 else 0.0 for n, i, length in said]
        expected_values = [n + 1.0 for n, _, _ in said]
        expected = estimates.gae(expected_rewards, expected_values, gamma=1.0, lam=0.9)
        columns = (experience.rewards_BT, experience.values_BT, experience.advantages_BT)
        table = iter(zip(expected_rewards, expected_values, expected, strict=True))
        print(f"\nepisode {row}: {trajectory.task.id}, reward {trajectory.reward:.3f}")  # noqa: T201  # shown with -s
        for place, (token, model) in enumerate(zip(trajectory.token_ids, trajectory.model_mask, strict=True)):
            found = [float(column[row, place]) for column in columns]
            turn = int(batch.turns_BT[row, place])
            print(  # noqa: T201
                f"{place:4d} {tokenizer.decode([token])!r:12} turn {turn:2d} reward {found[0]:6.3f} "
                f"value {found[1]:6.3f} advantage {found[2]:7.3f}"
            )
            assert found == pytest.approx(next(table) if model else (0.0, 0.0, 0.0), abs=1e-4), (row, place)
        assert next(table, None) is None
        length = len(trajectory.token_ids)
        assert not any(column[row, length:].any() for column in columns)
        assert sum(expected_rewards) == pytest.approx(trajectory.reward)
        assert sum(reward != 0 for reward in expected_rewards) <= len(trajectory.turns)
    assert max(len(t.turns) for t in trajectories) > 1
    assert "advantage" in capsys.readouterr().out
    assert metrics["sampler_gap/max"] < 1e-3


def played(ctx: TrainContext, env: rftgym.TextEnv[Any], n: int = 8) -> list[rftgym.Trajectory]:
    return ctx.rollout(1, env.tasks.sample("train", n, 0), list(range(n)), 1)


def test_advantages_are_cut_to_a_size_after_they_are_normalised_and_returns_are_not(tmp_path: Path) -> None:
    env = rftgym.make("wordle")
    ctx = tiny_context(tmp_path, env, prompts=4, group_size=1)
    trajectories = played(ctx, env, 4)
    whole, _ = learner_of(ctx).experience(trajectories)
    ctx.settings = ctx.settings.model_copy(update={"advantage_clip": 0.5})
    cut, _ = learner_of(ctx).experience(trajectories)
    assert float(whole.advantages_BT.abs().max()) > 0.5
    assert torch.equal(cut.advantages_BT, whole.advantages_BT.clamp(-0.5, 0.5))
    assert torch.equal(cut.returns_BT, whole.returns_BT)


def test_what_a_limit_cut_off_ends_with_no_value_or_with_the_heads(tmp_path: Path) -> None:
    found = {}
    for bootstrap in (False, True):
        ctx = context(
            tmp_path / str(bootstrap), Endless(), bootstrap_truncated=bootstrap, normalise_advantages=False
        )
        learner = learner_of(ctx)
        torch.nn.init.constant_(learner.value_head.by_turn, 0.5)  # every value is 2
        trajectories = played(ctx, Endless())
        assert all(t.truncated and not t.terminated for t in trajectories)
        experience, _ = learner.experience(trajectories)
        found[bootstrap] = experience.advantages_BT[:, -1]
        rewards = experience.rewards_BT[:, -1]
        expected = rewards if bootstrap else rewards - 2.0
        torch.testing.assert_close(found[bootstrap], expected)
    assert torch.allclose(found[True] - found[False], torch.tensor(2.0))


def test_what_terminated_is_worth_nothing_afterwards(tmp_path: Path) -> None:
    ctx = context(tmp_path, bootstrap_truncated=True, normalise_advantages=False)
    learner = learner_of(ctx)
    torch.nn.init.constant_(learner.value_head.by_turn, 0.5)
    experience, _ = learner.experience(played(ctx, Fork()))
    torch.testing.assert_close(experience.advantages_BT[:, -1], experience.rewards_BT[:, -1] - 2.0)


def test_rewards_are_scaled_by_their_running_deviation_and_cut(tmp_path: Path) -> None:
    plain, scaled, cut = (
        context(tmp_path / str(i), **more)
        for i, more in enumerate([{}, {"normalise_rewards": True}, {"reward_clip": (0.0, 0.1)}])
    )
    trajectories = [*played(plain, Fork(), 16)]
    rewards = [learner_of(c).experience(trajectories)[0].rewards_BT for c in (plain, scaled, cut)]
    known = torch.tensor([t.reward for t in trajectories])
    torch.testing.assert_close(rewards[1], rewards[0] / known.std(correction=0))
    torch.testing.assert_close(rewards[2], rewards[0].clamp(0.0, 0.1))
    assert known.std() > 0


def test_the_penalty_is_a_tokens_log_ratio_to_the_start(tmp_path: Path) -> None:
    ctx = context(tmp_path, kl_coefficient=0.3)
    learner = learner_of(ctx)
    trajectories = played(ctx, Fork())
    at_first, metrics = learner.experience(trajectories)
    assert metrics["kl"] == 0.0
    with torch.no_grad():
        ctx.policy.model.lm_head.weight.mul_(3.0)  # type: ignore[attr-defined]
    moved, metrics = learner.experience(trajectories)
    assert metrics["kl"] > 0
    torch.testing.assert_close(moved.rewards_BT, at_first.rewards_BT - 0.3 * (moved.old_BT - at_first.old_BT))


@pytest.mark.parametrize(
    "settings", [{}, {"loss_mean": "sequence"}, {"value_gradient": True, "entropy_coefficient": 0.01}]
)
def test_passes_do_not_change_the_mathematics(settings: dict[str, Any], tmp_path: Path) -> None:
    found = []
    for rows in (None, 3):
        ctx = context(tmp_path / str(rows), steps=1, micro_batch=rows, learning_rate=1e-3, **settings)
        PPO().train(ctx)
        found.append(weights(ctx))
    for name in found[0]:
        torch.testing.assert_close(found[0][name], found[1][name], atol=2e-4, rtol=0)


def test_an_unscorable_episode_is_as_good_as_none(tmp_path: Path) -> None:
    found = []
    for spoilt in (0, 3):
        ctx = context(tmp_path / str(spoilt), normalise_rewards=True, kl_coefficient=0.1)
        learner = learner_of(ctx)
        trajectories = played(ctx, Fork(), 8)
        bad = played(ctx, Fork(), 8)[:spoilt]
        for trajectory in bad:
            trajectory.score = Score(None, None, {})
        learner.update(1, [*bad, *trajectories])
        found.append(weights(ctx) | {f"value {n}": p for n, p in learner.value_head.state_dict().items()})
    assert same(*found)


def test_nothing_scorable_changes_nothing_and_is_counted(tmp_path: Path) -> None:
    ctx = context(tmp_path, Unscorable(), steps=2, kl_coefficient=0.1, kl_target=0.01)
    before = weights(ctx)
    assert PPO().train(ctx) == 2
    assert same(before, weights(ctx))
    assert [(line["unscored"], line["updates"], line["loss"]) for line in lines(ctx)] == [(1.0, 0.0, 0.0)] * 2


def test_an_update_ends_early_once_the_policy_is_too_far(tmp_path: Path) -> None:
    whole, early, never = (
        context(tmp_path / name, steps=1, epochs=3, minibatches=2, learning_rate=0.1, target_kl=target)
        for name, target in [("a", None), ("b", 0.01), ("c", 1e9)]
    )
    for ctx in (whole, early, never):
        PPO().train(ctx)
    taken = [lines(ctx)[0] for ctx in (whole, early, never)]
    # The first minibatch is on-policy, so its divergence is 0.
    assert [line["updates"] for line in taken] == [6.0, 1.0, 6.0]
    assert taken[1]["approx_kl"] > 0.01
    assert same(weights(whole), weights(never)) and not same(weights(whole), weights(early))


def test_a_gradient_that_is_no_number_ends_the_run_and_spoils_nothing(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    learner = learner_of(ctx)
    trajectories = played(ctx, Fork())
    with torch.no_grad():
        ctx.policy.model.lm_head.weight[0] = math.inf  # type: ignore[attr-defined]
    before = weights(ctx)
    with pytest.raises(RunFailed, match="step 1 is not finite"):
        learner.update(1, trajectories)
    assert same(before, weights(ctx))


def test_a_warm_up_trains_the_value_head_first(tmp_path: Path) -> None:
    ctx = context(tmp_path, steps=2, warmup=1)
    before = weights(ctx)
    learner = learner_of(ctx)
    learner.update(1, played(ctx, Fork()))
    assert same(before, weights(ctx)) and learner.value_head.by_turn.any()
    learner.update(2, played(ctx, Fork()))
    assert not same(before, weights(ctx))


# ---- learning


@pytest.mark.parametrize("seed", [0, 1])
def test_finds_the_best_policy_of_a_known_problem(seed: int, tmp_path: Path) -> None:
    """The bait pays at once, the prize only for a second letter that follows a first one which pays nothing."""
    ctx = context(tmp_path, steps=40, prompts=16, learning_rate=1e-2, value_learning_rate=1e-2, lam=1.0,
        policy=SmallPolicy(seed), entropy_coefficient=0.02)  # fmt: skip
    assert PPO().train(ctx) == 40
    with torch.no_grad():
        model = ctx.policy.model  # type: ignore[attr-defined]
        first = model(input_ids=torch.tensor([[4]])).logits[0, -1].softmax(-1)
        then = model(input_ids=torch.tensor([[4, 1, 4]])).logits[0, -1].softmax(-1)
    assert first[ALPHABET.index("b")] > 0.9 and then[ALPHABET.index("c")] > 0.9
    found = lines(ctx)
    assert found[0]["reward/mean"] < 0.3 and found[-1]["reward/mean"] > 0.85
    assert all(line["sampler_gap/max"] < 1e-4 for line in found)
    assert found[-1]["value/mean"] == pytest.approx(
        found[-1]["reward/mean"], abs=0.25
    )  # what is to be expected


def test_learns_a_toy_task_with_an_adapter(tmp_path: Path) -> None:
    ctx = tiny_context(tmp_path, Letters(), steps=10, prompts=32, group_size=1)
    PPO().train(ctx)
    rewards = [line["reward/mean"] for line in lines(ctx)]
    assert min(rewards[-2:]) > rewards[0] + 0.3, rewards  # and what was learnt stays
    assert all(line["drift"] == 0 for line in lines(ctx))
    assert max(line["sampler_gap/max"] for line in lines(ctx)) < 1e-2


def test_a_penalty_keeps_the_policy_nearer_and_adapts(tmp_path: Path) -> None:
    free, held, loose = (
        context(tmp_path / name, steps=8, prompts=8, kl_coefficient=coefficient, kl_target=target)
        for name, coefficient, target in [("a", 1e-9, None), ("b", 2.0, 1e-6), ("c", 0.1, 10.0)]
    )
    for ctx in (free, held, loose):
        PPO().train(ctx)
    assert lines(held)[-1]["kl"] < 0.5 * lines(free)[-1]["kl"]
    up, down = ([line["kl/coefficient"] for line in lines(ctx)] for ctx in (held, loose))
    assert up[0] == 2.0 and up[2:] == sorted(set(up[2:])) and up[-1] > 2.0  # beyond its target from step 2 on
    assert down == sorted(set(down), reverse=True) and down[-1] < 0.1
    assert {line["kl/coefficient"] for line in lines(free)} == {1e-9}


# ---- going on

ALL = {
    "epochs": 2,
    "minibatches": 2,
    "kl_coefficient": 0.05,
    "kl_target": 0.01,
    "normalise_rewards": True,
    "entropy_coefficient": 0.01,
    "value_gradient": True,
    "value_width": 8,
    "schedule": "cosine",
    "target_kl": 0.2,
}


@pytest.mark.parametrize("model", ["small", "tiny"])
def test_stopped_and_resumed_ends_as_undisturbed(model: str, tmp_path: Path) -> None:
    def make(directory: Path, **more: Any) -> TrainContext:
        if model == "tiny":
            return tiny_context(directory, Letters(), steps=4, prompts=2, **ALL, **more)
        return context(directory, steps=4, **ALL, **more)

    whole = make(tmp_path / "a")
    PPO().train(whole)
    asked = iter([False, True])
    stopped = make(tmp_path / "b", stop=lambda: next(asked))
    with pytest.raises(StopRequested):
        PPO().train(stopped)
    step, checkpoint = stopped.run.latest_checkpoint() or pytest.fail("no checkpoint")
    assert step == 2
    stopped.run.rewind(step)
    resumed = make(tmp_path / "b", run=stopped.run, resume_from=checkpoint)
    assert PPO().train(resumed) == 4
    assert same(weights(whole), weights(resumed))
    assert json.dumps(lines(whole)) == json.dumps(lines(resumed))
    assert [line["step"] for line in lines(resumed)] == [1, 2, 3, 4]
    last = [(ctx.run.latest_checkpoint() or pytest.fail("no checkpoint"))[1] for ctx in (whole, resumed)]
    for file in ("trainer.safetensors", "trainer.json"):
        assert (last[0] / file).read_bytes() == (last[1] / file).read_bytes()


def test_the_value_head_and_the_moments_come_back(tmp_path: Path) -> None:
    ctx = context(tmp_path, steps=2, **ALL)
    PPO().train(ctx)
    _, checkpoint = ctx.run.latest_checkpoint() or pytest.fail("no checkpoint")
    again = context(tmp_path, run=ctx.run, resume_from=checkpoint, **ALL)
    learner = learner_of(again)
    assert learner.load(checkpoint) == 2 and again.policy.version == 2
    assert same(weights(ctx), weights(again))
    assert all(parameter.any() for parameter in learner.value_head.parameters())
    learner.save(7)
    copy = ctx.run.path / "checkpoints" / "step-000007"
    for file in ("trainer.safetensors", "trainer.json"):
        expected = (checkpoint / file).read_bytes().replace(b'"step": 2', b'"step": 7')
        assert (copy / file).read_bytes() == expected


def test_a_run_that_is_over_takes_only_the_weights(tmp_path: Path) -> None:
    ctx = context(tmp_path, steps=2)
    PPO().train(ctx)
    step, checkpoint = ctx.run.latest_checkpoint() or pytest.fail("no checkpoint")
    again = context(tmp_path, steps=2, run=ctx.run, resume_from=checkpoint)
    assert PPO().train(again) == step == 2
    assert same(weights(ctx), weights(again)) and len(ctx.run.metrics()) == 2


@pytest.mark.parametrize("file", ["trainer.safetensors", "trainer.json"])
def test_a_damaged_checkpoint_is_named(file: str, tmp_path: Path) -> None:
    ctx = context(tmp_path, steps=2)
    PPO().train(ctx)
    _, checkpoint = ctx.run.latest_checkpoint() or pytest.fail("no checkpoint")
    (checkpoint / file).write_bytes((checkpoint / file).read_bytes()[:-9])
    with pytest.raises(RunFailed, match="step-000002 cannot be resumed"):
        PPO().train(context(tmp_path, steps=4, run=ctx.run, resume_from=checkpoint))


# ---- refusals and manners


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"sampling": {"temperature": 0}}, "sampling.temperature is 0"),
        ({"model": {"lora": {"dropout": 0.1}}}, "dropout is 0.1"),
    ],
)
def test_what_ppo_cannot_train_with_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        PPO().check(RunConfig.model_validate({"env": "fork"} | config), SmallPolicy(), Fork())


def test_a_policy_without_weights_is_refused() -> None:
    script = rftgym.ScriptedPolicy(lambda messages, rng: "a")
    with pytest.raises(UsageError, match="no weights"):
        PPO().check(RunConfig.model_validate({"env": "fork"}), script, Fork())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reward_clip": (1.0, 0.0)}, "lower end is above"),
        ({"kl_target": 0.01}, "kl_coefficient, which is 0"),
        ({"gamma": 1.1}, "less than or equal to 1"),
        ({"stepz": 1}, "stepz"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PPOSettings(**settings)


def test_the_largest_pass_is_that_of_a_minibatch(tmp_path: Path) -> None:
    found = [
        PPO().largest_pass(
            context(tmp_path / str(i), prompts=4, group_size=4, minibatches=2, micro_batch=rows)
        )
        for i, rows in enumerate([None, 3])
    ]
    assert found == [(8, 32), (3, 32)]  # the model's context is 32 tokens


def test_recomputed_activations_give_the_same_update(tmp_path: Path) -> None:
    found = []
    for recompute in (False, True):
        ctx = context(
            tmp_path / str(recompute),
            steps=1,
            config={"model": {"adapter": "full", "gradient_checkpointing": recompute}},
        )
        PPO().train(ctx)
        assert not ctx.policy.model.training  # type: ignore[attr-defined]
        found.append(weights(ctx))
    for name in found[0]:
        torch.testing.assert_close(found[0][name], found[1][name], atol=1e-5, rtol=0)


def test_callers_generators_are_left_alone(tmp_path: Path) -> None:
    import random

    import numpy as np

    legacy = np.random  # its global generator

    def states() -> tuple[Any, ...]:
        return random.getstate(), legacy.get_state()[1].tolist(), torch.get_rng_state().tolist()

    ctx = context(tmp_path, steps=2, **ALL)
    before = states()
    PPO().train(ctx)
    assert before == states()


def test_an_unscored_batch_between_others_is_no_padding() -> None:
    """Weights of a minibatch sum to 1 whatever the lengths: one token more elsewhere changes no episode's part."""
    one = rftgym.Trajectory("e", rftgym.Task("t", {}), 0)
    one.turns.append(rftgym.Turn((), "", (4,), (1, 2)))
    other = rftgym.Trajectory("e", rftgym.Task("t", {}), 0)
    other.turns.append(rftgym.Turn((), "", (4, 4), (1, 2, 3)))
    mask_BT = token_batch([one, other]).model_mask_BT
    assert estimates.token_weights(mask_BT, "sequence")[0].tolist() == pytest.approx([0, 0.25, 0.25, 0, 0])
