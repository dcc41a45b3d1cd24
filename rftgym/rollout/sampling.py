"""Draw tokens from a model's next-token distribution, exactly, with one uniform number a token.

The usual way, ``torch.multinomial``, draws an exponential variate for every entry of the vocabulary. Here a row
spends one uniform number and finds its token through the inverse of the cumulative distribution, in two levels:
first the block of tokens that holds it, then the token inside the block. Sums are float64 where they accumulate.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from rftgym.errors import RunFailed, UsageError
from rftgym.types import Sampling

BLOCK = 256
"""Tokens in one block of the two-level search; about the square root of a large vocabulary."""

SHORTLIST = 256
"""Top-p looks at this many of the likeliest tokens before it sorts a whole vocabulary."""


def check_sampling(sampling: Sampling) -> None:
    """Refuse settings that describe no distribution.

    Raises:
        UsageError: a field is out of its range; the message names the field and the range.
    """
    ranges = (
        ("temperature", 0 <= sampling.temperature < math.inf, "a finite number >= 0 (0 = greedy)"),
        ("top_p", 0 < sampling.top_p <= 1, "above 0 and at most 1 (1 = off)"),
        ("top_k", sampling.top_k >= 0, "an integer >= 0 (0 = off)"),
        ("min_p", 0 <= sampling.min_p <= 1, "between 0 and 1 (0 = off)"),
        ("max_tokens", sampling.max_tokens >= 1, "an integer >= 1"),
        ("stop", all(sampling.stop), "strings that aren't empty"),
    )
    for name, valid, wanted in ranges:
        if not valid:
            raise UsageError(f"sampling.{name} is {getattr(sampling, name)!r}; it must be {wanted}")


def row_generator(seed: int) -> np.random.Generator:
    """The generator of one completion's uniform numbers; they depend on ``seed`` (an integer >= 0) only."""
    return np.random.Generator(np.random.Philox(seed))


@torch.inference_mode()
def draw(logits_BV: Tensor, sampling: Sampling, uniforms_B: Tensor) -> tuple[Tensor, Tensor]:
    """Draw one token a row.

    Filters mean what transformers' logits warpers mean, in their order: temperature, top_k, top_p, min_p.

    Args:
        logits_BV: float32 (rows, vocabulary). Its memory is reused: do not read it afterwards.
        sampling: temperature 0 takes the likeliest token and needs no uniforms.
        uniforms_B: float64 (rows,), in [0, 1), on the device of the logits.
    Returns:
        int64 (rows,) tokens and float32 (rows,) natural log-probabilities. These are log-softmax of the
        temperature-scaled logits *before* top_k, top_p and min_p, as a trainer recomputes them; at temperature 0
        they are taken at temperature 1.
    Raises:
        RunFailed: a row of logits is not finite, so there is no distribution.
    """
    if sampling.temperature == 0:
        probs_BV = torch.softmax(logits_BV, dim=-1)
        tokens_B = logits_BV.argmax(dim=-1)
    else:
        if sampling.temperature != 1:
            # The maximum goes first: a tiny temperature must not overflow.
            logits_BV.sub_(logits_BV.amax(dim=-1, keepdim=True)).div_(sampling.temperature)
        probs_BV = torch.softmax(logits_BV, dim=-1)
        tokens_B = invert_cdf(filter_probabilities(probs_BV, sampling), uniforms_B)
    logprobs_B = probs_BV.gather(1, tokens_B[:, None])[:, 0].log()
    if not bool(logprobs_B.isfinite().all()):
        row = int(logprobs_B.isfinite().int().argmin())
        raise RunFailed(
            f"the model's logits are not finite (row {row} of {len(logprobs_B)}), so no token can be drawn; its "
            "weights have likely diverged: lower the learning rate, or go back to an earlier checkpoint"
        )
    return tokens_B, logprobs_B


def filter_probabilities(probs_BV: Tensor, sampling: Sampling) -> Tensor:
    """Zero what top_k, top_p and min_p leave out.

    Args:
        probs_BV: float (rows, vocabulary), each row proportional to its distribution; left as it is.
        sampling: where no filter is on, the argument itself comes back.
    Returns:
        Same shape, not renormalised; every row keeps its likeliest token.
    """
    vocabulary = probs_BV.shape[-1]
    if 0 < sampling.top_k < vocabulary:
        # Ties with the k-th token stay, as in transformers.
        kth_B1 = probs_BV.topk(sampling.top_k, dim=-1).values[:, -1:]
        probs_BV = probs_BV.where(probs_BV >= kth_B1, 0.0)
    if sampling.top_p < 1:
        probs_BV = _nucleus(probs_BV, sampling.top_p)
    if sampling.min_p > 0:
        probs_BV = probs_BV.where(probs_BV >= sampling.min_p * probs_BV.amax(dim=-1, keepdim=True), 0.0)
    return probs_BV


