"""What is measured on a policy beside its score: how far it went from its start, and what it forgot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rftgym.errors import RunFailed
from rftgym.types import Task, Trajectory, Turn

if TYPE_CHECKING:
    from torch import Tensor

PASS_ROWS, PASS_TOKENS = 16, 16_384
"""Most conversations and tokens (padding included) a forward pass."""
PIECE_CHARACTERS = 400
"""The off-task text is read in pieces of about this length, so that a short context window does."""


def off_task_text() -> str:
    """The bundled text: plain English and code, nothing of which any environment asks for."""
    return files("rftgym.compare").joinpath("off_task.txt").read_text(encoding="utf-8")


def off_task_loss(policy: Any, text: str | None = None) -> dict[str, float]:
    """How badly a model predicts a text that has nothing to do with the task.

    Args:
        policy: with a model and a tokenizer.
        text: instead of the bundled one.

    Returns:
        "nats_per_character": minus the summed log-probability of all tokens but each piece's first, by the characters
        that they stand for, so that tokenizers can be compared; "characters": how many those are.
    """
    rows, characters = [], 0
    for piece in _pieces(off_task_text() if text is None else text):
        ids = policy.tokenizer(piece, add_special_tokens=False, verbose=False)["input_ids"]
        rows.append(Trajectory("", Task("", {}), 0, turns=[Turn((), "", tuple(ids[:1]), tuple(ids[1:]))]))
        characters += len(piece) - len(policy.tokenizer.decode(ids[:1]))
    total = -sum(float(row.sum()) for row in _logprobs(policy.model, rows, 1.0))
    return {"nats_per_character": total / characters, "characters": characters}


def _pieces(text: str) -> Iterator[str]:
    """Whole lines, joined until a piece is long enough."""
    piece = ""
    for line in text.splitlines(keepends=True):
        piece += line
        if len(piece) >= PIECE_CHARACTERS:
            yield piece
            piece = ""
    if len(piece) > 1:
        yield piece


def kl_from(base: Any, trained: Any, episodes: Sequence[Trajectory], temperature: float) -> dict[str, float]:
    """An estimate of KL(trained || base) on the task, from episodes that the trained policy played.

    The mean of log p_trained - log p_base over sampled tokens, both under the temperature of sampling: unbiased for the
    divergence between whole episodes where nothing but temperature shapes the sampling (top-p and the like are left out
    of account). At temperature 0, where there is nothing to diverge, temperature 1 is taken.

    Args:
        base: policy with weights that training started from.
        trained: the policy that played.
        episodes: with tokens; those without any are left out.

    Returns:
        "per_token" and "per_episode" in nats; "tokens", "episodes": of how many.

    Raises:
        RunFailed: no episode has a token.

    Source: the simple estimator k1 of Schulman, Approximating KL Divergence (2020); as a measure of forgetting: RL's
        Razor, arXiv:2509.04259.
    """
    played = [episode for episode in episodes if any(turn.completion_ids for turn in episode.turns)]
    if not played:
        raise RunFailed("no held-out episode has a token, so the divergence from the base cannot be measured")
    scale = temperature or 1.0
    pairs = zip(_logprobs(trained.model, played, scale), _logprobs(base.model, played, scale), strict=True)
    total = sum(float((ours - theirs).sum()) for ours, theirs in pairs)
    tokens = sum(len(turn.completion_ids) for episode in played for turn in episode.turns)
    return {
        "per_token": total / tokens,
        "per_episode": total / len(played),
        "tokens": tokens,
        "episodes": len(played),
    }


def _logprobs(model: Any, episodes: Sequence[Trajectory], temperature: float) -> Iterator[Tensor]:
    """Log-probabilities of the model's tokens, float64, one forward pass after another, in an order of lengths."""
    import torch

    from rftgym.updates.batches import micro_batches, token_batch, token_logprobs

    lengths = [len(episode.token_ids) for episode in episodes]
    device = next(model.parameters()).device
    for rows in micro_batches(lengths, rows=PASS_ROWS, tokens=PASS_TOKENS):
        batch = token_batch([episodes[row] for row in rows], device)
        with torch.no_grad():  # left before the yield: whoever reads on must not find gradients off
            found = token_logprobs(model, batch, temperature).logprobs_BT.double()
        yield found


def opening_tokens(policy: Any, env: Any, tasks: Sequence[Task]) -> int:
    """The longest of the tasks' openings, in tokens."""
    return max(len(policy.chat.opening(env.spawn().start(task, 0))) for task in tasks)


def context_tokens(policy: Any) -> int | None:
    """The model's context window; None where it does not say."""
    found = getattr(policy.model.config.get_text_config(), "max_position_embeddings", None)
    return None if found is None else int(found)


def fitting_shots(openings: Sequence[int], longest: int, context: int | None) -> int:
    """How many solved examples fit before the task.

    Args:
        openings: tokens of the opening with 0, 1, 2... examples.
        longest: tokens of the longest episode that was played without examples.
        context: the model's window; None = any number fits.

    Returns:
        The largest number of examples with which that episode would still have fitted; 0 where not even one does.
    """
    if any(more < fewer for fewer, more in pairwise(openings)):
        raise ValueError("an opening does not get shorter by further examples")
    room = [context is None or opening - openings[0] + longest <= context for opening in openings]
    return max(shots for shots, fits in enumerate(room) if fits or shots == 0)
