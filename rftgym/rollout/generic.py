"""Decoding through a transformers model's own forward: any causal language model with a plain key-value cache.

Slower than the fused decoder and as exact: rows of unequal length are padded on the left, positions and mask say where
a row begins, and a history is computed once.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from rftgym.errors import UsageError
from rftgym.rollout.attention import chunks

PREFILL_TOKENS = 4096
"""Padded tokens that one prefill forward may take."""

LayerKV = tuple[Tensor, Tensor]
"""Keys and values of one layer and row: (heads, tokens, width) each."""


class GenericModel:
    """A transformers causal LM, PEFT-wrapped or not, used as it is: nothing is copied, nothing goes stale."""

    def __init__(self, model: Any) -> None:
        if getattr(model.config, "is_encoder_decoder", False):
            raise UsageError(
                f"{type(model).__name__} is an encoder-decoder; the decoder wants a causal language model"
            )
        self.model = model
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._accepted = set(inspect.signature(base.forward).parameters)
        self.device: torch.device = next(base.parameters()).device

    def refresh(self) -> None:
        """Nothing to do: the forward reads the weights as they are."""

    def open(self) -> GenericCaches:
        """Caches for one session."""
        return GenericCaches(self)

    @torch.no_grad()
    def forward(self, tokens_BQ: Tensor, mask_BT: Tensor, cache: Any) -> Tensor:
        """Logits, float32 (rows, vocabulary), at the last column; ``cache`` grows by the queries' tokens."""
        queries = tokens_BQ.shape[1]
        positions_BQ = (mask_BT.cumsum(dim=-1) - 1).clamp(min=0)[:, -queries:]
        extras = {"position_ids": positions_BQ, "logits_to_keep": 1}
        accepted = {name: value for name, value in extras.items() if name in self._accepted}
        with _evaluating(self.model):
            output = self.model(
                input_ids=tokens_BQ, attention_mask=mask_BT, past_key_values=cache, use_cache=True, **accepted
            )
        if not _is_plain(cache, mask_BT.shape[1]):
            raise UsageError(
                f"{type(self.model).__name__} keeps more than keys and values between tokens, which the decoder can't "
                "batch by rows; use a model with plain attention layers"
            )
        logits: Tensor = output.logits[:, -1].float()
        return logits


@dataclass(slots=True)
class _Row:
    tokens: list[int] = field(default_factory=list)
    kv: list[LayerKV] = field(default_factory=list)
    held: int = 0
    logits: Tensor | None = None


