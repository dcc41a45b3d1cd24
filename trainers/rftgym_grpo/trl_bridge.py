"""The one module that touches TRL's private surface. ``tests/test_trl_contract.py`` states what it relies on.

TRL drives the optimizer; it asks :func:`_Rollouts.__call__` for episodes through ``rollout_func`` and reads their
rewards back through one reward function; its advantages are replaced by ours, which know turns. A trajectory is laid
out for TRL as the first prompt, then everything after it as one completion in which ``env_mask`` marks the
environment's tokens with 0.
"""

from __future__ import annotations

import logging
import math
import os
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rftgym.errors import RunFailed
from rftgym.rollout.metrics import rollout_metrics
from rftgym.trainer import StopRequested, TrainContext
from rftgym.types import Task, Trajectory
from rftgym_grpo.layout import by_token, laid_out
from rftgym_grpo.trainer import advantages

# We know that rollout_func may change: the version is pinned, and a contract test watches.
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
import torch
from datasets import Dataset
from transformers.trainer_callback import PrinterCallback, ProgressCallback
from trl import GRPOConfig, GRPOTrainer

if TYPE_CHECKING:
    from rftgym_grpo.trainer import GRPOSettings

# What TRL and transformers log, and what we call it.
RENAMED = {
    "loss": "loss",
    "grad_norm": "gradient_norm",
    "learning_rate": "learning_rate",
    "kl": "kl",
    "entropy": "entropy",
    "clip_ratio/region_mean": "clip_share",
    "cispo_clip_ratio": "clip_share",
}


def run_grpo(
    context: TrainContext, settings: GRPOSettings, tasks: Sequence[Task], seeds: Sequence[int]
) -> int:
    """Train with TRL; returns the number of optimizer steps that the policy has behind it.

    Raises:
        StopRequested: the user asked for it; a checkpoint was written.
        RunFailed: TRL took another number of steps than was asked for.
    """
    rollouts = _Rollouts(context, settings, tasks, seeds)
    with preserved_random_state(), quiet_libraries():
        trainer = _RunTrainer(context, rollouts, settings)
        trainer.go(context.resume_from)
    steps = int(trainer.state.global_step)
    context.policy.refresh()  # type: ignore[attr-defined]  # policies with weights have it
    if trainer.stopped:
        raise StopRequested
    if steps != settings.steps:
        raise RunFailed(
            f"{steps} optimizer steps were taken instead of {settings.steps}; the checkpoint may be damaged"
        )
    return steps


class _Rollouts:
    """TRL's ``rollout_func``: plays and scores the batch's episodes, and keeps what the metrics line needs."""

    def __init__(
        self, context: TrainContext, settings: GRPOSettings, tasks: Sequence[Task], seeds: Sequence[int]
    ) -> None:
        self._context, self._settings = context, settings
        self._tasks, self._seeds = tasks, seeds
        self._refreshed_at = 0
        self.metrics: dict[str, float] = {}
        self.trajectories: Sequence[Trajectory] = ()
        self.advantages: list[list[float]] = []

    def __call__(self, prompts: Sequence[str], trainer: GRPOTrainer) -> dict[str, Any]:
        """``prompts`` are positions in the list of tasks, each repeated for its group, in order."""
        started = time.perf_counter()
        step = int(trainer.state.global_step)
        policy: Any = self._context.policy
        if step != self._refreshed_at:
            policy.refresh()
            policy.version = step
            self._refreshed_at = step
        size = self._settings.group_size
        positions = [int(prompt) for prompt in prompts[::size]]
        trajectories = self._context.rollout(
            step + 1, [self._tasks[i] for i in positions], [self._seeds[i] for i in positions], size
        )
        seconds = time.perf_counter() - started
        rubric = self._context.env.rubric
        self.advantages = advantages(
            [rubric.payouts(trajectory) for trajectory in trajectories],
            size,
            credit=self._settings.credit,
            scale=self._settings.scale_rewards,
            clip=self._settings.reward_clip,
        )
        self.trajectories = trajectories
        self.metrics = {
            **rollout_metrics(trajectories),
            **self._policy_metrics(trajectories),
            "seconds/rollout": seconds,
        }
        return {**laid_out(trajectories), "reward": [trajectory.reward for trajectory in trajectories]}

    def _policy_metrics(self, trajectories: Sequence[Trajectory]) -> dict[str, float]:
        drift = getattr(self._context.policy, "drift", None)
        return {} if drift is None else {"drift": float(sum(map(drift, trajectories)))}


