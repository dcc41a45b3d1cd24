"""PPO's update: a batch's experience in some epochs of minibatches, on the policy and the value head."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from rftgym.errors import RunFailed
from rftgym.trainer import TrainContext
from rftgym.updates.batches import pass_limits, token_logprobs
from rftgym_ppo import estimates
from rftgym_ppo.experience import Experience
from rftgym_ppo.value import ValueHead

if TYPE_CHECKING:
    from rftgym_ppo.trainer import PPOSettings

Metrics = dict[str, float]


class Update:
    """Changes the policy and the value head.

    Attributes:
        optimizer: AdamW over two groups, the policy's trained weights and the value head's.
    """

    def __init__(self, context: TrainContext, settings: PPOSettings, value_head: ValueHead) -> None:
        policy: Any = context.policy
        self._model: Any = policy.model
        self._value_head, self._settings = value_head, settings
        self._seed, self._temperature = context.config.seed, context.sampling.temperature
        self._recomputes = context.config.model.gradient_checkpointing
        self._limits = pass_limits(self._model.config.get_text_config(), settings.micro_batch)
        trained = [p for p in self._model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": trained, "weight_decay": settings.weight_decay},
                {"params": list(value_head.parameters()), "weight_decay": 0.0},
            ],
            lr=settings.value_learning_rate,
        )

    def learn(self, step: int, experience: Experience, *, learning_rate: float) -> Metrics:
        """Some epochs of minibatches, until the policy is too far from the one that played.

        Returns:
            Means over the optimizer updates: "loss" (without the value head's), "value/loss", "clip_share" (of the
            tokens), "gradient_norm" (before it is cut); "approx_kl" (nats a token from the policy that played, when the
            last minibatch was looked at), "updates" (count).
        """
        self.optimizer.param_groups[0]["lr"] = learning_rate
        taken: list[Metrics] = []
        approx_kl = 0.0
        for rows in self._minibatches(step, len(experience.batch)):
            with self._training_mode():
                metrics = self._gradients(experience.rows(rows))
            approx_kl = metrics["approx_kl"]
            if self._settings.target_kl is not None and approx_kl > self._settings.target_kl:
                break
            taken.append(metrics | self._descend(step))
        self.optimizer.zero_grad(set_to_none=True)
        means = {name: sum(each[name] for each in taken) / len(taken) for name in taken[0]} if taken else {}
        return {"loss": 0.0, **means, "approx_kl": approx_kl, "updates": float(len(taken))}

    def _minibatches(self, step: int, episodes: int) -> Iterator[list[int]]:
        """Every epoch cuts the episodes anew; how is a function of (run seed, step, epoch) only."""
        count = min(self._settings.minibatches, episodes)
        for epoch in range(self._settings.epochs):
            order = list(range(episodes))
            Random(f"{self._seed}:{step}:{epoch}").shuffle(order)
            for first in range(count):
                yield order[first::count]

    def _gradients(self, minibatch: Experience) -> Metrics:
        """One minibatch's gradients, in as many passes as memory wants."""
        self.optimizer.zero_grad(set_to_none=True)
        weights_BT = estimates.token_weights(minibatch.batch.model_mask_BT, self._settings.loss_mean)
        total: Metrics = {}
        for rows in minibatch.batch.passes(*self._limits):
            part = minibatch.rows(rows)
            loss, metrics = self._loss(part, weights_BT[rows, : part.old_BT.shape[1]])
            loss.backward()
            total = {name: total.get(name, 0.0) + value for name, value in metrics.items()}
        return total

    def _loss(self, part: Experience, weights_BT: Tensor) -> tuple[Tensor, Metrics]:
        """The part's share of the minibatch's loss, and of its metrics."""
        settings = self._settings
        scores = token_logprobs(
            self._model,
            part.batch,
            self._temperature,
            entropy=bool(settings.entropy_coefficient),
            hidden=True,
        )
        states_BTD: Any = scores.hidden_BTD
        values_BT = self._value_head(
            states_BTD if settings.value_gradient else states_BTD.detach(), part.batch.turns_BT
        )
        policy_BT, clipped_BT = estimates.policy_losses(
            scores.logprobs_BT,
            part.old_BT,
            part.advantages_BT,
            epsilon=settings.epsilon,
            epsilon_high=settings.epsilon_high,
        )
        value_BT = estimates.value_losses(
            values_BT, part.values_BT, part.returns_BT, clip=settings.value_clip
        )
        loss = (policy_BT * weights_BT).sum()
        if scores.entropy_BT is not None:
            loss = loss - settings.entropy_coefficient * (scores.entropy_BT * weights_BT).sum()
        value_loss = (value_BT * weights_BT).sum()
        moved_BT = estimates.divergence(part.old_BT, scores.logprobs_BT.detach())
        metrics = {
            "loss": float(loss.detach()),
            "value/loss": float(value_loss.detach()),
            "clip_share": float((clipped_BT * weights_BT).sum()),
            "approx_kl": float((moved_BT * weights_BT).sum()),
        }
        return loss + settings.value_coefficient * value_loss, metrics

    def _descend(self, step: int) -> Metrics:
        """One optimizer update, with gradients cut to length: the policy's and the value head's each by their own.

        Raises:
            RunFailed: a gradient is no finite number; the weights are still those of the update before.
        """
        limit = self._settings.max_grad_norm
        norms = [nn.utils.clip_grad_norm_(group["params"], limit) for group in self.optimizer.param_groups]
        if not all(norm.isfinite() for norm in norms):
            raise RunFailed(
                f"the gradient of step {step} is not finite; resume with a lower trainer.learning_rate, or train in "
                "float32 (model.dtype=float32)"
            )
        self.optimizer.step()
        return {"gradient_norm": float(norms[0])}

    @contextmanager
    def _training_mode(self) -> Iterator[None]:
        """Layers recompute their activations in training mode only; dropout stays off."""
        recomputes = self._recomputes
        self._model.train(recomputes)
        for module in self._model.modules() if recomputes else ():
            if isinstance(module, nn.Dropout):
                module.eval()
        try:
            yield
        finally:
            self._model.eval()
