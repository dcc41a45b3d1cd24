"""Trainers on TRL that learn from episodes: what is played, scored and laid out for them here.

The rest of what they share with other trainers on TRL is in :mod:`rftgym.updates.trl`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from trl.trainer.utils import split_tensor_dict

from rftgym.rollout.metrics import rollout_metrics
from rftgym.trainer import TrainContext
from rftgym.types import Trajectory
from rftgym.updates.batches import activation_bytes, scored_states
from rftgym.updates.groups import GroupSettings
from rftgym.updates.shared import final_states
from rftgym.updates.trl import RecordedTrainer, shared_arguments


class OnlineTrainer(RecordedTrainer):
    """A trainer of TRL that learns from episodes, which are played and scored here.

    TRL asks for completions to a batch of "prompts", which only count (the run hands out the tasks), and reads rewards
    through :meth:`rewards`.

    Args:
        settings: how large batches are.
        arguments: of TRL's trainer.

    Attributes:
        trajectories: of the batch at hand.
    """

    def __init__(self, context: TrainContext, settings: GroupSettings, **arguments: Any) -> None:
        self.settings = settings
        self.trajectories: Sequence[Trajectory] = ()
        self._rollout_metrics: dict[str, float] = {}
        self._gaps: list[tuple[float, float]] = []
        self._buffered_inputs: list[dict[str, Any]] | None = None  # TRL's name
        super().__init__(
            context,
            steps=settings.steps,
            cycle=settings.cycle,
            reward_funcs=[self.rewards],
            train_dataset=Dataset.from_dict(
                {"prompt": [str(i) for i in range(settings.batches * settings.prompts)]}
            ),
            **arguments,
        )
        if self.ref_model is not None:
            # TRL reads it from the model that the policy was made from; a warm start may have trained it since.
            self.ref_model.load_state_dict(self.model.state_dict())

    def play(self, prompts: Sequence[str]) -> Sequence[Trajectory]:
        """Play the batch's episodes with the weights as they are.

        Args:
            prompts: one an episode, each repeated for its group.
        """
        started = time.perf_counter()
        step, size = int(self.state.global_step), self.settings.group_size
        self.sync(step)
        tasks, seeds = self.context.next_batch(len(prompts) // size)
        self.trajectories = self.context.rollout(step + 1, tasks, seeds, size)
        drift = getattr(self.context.policy, "drift", None)
        self._rollout_metrics = {
            **rollout_metrics(self.trajectories),
            **({} if drift is None else {"drift": float(sum(map(drift, self.trajectories)))}),
            "seconds/rollout": time.perf_counter() - started,
        }
        return self.trajectories

    def rewards(self, prompts: Sequence[str], **_: Any) -> list[float | None]:
        """TRL's reward function: what the rubric gave; None stays None."""
        return [trajectory.reward for trajectory in self.trajectories]

    def step_metrics(self) -> dict[str, float]:
        """Those of the rollouts, in the first step of a cycle, and the sampler's gap."""
        metrics, self._rollout_metrics = self._rollout_metrics, {}
        return {**metrics, **self._sampler_gap()}

    def _prepare_inputs(self, generation_batch: Any) -> Any:
        """TRL's batches, except for the order of episodes: see :func:`arranged`."""
        forwards = self.args.steps_per_generation
        if self._step % (forwards * self.num_iterations) == 0 or self._buffered_inputs is None:
            scored = self._generate_and_score_completions(generation_batch)
            draw = Random(f"{self.context.config.seed}:minibatches:{self.state.global_step}")
            order = arranged(len(self.trajectories), self.settings.minibatches, draw)
            in_order = {
                name: value[order] if value is not None and value.ndim else value
                for name, value in scored.items()
            }
            self._buffered_inputs = split_tensor_dict(in_order, forwards)
        return self._buffered_inputs[self._step % forwards]

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: Tensor,
        attention_mask: Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        compute_entropy: bool = False,
        compute_aux_loss: bool = False,
        **_: Any,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """TRL's, with the prompts of a group computed once; TRL's own where experts' loads are to be balanced."""
        if compute_aux_loss:
            found: tuple[Tensor, Tensor | None, Tensor | None] = super()._get_per_token_logps_and_entropies(
                model,
                input_ids,
                attention_mask,
                logits_to_keep,
                batch_size,
                compute_entropy,
                compute_aux_loss=True,
            )
            self._last_logps = found[0].detach()
            return found
        causal = self.accelerator.unwrap_model(model)
        causal = causal.get_base_model() if hasattr(causal, "get_base_model") else causal
        rows = batch_size or len(input_ids)
        with self.accelerator.autocast():
            scores = [
                completion_scores(causal, *piece, logits_to_keep, self.temperature, entropy=compute_entropy)
                for piece in zip(input_ids.split(rows), attention_mask.split(rows), strict=True)
            ]
        logprobs_BK, entropy_BK = (torch.cat(each) for each in zip(*scores, strict=True))
        self._last_logps = logprobs_BK.detach()
        return logprobs_BK, entropy_BK if compute_entropy else None, None

    def _compute_loss(self, model: Any, inputs: Mapping[str, Tensor]) -> Tensor:
        loss: Tensor = super()._compute_loss(model, inputs)
        cycle = self.args.steps_per_generation * self.args.num_iterations
        if self._step % cycle < self.args.gradient_accumulation_steps:  # the weights are still the sampler's
            mask = (inputs["completion_mask"] * inputs["tool_mask"]).bool()
            gap = (self._last_logps - inputs["sampling_per_token_logps"]).abs()[mask]
            gap = gap[~gap.isnan()]
            if gap.numel():
                self._gaps.append((float(gap.mean()), float(gap.max())))
        return loss

    def _sampler_gap(self) -> dict[str, float]:
        """How far the sampler's log-probabilities were from the trainer's, on-policy (nats)."""
        gaps, self._gaps = self._gaps, []
        if not gaps:
            return {}
        mean = sum(each[0] for each in gaps) / len(gaps)
        return {"sampler_gap/mean": mean, "sampler_gap/max": max(each[1] for each in gaps)}


