"""GRPO: sample a group of episodes for each task, push towards the better ones of each group.

The update is TRL's (``trl.GRPOTrainer``); everything around it is ours: which tasks, with which seeds, how episodes
are played (token-exactly, multi-turn, with environment tokens masked out), how they are scored, and what is recorded.

What differs from the paper (DeepSeekMath, arXiv:2402.03300), by default:
- loss "dr_grpo" without dividing by the group's deviation (Dr. GRPO, arXiv:2503.20783): no bias towards short right
  answers or towards groups that are nearly unanimous;
- the upper clip is wider than the lower one (0.28 and 0.2; DAPO, arXiv:2503.14476);
- the KL term is off unless ``beta`` is set: with LoRA and some dozens of steps the policy stays near its start by
  itself;
- in an environment of several turns, credit is given by turn: a turn is judged by the rewards from it on, against the
  group's mean of those at the same turn (return-to-go, as in REINFORCE; for GRPO see arXiv:2505.11821). With
  ``credit="episode"`` every turn shares the episode's advantage, as in the paper;
- an episode that cannot be scored has no advantage and no part in its group's mean.
"""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Sequence
from itertools import accumulate, islice
from typing import Literal

from pydantic import Field, model_validator

from rftgym.config import RunConfig, Settings
from rftgym.errors import ContractError, UsageError
from rftgym.policy import Policy
from rftgym.trainer import TrainContext, Trainer
from rftgym.types import Task

ACTIVATION_BYTES = 4 * 1024**3
"""What the activations of a forward pass may take, where ``micro_batch`` is not set."""
Loss = Literal["grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo", "luspo", "vespo", "gspo"]


