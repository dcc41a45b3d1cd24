"""SFT on ``trl.SFTTrainer``: its loss and optimizer steps, our rows in our order, and the loss on rows held back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from safetensors.torch import load_file, save_file
from torch.utils.data import Sampler, SequentialSampler
from trl import SFTConfig, SFTTrainer

from rftgym.trainer import TrainContext
from rftgym.updates.batches import activation_bytes
from rftgym.updates.groups import ACTIVATION_BYTES, LARGEST_MICRO_BATCH
from rftgym.updates.libraries import undisturbed
from rftgym.updates.trl import RecordedTrainer, shared_arguments
from rftgym_sft.packing import collation
from rftgym_sft.rows import IGNORED, Lesson, Row
from rftgym_sft.trainer import SFTSettings

STATE = "validation.json"
BEST = "best.safetensors"


@undisturbed()
def run_sft(context: TrainContext, settings: SFTSettings, lesson: Lesson) -> int:
    """Train with TRL; returns the number of optimizer steps that the policy has behind it.

    Raises:
        StopRequested: it was asked for; a checkpoint was written.
        UsageError: ``packing`` is asked for and this model would let packed examples see each other.
    """
    return _LessonTrainer(context, settings, lesson).run()


def rows_per_forward(context: TrainContext, settings: SFTSettings, lesson: Lesson) -> int:
    """Examples per forward and backward pass: the largest divisor of a batch that is allowed and fits."""
    policy: Any = context.policy
    row_bytes = activation_bytes(policy.model.config.get_text_config()) * lesson.longest
    most = settings.micro_batch or min(LARGEST_MICRO_BATCH, ACTIVATION_BYTES // row_bytes)
    largest = max(1, min(most, settings.batch))
    return max(n for n in range(1, largest + 1) if settings.batch % n == 0)


class _LessonTrainer(RecordedTrainer, SFTTrainer):  # type: ignore[misc]  # TRL is untyped
    """``SFTTrainer`` on a :class:`Lesson`, whose order of rows is that of the whole run."""

    def __init__(self, context: TrainContext, settings: SFTSettings, lesson: Lesson) -> None:
        policy: Any = context.policy
        self._settings, self._lesson = settings, lesson
        self._forward = rows_per_forward(context, settings, lesson)
        self._collate = collation(policy.model, policy.tokenizer.pad_token_id or 0, packed=settings.packing)
        self._best = _Best()
        if context.resume_from is not None:
            self._best = _Best.read(context.resume_from)
        super().__init__(
            context,
            steps=lesson.steps,
            args=SFTConfig(
                **shared_arguments(context, settings, steps=lesson.steps),
                per_device_train_batch_size=self._forward,
                gradient_accumulation_steps=settings.batch // self._forward,
                max_length=None,
                dataset_kwargs={"skip_prepare_dataset": True},
            ),
            data_collator=self._collate,
            train_dataset=_dataset(lesson.rows).select(lesson.order),
        )

    def is_over(self, step: int) -> bool:
        """Training also ends when the loss on the rows held back has stopped falling."""
        return super().is_over(step) or self._best.is_over(self._settings.patience)

    def wants_to_stop(self, step: int, metrics: Mapping[str, float]) -> bool:
        """Keep the weights of the lowest loss; at the end they are put back."""
        if self._settings.patience and "validation/loss" in metrics:
            self._best.measured(step, metrics["validation/loss"], self._trained())
        ends = self._best.is_over(self._settings.patience)
        if (ends or step >= self.steps) and self._best.weights:
            self._put_back(self._best.weights)
        return ends

    def step_metrics(self) -> dict[str, float]:
        """What this step has learnt from, and the loss on the rows held back, where it is due."""
        step, batch = int(self.state.global_step), self._settings.batch
        seen = self._lesson.order[(step - 1) * batch : step * batch]
        metrics = {
            "tokens": float(sum(self._lesson.rows[index].learnt for index in seen)),
            "epoch": step * batch / len(self._lesson.rows),
            "truncated": self._lesson.truncated,
        }
        if self._lesson.validation and (step % self._settings.validate_every == 0 or step >= self.steps):
            metrics["validation/loss"] = self._validation_loss()
        return metrics

    def _validation_loss(self) -> float:
        """Mean over the tokens that would be learnt, in nats."""
        rows, total, tokens = self._lesson.validation, 0.0, 0
        self.model.eval()
        with torch.no_grad():
            for first in range(0, len(rows), self._forward):
                batch = self._collate([_as_dict(row) for row in rows[first : first + self._forward]])
                inputs = {name: tensor.to(self.model.device) for name, tensor in batch.items()}
                count = int((batch["labels"] != IGNORED).sum())
                total += float(self.model(**inputs, use_cache=False, fused_lm_head=True).loss) * count
                tokens += count
        self.model.train()
        return total / tokens

    def save_more(self, directory: Path) -> None:
        """What has been measured, and the best weights."""
        self._best.write(directory)

    def _trained(self) -> dict[str, torch.Tensor]:
        return {name: each for name, each in self.model.named_parameters() if each.requires_grad}

    def _put_back(self, weights: Mapping[str, torch.Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self._trained().items():
                parameter.copy_(weights[name])

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return SequentialSampler(self.train_dataset)


class _Best:
    """The lowest loss so far and the weights that had it."""

    def __init__(self) -> None:
        self.loss, self.step, self.stale = float("inf"), 0, 0
        self.weights: dict[str, torch.Tensor] = {}

    def is_over(self, patience: int) -> bool:
        """Whether so many measurements in a row were no better than the best."""
        return bool(patience) and self.stale >= patience

    def measured(self, step: int, loss: float, weights: Mapping[str, torch.Tensor]) -> None:
        """Take a measurement; the weights are copied where it is the best."""
        if loss < self.loss:
            self.loss, self.step, self.stale = loss, step, 0
            self.weights = {name: each.detach().cpu().clone() for name, each in weights.items()}
        else:
            self.stale += 1

    def write(self, directory: Path) -> None:
        """Into a checkpoint; nothing where nothing was measured."""
        if self.weights:
            save_file({name: each.contiguous() for name, each in self.weights.items()}, directory / BEST)
            state = {"loss": self.loss, "step": self.step, "stale": self.stale}
            (directory / STATE).write_text(json.dumps(state), encoding="utf-8")

    @classmethod
    def read(cls, directory: Path) -> _Best:
        """From a checkpoint."""
        best = cls()
        if (directory / STATE).exists():
            state = json.loads((directory / STATE).read_text(encoding="utf-8"))
            best.loss, best.step, best.stale = state["loss"], state["step"], state["stale"]
            best.weights = load_file(directory / BEST)
        return best


def _dataset(rows: tuple[Row, ...]) -> Dataset:
    return Dataset.from_list([_as_dict(row) for row in rows])


def _as_dict(row: Row) -> dict[str, list[int]]:
    return {"input_ids": list(row.ids), "labels": list(row.labels)}
