"""RLOO on ``trl.RLOOTrainer``: its loss, our episodes, and only the model's tokens in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from trl import RLOOConfig, RLOOTrainer

from rftgym.trainer import TrainContext
from rftgym.updates.layout import laid_out, padded
from rftgym.updates.libraries import undisturbed
from rftgym.updates.online import OnlineTrainer, online_arguments
from rftgym_rloo.trainer import RLOOSettings


@undisturbed()
def run_rloo(context: TrainContext, settings: RLOOSettings) -> int:
    """Train with TRL; returns the steps that the policy has behind it. Raises what ``RecordedTrainer.run`` raises."""
    args = RLOOConfig(
        **online_arguments(context, settings),
        beta=settings.beta,
        epsilon=settings.epsilon,
        normalize_advantages=settings.normalize_advantages,
        reward_clip_range=settings.reward_clip,
    )
    return _EpisodeTrainer(context, settings, args=args).run()


class _EpisodeTrainer(OnlineTrainer, RLOOTrainer):  # type: ignore[misc]  # TRL is untyped
    """``RLOOTrainer`` on played episodes, with the environment's tokens seen by the model and left out of every sum."""

    def _generate(self, prompts: list[str]) -> tuple[list[list[int]], list[list[int]], list[str]]:
        self._rows = laid_out(self.play(prompts))
        self._mask_BT = padded(self._rows["env_mask"])
        return self._rows["prompt_ids"], self._rows["completion_ids"], [""] * len(prompts)

    def _generate_and_score_completions(self, inputs: Any) -> dict[str, Tensor]:
        output: dict[str, Tensor] = super()._generate_and_score_completions(inputs)
        self._per_model_token("kl", output["completion_mask"])
        logprobs_BT = padded(self._rows["logprobs"]).to(output["completion_ids"].device)
        return {**output, "tool_mask": self._mask_BT, "sampling_per_token_logps": logprobs_BT}

    def _compute_loss(self, model: Any, inputs: Mapping[str, Tensor]) -> Tensor:
        self._mask_BT = inputs["tool_mask"]
        loss = super()._compute_loss(model, inputs)
        self._per_model_token("entropy", inputs["completion_mask"])
        return loss

    def _get_per_token_logps_and_entropies(
        self, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor | None, Any]:
        logps_BT, entropies_BT, auxiliary = super()._get_per_token_logps_and_entropies(*args, **kwargs)
        mask_BT = self._mask_BT = self._mask_BT.to(logps_BT.device)
        return logps_BT * mask_BT, None if entropies_BT is None else entropies_BT * mask_BT, auxiliary

    def _per_model_token(self, metric: str, completion_mask_BT: Tensor) -> None:
        """TRL divided a metric's sum by the number of all tokens after the prompt."""
        if values := self._metrics["train"].get(metric):
            values[-1] *= float(completion_mask_BT.sum() / torch.clamp(self._mask_BT.sum(), min=1))
