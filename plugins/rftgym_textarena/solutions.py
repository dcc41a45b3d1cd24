"""How games are won, for those whose state says what is sought, and what pays without winning.

A solution is a generator of moves over the game that is being played: each move is made before the next is asked for.
Where skill can be had (Wordle, Mastermind, Hangman, guessing numbers), a solution plays by what the player was told;
where the rest is luck (Bandit, Blackjack, Secretary, 2048), it plays well, and does not always win.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from rftgym_textarena import search

Solver = Callable[[Any, Random], Iterator[str]]
_CODES = 50_000
"""Codes of Mastermind that are gone through; for longer ones no solution is known here."""


# ---------------------------------------------------------------------------------------------------- words and codes


def wordle(game: Any, rng: Random) -> Iterator[str]:
    """Any word that fits all marks so far."""
    words = [word for word in game.word_list if word == word.lower() and game._check_word(word)]
    while words:
        guess = rng.choice(words)
        yield f"[{guess}]"
        marks = game.state.game_state["guess_history"][-1][1]
        words = [word for word in words if word != guess and _marks(game, guess, word) == marks]


def _marks(game: Any, guess: str, secret: str) -> Any:
    """The game's own marks, had the secret been another word."""
    state = game.state.game_state
    real, state["secret_word"] = state["secret_word"], secret
    try:
        return game._evaluate_guess(guess)
    finally:
        state["secret_word"] = real


def hangman(game: Any, rng: Random) -> Iterator[str]:
    """The letter that most of the words have which fit the board."""
    state = game.state.game_state
    while True:
        board, tried = state["current_board"], state["guessed_letters"]
        fits = [word.upper() for word in game.word_list if _fits(word.upper(), board, tried)]
        counts = Counter(
            letter for word in fits for letter in set(word) - tried if letter.isascii() and letter.isalpha()
        )
        if not counts:
            return
        yield f"[{min(counts, key=lambda letter: (-counts[letter], letter))}]"


def _fits(word: str, board: Sequence[str], tried: set[str]) -> bool:
    return len(word) == len(board) and all(
        letter == seen if seen != "_" else letter not in tried
        for letter, seen in zip(word, board, strict=True)
    )


def guess_the_number(game: Any, rng: Random) -> Iterator[str]:
    """Halving what is left."""
    low, high = game.min_number, game.max_number
    while low <= high:
        middle = (low + high) // 2
        yield f"[{middle}]"
        hint = game.state.game_state["guess_history"][-1][1]
        low, high = (middle + 1, high) if hint == "higher" else (low, middle - 1)


def mastermind(game: Any, rng: Random) -> Iterator[str]:
    """Any code that fits all pegs so far."""
    state = game.state.game_state
    numbers, length = range(1, state["num_numbers"] + 1), state["code_length"]
    if len(numbers) ** length > _CODES:
        return
    drawn = (
        itertools.product(numbers, repeat=length)
        if state["duplicate_numbers"]
        else itertools.permutations(numbers, length)
    )
    codes = list(drawn)
    while codes:
        guess = rng.choice(codes)
        yield f"[{' '.join(map(str, guess))}]"
        told = state["history"][-1]
        codes = [
            code for code in codes if code != guess and _pegs(guess, code) == (told["black"], told["white"])
        ]


def _pegs(guess: Sequence[int], code: Sequence[int]) -> tuple[int, int]:
    black = sum(a == b for a, b in zip(guess, code, strict=True))
    return black, (Counter(guess) & Counter(code)).total() - black


def cryptarithm(game: Any, rng: Random) -> Iterator[str]:
    """Digits by trying them all, from the last column to the first."""
    words = [word[::-1] for word in (*game.addends, game.result)]
    of = _assigned(words, game.first_letters, 0, 0, {}) or {}
    yield from (f"[{letter} {digit}]" for letter, digit in of.items())


def _assigned(
    words: list[str], first: set[str], at: int, carry: int, of: dict[str, int]
) -> dict[str, int] | None:
    """The digits, where those of the columns behind ``at`` are known and carry something; None without any."""
    *addends, result = words
    if at == len(result):
        return of if carry == 0 else None
    column = [word[at] for word in addends if at < len(word)]
    new = sorted({*column, result[at]} - set(of))
    for digits in itertools.permutations(sorted(set(range(10)) - set(of.values())), len(new)):
        tried = {**of, **dict(zip(new, digits, strict=True))}
        more, digit = divmod(carry + sum(tried[letter] for letter in column), 10)
        if digit == tried[result[at]] and all(tried[letter] for letter in new if letter in first):
            found = _assigned(words, first, at + 1, more, tried)
            if found is not None:
                return found
    return None


