"""GRPO on ``trl.GRPOTrainer``: its loss and optimizer steps, our episodes and advantages.

A trajectory is laid out for TRL as the first prompt, then everything after it as one completion in which ``env_mask``
marks the environment's tokens with 0. TRL's advantages, one an episode, are replaced by ours, which know turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from trl import GRPOConfig, GRPOTrainer

from rftgym.trainer import TrainContext
from rftgym.types import Trajectory
from rftgym.updates.layout import by_token, laid_out
from rftgym.updates.libraries import undisturbed
from rftgym.updates.online import OnlineTrainer, online_arguments
from rftgym_grpo.trainer import advantages

if TYPE_CHECKING:
    from rftgym_grpo.trainer import GRPOSettings


@undisturbed()
def run_grpo(context: TrainContext, settings: GRPOSettings) -> int:
    """Train with TRL; returns the number of optimizer steps that the policy has behind it.

    Raises:
        StopRequested: it was asked for; a checkpoint was written.
        RunFailed: TRL took another number of steps than was asked for.
    """
    args = _arguments(context, settings)
    return _GroupTrainer(context, settings, args=args, rollout_func=_episodes).run()


def _episodes(prompts: Sequence[str], trainer: _GroupTrainer) -> dict[str, list[Any]]:
    """TRL's ``rollout_func``."""
    return laid_out(trainer.play(prompts))


class _GroupTrainer(OnlineTrainer, GRPOTrainer):  # type: ignore[misc]  # TRL is untyped
    """``GRPOTrainer`` with one advantage a token."""

    settings: GRPOSettings

    def _generate_and_score_completions(self, inputs: Any) -> dict[str, Any]:
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        advantages_BT = torch.zeros(output["completion_ids"].shape, dtype=torch.float32)
        for row, (trajectory, by_turn) in enumerate(
            zip(self.trajectories, self._advantages_by_turn(), strict=True)
        ):
            tokens = by_token(trajectory, by_turn)
            advantages_BT[row, : len(tokens)] = torch.tensor(tokens)
        output["advantages"] = advantages_BT.to(output["advantages"].device)
        taken = torch.tensor([self._takes_part(trajectory) for trajectory in self.trajectories])
        output["tool_mask"] = output["tool_mask"] * taken[:, None].to(output["tool_mask"].device)
        output["num_items_in_batch"] = (output["completion_mask"] * output["tool_mask"]).sum()
        return output

    def _takes_part(self, trajectory: Trajectory) -> bool:
        if trajectory.reward is None:
            return False
        cut_off = trajectory.truncated or trajectory.turns[-1].stop_reason in ("length", "context")
        return not (self.settings.mask_truncated and cut_off)

    def _advantages_by_turn(self) -> list[list[float]]:
        rubric = self.context.env.rubric
        return advantages(
            [rubric.payouts(trajectory) for trajectory in self.trajectories],
            self.settings.group_size,
            credit=self.settings.credit,
            scale=self.settings.scale_rewards,
            clip=self.settings.reward_clip,
        )


def _arguments(context: TrainContext, settings: GRPOSettings) -> GRPOConfig:
    sequence = settings.loss == "gspo" or settings.importance == "sequence"
    return GRPOConfig(
        **online_arguments(context, settings),
        loss_type="grpo" if settings.loss == "gspo" else settings.loss,
        importance_sampling_level="sequence" if sequence else "token",
        scale_rewards=settings.scale_rewards,
        beta=settings.beta,
        epsilon=settings.epsilon,
        # TRL takes the ratio's largest value where the loss is CISPO's, and its distance from 1 elsewhere.
        epsilon_high=settings.epsilon_high + (settings.loss == "cispo"),
        entropy_coef=settings.entropy_coefficient,
    )
