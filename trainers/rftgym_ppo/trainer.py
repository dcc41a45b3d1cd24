"""PPO: a value head says what to expect, and every token is pushed by how much better things went from it on.

A step is one batch of rollouts and its whole update: episodes are played, every model token gets a reward, a value and
an advantage (``estimates.py``), then minibatches of it change the policy and the value head (``update.py``).

An own loop, and not a subclass of ``trl.GRPOTrainer``: TRL's loss takes an advantage for every token, but a value head
needs the hidden states of the same forward pass, a loss and a learning rate of its own, an update that can end early,
and a checkpoint that holds it all. That would override most of what TRL brings; the loop says it in fewer lines, and
TRL's own PPO trainer is gone since 1.13.

What differs from the papers (PPO: Schulman et al., arXiv:1707.06347; GAE: arXiv:1506.02438; on language models: Ziegler
et al., arXiv:1909.08593; Huang et al., "The 37 Implementation Details of PPO", 2022), by default:
- gamma is 1: an episode is short and finite, and a discount by token would pay for short words. Lambda is 0.95, as in
  the code of Ziegler et al.; it counts model tokens only, since what the environment writes is no action;
- a step's reward stands on the last token of the turn that earned it, not all of it at the end of the episode;
- the upper clip is wider than the lower one (0.28 and 0.2; DAPO, arXiv:2503.14476);
- the value head stands on the policy's last hidden state, so there is no second network, and its loss does not reach
  the layers below (``value_gradient``). The number of the turn is an input of its own (``value.py``);
- a batch is seen once, in four minibatches: with few steps at a high rate, that is what there is time for on a CPU;
- an episode that was cut off by a limit ends with value 0, as the limit is part of the task and its reward is final
  (``bootstrap_truncated`` takes the value head's word for what would have come);
- gradients of the policy and of the value head are clipped each by its own norm;
- an episode that cannot be scored takes no part in anything;
- dropout is refused, for the ratio is between two passes that should differ by the update only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from rftgym.config import OptimizerSettings, RunConfig
from rftgym.policy import Policy
from rftgym.trainer import TrainContext, Trainer
from rftgym.updates.groups import check_online, own_settings

if TYPE_CHECKING:
    from rftgym.env import TextEnv


class PPOSettings(OptimizerSettings):
    """Settings of the algorithm.

    Attributes:
        steps: batches of rollouts, each with its whole update.
        prompts: tasks a batch; ``group_size``: episodes of each.
        epochs: passes over a batch; ``minibatches``: optimizer updates a pass, at most as many as there are episodes.
        learning_rate: of the policy. With a warm-up the first step's is 0: it trains the value head alone.
        epsilon, epsilon_high: the ratio's clip range is [1 - epsilon, 1 + epsilon_high].
        gamma: discount a token; ``lam``: lambda of the advantage estimates, a token.
        bootstrap_truncated: what might have come after a limit cut an episode off counts, by the value head's word.
        value_learning_rate: of the value head; it is held.
        value_width: of a hidden layer in the value head; 0 = none, it is linear.
        value_clip: a value moves by at most this much an update; None = freely.
        value_gradient: the value head's loss trains the policy's layers too, with weight ``value_coefficient``.
        normalise_advantages: shift and scale them to mean 0 and deviation 1 over the batch's tokens.
        advantage_clip: an advantage, so normalised, is cut to at most this size; None = not at all.
        normalise_rewards: divide rewards by the running deviation of the episodes' rewards.
        reward_clip: a turn's reward, so divided, is cut to this range.
        kl_coefficient: a token's reward is lowered by this times its log-ratio to the policy that training started
            from; with ``kl_target`` it is where the coefficient starts.
        kl_target: nats a token that the coefficient is adapted to; None = it is fixed.
        kl_gain: a coefficient changes by at most a fifth of this, relatively, a step.
        entropy_coefficient: weight of the entropy bonus.
        target_kl: an update ends once the policy is this many nats a token from the one that played; None = never. A
            run in good health does not come near it (Wordle: 0.01); one whose rewards have become all alike does, as
            their last differences are blown up by the normalisation.
        loss_mean: over a minibatch's tokens, or over its episodes and then their tokens.
    """

    steps: int = Field(60, ge=1)
    prompts: int = Field(64, ge=1)
    group_size: int = Field(1, ge=1)
    epochs: int = Field(1, ge=1)
    minibatches: int = Field(4, ge=1)
    epsilon: float = Field(0.2, gt=0, lt=1)
    epsilon_high: float = Field(0.28, gt=0)
    gamma: float = Field(1.0, ge=0, le=1)
    lam: float = Field(0.95, ge=0, le=1)
    bootstrap_truncated: bool = False
    value_learning_rate: float = Field(2e-3, gt=0)
    value_width: int = Field(0, ge=0)
    value_clip: float | None = Field(0.2, gt=0)
    value_coefficient: float = Field(0.1, gt=0)
    value_gradient: bool = False
    normalise_advantages: bool = True
    advantage_clip: float | None = Field(None, gt=0)
    normalise_rewards: bool = False
    reward_clip: tuple[float, float] | None = None
    kl_coefficient: float = Field(0.0, ge=0)
    kl_target: float | None = Field(None, gt=0)
    kl_gain: float = Field(0.1, gt=0, lt=5)
    entropy_coefficient: float = Field(0.0, ge=0)
    target_kl: float | None = Field(0.1, gt=0)
    loss_mean: Literal["token", "sequence"] = "token"

    @model_validator(mode="after")
    def _fits_together(self) -> PPOSettings:
        if self.reward_clip is not None and self.reward_clip[0] > self.reward_clip[1]:
            raise ValueError(f"reward_clip={self.reward_clip}: the lower end is above the upper one")
        if self.kl_target is not None and not self.kl_coefficient:
            raise ValueError(
                "kl_target adapts kl_coefficient, which is 0 and would stay so; start it at 0.05, say"
            )
        return self

    @property
    def minibatch(self) -> int:
        """Most episodes a minibatch."""
        episodes = self.prompts * self.group_size
        return -(-episodes // min(self.minibatches, episodes))


class PPO(Trainer):
    """Proximal policy optimisation."""

    Config = PPOSettings

    def check(self, config: RunConfig, policy: Policy, env: TextEnv[Any]) -> None:
        """As :func:`rftgym.updates.groups.check_online`."""
        check_online(config, policy, "PPO")

    def largest_pass(self, context: TrainContext) -> tuple[int, int] | None:
        """As many of the longest episodes as a pass may take."""
        from rftgym.updates.batches import largest_pass

        settings = own_settings(context, PPOSettings)
        return largest_pass(
            _text_config(context.policy),
            context.longest_episode_tokens(),
            episodes=settings.minibatch,
            micro_batch=settings.micro_batch,
        )

    def train(self, context: TrainContext) -> int:
        """Run the configured number of steps on tasks of the train split."""
        from rftgym_ppo.loop import run_ppo

        return run_ppo(context, own_settings(context, PPOSettings))


def _text_config(policy: Policy) -> object:
    return policy.model.config.get_text_config()  # type: ignore[attr-defined]  # check() saw that it has a model
