"""Batched, exact decoding of a causal language model over many turns.

A session keeps every row's tokens and key-value cache from turn to turn: a turn computes the appended tokens only, and
what was sampled is never rendered or tokenised again. Rows that begin with the same tokens share one prefill; a row
that has finished costs nothing until it goes on.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch

from rftgym.errors import UsageError
from rftgym.rollout.caches import CachingModel
from rftgym.rollout.generic import GenericModel
from rftgym.rollout.llama import FusedLlama
from rftgym.rollout.sampling import check_sampling, draw, row_generator
from rftgym.rollout.stops import StopStrings, decode
from rftgym.rollout.weights import UnsupportedModelError
from rftgym.types import Sampling

Backend = Literal["auto", "fused", "transformers"]
StopReason = Literal["eos", "stop", "length", "context"]


@dataclass(frozen=True, slots=True)
class DecodeRequest:
    """Ask one row for its next completion.

    Attributes:
        row: the caller's number for the row; a new number opens a new row.
        token_ids: appended to the row's history before sampling. May be empty for a row that has one, which then
            goes on where it ended.
        seed: of this completion's draws, an integer >= 0.
        max_tokens: in place of the session's.
    """

    row: int
    token_ids: tuple[int, ...]
    seed: int
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class DecodeResult:
    """One completion.

    Attributes:
        row: of the request.
        token_ids: as sampled; a sampled end-of-sequence token is the last of them.
        logprobs: natural log-probabilities of ``token_ids`` under the temperature-scaled distribution, before top-k,
            top-p and min-p (at temperature 0: at temperature 1).
        text: decoded tokens, special ones visible, without the closing end-of-sequence token. With a stop string it
            runs to the end of the token which completed that.
        stop_reason: "context" where the model's context is full: the completion is cut there, or empty where the
            appended tokens already did not fit (the row's history then stays as it was).
    """

    row: int
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    text: str
    stop_reason: StopReason


@dataclass(slots=True)
class DecodeStats:
    """What a session has done so far.

    Attributes:
        prompt_tokens: given by requests.
        computed_tokens: of a prefill: the requests' tokens less those shared, and each completion's last token when its
            row went on.
        shared_tokens: not computed, since another row of the session begins with the same.
        generated_tokens: sampled.
        prefill_seconds: wall-clock time in prefills.
        decode_seconds: wall-clock time in sampling and decoding.
        peak_kv_bytes: largest memory held for keys and values.
    """

    prompt_tokens: int = 0
    computed_tokens: int = 0
    shared_tokens: int = 0
    generated_tokens: int = 0
    prefill_seconds: float = 0.0
    decode_seconds: float = 0.0
    peak_kv_bytes: int = 0


class Decoder:
    """Decodes with a transformers causal language model.

    Args:
        model: the model, plain or wrapped by PEFT with LoRA. It stays the caller's, and is not changed.
        tokenizer: its tokenizer; turns tokens into text, and names an end-of-sequence token.
        backend: "fused" decodes with a copy of the weights (see :class:`~rftgym.rollout.llama.FusedLlama`),
            "transformers" with the model's own forward; "auto" takes the first where it can.
        eos_token_ids: tokens that end a completion; None takes the tokenizer's and the generation config's, and () lets
            every completion run to its limit.

    Attributes:
        backend: "fused" or "transformers".
        reason: why "auto" did not take the fused backend; empty where it did.

    Raises:
        UsageError: ``backend="fused"`` cannot compute this model exactly; the message says why.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        backend: Backend = "auto",
        eos_token_ids: Sequence[int] | None = None,
    ) -> None:
        if backend not in ("auto", "fused", "transformers"):
            raise UsageError(f"unknown decoder backend {backend!r}; take auto, fused or transformers")
        self.model, self.tokenizer = model, tokenizer
        self.eos_token_ids = frozenset(
            _eos_tokens(model, tokenizer) if eos_token_ids is None else eos_token_ids
        )
        self.context_limit: int | None = getattr(model.config, "max_position_embeddings", None)
        self.device: torch.device = next(model.parameters()).device
        self.reason = ""
        self.weights_version = 0
        self._model = self._choose(backend)

    @property
    def backend(self) -> str:
        """The backend in use."""
        return "fused" if isinstance(self._model, FusedLlama) else "transformers"

    def _choose(self, backend: Backend) -> CachingModel:
        if backend == "transformers":
            return GenericModel(self.model)
        base = self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model
        try:
            return FusedLlama(base)
        except UnsupportedModelError as unsupported:
            if backend == "fused":
                raise UsageError(
                    f"the fused decoder can't decode {type(base).__name__}: {unsupported}; take backend='auto'"
                ) from None
            self.reason = str(unsupported)
            return GenericModel(self.model)

    def refresh(self) -> None:
        """Read the weights again after an update. Sessions opened before are void and say so."""
        self._model.refresh()
        self.weights_version += 1

    def open(self, sampling: Sampling) -> DecodeSession:
        """Start a session, without rows.

        Raises:
            UsageError: a sampling setting is out of its range.
        """
        check_sampling(sampling)
        return DecodeSession(self, self._model, sampling)


