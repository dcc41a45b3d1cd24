"""Forward passes in which a prompt that several episodes begin with is computed once, gradients included.

The episodes of a group begin with the same prompt. Its keys and values are computed once, handed to every episode of
the group, and the gradients that come back from all of them are added up: the mathematics of a plain pass, with a
group's prompt counted once. (Prefix sharing is usual in samplers; for updates see Prefix Grouper, arXiv:2506.05433.)
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache, DynamicLayer

WORTHWHILE = 0.2
"""The share of the tokens that has to be saved; two passes with masks cost more than one without."""


def final_states(base: Any, ids_BT: Tensor, prompts_B: Sequence[int], lengths_B: Sequence[int]) -> Tensor:
    """What the output layer sees of every token, with shared prompts computed once where that is worth it.

    Args:
        base: the model below the output layer; its forward pass fills a cache.
        ids_BT: int64; episodes padded on the right.
        prompts_B: how many of an episode's first tokens are its prompt, at least 1.
        lengths_B: tokens of each episode.
    Returns:
        The model's dtype, (B, T, width); arbitrary behind an episode's end.
    """
    heads = [tuple(row[:n]) for row, n in zip(ids_BT.tolist(), prompts_B, strict=True)]
    unique = list(dict.fromkeys(heads))
    saved = sum(map(len, heads)) - sum(map(len, unique))
    sizes = sorted(map(len, unique))
    nothing_else = max(lengths_B) <= sizes[0]
    if saved < WORTHWHILE * sum(lengths_B) or nothing_else or not _can_share(base, gaps=sizes[0] < sizes[-1]):
        plain: Tensor = base(input_ids=ids_BT, use_cache=False).last_hidden_state
        return plain
    return _in_two_passes(base, ids_BT, unique, [unique.index(head) for head in heads])


def _can_share(base: Any, *, gaps: bool) -> bool:
    """Whether every layer attends to all that came before, and keeps what it computes until the backward pass.

    Sliding windows count places in the cache, which has gaps where prompts differ in length; recurrent layers have one
    state; gradient checkpointing computes layers anew and knows no cache.

    Args:
        gaps: prompts differ in length. Then a model must go by the positions that it is told: not so MPT, whose
            attention biases count places in the cache, nor GPT-Neo, whose local attention does and has no such cache.
    """
    if gaps and not _goes_by_positions(base):
        return False
    recomputes = getattr(base, "is_activation_checkpointing", None)
    if recomputes is None:  # the name in older releases of transformers
        recomputes = getattr(base, "is_gradient_checkpointing", False)
    if base.training and recomputes:
        return False
    layers = DynamicCache(config=base.config).layers
    return bool(layers) and all(type(layer) is DynamicLayer for layer in layers)


def _goes_by_positions(base: Any) -> bool:
    told = "position_ids" in inspect.signature(base.forward).parameters
    return told and "local" not in (getattr(base.config, "attention_layers", None) or ())


def _in_two_passes(
    base: Any, ids_BT: Tensor, prompts: Sequence[Sequence[int]], owner: Sequence[int]
) -> Tensor:
    device, (_, longest) = ids_BT.device, ids_BT.shape
    owner_B = torch.tensor(owner, device=device)
    sizes_U = torch.tensor([len(prompt) for prompt in prompts], device=device)
    width = int(sizes_U.max())
    heads_UP = torch.zeros((len(prompts), width), dtype=torch.int64, device=device)
    for row, prompt in enumerate(prompts):
        heads_UP[row, : len(prompt)] = torch.tensor(prompt, device=device)
    shown_UP = torch.arange(width, device=device) < sizes_U[:, None]
    cache = DynamicCache(config=base.config)
    first = base(input_ids=heads_UP, use_cache=True, past_key_values=cache)
    cache.batch_select_indices(owner_B)
    sizes_B = sizes_U[owner_B]
    places_BT = (
        torch.arange(longest, device=device) - sizes_B[:, None]
    )  # of a token behind its prompt; < 0 inside it
    rest = longest - int(sizes_U.min())
    order_BR = (sizes_B[:, None] + torch.arange(rest, device=device)).clamp(max=longest - 1)
    seen_BK = torch.cat([shown_UP[owner_B], torch.ones_like(order_BR, dtype=torch.bool)], dim=1)
    second = base(
        input_ids=ids_BT.gather(1, order_BR),
        attention_mask=seen_BK.long(),
        position_ids=order_BR,
        past_key_values=cache,
        use_cache=True,
    )
    states_BKD = torch.cat([first.last_hidden_state[owner_B], second.last_hidden_state], dim=1)
    from_BT = torch.where(places_BT < 0, places_BT + sizes_B[:, None], places_BT + width)
    return states_BKD.gather(1, from_BT[..., None].expand(-1, -1, states_BKD.shape[-1]))
