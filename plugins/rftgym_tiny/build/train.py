"""Pretraining in stages, resumable from its own checkpoints.

A stage is a recipe for what is shown, a number of steps and a learning-rate curve. Whatever a step does depends on the
seed, the stage and the step alone, so a resumed run repeats an unbroken one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

import torch
from torch import Tensor

from rftgym_tiny.build.network import Network

CHUNKS: Final = 8
"""Batches that are made, and sorted by length, together."""
RecipeT = TypeVar("RecipeT")
RecipeT_contra = TypeVar("RecipeT_contra", contravariant=True)
BatchT = TypeVar("BatchT")


@dataclass(frozen=True, slots=True)
class Losses:
    """What a batch showed.

    Attributes:
        total: what is minimised.
        shown: what the log tells, by name, in nats.
    """

    total: Tensor
    shown: Mapping[str, Tensor]


class Lessons(Protocol[RecipeT_contra, BatchT]):
    """What a network learns from."""

    def chunk(self, recipe: RecipeT_contra, *, seed: int, stage: int, chunk: int) -> Sequence[BatchT]:
        """Chunk number `chunk` of a stage, `CHUNKS` batches: a function of its arguments alone."""

    def losses(self, network: Network, batch: BatchT) -> Losses:
        """How far the network is from a batch's targets."""


@dataclass(frozen=True, slots=True)
class Stage(Generic[RecipeT]):
    """One stretch of training.

    Attributes:
        name: for the log.
        recipe: what is shown.
        steps: optimizer steps of one batch.
        rate: learning rate after warm-up.
        rate_end: learning rate of the last step, reached along a straight line over the last `decay` of the steps.
        warm_up: steps from rate 0.
        decay: share of the steps over which the rate falls.
    """

    name: str
    recipe: RecipeT
    steps: int
    rate: float
    rate_end: float
    warm_up: int = 0
    decay: float = 1.0

    def rate_at(self, step: int) -> float:
        """Learning rate of a step."""
        fall = max(1.0, self.decay * self.steps)
        into = max(0.0, step - (self.steps - fall)) / fall
        rate = self.rate + (self.rate_end - self.rate) * into
        return rate * min(1.0, (step + 1) / self.warm_up) if self.warm_up else rate


def optimizers(network: Network) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for embeddings and gains.

    Source: Muon, kellerjordan.github.io/posts/muon; its rate is scaled to AdamW's size (arXiv:2502.16982).
    """
    inner = [p for name, p in network.named_parameters() if p.ndim == 2 and "embed" not in name]
    outer = [p for name, p in network.named_parameters() if p.ndim != 2 or "embed" in name]
    return [
        torch.optim.Muon(inner, lr=0.0, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(outer, lr=0.0, betas=(0.9, 0.98), weight_decay=0.0),
    ]


class Run(Generic[RecipeT, BatchT]):
    """A training run: a network, its optimizers and how far it is."""

    def __init__(
        self,
        network: Network,
        lessons: Lessons[RecipeT, BatchT],
        stages: Sequence[Stage[RecipeT]],
        seed: int,
        folder: Path,
    ) -> None:
        self.network, self.lessons, self.stages, self.seed = network, lessons, stages, seed
        self.folder = folder
        self.optimizers = optimizers(network)
        self.stage, self.step = 0, 0
        folder.mkdir(parents=True, exist_ok=True)

    def compile(self) -> None:
        """Compile the layers: a third less time; needs a C++ compiler."""
        for layer in self.network.model.layers:
            layer.compile(dynamic=True)

    def save(self) -> None:
        """Write a checkpoint; a crash while writing leaves the last one whole."""
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "at": (self.stage, self.step),
        }
        torch.save(state, self.folder / "checkpoint.tmp")
        (self.folder / "checkpoint.tmp").replace(self.folder / "checkpoint.pt")

    def resume(self) -> bool:
        """Go on from the folder's checkpoint; False where there is none."""
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return False
        state = torch.load(path, weights_only=True)
        self.network.load_state_dict(state["network"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.stage, self.step = state["at"]
        return True

    def train(self, *, save_every: int = 100, log_every: int = 10) -> None:
        """Run every remaining step of every remaining stage."""
        while self.stage < len(self.stages):
            self._train_stage(self.stages[self.stage], save_every, log_every)
            self.stage, self.step = self.stage + 1, 0
            self.save()

    def _train_stage(self, stage: Stage[RecipeT], save_every: int, log_every: int) -> None:
        start = time.perf_counter()
        chunk: Sequence[BatchT] = ()
        while self.step < stage.steps:
            if not chunk or self.step % CHUNKS == 0:
                number = self.step // CHUNKS
                chunk = self.lessons.chunk(stage.recipe, seed=self.seed, stage=self.stage, chunk=number)
            parts = self.lessons.losses(self.network, chunk[self.step % CHUNKS])
            parts.total.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            rate = stage.rate_at(self.step)
            for optimizer in self.optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = rate
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            self.step += 1
            if self.step % log_every == 0:
                self._log(stage, parts, rate, time.perf_counter() - start)
            if self.step % save_every == 0:
                self.save()

    def _log(self, stage: Stage[RecipeT], parts: Losses, rate: float, seconds: float) -> None:
        shown = {name: round(float(value.detach()), 5) for name, value in parts.shown.items()}
        record = {"stage": stage.name, "step": self.step, **shown, "rate": rate, "seconds": round(seconds, 1)}
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(json.dumps(record) + "\n")
