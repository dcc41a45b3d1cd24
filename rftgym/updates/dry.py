"""A forward and backward pass of the largest size that training can meet, before the first step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from rftgym.errors import RunFailed
from rftgym.memory import available_bytes, forget_peak, peak_bytes
from rftgym.updates.libraries import preserved_random_state

CURES = (
    "lower --max-tokens, env.max_turns or trainer.micro_batch; or --set model.gradient_checkpointing=true; or on a GPU "
    "--set model.adapter=qlora (4-bit weights); or a smaller model"
)

MOMENTS = 2
"""Of AdamW, for each weight that is trained."""


@dataclass(frozen=True, slots=True)
class DryStep:
    """What a dry step found.

    Attributes:
        rows: per pass; fewer than asked for where it had to retreat.
        tokens: a row.
        peak_bytes: memory that the pass and the optimizer take at the peak; on a CPU reckoned from one row. None if
            unknown.
    """

    rows: int
    tokens: int
    peak_bytes: int | None


def dry_step(model: Any, rows: int, tokens: int, *, retreat: bool = False) -> DryStep:
    """Make the pass, or on a CPU a row of it: a process that takes too much there is killed, not told.

    It is made as training makes it: activations are computed anew where that is set, and AdamW's two moments have their
    room. Afterwards gradients are dropped; weights, modes and generators are as they were.

    Args:
        model: a causal language model.
        rows, tokens: of the largest pass.
        retreat: halve the rows until they fit.
    Raises:
        RunFailed: it does not fit; names the settings to lower.
    """
    with _as_in_training(model):
        found = _reckoned if model.device.type == "cpu" else _tried
        return found(model, rows, tokens, retreat)


@contextmanager
def _as_in_training(model: Any) -> Iterator[None]:
    """In training mode activations are recomputed, and dropout keeps its masks."""
    resting = [module for module in model.modules() if not module.training]
    model.train()
    try:
        with preserved_random_state():
            yield
    finally:
        for module in resting:
            module.training = False


def _tried(model: Any, rows: int, tokens: int, retreat: bool) -> DryStep:
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    while True:
        try:
            moments = [torch.empty_like(each) for each in trained for _ in range(MOMENTS)]
            taken = _pass(model, rows, tokens)
            room = sum(map(_bytes, moments))
            return DryStep(rows, tokens, None if taken is None else taken + room)
        except torch.OutOfMemoryError as error:
            model.zero_grad(set_to_none=True)
            moments = []
            torch.cuda.empty_cache()
            if not retreat or rows == 1:
                raise RunFailed(
                    f"a pass of {rows} rows of {tokens:,} tokens, the longest there can be, does not fit into the "
                    f"GPU's memory: {CURES}; guard.retreat=true lowers trainer.micro_batch by itself"
                ) from error
            rows //= 2


def _reckoned(model: Any, rows: int, tokens: int, retreat: bool) -> DryStep:
    free = available_bytes()
    taken = _pass(model, 1, tokens)
    if free is None or taken is None:
        return DryStep(rows, tokens, None)
    gradients = sum(_bytes(parameter) for parameter in model.parameters() if parameter.requires_grad)
    a_row, fixed = max(1, taken - gradients), gradients * (1 + MOMENTS)
    while retreat and rows > 1 and fixed + a_row * rows > free:
        rows //= 2
    need = fixed + a_row * rows
    if need > free:
        fitting = max(0, free - fixed) // a_row
        hint = (
            f"trainer.micro_batch={fitting} would fit (guard.retreat=true finds it by itself); or "
            if fitting
            else ""
        )
        raise RunFailed(
            f"a pass of {rows} rows of {tokens:,} tokens, the longest there can be, takes about {need / 1e9:.1f} GB "
            f"and {free / 1e9:.1f} GB are free: {hint}{CURES}"
        )
    return DryStep(rows, tokens, need)


def _pass(model: Any, rows: int, tokens: int) -> int | None:
    """One forward and backward pass; what it took at its peak beyond what was taken before, in bytes."""
    forget_peak()
    before = peak_bytes()
    ids = torch.zeros((rows, tokens), dtype=torch.int64, device=model.device)
    logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits
    loss = -logits.float().log_softmax(dim=-1)[..., 0].mean()
    loss.backward()
    peak = peak_bytes()
    model.zero_grad(set_to_none=True)
    return None if before is None or peak is None else max(0, peak - before)


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
