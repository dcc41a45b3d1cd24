"""What the online trainers share before torch is needed: batches of groups of episodes, and who can be trained.

Free of torch, so that settings are read, checked and listed without it.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar, Self, TypeVar

from pydantic import Field, model_validator

from rftgym.config import OptimizerSettings, RunConfig, Settings
from rftgym.env import TextEnv
from rftgym.errors import ContractError, UsageError
from rftgym.policy import Policy
from rftgym.trainer import TrainContext, Trainer

SettingsT = TypeVar("SettingsT", bound=Settings)
ACTIVATION_BYTES = 4 * 1024**3
"""What the activations of a forward pass may take, where ``micro_batch`` is not set."""
LARGEST_MICRO_BATCH = 16
"""Rows of a forward pass above which nothing gets faster on a CPU, where ``micro_batch`` is not set."""


class GroupSettings(OptimizerSettings):
    """Settings of a trainer which plays a batch of groups of episodes, then takes optimizer steps on it.

    Attributes:
        steps: optimizer steps.
        prompts: tasks per batch of rollouts; ``group_size``: episodes of each.
        minibatches: optimizer steps that a batch of rollouts is cut into; ``iterations``: passes over it. With 1 and
            1 every update is exactly on-policy.
        reward_clip: rewards are cut to this range before advantages are taken.
        micro_batch: most episodes per forward pass; None: 16, or as many as fit into ``ACTIVATION_BYTES``.
    """

    steps: int = Field(60, ge=1)
    prompts: int = Field(8, ge=1)
    group_size: int = Field(8, ge=2)
    minibatches: int = Field(1, ge=1)
    iterations: int = Field(1, ge=1)
    reward_clip: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _batches_divide(self) -> Self:
        rows = self.prompts * self.group_size
        if rows % self.minibatches:
            raise ValueError(f"{rows} episodes a batch cannot be cut into {self.minibatches} minibatches")
        return self

    @property
    def cycle(self) -> int:
        """Optimizer steps per batch of rollouts."""
        return self.minibatches * self.iterations

    @property
    def batches(self) -> int:
        """Batches of rollouts of the whole run."""
        return -(-self.steps // self.cycle)

    def rows_per_forward(self, row_bytes: int) -> int:
        """Episodes per forward and backward pass.

        Args:
            row_bytes: what the activations of one episode may take.

        Returns:
            The largest divisor of a minibatch that is at most ``micro_batch``; where that is not set, at most 16 and
            with activations that fit into ``ACTIVATION_BYTES``. At least 1.
        """
        minibatch = self.prompts * self.group_size // self.minibatches
        most = self.micro_batch or min(LARGEST_MICRO_BATCH, ACTIVATION_BYTES // row_bytes)
        return max(n for n in range(1, max(1, min(most, minibatch)) + 1) if minibatch % n == 0)


class GroupTrainer(Trainer):
    """Base of the algorithms that compare the episodes of a group."""

    Config: ClassVar[type[GroupSettings]]

    def check(self, config: RunConfig, policy: Policy, env: TextEnv[Any]) -> None:
        """As :func:`check_online`."""
        check_online(config, policy, type(self).__name__)

    def largest_pass(self, context: TrainContext) -> tuple[int, int]:
        """Rows and tokens a row of the largest forward and backward pass."""
        from rftgym.updates.online import largest_pass

        return largest_pass(context, own_settings(context, self.Config))


def check_online(config: RunConfig, policy: Policy, algorithm: str) -> None:
    """What an algorithm that learns from its own episodes needs: weights, episodes that differ, passes that do not.

    Raises:
        UsageError: as :func:`check_has_weights`; or the policy is sampled greedily, or would be trained with dropout.
    """
    check_has_weights(policy, algorithm)
    if config.sampling.temperature == 0:
        raise UsageError(
            "sampling.temperature is 0: all episodes of a task would be alike and nothing could be learnt; "
            "take 1.0, or anything above 0"
        )
    if config.model.adapter != "full" and config.model.lora.dropout:
        raise UsageError(
            f"model.lora.dropout is {config.model.lora.dropout}: {algorithm} compares the log-probabilities of several "
            "passes, which dropout would make differ by chance; leave it at 0"
        )


def check_has_weights(policy: Policy, algorithm: str) -> None:
    """Refuse a policy that is reached over a network or makes its answers by rule, and several processes.

    Raises:
        UsageError: it has no weights here; or a launcher has started several processes, which would each make the whole
            run instead of sharing it.
    """
    if not hasattr(policy, "model"):
        raise UsageError(f"policy {policy.id!r} has no weights; {algorithm} trains local models only")
    processes = os.environ.get("WORLD_SIZE", "1")
    if processes not in ("", "0", "1"):
        raise UsageError(
            f"WORLD_SIZE is {processes}: {algorithm} trains in one process; start rftgym by itself, not by torchrun or "
            "accelerate launch"
        )


def own_settings(context: TrainContext, kind: type[SettingsT]) -> SettingsT:
    """The run's settings as those of one trainer.

    Raises:
        ContractError: they are another trainer's.
    """
    if not isinstance(context.settings, kind):
        raise ContractError(
            f"expected {kind.__name__}, got {type(context.settings).__name__}: settings are validated with Config"
        )
    return context.settings
