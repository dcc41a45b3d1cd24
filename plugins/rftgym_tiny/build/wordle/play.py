"""Plays many games at once with a network, to see during pretraining what it can do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from rftgym_tiny.build.generate import Cache, draw
from rftgym_tiny.build.network import Network
from rftgym_tiny.build.tokens import ASSISTANT, END
from rftgym_wordle import prompts
from rftgym_wordle.game import GUESSES, WIN, Notes, consistent, feedback, read_guess
from rftgym_wordle.words import guesses

REPLY_TOKENS: Final = 16


@dataclass(slots=True)
class Game:
    """One game in play.

    Attributes:
        secret: the answer.
        history: valid guesses with their marks.
        replies: token ids of every reply.
        prompts: token ids that came before every reply.
        formed: for every reply, whether it held a guess.
        valid: for every reply, whether its guess is in the word list.
        fitting: for every valid guess after the first, whether it fitted all feedback.
    """

    secret: str
    notes: Notes = field(default_factory=Notes)
    history: list[tuple[str, str]] = field(default_factory=list)
    replies: list[list[int]] = field(default_factory=list)
    prompts: list[list[int]] = field(default_factory=list)
    formed: list[bool] = field(default_factory=list)
    valid: list[bool] = field(default_factory=list)
    fitting: list[bool] = field(default_factory=list)

    @property
    def won(self) -> bool:
        """Whether the last guess was right."""
        return bool(self.history) and self.history[-1][1] == WIN

    def answer(self, reply: str) -> str:
        """Take a reply; return the next user message, empty where the game is over."""
        guess = read_guess(reply)
        self.formed.append(guess is not None)
        self.valid.append(guess in guesses())
        left = GUESSES - len(self.formed)
        if guess is None or guess not in guesses():
            return prompts.after_error(guess, self.notes, left) if left else ""
        if self.history:
            self.fitting.append(consistent(guess, self.history))
        marks = feedback(guess, self.secret)
        self.history.append((guess, marks))
        self.notes = self.notes.after(guess, marks)
        return "" if self.won or not left else prompts.after_guess(guess, marks, self.notes, left)


def play_games(
    network: Network, tokenizer: PreTrainedTokenizerFast, secrets: list[str], *, temperature: float, seed: int
) -> list[Game]:
    """Play one game for each secret, all side by side.

    Args:
        network: plays.
        tokenizer: of `tiny`.
        secrets: one game each.
        temperature: of sampling; 0 for the likeliest token.
        seed: of the sampling.
    """
    generator = torch.Generator().manual_seed(seed)
    end = tokenizer.convert_tokens_to_ids(END)
    games = [Game(secret) for secret in secrets]
    cache = Cache(network, len(games), 512)
    opening = tokenizer.apply_chat_template(
        [{"role": "system", "content": prompts.SYSTEM}, {"role": "user", "content": prompts.opening()}],
        add_generation_prompt=True,
        return_dict=False,
    )
    pending: list[list[int]] = [list(opening) for _ in games]
    while any(pending):
        active = torch.tensor([bool(ids) for ids in pending])
        replies = _reply(cache, pending, active, temperature, end, generator)
        for index, game in enumerate(games):
            if not active[index]:
                continue
            game.prompts.append(pending[index])
            game.replies.append(replies[index])
            message = game.answer(tokenizer.decode(replies[index]))
            lead = "\n" if replies[index][-1] == end else f"{END}\n"
            text = f"{lead}<|im_start|>user\n{message}{END}\n{ASSISTANT}"
            pending[index] = tokenizer.encode(text, add_special_tokens=False) if message else []
    return games


def _reply(
    cache: Cache,
    pending: list[list[int]],
    active: Tensor,
    temperature: float,
    end: int,
    generator: torch.Generator,
) -> list[list[int]]:
    """Feed every row its pending tokens, then sample a reply for each active row."""
    counts = torch.tensor([len(ids) for ids in pending])
    width = int(counts.max())
    fed = torch.tensor([ids + [0] * (width - len(ids)) for ids in pending])
    replies: list[list[int]] = [[] for _ in pending]
    running = active.clone()
    logits = cache.advance(fed, counts)
    for _ in range(REPLY_TOKENS):
        token = draw(logits, temperature, generator)
        for index in running.nonzero().flatten().tolist():
            replies[index].append(int(token[index]))
        counts = running.to(torch.int64)
        running = running & (token != end)
        # the ending token enters the cache too: the next turn's text begins behind it
        logits = cache.advance(token[:, None], counts)
        if not running.any():
            break
    return replies


@dataclass(frozen=True, slots=True)
class Report:
    """What a batch of games showed, as shares."""

    games: int
    won: float
    formed: float
    valid: float
    fitting: float


def report(games: list[Game]) -> Report:
    """Sum up games: shares of games won, replies well formed, replies valid, later guesses that fit all feedback."""
    formed = [flag for game in games for flag in game.formed]
    valid = [flag for game in games for flag in game.valid]
    fitting = [flag for game in games for flag in game.fitting]
    return Report(
        len(games),
        sum(game.won for game in games) / len(games),
        sum(formed) / len(formed),
        sum(valid) / len(valid),
        sum(fitting) / max(1, len(fitting)),
    )
