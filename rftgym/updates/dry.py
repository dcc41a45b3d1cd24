"""A forward and backward pass of the largest size that training can meet, before the first step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from rftgym.errors import RunFailed
from rftgym.memory import available_bytes, forget_peak, peak_bytes

CURES = (
    "lower --max-tokens, env.max_turns or trainer.micro_batch; or --set model.gradient_checkpointing=true; or on a GPU "
    "--set model.adapter=qlora (4-bit weights); or a smaller model"
)


@dataclass(frozen=True, slots=True)
class DryStep:
    """What a dry step found.

    Attributes:
        rows: per pass; fewer than asked for where it had to retreat.
        tokens: a row.
        peak_bytes: memory that the pass takes at its peak; on a CPU reckoned from one row. None if unknown.
    """

    rows: int
    tokens: int
    peak_bytes: int | None


def dry_step(model: Any, rows: int, tokens: int, *, retreat: bool = False) -> DryStep:
    """Make the pass, or on a CPU a row of it: a process that takes too much there is killed, not told.

    Nothing is drawn, gradients are dropped afterwards, weights stay as they are.

    Args:
        model: a causal language model.
        rows, tokens: of the largest pass.
        retreat: halve the rows until they fit.
    Raises:
        RunFailed: it does not fit; names the settings to lower.
    """
    if model.device.type == "cpu":
        return _reckoned(model, rows, tokens, retreat)
    while True:
        try:
            return DryStep(rows, tokens, _pass(model, rows, tokens))
        except torch.OutOfMemoryError as error:
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
    while retreat and rows > 1 and taken * rows > free:
        rows //= 2
    need = taken * rows
    if need > free:
        fitting = free // max(1, taken)
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
