"""Pretraining games with soft targets: token trees and, for every letter, the player's exact next-letter shares.

A game is one token sequence, the trunk. At each guess the trunk shows one word; up to `branches` further words that
the player might have said hang off the same `<guess>` token, and see only what came before it. Item i of a stage
depends on (seed, stage, i) alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from rftgym_tiny.build.tokens import ASSISTANT, END
from rftgym_tiny.build.wordle.phrases import CLOSE, OPEN
from rftgym_wordle import prompts
from rftgym_wordle.demonstrations import FAVOURITES, Habits
from rftgym_wordle.game import GUESSES, LENGTH, Notes, feedback
from rftgym_wordle.words import answers, answers_in, guesses

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LETTERS: Final = 26


@lru_cache(maxsize=1)
def letters_NL() -> NDArray[np.uint8]:
    """Answers as numbers 0 to 25: uint8 (words, 5)."""
    flat = np.frombuffer("".join(answers()).encode(), dtype=np.uint8) - ord("a")
    return flat.reshape(-1, LENGTH)


@lru_cache(maxsize=1)
def marks_NN() -> NDArray[np.uint8]:
    """Feedback of guess (row) against answer (column), both answers, as a number below 3**5: uint8 (words, words)."""
    words = letters_NL()
    count = len(words)
    codes = np.zeros((count, count), dtype=np.uint8)
    for row in range(count):
        green = words == words[row]
        taken = green.copy()
        code = np.zeros(count, dtype=np.int32)
        for place in range(LENGTH):
            open_here = ~green[:, place]
            hit = (words == words[row, place]) & ~taken & open_here[:, None]
            first = hit & (np.cumsum(hit, axis=1) == 1)
            taken |= first
            code += (2 * green[:, place] + first.any(axis=1)) * 3**place
        codes[row] = code
    return codes


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the games of one training stage look like.

    Attributes:
        target: the habits whose letter shares are the targets; None draws the acting habits and targets them.
        careful_low: least share of consistent guesses of the player that makes the trunk's guesses.
        careful_high: the most; each game draws its share between the two.
        favourite_share: favourites among the guesses that are not consistent.
        spoilt: share of replies that are malformed or no word (never a target).
        branches: further words at each guess.
    """

    target: Habits
    careful_low: float = 0.0
    careful_high: float = 1.0
    favourite_share: float = 0.3
    spoilt: float = 0.02
    branches: int = 4


@dataclass(slots=True)
class Item:
    """One game as a token tree; S supervised letters, H supervised fixed tokens.

    Attributes:
        tokens: ids, trunk first, then branches.
        positions: what the rotary embedding sees.
        anchors: last trunk index that each token may look at (itself on the trunk).
        branch: 0 on the trunk, else the branch's number.
        letter_at: index of each token that predicts a letter.
        letter_shares: target shares of the letters a to z, (S, 26).
        letter_weight: weight of each letter's loss.
        fixed_at: index of each token whose successor is fixed.
        fixed_next: that successor.
    """

    tokens: list[int]
    positions: list[int]
    anchors: list[int]
    branch: list[int]
    letter_at: list[int] = field(default_factory=list)
    letter_shares: list[Floats] = field(default_factory=list)
    letter_weight: list[float] = field(default_factory=list)
    fixed_at: list[int] = field(default_factory=list)
    fixed_next: list[int] = field(default_factory=list)


def count_letters(pool: Ints, guess: NDArray[np.uint8]) -> Floats:
    """How many words of `pool` go on with each letter after each beginning of `guess`: float32 (5, 26)."""
    counts = np.zeros((LENGTH, LETTERS), dtype=np.float32)
    words = letters_NL()
    for place in range(LENGTH):
        column = words[pool, place]
        counts[place] = np.bincount(column, minlength=LETTERS)
        pool = pool[column == guess[place]]
        if not len(pool):
            break
    return counts


@lru_cache(maxsize=1)
def fixed_counts() -> tuple[Floats, Floats]:
    """`count_letters` of every answer, over the favourites and over all answers: two float32 (words, 5, 26)."""
    words = letters_NL()
    by_pool = [
        np.stack([count_letters(pool, word) for word in words]) for pool in (favourites(), everything())
    ]
    return by_pool[0], by_pool[1]


