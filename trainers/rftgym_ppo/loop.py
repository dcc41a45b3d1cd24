"""PPO's loop: play, estimate, update (``update.py``), record; and the checkpoint that makes it exact to resume."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from rftgym.rollout.metrics import rollout_metrics
from rftgym.trainer import StopRequested, TrainContext
from rftgym.types import Trajectory
from rftgym.updates.batches import (
    Reference,
    TokenBatch,
    pass_limits,
    token_batch,
    trainable,
)
from rftgym.updates.schedules import learning_rate_factor
from rftgym_ppo import estimates, state
from rftgym_ppo.experience import Experience, Opinions, cut, normalised, opinions, sampler_gap
from rftgym_ppo.update import Update
from rftgym_ppo.value import ValueHead

if TYPE_CHECKING:
    from rftgym_ppo.trainer import PPOSettings

Metrics = dict[str, float]


def run_ppo(context: TrainContext, settings: PPOSettings) -> int:
    """Train; returns the number of steps that the policy has behind it.

    Raises:
        StopRequested: the user asked for it, or the held-out score stopped improving; a checkpoint was written.
    """
    policy: Any = context.policy
    learner = Learner(context, settings)
    done = 0 if context.resume_from is None else learner.load(context.resume_from)
    if context.resume_from is not None and context.is_over(done, settings.steps):
        return done
    policy.refresh()
    policy.version = done
    for step in range(done + 1, settings.steps + 1):
        started = time.perf_counter()
        trajectories = context.rollout(step, *context.next_batch(settings.prompts), settings.group_size)
        played = time.perf_counter()
        metrics = learner.update(step, trajectories)
        policy.refresh()
        policy.version = step
        ended = time.perf_counter()
        metrics |= {
            "seconds/rollout": played - started,
            "seconds/update": ended - played,
            "seconds/step": ended - started,
        }
        try:
            context.step_done(step, settings.steps, metrics)
        except StopRequested:
            learner.save(step)
            raise
        if context.checkpoint_due(step, settings.steps):
            learner.save(step)
    return settings.steps


class Learner:
    """All that PPO changes: the policy's weights, the value head, the optimizer, and the numbers that it keeps.

    Args:
        context: the policy is taken as it is now for the reference of the KL penalty.
    """

    def __init__(self, context: TrainContext, settings: PPOSettings) -> None:
        policy: Any = context.policy
        self._context, self._settings = context, settings
        self._model: Any = policy.model
        self._model.eval()
        if context.config.model.gradient_checkpointing:
            # Newer versions of transformers warn of the second name, older ones have no other.
            enable = getattr(self._model, "activation_checkpointing_enable", None)
            (enable or self._model.gradient_checkpointing_enable)({"use_reentrant": False})
        config = self._model.config.get_text_config()
        self._limits = pass_limits(config, settings.micro_batch)
        self.value_head = ValueHead(
            config.hidden_size,
            turns=context.env.max_turns,
            inner=settings.value_width,
            seed=context.config.seed,
        ).to(self._model.device)
        self._reference = Reference(self._model) if settings.kl_coefficient else None
        self._kl_coefficient = settings.kl_coefficient
        self._reward_scale = estimates.RunningDeviation()
        self._value_named = {f"value_head.{n}": p for n, p in self.value_head.named_parameters()}
        self._update = Update(context, settings, self.value_head)

    # ---- one step

    def update(self, step: int, trajectories: Sequence[Trajectory]) -> Metrics:
        """Learn from a batch of scored episodes; those that cannot be scored are only counted."""
        settings = self._settings
        metrics = rollout_metrics(trajectories)
        drift = getattr(self._context.policy, "drift", None)
        if drift is not None:
            metrics["drift"] = float(sum(map(drift, trajectories)))
        rate = settings.learning_rate * learning_rate_factor(
            step, steps=settings.steps, warmup=settings.warmup, schedule=settings.schedule
        )
        metrics["learning_rate"] = rate
        scored = trainable(trajectories)
        if not scored:
            return metrics | {"loss": 0.0, "updates": 0.0, "kl/coefficient": self._kl_coefficient}
        experience, found = self.experience(scored)
        metrics |= found | self._update.learn(step, experience, learning_rate=rate)
        if settings.kl_target is not None:
            self._kl_coefficient = estimates.adapted_coefficient(
                self._kl_coefficient, metrics["kl"], settings.kl_target, settings.kl_gain
            )
        return metrics

    def experience(self, trajectories: Sequence[Trajectory]) -> tuple[Experience, Metrics]:
        """Give every model token of scored episodes a reward, a value and an advantage.

        Returns:
            That, and the metrics that tell of it: "entropy" (nats a token), "sampler_gap/mean" and "/max" (nats
            between the sampler's log-probabilities and these), "kl" and "kl/coefficient" where there is a penalty,
            "value/mean", "value/explained_variance" (of the returns, before the update), "advantage/mean" and "/std"
            (before they are normalised).
        """
        batch = token_batch(trajectories, self._model.device)
        found = opinions(
            self._model,
            self.value_head,
            self._reference,
            batch,
            batch.passes(*self._limits),
            self._context.sampling.temperature,
        )
        rewards_BT = estimates.token_rewards(self._payouts(trajectories), batch.turns_BT)
        if self._reference is not None:
            rewards_BT = rewards_BT - self._kl_coefficient * (found.logprobs_BT - found.reference_BT)
        advantages_BT = self._advantages(trajectories, batch, found, rewards_BT)
        returns_BT = advantages_BT + found.values_BT
        metrics = self._told(batch, found, advantages_BT, returns_BT)
        if self._settings.normalise_advantages:
            advantages_BT = estimates.whitened(advantages_BT, batch.model_mask_BT)
        limit = self._settings.advantage_clip
        if limit is not None:
            advantages_BT = advantages_BT.clamp(-limit, limit)
        tensors = (found.logprobs_BT, rewards_BT, found.values_BT, advantages_BT, returns_BT)
        return Experience(batch, *tensors), metrics

    def _advantages(
        self, trajectories: Sequence[Trajectory], batch: TokenBatch, found: Opinions, rewards_BT: Tensor
    ) -> Tensor:
        settings = self._settings
        limited = [settings.bootstrap_truncated and t.truncated and not t.terminated for t in trajectories]
        return estimates.token_advantages(
            rewards_BT,
            found.values_BT,
            batch.model_mask_BT,
            found.final_B * torch.tensor(limited, device=found.final_B.device),
            gamma=settings.gamma,
            lam=settings.lam,
        )

    def _told(self, batch: TokenBatch, found: Opinions, advantages_BT: Tensor, returns_BT: Tensor) -> Metrics:
        """The metrics of :meth:`experience`."""
        mask_BT = batch.model_mask_BT
        values_N, returns_N, advantages_N = (t[mask_BT] for t in (found.values_BT, returns_BT, advantages_BT))
        metrics = {
            "entropy": float(found.entropy_BT[mask_BT].mean()),
            "value/mean": float(values_N.mean()),
            "value/explained_variance": estimates.explained_variance(values_N, returns_N),
            "advantage/mean": float(advantages_N.mean()),
            "advantage/std": float(advantages_N.std(correction=0)),
            **sampler_gap((found.logprobs_BT - batch.sampler_logprobs_BT)[mask_BT]),
        }
        if self._reference is not None:
            by_token_N = estimates.divergence(found.logprobs_BT, found.reference_BT)[mask_BT]
            metrics |= {"kl": float(by_token_N.mean()), "kl/coefficient": self._kl_coefficient}
        return metrics

    def _payouts(self, trajectories: Sequence[Trajectory]) -> list[list[float]]:
        """Each episode's reward by turn, scaled and cut as the settings say."""
        paid = [self._context.env.rubric.payouts(trajectory) or [] for trajectory in trajectories]
        if self._settings.normalise_rewards:
            paid = normalised(paid, self._reward_scale)
        limits = self._settings.reward_clip
        return paid if limits is None else cut(paid, *limits)

    # ---- going on

    def save(self, step: int) -> None:
        """Write a checkpoint of everything that the next step depends on."""
        policy: Any = self._context.policy
        with self._context.checkpoint(step) as directory:
            policy.save(directory / state.POLICY)
            numbers = {
                "step": step,
                "kl_coefficient": self._kl_coefficient,
                "reward_scale": asdict(self._reward_scale),
            }
            state.write(directory, numbers, self._value_named, self._named, self._update.optimizer)

    def load(self, directory: Path) -> int:
        """Go back to a checkpoint; returns its step.

        Raises:
            RunFailed: it is damaged, or of other settings.
        """
        policy: Any = self._context.policy
        numbers = state.read(directory, self._value_named, self._named, self._update.optimizer)
        policy.restore(directory / state.POLICY)
        policy.version = step = int(numbers["step"])
        self._kl_coefficient = numbers["kl_coefficient"]
        self._reward_scale = estimates.RunningDeviation(**numbers["reward_scale"])
        return step

    @property
    def _named(self) -> Mapping[str, nn.Parameter]:
        trained = {n: p for n, p in self._model.named_parameters() if p.requires_grad}
        return {**trained, **self._value_named}
