"""Moves per CPU-second of TextArena's games: through rftgym's adapter, and bare.

    python benchmarks/adapter_textarena.py [GAME ...]

All play the same deals by the same moves (the adapter's own solutions, or nonsense where it finds none), in rounds
that take turns, so that a noisy machine hits all alike. The adapter's episodes are begun, played and scored as the
rollout engine does it. Bare games play in processes that know nothing of rftgym, in three ways:

- bare: what TextArena's ``make`` gives, with its wrappers, made once; their history is cleared by hand at each reset,
  since they never do it. The bar is about this one.
- raw: the same without wrappers (the id that ends in ``-raw``): each turn gives a list of new observations, no text.
- made: as TextArena's own examples have it: ``make`` for every episode, and nothing cleared by hand.

Printed are medians of the rounds, and of the ratios within a round.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

GAMES = (
    "GuessTheNumber-v0", "TowerOfHanoi-v0-medium", "TowerOfHanoi-v0-hard", "Mastermind-v0", "LightsOut-v0",
    "Blackjack-v0-long", "FrozenLake-v0", "2048-v0-mega-easy", "2048-v0-very-easy", "LogicPuzzle-v0",
    "Minesweeper-v0-small", "Minesweeper-v0", "Set-v0", "Crosswords-v0", "Sudoku-v0-easy", "Sudoku-v0-medium",
)  # fmt: skip
OF_WORDS = ("Wordle-v0", "Hangman-v0")
"""Played too where NLTK finds its words (``python -m nltk.downloader words averaged_perceptron_tagger_eng``)."""
BAR = 1.3
WAYS = ("bare", "raw", "made")
"""How TextArena is used alone; see the module's head."""
Script = tuple[Any, list[str]]


def scripts(env: Any, n: int) -> list[Script]:
    """Tasks, each with moves that win it (or, where it is not won, with none: then nonsense is said)."""
    found = []
    for index in range(n):
        task = env.tasks.item("train", 0 if env.tasks.size("train") == 1 else index)
        talk = env.demonstrate(task, 0) or []
        found.append(
            (task, [message.content for message in talk if message.role == "assistant"] or ["x", "x"])
        )
    return found


def adapted(env: Any, plan: list[Script]) -> Callable[[], int]:
    """Plays all episodes through the adapter; returns the moves."""
    from rftgym import Turn

    def play() -> int:
        moves = 0
        env._template._kept.cache_clear()  # bare games deal anew each time, and so shall these
        for task, script in plan:
            env.start(task, 0)
            for move in script:
                env.advance(Turn((), move))
                moves += 1
            env.rubric.score(env.trajectory)
        return moves

    return play


def bare(name: str, plan: list[Script], way: str) -> Callable[[], int]:
    """Plays them with TextArena alone: the plan has seeds in the place of tasks."""
    import textarena

    env: Any = textarena.make(f"{name}-raw" if way == "raw" else name)
    history = env
    while "full_observations" not in vars(history) and way == "bare":
        history = history.env

    def play() -> int:
        moves, game = 0, env
        for seed, script in plan:
            if way == "made":
                game = textarena.make(name)
            game.reset(num_players=1, seed=seed)
            if way == "bare":
                history.full_observations = {}
            for move in script:
                game.get_observation()
                game.step(action=move)
                moves += 1
            game.close()
        return moves

    return play


def serve() -> None:
    """In a bare process: a game, its plan and the way on the first line, then the seconds of a round on each."""
    play = bare(*json.loads(sys.stdin.readline()))
    play()
    for line in sys.stdin:
        print(f"rate {rate(play, float(line))}", flush=True)


class Bare:
    """A bare process."""

    def __init__(self, name: str, plan: list[Script], way: str) -> None:
        command = [sys.executable, __file__, "--serve"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        seeds = [(task.data["seed"], script) for task, script in plan]
        print(json.dumps([name, seeds, way]), file=self.process.stdin, flush=True)

    def rate(self, seconds: float) -> float:
        """Of one round."""
        print(seconds, file=self.process.stdin, flush=True)
        for line in self.process.stdout or ():  # games print, too
            if line.startswith("rate "):
                return float(line.split()[1])
        raise SystemExit("the bare process died")

    def close(self) -> None:
        """End it."""
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait()


def rate(play: Callable[[], int], seconds: float) -> float:
    """Moves per CPU-second, over at least so many seconds."""
    begin, moves = time.process_time(), 0
    while (spent := time.process_time() - begin) < seconds or not moves:
        moves += play()
    return moves / spent if spent else 0.0


def main() -> None:
    """Play rounds and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("games", nargs="*", default=(*GAMES, *OF_WORDS))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.3, help="CPU time of a contestant's round")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve()
        return
    import rftgym
    import rftgym.errors

    head = "".join(f"{way:>9}" for way in (*WAYS, "adapted", *(f"{way}/ad." for way in WAYS)))
    print(f"{'game':24}{head}   (moves per CPU-second; bar {BAR} for bare)")
    for name in arguments.games:
        try:
            env = rftgym.make(f"textarena:{name}")
        except rftgym.errors.UsageError as error:
            print(f"{name:24} {error}")
            continue
        plan = scripts(env, 20)
        few = (
            plan[:2] if name in OF_WORDS else plan
        )  # making them reads dictionaries, which takes up to seconds
        ours, theirs = adapted(env, plan), [Bare(name, few if way == "made" else plan, way) for way in WAYS]
        ours()
        rounds = [
            [*(each.rate(arguments.seconds) for each in theirs), rate(ours, arguments.seconds)]
            for _ in range(arguments.rounds)
        ]
        for each in theirs:
            each.close()
        rates = "".join(f"{statistics.median(column):9,.0f}" for column in zip(*rounds, strict=True))
        ratios = [statistics.median(each[way] / each[-1] for each in rounds) for way in range(len(WAYS))]
        verdict = "" if ratios[0] <= BAR else "   above the bar"
        print(f"{name:24}{rates}{''.join(f'{ratio:9.2f}' for ratio in ratios)}{verdict}", flush=True)


if __name__ == "__main__":
    main()