def _nucleus(probs_BV: Tensor, top_p: float) -> Tensor:
    """Keep each token before which less than ``top_p`` of the mass lies, in falling order of probability."""
    goal_B1 = top_p * probs_BV.sum(dim=-1, keepdim=True, dtype=torch.float64)
    kept_BV = torch.zeros_like(probs_BV)
    open_rows = torch.arange(len(probs_BV), device=probs_BV.device)
    size = min(SHORTLIST, probs_BV.shape[-1])
    while len(open_rows):
        sorted_BS, tokens_BS = probs_BV[open_rows].topk(size, dim=-1)
        through_BS = sorted_BS.cumsum(dim=-1, dtype=torch.float64)
        inside_BS = (through_BS - sorted_BS) < goal_B1[open_rows]
        kept_BV[open_rows] = torch.zeros_like(probs_BV[open_rows]).scatter_(
            1, tokens_BS, sorted_BS * inside_BS
        )
        if size == probs_BV.shape[-1]:
            break
        # A row whose nucleus may reach beyond the shortlist is done again with all of the vocabulary.
        open_rows = open_rows[through_BS[:, -1] < goal_B1[open_rows, 0]]
        size = probs_BV.shape[-1]
    return kept_BV


def invert_cdf(weights_BV: Tensor, uniforms_B: Tensor) -> Tensor:
    """Find for each row the first token whose cumulative share exceeds the row's uniform number.

    Args:
        weights_BV: float (rows, vocabulary), >= 0, each row with a positive sum.
        uniforms_B: float64 (rows,), in [0, 1).
    Returns:
        int64 (rows,). A token of weight 0 is never returned, not even where a uniform number is so near to 1 that
        rounding carries it to the end of the sums.
    """
    vocabulary = weights_BV.shape[-1]
    blocks_BN = _block_sums(weights_BV)
    block_B, share_B = _first_above(blocks_BN, uniforms_B)
    offsets = torch.arange(BLOCK, device=weights_BV.device)
    tokens_BS = block_B[:, None] * BLOCK + offsets
    inside_BS = weights_BV.gather(1, tokens_BS.clamp(max=vocabulary - 1))
    inside_BS = inside_BS.where(tokens_BS < vocabulary, 0.0)
    offset_B, _ = _first_above(inside_BS, share_B)
    return block_B * BLOCK + offset_B


def _block_sums(weights_BV: Tensor) -> Tensor:
    vocabulary = weights_BV.shape[1]
    whole = vocabulary // BLOCK * BLOCK
    sums_BN = weights_BV[:, :whole].unflatten(1, (-1, BLOCK)).sum(dim=-1) if whole else weights_BV[:, :0]
    if whole == vocabulary:
        return sums_BN
    return torch.cat([sums_BN, weights_BV[:, whole:].sum(dim=-1, keepdim=True)], dim=1)


def _first_above(weights_BN: Tensor, shares_B: Tensor) -> tuple[Tensor, Tensor]:
    """The first entry at which the cumulative sum exceeds its share of the total, and the share inside that entry.

    Handing on the share, not the remainder, keeps both levels consistent though their sums round differently.
    """
    through_BN = weights_BN.cumsum(dim=-1, dtype=torch.float64)
    goals_B1 = shares_B[:, None] * through_BN[:, -1:]
    # Cumulative sums rise only at positive weights, so the first one above the goal is at a positive weight. Where
    # rounding leaves none above, the last rise is the place: the first entry that reaches the total.
    above_BN = (through_BN > goals_B1) | (through_BN == through_BN[:, -1:])
    index_B1 = above_BN.int().argmax(dim=-1, keepdim=True)
    weight_B1 = weights_BN.gather(1, index_B1).double()
    before_B1 = through_BN.gather(1, index_B1) - weight_B1
    inside_B1 = ((goals_B1 - before_B1) / weight_B1).clamp(0.0, 1.0)
    return index_B1[:, 0], inside_B1[:, 0]
