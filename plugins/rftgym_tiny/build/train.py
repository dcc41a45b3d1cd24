"""Pretraining in stages, resumable from its own checkpoints.

A stage is a recipe for games, a number of steps and a learning-rate curve. Whatever a step does depends on the seed,
the stage and the step alone, so a resumed run repeats an unbroken one.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor

from rftgym_tiny.build.corpus import Batch, Encoder, Recipe, batches
from rftgym_tiny.build.network import Network

GAMES: Final = 32
CHUNKS: Final = 8


@dataclass(frozen=True, slots=True)
class Stage:
    """One stretch of training.

    Attributes:
        name: for logs and `--stage`.
        recipe: the games.
        steps: optimizer steps of `GAMES` games.
        rate: learning rate after warm-up.
        rate_end: learning rate of the last step, reached along a straight line over the last `decay` of the steps.
        warm_up: steps from rate 0.
        decay: share of the steps over which the rate falls.
    """

    name: str
    recipe: Recipe
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


@dataclass(frozen=True, slots=True)
class Losses:
    """Losses of one batch in nats: letters (weighted mean), the part above the targets' entropy, fixed tokens."""

    letters: Tensor
    excess: Tensor
    fixed: Tensor


def losses(network: Network, batch: Batch) -> Losses:
    """Cross-entropy against soft letter targets and against fixed successors."""
    hidden = network(
        torch.from_numpy(batch.tokens_BT),
        torch.from_numpy(batch.positions_BT),
        torch.from_numpy(batch.mask_BTT),
    ).flatten(0, 1)
    table = network.model.embed_tokens.weight
    shares = torch.from_numpy(batch.letter_shares)
    weight = torch.from_numpy(batch.letter_weight)
    log_letters = F.log_softmax(hidden[torch.from_numpy(batch.letter_at)].float() @ table.T, dim=-1)
    log_letters = log_letters[:, ord("a") : ord("z") + 1]
    letters = (-(shares * log_letters).sum(-1) * weight).sum() / weight.sum()
    entropy = (torch.special.entr(shares).sum(-1) * weight).sum() / weight.sum()
    fixed_logits = hidden[torch.from_numpy(batch.fixed_at)].float() @ table.T
    fixed = F.cross_entropy(fixed_logits, torch.from_numpy(batch.fixed_next))
    return Losses(letters, letters.detach() - entropy, fixed)


class Run:
    """A training run: a network, its optimizers and how far it is."""

    def __init__(
        self, network: Network, encoder: Encoder, stages: list[Stage], seed: int, folder: Path
    ) -> None:
        self.network, self.encoder, self.stages, self.seed, self.folder = (
            network,
            encoder,
            stages,
            seed,
            folder,
        )
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

    def _train_stage(self, stage: Stage, save_every: int, log_every: int) -> None:
        pad, start, chunk = 256, time.perf_counter(), list[Batch]()
        while self.step < stage.steps:
            if not chunk or self.step % CHUNKS == 0:
                chunk = batches(
                    self.encoder,
                    stage.recipe,
                    seed=self.seed,
                    stage=self.stage,
                    chunk=self.step // CHUNKS,
                    chunks=CHUNKS,
                    size=GAMES,
                    pad=pad,
                )
            batch = chunk[self.step % CHUNKS]
            parts = losses(self.network, batch)
            (parts.letters + 0.1 * parts.fixed).backward()
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

    def _log(self, stage: Stage, parts: Losses, rate: float, seconds: float) -> None:
        record = {
            "stage": stage.name,
            "step": self.step,
            "letters": round(float(parts.letters.detach()), 4),
            "excess": round(float(parts.excess), 4),
            "fixed": round(float(parts.fixed.detach()), 5),
            "rate": rate,
            "seconds": round(seconds, 1),
        }
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(json.dumps(record) + "\n")


def describe(stages: list[Stage]) -> str:
    """The stages as JSON, for the record that goes with the weights."""
    return json.dumps([asdict(stage) for stage in stages], indent=2)
