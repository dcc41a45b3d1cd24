"""Episodes as padded tensors, and what a causal language model thinks of their tokens.

Everything about a token stands at the token's own place: ``logprobs_BT[b, t]`` is the log-probability of token ``t``
given the tokens before it (which the model computes at ``t - 1``). So masks, rewards, values and advantages of a token
line up without shifts. Rows are padded on the right: a causal model's real tokens never see padding, hence neither an
attention mask nor position ids are needed, and attention takes its quick causal path.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from rftgym.errors import ContractError
from rftgym.types import Trajectory
from rftgym.updates.groups import ACTIVATION_BYTES, LARGEST_MICRO_BATCH
from rftgym.updates.shared import final_states

CAPS = ("final_logit_softcapping", "logits_soft_cap", "output_logit_soft_cap")
"""What configurations call the cap of the logits: Gemma, RecurrentGemma, xLSTM."""
FACTORS = ("logit_scale", "lm_head_multiplier", "output_multiplier")
"""The same of a factor: Cohere, Falcon-H1, Muse. Granite divides by ``logits_scaling``, HyperCLOVA X multiplies."""
LOGITS_BYTES = 256 * 1024**2
"""What the float32 logits of one piece of a batch may take; more tokens are computed piece by piece."""


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Episodes of several lengths in tensors of one shape (B episodes, T tokens of the longest).

    Attributes:
        input_ids_BT: int64; 0 behind an episode's end.
        model_mask_BT: bool; True where the model sampled the token, False at the environment's and at padding.
        turns_BT: int64; number of the turn (from 0) that the model sampled the token in; -1 where it sampled none.
        sampler_logprobs_BT: float32, nats; what the sampler recorded, 0 where the model sampled none; NaN where the
            policy recorded nothing.
        lengths_B: int64; tokens of each episode.
    """

    input_ids_BT: Tensor
    model_mask_BT: Tensor
    turns_BT: Tensor
    sampler_logprobs_BT: Tensor
    lengths_B: Tensor

    def __len__(self) -> int:
        return len(self.lengths_B)

    @property
    def attention_BT(self) -> Tensor:
        """int64; 1 at an episode's tokens, 0 at padding."""
        places_T = torch.arange(self.input_ids_BT.shape[1], device=self.lengths_B.device)
        return (places_T < self.lengths_B[:, None]).long()

    def rows(self, rows: Sequence[int]) -> TokenBatch:
        """Some of the episodes, as long as the longest of them."""
        picked = torch.tensor(rows, dtype=torch.int64, device=self.lengths_B.device)
        longest = int(self.lengths_B[picked].max())
        cut = {f.name: getattr(self, f.name)[picked] for f in fields(self)}
        return TokenBatch(**{k: v[:, :longest] if k != "lengths_B" else v for k, v in cut.items()})

    def passes(self, rows: int, tokens: int) -> list[list[int]]:
        """The episodes cut into forward passes, as by :func:`micro_batches`."""
        return micro_batches(self.lengths_B.tolist(), rows=rows, tokens=tokens)


@dataclass(frozen=True, slots=True)
class TokenScores:
    """What a model says of a batch's model tokens; 0 everywhere else.

    Attributes:
        logprobs_BT: float32, nats, differentiable.
        entropy_BT: float32, nats; of the distribution that the token was drawn from; None unless asked for.
        hidden_BTD: what the output layer saw when it predicted the token (the model's dtype); None unless asked for.
        final_BD: the same after the whole episode; None unless ``hidden_BTD`` was asked for.
    """

    logprobs_BT: Tensor
    entropy_BT: Tensor | None = None
    hidden_BTD: Tensor | None = None
    final_BD: Tensor | None = None


def token_batch(trajectories: Sequence[Trajectory], device: torch.device | str = "cpu") -> TokenBatch:
    """Put episodes side by side, in their order.

    Args:
        trajectories: each with a token; whether they are scored does not matter here (see :func:`trainable`).
    Raises:
        ContractError: an episode has no tokens, or no prompt, or not as many log-probabilities as tokens.
    """
    rows = [_row(trajectory) for trajectory in trajectories]
    lengths_B = torch.tensor([len(ids) for ids, _, _ in rows], dtype=torch.int64)
    shape = (len(rows), int(lengths_B.max()) if rows else 0)
    ids_BT = torch.zeros(shape, dtype=torch.int64)
    turns_BT = torch.full(shape, -1, dtype=torch.int64)
    logprobs_BT = torch.zeros(shape, dtype=torch.float32)
    for row, (ids, turns, logprobs) in enumerate(rows):
        ids_BT[row, : len(ids)] = torch.tensor(ids)
        turns_BT[row, : len(ids)] = torch.tensor(turns)
        logprobs_BT[row, : len(ids)] = torch.tensor(logprobs)
    tensors = (ids_BT, turns_BT >= 0, turns_BT, logprobs_BT, lengths_B)
    return TokenBatch(*(tensor.to(device) for tensor in tensors))