class GRPOSettings(Settings):
    """Settings of the algorithm.

    Attributes:
        steps: optimizer steps.
        prompts: tasks per batch of rollouts; ``group_size``: episodes of each.
        minibatches: optimizer steps that a batch of rollouts is cut into; ``iterations``: passes over it. With 1 and
            1 every update is exactly on-policy.
        learning_rate: peak; reached after ``warmup`` steps, then held or decayed as ``schedule`` says.
        loss: "gspo" is "grpo" with one importance ratio a sequence (arXiv:2507.18071).
        importance: one importance ratio per token or per sequence.
        scale_rewards: advantages are divided by the deviation of their group, of the batch, or not at all.
        credit: what a turn's advantage is taken from: the rewards from that turn on, or the whole episode's.
        beta: weight of the KL divergence to the policy that training started from.
        epsilon, epsilon_high: the ratio's clip range is [1 - epsilon, 1 + epsilon_high].
        reward_clip: rewards (with credit by turn: rewards from a turn on) are cut to this range before advantages
            are taken.
        micro_batch: episodes per forward pass; None: at most 16, and as many as fit into ``ACTIVATION_BYTES``.
        checkpoint_every: steps between checkpoints, rounded up to the end of a batch of rollouts; 0 = only at the
            end.
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
    credit: Literal["turn", "episode"] = "turn"
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
            raise ValueError(
                f"micro_batch {self.micro_batch} does not divide a minibatch of {rows // self.minibatches}"
            )
        return self

    @property
    def cycle(self) -> int:
        """Optimizer steps per batch of rollouts."""
        return self.minibatches * self.iterations

    def rows_per_forward(self, row_bytes: int) -> int:
        """Episodes per forward and backward pass.

        Args:
            row_bytes: what the activations of one episode may take.

        Returns:
            ``micro_batch`` where it is set; else the largest divisor of a minibatch that is at most 16 and whose
            activations fit into ``ACTIVATION_BYTES``, at least 1.
        """
        minibatch = self.prompts * self.group_size // self.minibatches
        most = max(1, min(16, minibatch, ACTIVATION_BYTES // row_bytes))
        return self.micro_batch or max(n for n in range(1, most + 1) if minibatch % n == 0)


class GRPO(Trainer):
    """Group-relative policy optimisation."""

    Config = GRPOSettings

    def check(self, config: RunConfig, policy: Policy) -> None:
        """It needs weights, and episodes of a group that differ.

        Raises:
            UsageError: the policy has no weights here, or is sampled greedily.
        """
        if not hasattr(policy, "model"):
            raise UsageError(f"policy {policy.id!r} has no weights; GRPO trains local models only")
        if config.sampling.temperature == 0:
            raise UsageError(
                "sampling.temperature is 0: all episodes of a group would be alike and nothing could be learnt; "
                "take 1.0, or anything above 0"
            )

    def train(self, context: TrainContext) -> int:
        """Run the configured number of optimizer steps on tasks of the train split."""
        from rftgym_grpo.trl_bridge import run_grpo

        settings = context.settings
        if not isinstance(settings, GRPOSettings):
            raise ContractError(
                f"GRPO was given {type(settings).__name__}; settings are validated with GRPO.Config"
            )
        batches = -(-settings.steps // settings.cycle)
        tasks = list(
            islice(context.env.tasks.order("train", context.config.seed), batches * settings.prompts)
        )
        return run_grpo(context, settings, tasks, episode_seeds(context.config.seed, tasks))


def advantages(
    payouts: Sequence[Sequence[float] | None],
    group_size: int,
    *,
    credit: Literal["turn", "episode"],
    scale: Literal["none", "group", "batch"],
    clip: tuple[float, float] | None = None,
) -> list[list[float]]:
    """How much better each turn went than its group's mean.

    Args:
        payouts: by episode, group after group, the reward paid out at each turn; None = cannot be scored.
        group_size: episodes a group.
        credit: "turn": the return is the sum of rewards from a turn on, and the mean is over the episodes of the
            group that have that turn. "episode": every turn's return is the whole sum, and the mean is over all of
            them.
        scale: divide by the (unbiased) deviation + 1e-4 of the returns that the mean is over, of those of the whole
            batch, or not at all.
        clip: returns are cut to this range first.

    Returns:
        By episode, one advantage a turn; an empty list for an episode that cannot be scored.

    Source: DeepSeekMath, arXiv:2402.03300, sections 4.1.2 and 4.1.3; Dr. GRPO, arXiv:2503.20783, for "none".
    """
    returns = [None if paid is None else _returns(paid, credit, clip) for paid in payouts]
    result: list[list[float]] = [[] for _ in payouts]
    known = [value for row in returns if row for value in (row if credit == "turn" else row[:1])]
    batch_deviation = _deviation(known)
    for first in range(0, len(returns), group_size):
        group = [(i, row) for i in range(first, first + group_size) if (row := returns[i]) is not None]
        for turn in range(max((len(row) for _, row in group), default=0)):
            here = [(i, row[turn]) for i, row in group if turn < len(row)]
            compared = [value for _, value in here] if credit == "turn" else [row[0] for _, row in group]
            mean = math.fsum(compared) / len(compared)
            divisor = {"none": 1.0, "group": _deviation(compared) + 1e-4, "batch": batch_deviation + 1e-4}[
                scale
            ]
            for i, value in here:
                result[i].append((value - mean) / divisor)
    return result


def _returns(paid: Sequence[float], credit: str, clip: tuple[float, float] | None) -> list[float]:
    to_go = list(accumulate(reversed(paid)))[::-1]
    values = to_go if credit == "turn" else [to_go[0]] * len(paid)
    return values if clip is None else [min(max(value, clip[0]), clip[1]) for value in values]


def _deviation(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


def episode_seeds(seed: int, tasks: Sequence[Task]) -> list[int]:
    """One seed a task, a function of (run seed, position, task id) only: 31 bits of a SHA-256."""
    keys = (f"{seed}:{position}:{task.id}".encode() for position, task in enumerate(tasks))
    return [int.from_bytes(hashlib.sha256(key).digest()[:4], "big") >> 1 for key in keys]
