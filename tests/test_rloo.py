"""RLOO from end to end: the update against its definition, worked out by hand from the recorded episodes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

import rftgym
from rftgym.config import RunConfig
from rftgym.errors import ContractError, UsageError
from rftgym.plugins import Plugins
from rftgym.registry import installed, make_configured, make_policy
from rftgym.runs.directory import RunDirectory
from rftgym.tasks import ListTaskset
from rftgym.trainer import StopRequested, TrainContext

rloo = pytest.importorskip("rftgym_rloo.trainer")
pytest.importorskip("trl", reason="pip install trl")


class Letters(rftgym.SingleTurnEnv):
    """Reward: the share of characters that are an e. Easy to learn."""

    def make_tasks(self) -> ListTaskset:
        return ListTaskset(rftgym.Task(f"e-{i}", {}) for i in range(16))

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([rftgym.Component("share", self.share)], success="share")

    @staticmethod
    def share(completion: str) -> float | None:
        return completion.count("e") / max(1, len(completion))

    def prompt(self, task: rftgym.Task) -> str:
        return "Write e."


class Unscorable(Letters):
    """Nothing can be scored."""

    @staticmethod
    def share(completion: str) -> float | None:
        return None


def context(
    directory: Path,
    env: rftgym.TextEnv[Any] | str,
    *,
    stop: Any = lambda: False,
    run: RunDirectory | None = None,
    resume_from: Path | None = None,
    max_tokens: int = 8,
    **settings: Any,
) -> TrainContext:
    own = {"steps": 3, "prompts": 2, "group_size": 4, "learning_rate": 1e-2} | settings
    config = RunConfig.model_validate(
        {
            "env": env if isinstance(env, str) else "letters",
            "model": "tiny",
            "trainer": {"id": "rloo", **own},
            "rewards": {"max_error_share": 1.0},
            "evaluation": {"every": 0},
            "checkpoints": {"every": 2},
        }
    )
    return TrainContext(
        config=config,
        settings=rloo.RLOOSettings(**own),
        env=make_configured(config.env, config.rewards) if isinstance(env, str) else env,
        policy=make_policy(config.model, trainable=True, seed=0),
        sampling=rftgym.Sampling(max_tokens=max_tokens),
        run=run
        or RunDirectory.create(
            directory, name="test", config=config.model_dump(mode="json"), plugins=Plugins()
        ),
        plugins=installed(),
        resume_from=resume_from,
        evaluate_now=lambda step: None,
        stop=stop,
    )


def weights(ctx: TrainContext) -> dict[str, Any]:
    model = ctx.policy.model  # type: ignore[attr-defined]
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    import torch

    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_learns_a_toy_task(tmp_path: Path) -> None:
    ctx = context(tmp_path, Letters(), steps=8, prompts=4, group_size=8)
    assert rloo.RLOO().train(ctx) == 8
    rewards = [line["reward/mean"] for line in ctx.run.metrics()]
    assert max(rewards[-3:]) > rewards[0] + 0.3, rewards


def test_the_gradient_is_reinforce_with_a_leave_one_out_baseline_on_the_models_tokens(tmp_path: Path) -> None:
    """Of episodes with several turns, whose environment tokens are attended to and left out of every sum."""
    import torch

    # At step 1 of a warm-up the learning rate is 0: the weights stay those of the episodes.
    ctx = context(tmp_path, "wordle", steps=1, warmup=2, micro_batch=2, max_tokens=24)
    rloo.RLOO().train(ctx)
    episodes = list(ctx.run.trajectories(1))
    assert max(len(episode.turns) for episode in episodes) > 1
    assert len({episode.reward for episode in episodes}) > 1

    model = ctx.policy.model.eval()  # type: ignore[attr-defined]
    model.zero_grad()
    loss = torch.tensor(0.0)
    for first in range(0, len(episodes), 4):
        group = episodes[first : first + 4]
        for i, episode in enumerate(group):
            others = [other.reward or 0.0 for j, other in enumerate(group) if j != i]
            advantage = (episode.reward or 0.0) - sum(others) / len(others)
            ids = torch.tensor([episode.token_ids])
            logprobs = model(input_ids=ids).logits[0, :-1].log_softmax(-1)
            chosen = logprobs.gather(1, ids[0, 1:, None])[:, 0]
            loss = loss - advantage * (chosen * torch.tensor(episode.model_mask[1:])).sum() / len(episodes)
    loss.backward()
    squares = [float((p.grad**2).sum()) for p in model.parameters() if p.grad is not None]
    assert ctx.run.metrics()[0]["gradient_norm"] == pytest.approx(math.sqrt(sum(squares)), rel=1e-3)


def test_entropy_and_kl_are_means_over_the_models_tokens(tmp_path: Path) -> None:
    import torch

    ctx = context(tmp_path, "wordle", steps=1, warmup=2, beta=0.1, max_tokens=24)
    rloo.RLOO().train(ctx)
    model = ctx.policy.model.eval()  # type: ignore[attr-defined]
    entropies = []
    for episode in ctx.run.trajectories(1):
        with torch.no_grad():
            logprobs = model(input_ids=torch.tensor([episode.token_ids])).logits[0, :-1].log_softmax(-1)
        entropy = -(logprobs.exp() * logprobs).sum(-1)
        entropies += [float(e) for e, bit in zip(entropy, episode.model_mask[1:], strict=True) if bit]
    line = ctx.run.metrics()[0]
    assert line["entropy"] == pytest.approx(sum(entropies) / len(entropies), rel=1e-3)
    assert line["kl"] == pytest.approx(0.0, abs=1e-5)  # nothing has been learnt yet
    assert line["sampler_gap/max"] < 1e-2


def test_episodes_that_cannot_be_scored_change_nothing(tmp_path: Path) -> None:
    ctx = context(tmp_path, Unscorable(), steps=2)
    before = weights(ctx)
    rloo.RLOO().train(ctx)
    assert same(before, weights(ctx))
    assert ctx.run.metrics()[-1]["unscored"] == 1.0


def test_stopped_and_resumed_inside_a_run_of_several_updates_a_batch_ends_as_undisturbed(
    tmp_path: Path,
) -> None:
    several = {"steps": 8, "minibatches": 2, "iterations": 2, "micro_batch": 2, "beta": 0.05}
    whole = context(tmp_path / "a", Letters(), **several)
    rloo.RLOO().train(whole)
    asked = iter([False, True, True, True])
    stopped = context(tmp_path / "b", Letters(), stop=lambda: next(asked), **several)
    with pytest.raises(StopRequested):
        rloo.RLOO().train(stopped)
    step, checkpoint = stopped.run.latest_checkpoint() or pytest.fail("no checkpoint")
    assert step == 4  # the wish came at step 2, inside a batch
    stopped.run.rewind(step)
    resumed = context(tmp_path / "b", Letters(), run=stopped.run, resume_from=checkpoint, **several)
    assert rloo.RLOO().train(resumed) == 8
    assert same(weights(whole), weights(resumed))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sampling": {"temperature": 0}}, "sampling.temperature is 0"),
        ({"model": "openai:anything@http://127.0.0.1:9/v1"}, "no weights"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(
    settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        rftgym.train(env="wordle", trainer="rloo", runs=str(tmp_path / "runs"), **settings)
    assert not (tmp_path / "runs").exists()


def test_another_trainers_settings_are_refused(tmp_path: Path) -> None:
    ctx = context(tmp_path, Letters())
    ctx.settings = rftgym.config.OptimizerSettings()
    with pytest.raises(ContractError, match="RLOOSettings"):
        rloo.RLOO().train(ctx)


def test_a_trainer_is_small() -> None:
    folder = Path(rloo.__file__).parent
    lines = [len((folder / name).read_text().splitlines()) for name in ("trainer.py", "trl_bridge.py")]
    assert sum(lines) < 120