def _row(trajectory: Trajectory) -> tuple[list[int], list[int], list[float]]:
    turns: list[int] = []
    logprobs: list[float] = []
    for number, turn in enumerate(trajectory.turns):
        heard, said = len(turn.prompt_ids), len(turn.completion_ids)
        recorded = turn.logprobs or (float("nan"),) * said
        if len(recorded) != said:
            raise ContractError(
                f"task {trajectory.task.id!r}, turn {number + 1}: {said} tokens, {len(recorded)} log-probabilities"
            )
        turns += [-1] * heard + [number] * said
        logprobs += [0.0] * heard + list(recorded)
    if not turns or turns[0] >= 0:
        raise ContractError(
            f"task {trajectory.task.id!r}: an episode without tokens, or without a prompt, has nothing to score"
        )
    return trajectory.token_ids, turns, logprobs


def trainable(trajectories: Sequence[Trajectory]) -> list[Trajectory]:
    """The episodes that an update may use: those with a reward and a token of the model's.

    One that cannot be scored is left out; it never counts as one with reward 0.
    """
    return [t for t in trajectories if t.reward is not None and any(turn.completion_ids for turn in t.turns)]


def micro_batches(lengths: Sequence[int], *, rows: int, tokens: int) -> list[list[int]]:
    """Cut episodes into forward passes, similar lengths together, the longest first.

    Args:
        lengths: of the episodes in tokens.
        rows: most episodes a pass.
        tokens: most tokens a pass, padding included; an episode longer than that makes a pass of its own.
    Returns:
        Indices of ``lengths``, each once.
    """
    passes: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        fits = passes and len(passes[-1]) < rows and (len(passes[-1]) + 1) * lengths[passes[-1][0]] <= tokens
        if fits:
            passes[-1].append(index)
        else:
            passes.append([index])
    return passes


def activation_bytes(config: Any) -> int:
    """About what a token's activations take in float32 while a decoder's backward pass waits for them.

    16 numbers of the hidden width and 5 of the feed-forward width in every layer: a rough count, 2.0 MB with
    SmolLM2-135M.

    Args:
        config: of the text model (``model.config.get_text_config()``).
    """
    wide: int = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    return int(4 * (16 * config.hidden_size + 5 * wide) * config.num_hidden_layers)


def pass_limits(config: Any, micro_batch: int | None) -> tuple[int, int]:
    """Most episodes and most tokens (padding included) of a forward and backward pass.

    Args:
        config: as for :func:`activation_bytes`.
        micro_batch: the user's own number of episodes, which alone counts then; None: ``LARGEST_MICRO_BATCH`` at most,
            and as many tokens as fit into ``ACTIVATION_BYTES``.
    """
    if micro_batch is not None:
        return micro_batch, sys.maxsize
    return LARGEST_MICRO_BATCH, ACTIVATION_BYTES // activation_bytes(config)