# ----------------------------------------------------------------------------------------- boards that are filled out


def sudoku(game: Any, rng: Random) -> Iterator[str]:
    """Every empty cell, in reading order."""
    for row, column in itertools.product(range(9), repeat=2):
        if game.game_board[row][column] == 0:
            yield f"[{row + 1} {column + 1} {game.full_grid[row][column]}]"


def crosswords(game: Any, rng: Random) -> Iterator[str]:
    """A word a turn, save letters that are there."""
    state = game.state.game_state
    for word, (row, column, direction) in state["placed_words"].items():
        cells = [(row, column + i) if direction == "across" else (row + i, column) for i in range(len(word))]
        missing = [(r, c) for r, c in cells if state["board"][r][c] == "_"]
        if missing:
            yield " ".join(f"[{r} {c} {state['solution'][r][c]}]" for r, c in missing)


def logic_puzzle(game: Any, rng: Random) -> Iterator[str]:
    """A row of a table a turn."""
    for table in game.game_board_solution.values():
        for name, marks in table.items():
            yield " ".join(f"[{name} {item} {mark}]" for item, mark in marks.items())


def word_search(game: Any, rng: Random) -> Iterator[str]:
    """The words as they were hidden."""
    for word, (row, column, direction) in list(game.placed_words.items()):
        down, right = (0, len(word) - 1) if direction == "across" else (len(word) - 1, 0)
        yield f"[{row} {column} {row + down} {column + right}]"


def minesweeper(game: Any, rng: Random) -> Iterator[str]:
    """From the middle outwards, with an eye on where the mines are."""
    yield f"[{game.rows // 2} {game.cols // 2}]"
    for row, column in itertools.product(range(game.rows), range(game.cols)):
        if game.grid[row][column] != -1 and not game.revealed[row][column]:
            yield f"[{row} {column}]"


def lights_out(game: Any, rng: Random) -> Iterator[str]:
    """The fewest presses: the first row is tried in all ways, the others follow from it."""
    size = game.size
    lit = [sum(on << c for c, on in enumerate(row)) for row in game.state.game_state["grid"]]
    found = [presses for first in range(2**size) if (presses := _chased(lit, first, size)) is not None]
    best = min(found, key=lambda rows: sum(row.bit_count() for row in rows))
    for row, column in itertools.product(range(size), repeat=2):
        if best[row] >> column & 1:
            yield f"[{row} {column}]"


def _chased(lit: Sequence[int], first: int, size: int) -> list[int] | None:
    """The presses of each row, given the first row's, that put out all rows; None where the last one stays lit."""
    whole, above, press, presses = (1 << size) - 1, 0, first, []
    for row in lit:
        presses.append(press)
        left = row ^ press ^ (press << 1 & whole) ^ (press >> 1) ^ above
        above, press = press, left
    return None if press else presses


def slitherlink(game: Any, rng: Random) -> Iterator[str]:
    """The game only ever draws rectangles: the first one that fits all clues."""
    edges = ((top, left, bottom, right)
             for top, bottom in itertools.combinations(range(game.R + 1), 2)
             for left, right in itertools.combinations(range(game.C + 1), 2))  # fmt: skip
    for top, left, bottom, right in edges:
        flat = {(row, column) for row in (top, bottom) for column in range(left, right)}
        upright = {(row, column) for row in range(top, bottom) for column in (left, right)}
        if all(
            clue is None or clue == _edges(flat, upright, r, c)
            for r, row in enumerate(game.clues)
            for c, clue in enumerate(row)
        ):
            yield from (f"[h {row} {column}]" for row, column in sorted(flat))
            yield from (f"[v {row} {column}]" for row, column in sorted(upright))
            return


def _edges(flat: set[tuple[int, int]], upright: set[tuple[int, int]], row: int, column: int) -> int:
    return (
        ((row, column) in flat)
        + ((row + 1, column) in flat)
        + ((row, column) in upright)
        + ((row, column + 1) in upright)
    )


def tower_of_hanoi(game: Any, rng: Random) -> Iterator[str]:
    """The shortest way."""

    def moved(disks: int, source: str, target: str, spare: str) -> Iterator[str]:
        if disks:
            yield from moved(disks - 1, source, spare, target)
            yield f"[{source} {target}]"
            yield from moved(disks - 1, spare, target, source)

    yield from moved(game.num_disks, "A", "C", "B")


def card_monte(game: Any, rng: Random) -> Iterator[str]:
    """Where the ball is."""
    yield f"[{game.ball_pos}]"


