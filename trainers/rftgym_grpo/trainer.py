"""GRPO: sample a group of episodes for each task, push towards the better ones of each group.

The update is TRL's (``trl.GRPOTrainer``); everything around it is ours: which tasks, with which seeds, how episodes are played
(token-exactly, multi-turn, with environment tokens masked out), how they are scored, and what is recorded.

What differs from the paper (DeepSeekMath, arXiv:2402.03300), by default:
- loss "dr_grpo" without dividing by the group's deviation (Dr. GRPO, arXiv:2503.20783): no bias towards short right answers or
  towards groups that are nearly unanimous;
- the upper clip is wider than the lower one (0.28 and 0.2; DAPO, arXiv:2503.14476);
- the KL term is off unless ``beta`` is set: with LoRA and some dozens of steps the policy stays near its start by itself;
- an episode that cannot be scored has no advantage and no part in its group's mean.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import islice
from typing import Literal

from pydantic import Field, model_validator

from rftgym.config import Settings
from rftgym.errors import UsageError
from rftgym.trainer import TrainContext, Trainer
from rftgym.types import Task

Loss = Literal["grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo", "luspo", "vespo", "gspo"]


class GRPOSettings(Settings):
    """Settings of the algorithm.

    Attributes:
        steps: optimizer steps.
        prompts: tasks per batch of rollouts; ``group_size``: episodes of each.
        minibatches: optimizer steps that a batch of rollouts is cut into; ``iterations``: passes over it. With 1 and 1 every
            update is exactly on-policy.
        learning_rate: peak; reached after ``warmup`` steps, then held or decayed as ``schedule`` says.
        loss: "gspo" is "grpo" with one importance ratio a sequence (arXiv:2507.18071).
        importance: one importance ratio per token or per sequence.
        scale_rewards: advantages are divided by the deviation of their group, of the batch, or not at all.
        beta: weight of the KL divergence to the policy that training started from.
        epsilon, epsilon_high: the ratio's clip range is [1 - epsilon, 1 + epsilon_high].
        reward_clip: rewards are cut to this range before advantages are taken.
        micro_batch: episodes per forward pass; None: 64 where a batch holds fewer than ``micro_batch_tokens`` tokens.
        checkpoint_every: steps between checkpoints, rounded up to the end of a batch of rollouts; 0 = only at the end.
        mask_truncated: episodes cut off by a limit take no part in the update.
    """

    steps: int = Field(60, ge=1)
    prompts: int = Field(8, ge=1)
    group_size: int = Field(8, ge=2)
    minibatches: int = Field(1, ge=1)
    iterations: int = Field(1, ge=1)
    learning_rate: float = Field(5e-5, gt=0)
    warmup: int = Field(3, ge=0)
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)
    loss: Loss = "dr_grpo"
    importance: Literal["token", "sequence"] = "token"
    scale_rewards: Literal["none", "group", "batch"] = "none"
    beta: float = Field(0.0, ge=0)
    epsilon: float = Field(0.2, gt=0)
    epsilon_high: float = Field(0.28, gt=0)
    entropy_coefficient: float = Field(0.0, ge=0)
    reward_clip: tuple[float, float] | None = None
    micro_batch: int | None = Field(None, ge=1)
    checkpoint_every: int = Field(10, ge=0)
    mask_truncated: bool = False

    @model_validator(mode="after")
    def _batches_divide(self) -> GRPOSettings:
        rows = self.prompts * self.group_size
        if rows % self.minibatches:
            raise ValueError(f"{rows} episodes a batch cannot be cut into {self.minibatches} minibatches")
        if self.micro_batch is not None and (rows // self.minibatches) % self.micro_batch:
            raise ValueError(f"micro_batch {self.micro_batch} does not divide a minibatch of {rows // self.minibatches}")
        return self

    @property
    def cycle(self) -> int:
        """Optimizer steps per batch of rollouts."""
        return self.minibatches * self.iterations

    @property
    def rows_per_forward(self) -> int:
        """Episodes per forward and backward pass: the largest divisor of a minibatch that is at most 16, if not set."""
        minibatch = self.prompts * self.group_size // self.minibatches
        return self.micro_batch or max(n for n in range(1, min(16, minibatch) + 1) if minibatch % n == 0)


class GRPO(Trainer):
    """Group-relative policy optimisation."""

    Config = GRPOSettings

    def train(self, context: TrainContext) -> int:
        """Run the configured number of optimizer steps on tasks of the train split.

        Raises:
            UsageError: the policy has no weights to train, or the train split is empty.
        """
        from rftgym_grpo.trl_bridge import run_grpo

        settings = context.settings
        assert isinstance(settings, GRPOSettings)  # a run validates settings with Config
        if not hasattr(context.policy, "model"):
            raise UsageError(f"policy {context.policy.id!r} has no weights; GRPO trains local models only")
        batches = -(-settings.steps // settings.cycle)
        tasks = list(islice(context.env.tasks.order("train", context.config.seed), batches * settings.prompts))
        return run_grpo(context, settings, tasks, episode_seeds(context.config.seed, tasks))


def episode_seeds(seed: int, tasks: Sequence[Task]) -> list[int]:
    """One seed a task, a function of (run seed, position, task id) only: 31 bits of a SHA-256."""
    keys = (f"{seed}:{position}:{task.id}".encode() for position, task in enumerate(tasks))
    return [int.from_bytes(hashlib.sha256(key).digest()[:4], "big") >> 1 for key in keys]