def arranged(rows: int, minibatches: int, draw: Random) -> list[int]:
    """The order in which a batch's episodes are learnt from.

    Which minibatch an episode belongs to is drawn; inside one, groups stay together, so that a forward pass has few
    different prompts.
    """
    order = list(range(rows))
    if minibatches > 1:
        draw.shuffle(order)
    size = rows // minibatches
    return [row for first in range(0, rows, size) for row in sorted(order[first : first + size])]


def completion_scores(
    causal: Any, ids_BS: Tensor, shown_BS: Tensor, kept: int, temperature: float, *, entropy: bool
) -> tuple[Tensor, Tensor]:
    """Log-probabilities (and entropies, else zeros) of completions in TRL's layout.

    Args:
        causal: a causal language model, not wrapped.
        ids_BS: int64; prompts padded on the left, then ``kept`` places of completions padded on the right.
        shown_BS: 1 at tokens, 0 at padding.
    Returns:
        float32 (B, kept), nats; 0 at padding.
    """
    order_BS = (shown_BS == 0).long().argsort(dim=1, stable=True)  # tokens to the left, padding to the right
    lengths_B, prompts_B = shown_BS.sum(dim=1), shown_BS[:, :-kept].sum(dim=1)
    ids_BT = ids_BS.gather(1, order_BS)[:, : int(lengths_B.max())]
    states_BTD = final_states(causal.base_model, ids_BT, prompts_B.tolist(), lengths_B.tolist())
    mask_BK = shown_BS[:, -kept:].bool()
    before_BK = (prompts_B[:, None] - 1 + torch.arange(kept, device=ids_BS.device)).clamp(
        max=ids_BT.shape[1] - 1
    )
    rows_BK = torch.arange(len(ids_BS), device=ids_BS.device)[:, None].expand_as(before_BK)
    states_ND = states_BTD[rows_BK[mask_BK], before_BK[mask_BK]]
    scores = scored_states(causal, states_ND, ids_BS[:, -kept:][mask_BK], temperature, entropy=entropy)
    logprobs_BK, entropy_BK = (each.new_zeros(mask_BK.shape) for each in scores)
    logprobs_BK[mask_BK] = scores[0]
    if entropy:
        entropy_BK[mask_BK] = scores[1]
    return logprobs_BK, entropy_BK


def largest_pass(context: TrainContext, settings: GroupSettings) -> tuple[int, int]:
    """Rows and tokens a row of the largest forward pass of an online trainer."""
    policy: Any = context.policy
    tokens = context.longest_episode_tokens()
    config = policy.model.config.get_text_config()
    return settings.rows_per_forward(activation_bytes(config) * tokens), tokens


def online_arguments(context: TrainContext, settings: GroupSettings) -> dict[str, Any]:
    """Arguments that GRPO's and RLOO's configurations in TRL have in common."""
    rows = settings.prompts * settings.group_size
    forward, _ = largest_pass(context, settings)
    return {
        **shared_arguments(context, settings, steps=settings.steps),
        "per_device_train_batch_size": forward,
        "gradient_accumulation_steps": rows // settings.minibatches // forward,
        "steps_per_generation": rows // forward,
        "num_generations": settings.group_size,
        "num_iterations": settings.iterations,
        "max_completion_length": context.sampling.max_tokens * context.env.max_turns,
        "temperature": context.sampling.temperature,
        "shuffle_dataset": False,
        "disable_dropout": True,  # that of the model itself, say GPT-2's
    }