class GenericCaches:
    """Rows of one session: at rest each has its own tensors, at work they share one left-padded cache."""

    def __init__(self, model: GenericModel) -> None:
        self._model = model
        self._rows: dict[int, _Row] = {}
        self._active: list[int] = []
        self._cache: Any = None
        self._mask_BT = torch.zeros(0, 0, dtype=torch.long)

    @property
    def nbytes(self) -> int:
        """Bytes of keys and values, at rest and at work; what rows of a group share counts once."""
        tensors = {id(x): x for row in self._rows.values() for kv in row.kv for x in kv}
        if self._cache is not None:
            tensors.update((id(x), x) for layer in self._cache.layers for x in (layer.keys, layer.values))
        return sum(x.numel() * x.element_size() for x in tensors.values())

    def admit(self, prompts: Mapping[tuple[int, ...], Sequence[int]]) -> int:
        """Open rows; rows of one prompt share its tensors."""
        self._rest()
        leaders = {}
        for tokens, rows in prompts.items():
            leaders[rows[0]] = self._rows[rows[0]] = _Row(list(tokens))
        self._compute(list(leaders))
        for rows in prompts.values():
            leader = self._rows[rows[0]]
            for row in rows[1:]:
                self._rows[row] = _Row(list(leader.tokens), list(leader.kv), leader.held, leader.logits)
        return sum(map(len, prompts))

    def extend(self, rows: Mapping[int, Sequence[int]]) -> int:
        """Append tokens to rows."""
        self._rest()
        for row, tokens in rows.items():
            self._rows[row].tokens.extend(tokens)
        self._compute(list(rows))
        return sum(map(len, rows.values()))

    def _compute(self, rows: Sequence[int]) -> None:
        ordered = sorted(rows, key=lambda row: len(self._rows[row].tokens) - self._rows[row].held)
        counts = [len(self._rows[row].tokens) - self._rows[row].held for row in ordered]
        for chunk in chunks(counts, PREFILL_TOKENS) if counts else []:
            self._load(ordered[chunk], queries=max(counts[chunk]))
            self._rest()

    def _load(self, rows: Sequence[int], *, queries: int) -> None:
        """Put rows side by side, right-aligned, and compute their last ``queries`` tokens (0: all are held).

        Rows with fewer new tokens than that compute some of their last held ones again, which leaves no gap between
        what is held and what is new: models that measure distance by index stay right.
        """
        states = [self._rows[row] for row in rows]
        longest = max(len(state.tokens) for state in states)
        kept = [min(state.held, max(0, len(state.tokens) - queries)) for state in states]
        self._cache = _padded_cache(states, kept, longest - queries)
        mask = [[0] * (longest - len(state.tokens)) + [1] * len(state.tokens) for state in states]
        self._mask_BT = torch.tensor(mask, device=self._model.device)
        self._active = list(rows)
        if queries:
            tokens = [([0] * queries + state.tokens)[-queries:] for state in states]
            tokens_BQ = torch.tensor(tokens, device=self._model.device)
            self._keep_logits(self._model.forward(tokens_BQ, self._mask_BT, self._cache))

    def _keep_logits(self, logits_BV: Tensor) -> None:
        for row, logits_V in zip(self._active, logits_BV, strict=True):
            self._rows[row].logits = logits_V

    def _rest(self) -> None:
        """Give every row at work its own tensors back."""
        for index, row in enumerate(self._active):
            state = self._rows[row]
            state.kv = [_last_tokens(layer, index, len(state.tokens)) for layer in self._cache.layers]
            state.held = len(state.tokens)
        self._active, self._cache = [], None

    def activate(self, rows: Sequence[int]) -> list[int]:
        """Put rows to work; fewer rows than before keep their cache, other rows are laid out anew."""
        wanted = set(rows)
        if wanted == set(self._active):
            return self._active
        if not wanted < set(self._active):
            self._rest()
            self._load(sorted(wanted), queries=0)
            return self._active
        staying = [index for index, row in enumerate(self._active) if row in wanted]
        for index, row in enumerate(self._active):
            if row not in wanted:
                state = self._rows[row]
                state.kv = [_last_tokens(layer, index, len(state.tokens)) for layer in self._cache.layers]
                state.held = len(state.tokens)
        indices = torch.tensor(staying, dtype=torch.long, device=self._model.device)
        self._cache.batch_select_indices(indices)
        self._mask_BT = self._mask_BT[indices]
        self._active = [self._active[index] for index in staying]
        return self._active

    def logits(self) -> Tensor:
        """Next-token logits of the rows at work."""
        return torch.stack([logits for row in self._active if (logits := self._rows[row].logits) is not None])

    def feed(self, tokens_B: Tensor) -> None:
        """Append one token to each row at work."""
        for row, token in zip(self._active, tokens_B.tolist(), strict=True):
            self._rows[row].tokens.append(token)
        self._mask_BT = torch.cat([self._mask_BT, self._mask_BT.new_ones(len(self._active), 1)], dim=1)
        self._keep_logits(self._model.forward(tokens_B[:, None], self._mask_BT, self._cache))

    def release(self, rows: Sequence[int]) -> None:
        """Forget rows."""
        self._rest()
        for row in rows:
            del self._rows[row]


def _padded_cache(states: Sequence[_Row], kept: Sequence[int], columns: int) -> Any:
    """A cache of ``columns`` tokens: each row's first ``kept`` held tokens, right-aligned."""
    from transformers import DynamicCache

    cache = DynamicCache()
    layers = max((len(state.kv) for state in states), default=0)
    for layer in range(layers if columns else 0):
        sample = next(state.kv[layer][0] for state in states if state.kv)
        padded = sample.new_zeros(2, len(states), sample.shape[0], columns, sample.shape[2])
        for index, (state, count) in enumerate(zip(states, kept, strict=True)):
            if count:
                for part in range(2):
                    padded[part, index, :, columns - count :] = state.kv[layer][part][:, :count]
        cache.update(padded[0], padded[1], layer)
    return cache


def _last_tokens(layer: Any, index: int, count: int) -> LayerKV:
    keys, values = layer.keys[index], layer.values[index]
    start = keys.shape[1] - count
    return keys[:, start:].clone(), values[:, start:].clone()


def _is_plain(cache: Any, tokens: int) -> bool:
    """Every layer holds keys and values of every token, and nothing else."""
    from transformers.cache_utils import DynamicLayer

    return bool(cache.layers) and all(
        type(layer) is DynamicLayer and layer.get_seq_length() == tokens for layer in cache.layers
    )


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Dropout off, and afterwards on again exactly where it was on."""
    training = [module for module in model.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True