def letter_shares(candidates: Ints, habits: Habits, guess: int) -> Floats:
    """The player's exact share of each letter at each place of a guess, given the letters before it.

    Args:
        candidates: indices of the answers that fit the history; not empty.
        habits: the player.
        guess: index of the guess among the answers.
    Returns:
        float32 (5, 26); every row sums to 1.
    """
    by_favourite, by_whim = fixed_counts()
    shares = count_letters(candidates, letters_NL()[guess]) * (habits.consistent / len(candidates))
    shares += by_favourite[guess] * (habits.favourite / len(FAVOURITES))
    shares += by_whim[guess] * (habits.whim / len(answers()))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares


@lru_cache(maxsize=1)
def favourites() -> Ints:
    """Indices of the favourite words."""
    return np.array([answers().index(word) for word in FAVOURITES])


@lru_cache(maxsize=1)
def everything() -> Ints:
    """Indices of all answers."""
    return np.arange(len(answers()))


@lru_cache(maxsize=1)
def secrets() -> Ints:
    """Indices of the train split's answers."""
    train = set(answers_in("train"))
    return np.array([index for index, word in enumerate(answers()) if word in train])


@dataclass(slots=True)
class Turn:
    """One reply: its text, and the guess's index with the candidates before it (None where spoilt)."""

    reply: str
    user: str
    guess: int | None
    candidates: Ints


def spoilt_reply(rng: np.random.Generator) -> tuple[str, str | None]:
    """A reply that is no valid guess, and the word it holds if any."""
    if rng.random() < 0.3:
        return answers()[rng.integers(len(answers()))], None
    length = (4, 5, 5, 5, 6)[rng.integers(5)]
    letters = letters_NL()[rng.integers(len(letters_NL()), size=length), rng.integers(LENGTH, size=length)]
    word = "".join(chr(ord("a") + letter) for letter in letters)
    return prompts.answer(word), word


def play(recipe: Recipe, rng: np.random.Generator) -> list[Turn]:
    """One game by a player as the recipe describes it; each turn carries the user message before it."""
    marks, words = marks_NN(), answers()
    secret = int(secrets()[rng.integers(len(secrets()))])
    careful = rng.uniform(recipe.careful_low, recipe.careful_high)
    candidates, notes, turns, user = everything(), Notes(), list[Turn](), prompts.opening()
    for left in range(GUESSES - 1, -1, -1):
        if rng.random() < recipe.spoilt:
            reply, word = spoilt_reply(rng)
            if word is None or word not in guesses():
                turns.append(Turn(reply, user, None, candidates))
                user = prompts.after_error(word, notes, left)
                continue
        if rng.random() < careful:
            pool = candidates
        else:
            pool = favourites() if rng.random() < recipe.favourite_share else everything()
        guess = int(pool[rng.integers(len(pool))])
        turns.append(Turn(prompts.answer(words[guess]), user, guess, candidates))
        if guess == secret:
            break
        shown = feedback(words[guess], words[secret])
        notes = notes.after(words[guess], shown)
        user = prompts.after_guess(words[guess], shown, notes, left)
        candidates = candidates[marks[guess, candidates] == marks[guess, secret]]
    return turns