def recorded_reward(prompts: Sequence[str], reward: Sequence[float | None], **_: Any) -> list[float | None]:
    """TRL's reward function: what the rubric gave, handed on by ``rollout_func``; None stays None."""
    return list(reward)


class _RunTrainer(GRPOTrainer):  # type: ignore[misc]  # TRL is untyped
    """``GRPOTrainer`` which writes into a run directory: metrics by step, checkpoints complete or not at all."""

    def __init__(self, context: TrainContext, rollouts: _Rollouts, settings: GRPOSettings) -> None:
        policy: Any = context.policy
        self._context, self._rollouts, self._settings = context, rollouts, settings
        self._checkpoint_directory: Path | None = None
        self._step_started = time.perf_counter()
        self._gaps: list[tuple[float, float]] = []
        self.stopped = False
        batches = -(-settings.steps // settings.cycle)
        super().__init__(
            model=policy.model,
            reward_funcs=[recorded_reward],
            args=_arguments(context, settings, policy.model),
            train_dataset=Dataset.from_dict({"prompt": [str(i) for i in range(batches * settings.prompts)]}),
            processing_class=policy.tokenizer,
            rollout_func=rollouts,
        )
        for callback in (PrinterCallback, ProgressCallback):
            self.remove_callback(callback)

    def go(self, resume_from: Path | None) -> None:
        """Train from the start or a checkpoint; at a last step's checkpoint only the weights are taken."""
        if resume_from is None:
            self.train()
            return
        inner = next(resume_from.glob("checkpoint-*"))
        step = int(inner.name.rpartition("-")[2])
        if step >= self._settings.steps:
            self._load_from_checkpoint(str(inner))
            self.state.global_step = step
        else:
            self.train(resume_from_checkpoint=str(inner))

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """One metrics line for every optimizer step; the summary that transformers logs at the end is left out."""
        if "loss" not in logs:
            return
        merged = {**logs, **{name: _mean(values) for name, values in self._metrics["train"].items()}}
        self._metrics["train"].clear()
        now = time.perf_counter()
        metrics = {
            **_renamed(merged),
            **self._rollouts.metrics,
            **self._sampler_gap(),
            "seconds/step": now - self._step_started,
        }
        metrics["seconds/update"] = max(0.0, metrics["seconds/step"] - metrics.get("seconds/rollout", 0.0))
        self._step_started = now
        self._rollouts.metrics = {}  # they belong to the first step of a cycle
        step = int(self.state.global_step)
        whole = step % self._settings.cycle == 0 or step >= self._settings.steps
        try:
            self._context.step_done(step, self._settings.steps, metrics)
        except StopRequested:  # inside a cycle it has to wait: the episodes at hand are in no checkpoint
            self.stopped = self.control.should_training_stop = whole
        self.control.should_save = whole and (self.stopped or self._checkpoint_is_due(step))
        self._step_started = time.perf_counter()  # evaluations are not part of the next step

    def _checkpoint_is_due(self, step: int) -> bool:
        every = self._settings.checkpoint_every
        previous = step - self._settings.cycle
        return step >= self._settings.steps or bool(every and step // every > previous // every)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        with self._context.run.checkpoint(int(self.state.global_step)) as directory:
            self._checkpoint_directory = directory
            super()._save_checkpoint(model, trial)
        self._checkpoint_directory = None

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._checkpoint_directory or self.args.output_dir)

    def _generate_and_score_completions(self, inputs: Any) -> dict[str, Any]:
        """TRL's advantages, one an episode, are replaced by ours, one a token."""
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        advantages_BT = torch.zeros(output["completion_ids"].shape, dtype=torch.float32)
        for row, (trajectory, by_turn) in enumerate(
            zip(self._rollouts.trajectories, self._rollouts.advantages, strict=True)
        ):
            tokens = by_token(trajectory, by_turn)
            advantages_BT[row, : len(tokens)] = torch.tensor(tokens)
        output["advantages"] = advantages_BT.to(output["advantages"].device)
        return output

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """The run directory says it all; TRL's card would be written beside the checkpoint, not into it."""

    def _get_per_token_logps_and_entropies(self, *args: Any, **kwargs: Any) -> Any:
        result = super()._get_per_token_logps_and_entropies(*args, **kwargs)
        self._last_logps = result[0].detach()
        return result

    def _compute_loss(self, model: Any, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        loss: torch.Tensor = super()._compute_loss(model, inputs)
        on_policy = (
            self._step % (self.args.steps_per_generation * self.args.num_iterations)
            < self.args.gradient_accumulation_steps
        )
        if "sampling_per_token_logps" in inputs and on_policy:
            mask = (inputs["completion_mask"] * inputs.get("tool_mask", 1)).bool()
            gap = (self._last_logps - inputs["sampling_per_token_logps"]).abs()[mask]
            if gap.numel():
                self._gaps.append((float(gap.mean()), float(gap.max())))
        return loss

    def _sampler_gap(self) -> dict[str, float]:
        """How far the sampler's log-probabilities were from the trainer's, on-policy (nats)."""
        gaps, self._gaps = self._gaps, []
        if not gaps:
            return {}
        return {
            "sampler_gap/mean": sum(g[0] for g in gaps) / len(gaps),
            "sampler_gap/max": max(g[1] for g in gaps),
        }


def activation_bytes(config: Any, tokens: int) -> int:
    """About what the activations of one sequence take in float32 while a decoder layer's backward pass waits for them.

    16 numbers of the hidden width and 5 of the feed-forward width a token and layer, a rough count: 2.0 MB a token with
    SmolLM2-135M, of which a process that trained on 8 Wordle episodes at once came to 11.6 GB in all.
    """
    widths = 16 * config.hidden_size + 5 * getattr(config, "intermediate_size", 4 * config.hidden_size)
    return int(4 * widths * config.num_hidden_layers * tokens)


def _arguments(context: TrainContext, settings: GRPOSettings, model: Any) -> GRPOConfig:
    rows = settings.prompts * settings.group_size
    said = context.sampling.max_tokens * context.env.max_turns
    heard = 512 + 64 * context.env.max_turns  # a first prompt and observations of the usual length
    forward = settings.rows_per_forward(activation_bytes(model.config.get_text_config(), said + heard))
    schedules = {"constant": "constant_with_warmup", "linear": "linear", "cosine": "cosine"}
    sequence = settings.loss == "gspo" or settings.importance == "sequence"
    return GRPOConfig(
        output_dir=str(context.run.path / "checkpoints"),
        max_steps=settings.steps,
        per_device_train_batch_size=forward,
        gradient_accumulation_steps=rows // settings.minibatches // forward,
        steps_per_generation=rows // forward,
        num_generations=settings.group_size,
        num_iterations=settings.iterations,
        max_completion_length=said,
        temperature=context.sampling.temperature,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=schedules[settings.schedule],
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        loss_type="grpo" if settings.loss == "gspo" else settings.loss,
        importance_sampling_level="sequence" if sequence else "token",
        scale_rewards=settings.scale_rewards,
        beta=settings.beta,
        epsilon=settings.epsilon,
        epsilon_high=settings.epsilon_high,
        entropy_coef=settings.entropy_coefficient,
        mask_truncated_completions=settings.mask_truncated,
        gradient_checkpointing=context.config.model.gradient_checkpointing,
        use_cpu=model.device.type == "cpu",
        bf16=False,
        seed=context.config.seed,
        shuffle_dataset=False,
        dataloader_num_workers=0,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
    )


def _renamed(logs: Mapping[str, Any]) -> dict[str, float]:
    known = {RENAMED[name]: value for name, value in logs.items() if name in RENAMED}
    return {name: float(value) for name, value in known.items() if value is not None}


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else None


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """What TRL and transformers warn of is either known here or said better by the run's metrics and remarks."""
    logger = logging.getLogger("trl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for category in (UserWarning, FutureWarning):
                warnings.filterwarnings(
                    "ignore", category=category, module=r"(trl|peft|transformers|torch)\..*"
                )
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def preserved_random_state() -> Iterator[None]:
    """TRL and transformers seed the process-wide generators; give the caller's back afterwards."""
    import random

    import numpy as np

    legacy = np.random  # its global generator, which the libraries seed
    python, numpy, torch_state = random.getstate(), legacy.get_state(), torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    try:
        yield
    finally:
        random.setstate(python)
        legacy.set_state(numpy)
        torch.set_rng_state(torch_state)
        if cuda:
            torch.cuda.set_rng_state_all(cuda)