@dataclass(slots=True)
class _Row:
    tokens: list[int]
    cached: int
    limit: int
    generator: np.random.Generator
    start: int
    logprobs: list[float] = field(default_factory=list)


class DecodeSession:
    """Rows of one batch and their histories; made by :meth:`Decoder.open`."""

    def __init__(self, decoder: Decoder, model: CachingModel, sampling: Sampling) -> None:
        self.stats = DecodeStats()
        self._decoder, self._sampling = decoder, sampling
        self._caches = model.open()
        self._stops = StopStrings(decoder.tokenizer, sampling.stop)
        self._weights_version = decoder.weights_version
        self._rows: dict[int, _Row] = {}
        self._active: list[int] = []
        self._finished: list[DecodeResult] = []

    def tokens(self, row: int) -> tuple[int, ...]:
        """Everything in a row's history so far: prompts and completions, exactly as fed and sampled."""
        return tuple(self._rows[row].tokens)

    def submit(self, requests: Sequence[DecodeRequest]) -> None:
        """Append tokens to rows and queue their next completions; computes the prefill.

        Args:
            requests: new rows, and rows whose last completion is finished.
        Raises:
            ValueError: a row is named twice or is still decoding, a new row comes without tokens, or a limit is
                below 1.
        """
        self._check_fresh()
        self._check(requests)
        fresh: dict[tuple[int, ...], list[int]] = {}
        known: dict[int, list[int]] = {}
        for request in requests:
            self.stats.prompt_tokens += len(request.token_ids)
            row = self._rows.get(request.row)
            if self._overflows(request, row):
                self._finished.append(DecodeResult(request.row, (), (), "", "context"))
                continue
            if row is None:
                fresh.setdefault(tuple(request.token_ids), []).append(request.row)
            self._rows[request.row] = opened = self._reopened(request, row)
            if row is not None and opened.cached < len(opened.tokens):
                known[request.row] = opened.tokens[opened.cached :]
            opened.cached = len(opened.tokens)
            self._active.append(request.row)
        self._prefill(fresh, known)

    def _check(self, requests: Sequence[DecodeRequest]) -> None:
        busy = set(self._active)
        for request in requests:
            if request.row in busy:
                raise ValueError(
                    f"row {request.row} is still decoding, or is named twice; run() it to its end first"
                )
            busy.add(request.row)
            if request.row not in self._rows and not request.token_ids:
                raise ValueError(f"row {request.row} is new and has no tokens to start from")
            if request.max_tokens is not None and request.max_tokens < 1:
                raise ValueError(
                    f"row {request.row}: max_tokens is {request.max_tokens}; it must be at least 1"
                )

    def _overflows(self, request: DecodeRequest, row: _Row | None) -> bool:
        limit = self._decoder.context_limit
        held = 0 if row is None else len(row.tokens)
        return limit is not None and held + len(request.token_ids) >= limit

    def _reopened(self, request: DecodeRequest, row: _Row | None) -> _Row:
        tokens = [*(row.tokens if row is not None else ()), *request.token_ids]
        return _Row(
            tokens=tokens,
            cached=0 if row is None else row.cached,
            limit=self._sampling.max_tokens if request.max_tokens is None else request.max_tokens,
            generator=row_generator(request.seed),
            start=len(tokens),
        )

    def _prefill(self, fresh: dict[tuple[int, ...], list[int]], known: dict[int, list[int]]) -> None:
        started = time.perf_counter()
        if fresh:
            computed = self._caches.admit(fresh)
            self.stats.computed_tokens += computed
            self.stats.shared_tokens += (
                sum(len(tokens) * len(rows) for tokens, rows in fresh.items()) - computed
            )
        if known:
            self.stats.computed_tokens += self._caches.extend(known)
        self._note_memory()
        self.stats.prefill_seconds += time.perf_counter() - started

    def run(self, steps: int | None = None) -> list[DecodeResult]:
        """Decode the queued rows together.

        Args:
            steps: stop after this many tokens a row; None: when every row has finished.
        Returns:
            The completions that have finished since the last call, by row.
        """
        self._check_fresh()
        started = time.perf_counter()
        done = 0
        while self._active and (steps is None or done < steps):
            self._step()
            done += 1
        self._note_memory()
        self.stats.decode_seconds += time.perf_counter() - started
        finished, self._finished = sorted(self._finished, key=lambda result: result.row), []
        return finished

    def _step(self) -> None:
        """Draw a token for every row at work, then feed it to those that go on."""
        order = self._caches.activate(self._active)
        drawn: dict[int, int] = {}
        for row, token, logprob in zip(order, *self._draw(order), strict=True):
            state = self._rows[row]
            state.tokens.append(token)
            state.logprobs.append(logprob)
            reason = self._why_ended(state)
            if reason is None:
                drawn[row] = token
            else:
                self._finish(row, state, reason)
        self.stats.generated_tokens += len(order)
        self._active = list(drawn)
        if drawn:
            # Finished rows are out before the forward: their last token is computed only if they go on.
            going = self._caches.activate(self._active)
            device = self._decoder.device
            self._caches.feed(torch.tensor([drawn[row] for row in going], device=device))
            for row in going:
                self._rows[row].cached += 1

    def _draw(self, order: Sequence[int]) -> tuple[list[int], list[float]]:
        uniforms = [self._rows[row].generator.random() for row in order]
        logits_BV = self._caches.logits()
        uniforms_B = torch.tensor(uniforms, dtype=torch.float64, device=logits_BV.device)
        tokens_B, logprobs_B = draw(logits_BV, self._sampling, uniforms_B)
        return tokens_B.tolist(), logprobs_B.tolist()

    def _why_ended(self, state: _Row) -> StopReason | None:
        if state.tokens[-1] in self._decoder.eos_token_ids:
            return "eos"
        sampled = len(state.tokens) - state.start
        if self._stops.ended(state.tokens, state.start):
            return "stop"
        limit = self._decoder.context_limit
        if limit is not None and len(state.tokens) >= limit:
            return "context"
        return "length" if sampled >= state.limit else None

    def _finish(self, row: int, state: _Row, reason: StopReason) -> None:
        sampled = tuple(state.tokens[state.start :])
        text = decode(self._decoder.tokenizer, sampled[:-1] if reason == "eos" else sampled)
        self._finished.append(DecodeResult(row, sampled, tuple(state.logprobs), text, reason))

    def release(self, rows: Sequence[int]) -> None:
        """Forget rows and free their memory; rows that were never opened are passed over."""
        known = [row for row in rows if row in self._rows]
        self._caches.release(known)
        for row in known:
            del self._rows[row]
        self._active = [row for row in self._active if row in self._rows]

    def _check_fresh(self) -> None:
        if self._weights_version != self._decoder.weights_version:
            raise RuntimeError(
                "the decoder's weights were refreshed after this session was opened; open a new one"
            )

    def _note_memory(self) -> None:
        self.stats.peak_kv_bytes = max(self.stats.peak_kv_bytes, self._caches.nbytes)


def _eos_tokens(model: Any, tokenizer: Any) -> set[int]:
    generation = getattr(model, "generation_config", None)
    tokens: set[int] = set()
    for value in (getattr(generation, "eos_token_id", None), tokenizer.eos_token_id):
        if value is not None:
            tokens.update([value] if isinstance(value, int) else value)
    return tokens