class Encoder:
    """Turns games into token trees."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self._core = tokenizer.backend_tokenizer
        self._open, self._close, self._end = (self.token(text) for text in (OPEN, CLOSE, END))
        self._system = self._ids(f"<|im_start|>system\n{prompts.SYSTEM}{END}\n")

    def token(self, text: str) -> int:
        """The id of a text that is one token."""
        (found,) = self._ids(text)
        return found

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._core.encode(text, add_special_tokens=False).ids
        return ids

    def item(self, turns: list[Turn], recipe: Recipe, rng: np.random.Generator) -> Item:
        """The token tree of one game."""
        item = Item(list(self._system), [], [], [])
        starts = []
        for turn in turns:
            item.tokens += self._ids(f"<|im_start|>user\n{turn.user}{END}\n{ASSISTANT}")
            starts.append(len(item.tokens))
            item.tokens += self._ids(f"{turn.reply}{END}\n")
        del item.tokens[-1]
        item.positions = list(range(len(item.tokens)))
        item.anchors = list(item.positions)
        item.branch = [0] * len(item.tokens)
        for turn, start in zip(turns, starts, strict=True):
            item.fixed_at.append(start - 1)
            item.fixed_next.append(self._open)
            if turn.guess is not None:
                self._supervise(item, turn.guess, turn.candidates, start, recipe, rng)
        return item

    def _supervise(
        self, item: Item, guess: int, candidates: Ints, start: int, recipe: Recipe, rng: np.random.Generator
    ) -> None:
        """Add the targets of one guess that begins at `start`, and its branches."""
        item.fixed_at += [start + LENGTH, start + LENGTH + 1]
        item.fixed_next += [self._close, self._end]
        others = candidates[candidates != guess]
        count = min(recipe.branches, len(others))
        words = [guess, *(rng.choice(others, count, replace=False) if count else ())]
        for number, word in enumerate(words):
            letters = letters_NL()[word]
            shares = letter_shares(candidates, recipe.target, word)
            if number == 0:
                indices = [start + place for place in range(LENGTH)]
            else:
                indices = [start, *range(len(item.tokens), len(item.tokens) + LENGTH - 1)]
                item.tokens += [ord("a") + int(letter) for letter in letters[:-1]]
                item.positions += [start + place for place in range(1, LENGTH)]
                item.anchors += [start] * (LENGTH - 1)
                item.branch += [item.branch[-1] + 1] * (LENGTH - 1)
            first = 0 if number == 0 else 1
            item.letter_at += indices[first:]
            item.letter_shares += list(shares[first:])
            item.letter_weight += [1.0 if place == 0 else 1 / len(words) for place in range(first, LENGTH)]


def item_at(encoder: Encoder, recipe: Recipe, seed: int, stage: int, index: int) -> Item:
    """Item `index` of a stage: a function of its arguments alone."""
    rng = np.random.default_rng([seed, stage, index])
    return encoder.item(play(recipe, rng), recipe, rng)


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded token trees, ready to become tensors; letter and fixed indices are into the flattened (batch, tokens)."""

    tokens_BT: Ints
    positions_BT: Ints
    mask_BTT: Bools
    letter_at: Ints
    letter_shares: Floats
    letter_weight: Floats
    fixed_at: Ints
    fixed_next: Ints


def collate(items: list[Item], pad: int) -> Batch:
    """Pad token trees to the longest; a pad token looks at itself only."""
    longest = -(-max(len(item.tokens) for item in items) // 8) * 8
    shape = (len(items), longest)
    tokens, positions = np.full(shape, pad, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    anchors, branch = np.full(shape, -1), np.full(shape, -1)
    for row, item in enumerate(items):
        size = len(item.tokens)
        tokens[row, :size], positions[row, :size] = item.tokens, item.positions
        anchors[row, :size], branch[row, :size] = item.anchors, item.branch
    here = np.arange(longest)
    mask = (branch == 0)[:, None, :] & (here[None, None, :] <= anchors[:, :, None])
    mask |= (
        (branch[:, :, None] == branch[:, None, :]) & (branch > 0)[:, :, None] & (here[:, None] >= here)[None]
    )
    mask |= np.eye(longest, dtype=bool)[None]
    return Batch(
        tokens,
        positions,
        mask,
        np.array([row * longest + at for row, item in enumerate(items) for at in item.letter_at]),
        np.stack([shares for item in items for shares in item.letter_shares]),
        np.array([weight for item in items for weight in item.letter_weight], dtype=np.float32),
        np.array([row * longest + at for row, item in enumerate(items) for at in item.fixed_at]),
        np.array([following for item in items for following in item.fixed_next]),
    )


def batches(
    encoder: Encoder, recipe: Recipe, *, seed: int, stage: int, chunk: int, chunks: int, size: int, pad: int
) -> list[Batch]:
    """`chunks` batches of `size` games of like length: games are sorted by length, batches shuffled.

    Chunk number `chunk` holds the items from chunk * chunks * size on.
    """
    first = chunk * chunks * size
    items = [item_at(encoder, recipe, seed, stage, first + index) for index in range(chunks * size)]
    items.sort(key=lambda item: len(item.tokens))
    groups = [items[at : at + size] for at in range(0, len(items), size)]
    order = np.random.default_rng([seed, stage, chunk, 1]).permutation(len(groups))
    return [collate(groups[index], pad) for index in order]