def sets(game: Any, rng: Random) -> Iterator[str]:
    """A set a turn, as long as the board shows one."""
    while True:
        board = game.state.game_state["board"]
        found = (
            chosen
            for chosen in itertools.combinations(range(len(board)), 3)
            if all(len(set(values)) != 2 for values in zip(*(board[i] for i in chosen), strict=True))
        )
        first = next(found, None)
        if first is None:
            return
        yield f"[{', '.join(str(i + 1) for i in first)}]"


# ---------------------------------------------------------------------------------------------------- games of chance


def bandit(game: Any, rng: Random) -> Iterator[str]:
    """Each button in turn, then the one that paid most."""
    for turn in range(game.num_turns):
        yield f"[{game.buttons[turn % len(game.buttons)]}]"
    history = game.state.game_state["history"]
    yield f"[{max(game.buttons, key=lambda button: sum(history[button]) / len(history[button]))}]"


def blackjack(game: Any, rng: Random) -> Iterator[str]:
    """Hit below 17 against a strong card of the dealer's, below 13 against a weak one."""
    state = game.state.game_state
    while True:
        weak = state["dealer_hand"][0][:-1] in ("2", "3", "4", "5", "6")
        yield "[Hit]" if game._hand_score(state["player_hand"]) < (13 if weak else 17) else "[Stand]"


def secretary(game: Any, rng: Random) -> Iterator[str]:
    """Let more than a third go by, then take the first that is better than all of them."""
    state = game.state.game_state
    skipped = max(1, round(game.N / 2.718))
    for at, value in enumerate(state["draws"][: game.N - 1]):
        yield "[accept]" if at >= skipped and value > max(state["draws"][:at]) else "[continue]"
    yield "[accept]"


def tiles(game: Any, rng: Random) -> Iterator[str]:
    """The move that leaves most room, with large tiles together in a corner."""
    while True:
        board = game.state.game_state["board"]
        found = []
        for order, (name, turns) in enumerate((("Left", 0), ("Down", 1), ("Right", 2), ("Up", 3))):
            after = _slid(game, board, turns)
            if after != board:
                found.append((_worth(after), -order, name))
        if not found:
            return
        yield f"[{max(found)[2]}]"


def _slid(game: Any, board: list[list[int]], quarters: int) -> list[list[int]]:
    """The board after a move to the left of the board that was turned clockwise so many times, turned back."""
    turned = [list(row) for row in board]
    for _ in range(quarters):
        turned = [list(row) for row in zip(*turned[::-1], strict=True)]
    turned = [game._compress_and_merge(row)[0] for row in turned]
    for _ in range((4 - quarters) % 4):
        turned = [list(row) for row in zip(*turned[::-1], strict=True)]
    return turned


def _worth(board: list[list[int]]) -> float:
    empty = sum(tile == 0 for row in board for tile in row)
    placed = sum(
        tile * 0.5 ** (len(board) - 1 - r + c) for r, row in enumerate(board) for c, tile in enumerate(row)
    )
    return empty * 3 + placed / 4


SOLVERS: dict[str, Solver] = {
    "BanditEnv": bandit,
    "BlackjackEnv": blackjack,
    "CountdownEnv": search.countdown,
    "CrosswordsEnv": crosswords,
    "CryptarithmEnv": cryptarithm,
    "FifteenPuzzleEnv": search.fifteen_puzzle,
    "FrozenLakeEnv": search.frozen_lake,
    "Game2048Env": tiles,
    "GuessTheNumberEnv": guess_the_number,
    "HangmanEnv": hangman,
    "LightsOutEnv": lights_out,
    "LogicPuzzleEnv": logic_puzzle,
    "MastermindEnv": mastermind,
    "MinesweeperEnv": minesweeper,
    "PegJumpEnv": search.peg_jump,
    "RushHourEnv": search.rush_hour,
    "SecretaryEnv": secretary,
    "SetEnv": sets,
    "SlitherlinkEnv": slitherlink,
    "SokobanEnv": search.sokoban,
    "SudokuEnv": sudoku,
    "ThreeCardMonteEnv": card_monte,
    "TowerOfHanoiEnv": tower_of_hanoi,
    "WordLadderEnv": search.word_ladder,
    "WordSearchEnv": word_search,
    "WordleEnv": wordle,
}
"""By the name of the game's class."""

CHEATS: dict[str, Mapping[str, Sequence[str] | str]] = {
    "CryptarithmEnv": {
        "digits in any order": ["[S 1]", "[E 2]", "[N 3]", "[D 4]", "[M 5]", "[O 6]", "[R 7]", "x", "x"]
    },
    "GuessTheNumberEnv": {"a guess near the middle, then nonsense": ["[10]", "x", "x"]},
    "SetEnv": {"one card three times": "[1, 1, 1]"},
}
"""What is known to pay without winning, by the name of the game's class; see ``TextEnv.cheats``."""