def largest_pass(config: Any, longest: int, *, episodes: int, micro_batch: int | None) -> tuple[int, int]:
    """The largest pass that :func:`micro_batches` makes within :func:`pass_limits`: (episodes, tokens of each).

    Args:
        longest: tokens that an episode can have.
        episodes: that an update has at most.
    """
    rows, tokens = pass_limits(config, micro_batch)
    return min(episodes, rows, max(1, tokens // longest)), longest


def token_logprobs(
    model: Any, batch: TokenBatch, temperature: float = 1.0, *, entropy: bool = False, hidden: bool = False
) -> TokenScores:
    """Log-probabilities of a batch's model tokens, as the sampler drew them.

    Logits are computed at model tokens only and never for more of them at once than ``LOGITS_BYTES`` holds; with
    several pieces a backward pass computes them anew.

    Args:
        model: a causal language model of transformers, wrapped by PEFT or not. Its mode (``train``/``eval``) is left as
            it is.
        batch: on the model's device.
        temperature: above 0; logits are divided by it, as in the sampler before its filters.
        entropy: compute entropies too.
        hidden: give the hidden states too.
    """
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    prompts = (
        batch.model_mask_BT.long().argmax(dim=1).clamp(min=1).tolist()
    )  # all before the first model token
    lengths = batch.lengths_B.tolist()
    states_BTD = final_states(causal.base_model, batch.input_ids_BT, prompts, lengths)
    mask_BS = batch.model_mask_BT[:, 1:]
    states_ND, targets_N = states_BTD[:, :-1][mask_BS], batch.input_ids_BT[:, 1:][mask_BS]
    logprobs_N, entropy_N = scored_states(causal, states_ND, targets_N, temperature, entropy=entropy)
    return TokenScores(
        _placed(logprobs_N, batch.model_mask_BT),
        _placed(entropy_N, batch.model_mask_BT) if entropy else None,
        _placed(states_ND, batch.model_mask_BT) if hidden else None,
        torch.stack([states_D[n - 1] for states_D, n in zip(states_BTD, lengths, strict=True)])
        if hidden
        else None,
    )


def _placed(values: Tensor, mask_BT: Tensor) -> Tensor:
    """Values of the model's tokens, in the order of ``mask_BT``'s True entries, at their places; 0 elsewhere."""
    placed = values.new_zeros((*mask_BT.shape, *values.shape[1:]))
    placed[mask_BT] = values
    return placed


def scored_states(
    causal: Any, states_ND: Tensor, targets_N: Tensor, temperature: float, *, entropy: bool
) -> tuple[Tensor, Tensor]:
    """Log-probabilities of N tokens from what the output layer saw, piece by piece where logits would take too much.

    Args:
        causal: the model, not wrapped.
        states_ND: its dtype; ``targets_N``: int64.
    Returns:
        log-probabilities and, where asked for, entropies of the distributions: both float32 (N), nats.
    """
    head, shape = causal.get_output_embeddings(), _shaping(causal.config.get_text_config())

    def scored(states_ND: Tensor, targets_N: Tensor) -> tuple[Tensor, Tensor]:
        logprobs_NV = (shape(head(states_ND)).float() / temperature).log_softmax(-1)
        chosen_N = logprobs_NV.gather(-1, targets_N[:, None])[:, 0]
        spread_N = -(logprobs_NV.exp() * logprobs_NV).sum(-1) if entropy else chosen_N.detach()
        return chosen_N, spread_N

    size = max(1, LOGITS_BYTES // (4 * head.weight.shape[0]))
    if len(targets_N) <= size:
        return scored(states_ND, targets_N)
    pieces = zip(states_ND.split(size), targets_N.split(size), strict=True)
    results = [checkpoint(scored, *piece, use_reentrant=False, preserve_rng_state=False) for piece in pieces]
    chosen, spread = zip(*results, strict=True)
    return torch.cat(chosen), torch.cat(spread)


def _shaping(config: Any) -> Callable[[Tensor], Tensor]:
    """What some families do to the output layer's logits: they scale them, then cap them."""
    cap = next((value for name in CAPS if (value := getattr(config, name, None)) is not None), None)
    factor = math.prod(value for name in FACTORS if (value := getattr(config, name, None)) is not None)
    scaling = getattr(config, "logits_scaling", None) or 1.0
    factor *= scaling if config.model_type == "hyperclovax" else 1.0 / scaling
    if cap is not None:
        return lambda logits: torch.tanh(logits * (factor / cap)) * cap
    return (lambda logits: logits) if factor == 1.0 else (lambda logits: logits * factor)


class Reference:
    """The policy as it was when this was made: what a KL penalty keeps the trained one near to.

    A fresh adapter (it changes nothing yet) costs no memory: it is switched off while the reference is asked. Otherwise
    the trained weights are kept in a frozen copy and change places with it: those of an adapter that goes on being
    trained, or those of the whole model.

    Args:
        model: as for :func:`token_logprobs`.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        named = dict(model.named_parameters())
        ups = [p for name, p in named.items() if ".lora_B." in name or ".lora_embedding_B." in name]
        adapted = hasattr(model, "disable_adapter")
        self._fresh = adapted and bool(ups) and not any(bool(p.detach().any()) for p in ups)
        trained = () if self._fresh else [p for p in named.values() if p.requires_grad]
        self._kept = [(p, p.detach().clone()) for p in trained]

    def active(self) -> AbstractContextManager[None]:
        """While the block lasts, the model is the reference; only to be asked, without gradients."""
        context: AbstractContextManager[None] = (
            self._model.disable_adapter() if self._fresh else self._swapped()
        )
        return context

    @contextmanager
    def _swapped(self) -> Iterator[None]:
        now = [p.data for p, _ in self._kept]
        try:
            for p, kept in self._kept:
                p.data = kept
            yield
        finally:
            for (p, _), data in zip(self._kept, now, strict=True):
                p.data = data


def reference_logprobs(
    model: Any, reference: Reference, batch: TokenBatch, temperature: float = 1.0
) -> Tensor:
    """Log-probabilities (float32, B x T, nats) of a batch's model tokens under the reference; no gradients."""
    with torch.no_grad(), reference.active():
        return token_logprobs(model, batch, temperature).logprobs_BT
