"""The trainer ``best-of-group``: play each task several times, and learn to say what the best episode said.

Supervised fine-tuning on the policy's own best episodes, played anew at every step: RAFT, arXiv:2304.06767. A group
whose episodes were all paid the same has no best one and teaches nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import Field

from rftgym import TextEnv, Trainer, Trajectory
from rftgym.config import OptimizerSettings, RunConfig
from rftgym.errors import UsageError
from rftgym.policy import Policy
from rftgym.rollout.metrics import rollout_metrics
from rftgym.trainer import StopRequested, TrainContext
from rftgym.updates.batches import pass_limits, token_batch, token_logprobs, trainable
from rftgym.updates.groups import check_online, own_settings
from rftgym.updates.schedules import learning_rate_factor


class BestOfGroupSettings(OptimizerSettings):
    """Settings of the algorithm: ``--set trainer.group_size=16``.

    Attributes:
        steps: optimizer steps, each with episodes of its own.
        prompts: tasks a step; ``group_size``: episodes of each.
    """

    steps: int = Field(20, ge=1)
    prompts: int = Field(8, ge=1)
    group_size: int = Field(8, ge=2)


class BestOfGroup(Trainer):
    """Learns from the best episode of each group."""

    Config = BestOfGroupSettings

    def check(self, config: RunConfig, policy: Policy, env: TextEnv[Any]) -> None:
        """Refuse, before anything is written, what cannot be trained."""
        check_online(config, policy, "BestOfGroup")
        if config.model.gradient_checkpointing:
            raise UsageError("model.gradient_checkpointing: BestOfGroup does not know how; leave it false")

    def train(self, context: TrainContext) -> int:
        """Play, update, report, step after step; a resumed run goes on as if nothing had happened."""
        settings = own_settings(context, BestOfGroupSettings)
        learner = Learner(context, settings)
        done = learner.load(context.resume_from) if context.resume_from else 0
        if done and context.is_over(done, settings.steps):
            return done
        for step in range(done + 1, settings.steps + 1):
            tasks, seeds = context.next_batch(settings.prompts)
            trajectories = context.rollout(step, tasks, seeds, settings.group_size)
            metrics = rollout_metrics(trajectories) | learner.update(step, trajectories)
            try:
                context.step_done(step, settings.steps, metrics)
            except StopRequested:
                learner.save(step)
                raise
            if context.checkpoint_due(step, settings.steps):
                learner.save(step)
        return settings.steps


class Learner:
    """What the next step depends on: the policy's weights and the optimizer's state."""

    def __init__(self, context: TrainContext, settings: BestOfGroupSettings) -> None:
        self.context, self.settings = context, settings
        policy: Any = context.policy
        self.policy, self.model = policy, policy.model.eval()  # no dropout
        self.weights = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.weights, weight_decay=settings.weight_decay)

    def update(self, step: int, trajectories: Sequence[Trajectory]) -> dict[str, float]:
        """One optimizer step on the best episodes of a batch; none where there are no best ones."""
        settings = self.settings
        share = learning_rate_factor(
            step, steps=settings.steps, warmup=settings.warmup, schedule=settings.schedule
        )
        rate = self.optimizer.param_groups[0]["lr"] = settings.learning_rate * share
        best = best_episodes(trajectories, settings.group_size)
        metrics = {"learning_rate": rate, "chosen": float(len(best)), "loss": 0.0, "gradient_norm": 0.0}
        if best:
            metrics["loss"] = self._gradients(best)
            norm = torch.nn.utils.clip_grad_norm_(
                self.weights, settings.max_grad_norm, error_if_nonfinite=True
            )
            metrics["gradient_norm"] = float(norm)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            self.policy.refresh()  # from now on it speaks with these weights
        self.policy.version = step
        return metrics

    def _gradients(self, best: Sequence[Trajectory]) -> float:
        """Of the mean negative log-probability of the tokens that the model sampled (nats), which is returned."""
        batch = token_batch(best, self.model.device)
        tokens, total = int(batch.model_mask_BT.sum()), 0.0
        limits = pass_limits(self.model.config.get_text_config(), self.settings.micro_batch)
        for rows in batch.passes(*limits):
            scores = token_logprobs(self.model, batch.rows(rows), self.context.sampling.temperature)
            loss = -scores.logprobs_BT.sum() / tokens
            loss.backward()
            total += float(loss.detach())
        return total

    def save(self, step: int) -> None:
        """A checkpoint, whole or not at all."""
        with self.context.checkpoint(step) as directory:
            self.policy.save(directory / "policy")
            torch.save(self.optimizer.state_dict(), directory / "optimizer.pt")

    def load(self, directory: Path) -> int:
        """Go back to a checkpoint; returns its step."""
        self.policy.restore(directory / "policy")
        state = torch.load(directory / "optimizer.pt", map_location=self.model.device, weights_only=True)
        self.optimizer.load_state_dict(state)
        self.policy.version = self.context.step
        return self.context.step


def best_episodes(trajectories: Sequence[Trajectory], group_size: int) -> list[Trajectory]:
    """The best-paid episode of each group whose rewards differ; one that cannot be scored takes no part."""
    best = []
    for first in range(0, len(trajectories), group_size):
        scored = sorted(trainable(trajectories[first : first + group_size]), key=_paid)
        if scored and _paid(scored[-1]) > _paid(scored[0]):
            best.append(scored[-1])
    return best


def _paid(trajectory: Trajectory) -> float:
    return -math.inf if trajectory.reward is None else trajectory.reward
