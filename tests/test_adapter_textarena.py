"""``textarena:NAME`` against the real package: the same games as bare ones, and none of their side effects."""

from __future__ import annotations

import copy
import json
import os
import pickle
import random
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("textarena", reason="pip install 'rftgym[textarena]'")
import textarena

sys.path.insert(0, str(Path(__file__).parent))  # tests are no package
from nltk_words import write_nltk_data

sys.path.remove(str(Path(__file__).parent))
import rftgym
from rftgym import Turn
from rftgym.errors import ContractError, UnknownIdError, UsageError
from rftgym.testing import check_env
from rftgym_textarena import isolation, state
from rftgym_textarena.env import LONGEST_MOVE, ONLY, MoveParser, TextArenaEnv
from rftgym_textarena.games import split_of
from rftgym_textarena.rules import RULES
from rftgym_textarena.solutions import SOLVERS
from rftgym_textarena.state import SoloState

ONE_OF_EACH = (
    "2048-v0-mega-easy", "Bandit-v0", "Blackjack-v0", "Countdown-v0", "Crosswords-v0", "Cryptarithm-v0",
    "FifteenPuzzle-v0", "FrozenLake-v0-random", "GuessTheNumber-v0", "LightsOut-v0", "LogicPuzzle-v0", "Mastermind-v0",
    "Minesweeper-v0", "PegJump-v0", "Secretary-v0", "Set-v0", "Slitherlink-v0", "Sudoku-v0", "ThreeCardMonte-v0",
    "TowerOfHanoi-v0",
)  # fmt: skip
"""A game of each kind that is dealt in no time and needs no data; Sokoban and RushHour, which take theirs, are slow
tests."""
OF_WORDS = ("Hangman-v0", "WordSearch-v0", "Wordle-v0")
ALWAYS_WON = {
    "Countdown-v0", "Crosswords-v0", "Cryptarithm-v0", "FifteenPuzzle-v0", "FrozenLake-v0-random", "GuessTheNumber-v0",
    "LightsOut-v0", "LogicPuzzle-v0", "Mastermind-v0", "Minesweeper-v0", "PegJump-v0", "Slitherlink-v0", "Sudoku-v0",
    "ThreeCardMonte-v0", "TowerOfHanoi-v0",
}  # fmt: skip
NONSENSE = (
    "[a]",
    "[1 2]",
    "[up]",
    "x",
    "[0 0 +]",
    "[3]",
    "[1, 2, 3]",
    "[h 1 1]",
    "[A C]",
    "[Hit]",
    "[red]",
    "[accept]",
)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """NLTK's data, in a folder where NLTK looks."""
    import nltk

    folder = str(write_nltk_data(tmp_path_factory.mktemp("nltk")))
    nltk.data.path.insert(0, folder)
    yield folder
    nltk.data.path.remove(folder)


def made(name: str, **settings: Any) -> Any:
    return rftgym.make(f"textarena:{name}", **settings)


def first(env: Any, split: str = "train") -> rftgym.Task:
    return env.tasks.item(split, 0)


def global_state() -> Any:
    return random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002  # looked at, not drawn from


def said(env: Any, task: rftgym.Task, moves: list[str]) -> list[str]:
    """An episode as what the environment said and stated, move by move."""
    lines = [env.start(task, 0)[-1].content]
    for move in moves:
        messages = env.advance(Turn((), move))
        lines.append(f"{[m.content for m in messages]} {env.trajectory.turns[-1].info}")
        if env.trajectory.terminated or env.trajectory.truncated:
            break
    return lines


def moves_for(env: Any, task: rftgym.Task, seed: int = 0) -> list[str]:
    """The solution's moves where there is one, and nonsense behind them."""
    talk = env.demonstrate(task, seed) or []
    return [m.content for m in talk if m.role == "assistant"] + list(NONSENSE)


# -------------------------------------------------------------------------------------------------------------- which


class TestNames:
    def test_all_games_for_one_player_and_no_others(self) -> None:
        names = TextArenaEnv.names()
        assert names == sorted(names) and len(names) == 68
        assert {"Wordle-v0", "Hangman-v0-hardcore", "TowerOfHanoi-v0-extreme", *ONE_OF_EACH} <= set(names)
        assert not any(name.endswith(("-raw", "-train")) for name in names)
        assert not {"Chess-v0", "GuessWho-v0", "TwentyQuestions-v0", "Klondike-v0"} & set(names)

    def test_every_game_is_known_by_its_class(self) -> None:
        from textarena.envs.registration import ENV_REGISTRY

        classes = {ENV_REGISTRY[name].entry_point.partition(":")[2] for name in TextArenaEnv.names()}
        assert set(SOLVERS) <= classes and set(RULES) - {"KlondikeEnv"} <= classes
        assert classes - set(SOLVERS) == set()

    @pytest.mark.parametrize(
        ("name", "why"),
        [
            ("Chess-v0", "more than one player"),
            ("GuessWho-v0", "OpenRouter"),
            ("TwentyQuestions-v0", "OpenRouter"),
            ("Klondike-v0", "error of syntax, in line 119"),
        ],
    )
    def test_what_cannot_be_played_says_why(self, name: str, why: str) -> None:
        with pytest.raises(UsageError, match=why):
            made(name)

    def test_a_misspelt_game_is_told_which_was_meant(self) -> None:
        with pytest.raises(UnknownIdError, match="did you mean 'Mastermind-v0'"):
            made("Mastermnd-v0")

    def test_missing_data_are_named_with_the_cure_and_nothing_is_downloaded(self, tmp_path: Path) -> None:
        program = (
            "import socket\n"
            "def refuse(*a, **k): raise SystemExit('the network was asked')\n"
            "socket.socket.connect = socket.getaddrinfo = refuse\n"
            "import rftgym\n"
            "for name in ('Wordle-v0', 'Hangman-v0', 'WordSearch-v0', 'WordLadder-v0'):\n"
            "    try: rftgym.make('textarena:' + name)\n"
            "    except rftgym.errors.UsageError as error: print(error)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "HOME": str(tmp_path), "NLTK_DATA": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        lines = done.stdout.splitlines()
        assert len(lines) == 4
        assert all("python -m nltk.downloader words averaged_perceptron_tagger_eng" in line for line in lines)

    def test_a_variant_in_other_wrappers_is_the_same_game(self) -> None:
        env, raw = made("GuessTheNumber-v0-train"), made("GuessTheNumber-v0-raw")
        assert said(env, first(env), ["3"]) == said(raw, first(env), ["[3]"])
        assert "attempted an invalid move" in said(raw, first(raw), ["3"])[1]  # only a wrapper adds brackets

    def test_the_game_takes_arguments(self) -> None:
        env = made("GuessTheNumber-v0", game={"max_number": 1000, "max_turns": 3})
        assert "between 1 and 1000 within 3 turns" in env.start(first(env), 0)[0].content
        with pytest.raises(UsageError, match=r"cannot be made with game=.*'colour'"):
            made("GuessTheNumber-v0", game={"colour": "red"})
        with pytest.raises(UsageError, match="must be a mapping"):
            made("GuessTheNumber-v0", game=3)

    def test_listing_plugins_imports_no_textarena(self) -> None:
        program = (
            "import sys\n"
            "from rftgym.cli import main\n"
            "try: main(['list'])\n"
            "except SystemExit: pass\n"
            "assert 'textarena' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


# -------------------------------------------------------------------------------------------------- the games as such


class BareGame:
    """TextArena without us, in a process of its own: what it says to moves, by its own wrappers."""

    PROGRAM = """
import json, sys, textarena
from textarena import ObservationType
for line in sys.stdin:
    name, seed, moves = json.loads(line)
    env = textarena.make(name)
    env.reset(num_players=1, seed=seed)
    raw, told = env.unwrapped if hasattr(env, "unwrapped") else env, []
    while hasattr(raw, "env"): raw = raw.env
    def news():
        found, raw.state.observations[0] = raw.state.observations[0], []
        return [t for _, t, k in found if k is not ObservationType.PLAYER_ACTION and isinstance(t, str)]
    told.append(news())
    for move in moves:
        env.step(action=move)
        told.append(news())
        if raw.state.done: break
    print("said " + json.dumps([told, raw.state.rewards, raw.state.game_info[0].get("reason")]), flush=True)
"""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", self.PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def play(self, name: str, seed: int, moves: list[str]) -> Any:
        assert self.process.stdin and self.process.stdout
        print(json.dumps([name, seed, moves]), file=self.process.stdin, flush=True)
        for line in self.process.stdout:  # games print, too
            if line.startswith("said "):
                return json.loads(line.removeprefix("said "))
        raise AssertionError("the bare game died")

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


@pytest.fixture(scope="module")
def bare(words: str) -> Any:
    before = os.environ.get("NLTK_DATA")
    os.environ["NLTK_DATA"] = words
    game = BareGame()
    yield game
    game.close()
    os.environ.pop("NLTK_DATA")
    if before is not None:
        os.environ["NLTK_DATA"] = before


MENDED = {
    "BanditEnv",
    "CountdownEnv",
    "CryptarithmEnv",
    "FifteenPuzzleEnv",
    "SlitherlinkEnv",
    "ThreeCardMonteEnv",
}
"""Where the adapter pays or says something else than the bare game; see docs/adapters/textarena.md."""


@pytest.mark.parametrize("name", [*ONE_OF_EACH, *OF_WORDS])
def test_it_is_the_very_game_that_textarena_plays(name: str, bare: BareGame) -> None:
    env = made(name)
    mended = type(env._template.game).__name__ in MENDED
    for index in range(1 if env.tasks.size("train") == 1 else 3):
        task = env.tasks.item("train", index)
        moves = moves_for(env, task)[: -len(NONSENSE) or None] if mended else moves_for(env, task)
        if name in ("Crosswords-v0", "LogicPuzzle-v0", "WordSearch-v0"):
            moves = [move + "]" for text in moves for move in text.split("]") if move][
                :20
            ]  # the order is theirs
        if name == "FifteenPuzzle-v0":
            moves = moves[:5]  # the bare game breaks when it is won
        told, rewards, reason = bare.play(name, env._deal(task).game.state and seed_of(env, task), moves)
        ours = [env.start(task, 0)[-1].content]
        for move in moves[: len(told) - 1]:
            messages = env.advance(Turn((), move))
            ours.append(messages[0].content if messages else "")
        theirs = ["\n".join(text.strip("\n") for text in texts).strip() for texts in told]
        if rewards is not None:
            theirs[-1] = f"{theirs[-1]}\n{reason}".strip()
        assert ours == theirs
        if rewards is not None and not mended:
            scale = env._template.rules.pays
            assert env.trajectory.turns[-1].info["outcome"] == pytest.approx(max(-1, rewards["0"] / scale))


def seed_of(env: Any, task: rftgym.Task) -> int:
    """The seed that was dealt with: the task's, or the next that gives a fair game."""
    seed = task.data["seed"]
    target = pickle.dumps(env._deal(task).game.state.game_state)
    while pickle.dumps(env._template._deal(seed)[0].state.game_state) != target:
        seed += 1
    return int(seed)


QUICK = ("2048-v0-mega-easy", "Countdown-v0", "ThreeCardMonte-v0", "Hangman-v0")
PAYS_FOR_AN_EXAMPLE = {"GuessTheNumber-v0", "Mastermind-v0", "Wordle-v0"}
"""Their questions show a move, and any move may come close: the check finds that they pay for the question itself."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow, pytest.mark.thorough])
        for name in (*ONE_OF_EACH, *OF_WORDS)
    ],
)
def test_games_keep_the_contract(name: str, words: str) -> None:
    settings = (
        {"game": {"max_number": 1000}} if name == "GuessTheNumber-v0" else {}
    )  # of 20, any guess may be lucky
    env = made(name, partial=name not in PAYS_FOR_AN_EXAMPLE, **settings)
    assert check_env(env, completions=NONSENSE, seconds=12).ok


def test_a_game_that_pays_for_an_example_is_found_out() -> None:
    with pytest.raises(ContractError, match="empty-answer-paid"):
        check_env(made("Mastermind-v0"), seconds=12)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["Crosswords-v0", "LogicPuzzle-v0", "WordSearch-v0", "Set-v0", "Sudoku-v0-easy"]
)
def test_other_processes_play_the_same(name: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLTK_DATA", words)
    several = ("[4 4 a] [5 5 b] [6 6 c] [7 7 d]", "[park alice X] [home bob O]", "[0 0 1 1] [2 2 3 3]")
    assert check_env(f"textarena:{name}", completions=several, seconds=12).ok


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["Sokoban-v0", "RushHour-v0"])
def test_what_takes_long_to_deal_is_dealt_once(name: str) -> None:
    env = made(name)
    for index in range(3):
        task = env.tasks.item("train", index)
        talk = env.demonstrate(task, 0)
        assert talk is not None
        moves = [message.content for message in talk if message.role == "assistant"]
        begin = time.process_time()
        twice = [said(env.spawn(), task, [*moves[:1], "x", "x"]), said(env.spawn(), task, moves)]
        assert time.process_time() - begin < 0.1
        assert twice[0][:2] == twice[1][:2] and "'won': True" in twice[1][-1]


# ---------------------------------------------------------------------------------------------------------- isolation


class TestIsolation:
    @pytest.mark.parametrize(
        "name", ["Wordle-v0", "2048-v0-mega-easy", "Blackjack-v0", "Sudoku-v0", "Slitherlink-v0"]
    )
    def test_the_process_keeps_its_random_state(self, name: str, words: str) -> None:
        before = global_state()
        env = made(name)
        said(env, first(env), moves_for(env, first(env)))
        assert global_state() == before

    @pytest.mark.parametrize("name", ["2048-v0-mega-easy", "Blackjack-v0", "Bandit-v0", "Minesweeper-v0"])
    def test_games_that_take_turns_do_not_disturb_one_another(self, name: str) -> None:
        env = made(name)
        tasks = [env.tasks.item("train", i) for i in range(3)]
        scripts = [moves_for(env, task) for task in tasks]
        alone = [said(env.spawn(), task, moves) for task, moves in zip(tasks, scripts, strict=True)]
        twins = [env.spawn() for _ in tasks]
        together = [[twin.start(task, 0)[-1].content] for twin, task in zip(twins, tasks, strict=True)]
        for turn in range(max(map(len, scripts))):
            random.random()  # somebody else draws meanwhile
            for twin, moves, lines in zip(twins, scripts, together, strict=True):
                if turn < len(moves) and not (twin.trajectory.terminated or twin.trajectory.truncated):
                    messages = twin.advance(Turn((), moves[turn]))
                    lines.append(f"{[m.content for m in messages]} {twin.trajectory.turns[-1].info}")
        assert together == alone

    def test_threads_play_what_one_thread_plays(self) -> None:
        env = made("2048-v0-mega-easy")
        tasks = [env.tasks.item("train", i) for i in range(8)]
        plans = [(task, moves_for(env, task)) for task in tasks]
        alone = [said(env.spawn(), *plan) for plan in plans]
        found: dict[int, list[str]] = {}

        def play(i: int) -> None:
            found[i] = said(env.spawn(), *plans[i])

        threads = [threading.Thread(target=play, args=(i,)) for i in range(8)]
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        try:
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
        finally:
            sys.setswitchinterval(interval)
        assert [found[i] for i in range(8)] == alone

    def test_the_bare_package_beside_us_works_as_ever(self, capsys: pytest.CaptureFixture[str]) -> None:
        made("LogicPuzzle-v0")
        bare = textarena.make("LogicPuzzle-v0")
        bare.reset(num_players=1, seed=3)
        state = random.getstate()
        bare.reset(num_players=1, seed=3)
        assert random.getstate() == state  # it still seeds the process's generator,
        bare.step("x")
        assert "Correct: 0" in capsys.readouterr().out  # and prints what it printed

    def test_ours_prints_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        env = made("LogicPuzzle-v0")
        said(env, first(env), ["x", "x"])
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize("name", [*ONE_OF_EACH, *OF_WORDS])
    def test_our_state_does_as_textarenas_own(
        self, name: str, words: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        env = made(name)
        task = first(env)
        moves = moves_for(env, task)
        ours = [said(env, task, moves), said(env, task, list(NONSENSE))]
        assert type(env._state.state) is SoloState
        module = sys.modules[type(env._template.game).__module__]
        monkeypatch.setattr(module, "ta", textarena)
        theirs = [said(env, task, moves), said(env, task, list(NONSENSE))]
        assert type(env._state.state) is textarena.SinglePlayerState
        assert ours == theirs

    def test_our_state_is_for_the_release_that_it_was_read_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert state.is_known()
        monkeypatch.setattr(state, "KNOWN", "0.0")
        assert isolation._arena.__wrapped__(textarena).SinglePlayerState is textarena.SinglePlayerState

    def test_our_state_takes_what_theirs_takes(self) -> None:
        for kind in (SoloState, textarena.SinglePlayerState):
            kept = kind(1, None, 5, 0)
            kept.reset({"a": 1}, role_mapping={0: "Sage"}, secret_roles={0: "Fool"})
            kept.add_observation("hello", textarena.ObservationType.GAME_MESSAGE, to_id=0)
            kept.set_invalid_move(reason="no", reward=0.5)
            assert kept.step() == (True, {}) and kept.max_turns == 5
            assert kept.role_mapping == {0: "Sage", -1: "GAME"} and kept.game_info[0]["role"] == "Fool"
            assert kept.observations == {0: [(-1, "hello", textarena.ObservationType.GAME_MESSAGE)]}
            assert kept.rewards == {0: 0.5} and kept.game_info[0]["reason"] == "Invalid Move: no"

    @pytest.mark.parametrize("seeds", [(), (5,), (6,), (5, 5), (True,), ("five",)])
    @pytest.mark.parametrize("early", [0, 2])
    def test_a_game_draws_what_it_would_draw_however_it_seeds(
        self, seeds: tuple[Any, ...], early: int
    ) -> None:
        def reset(module: Any, drawn: list[float]) -> None:
            drawn += [module.random() for _ in range(early)]
            for seed in seeds:
                module.seed(seed)
                drawn += [module.randint(0, 9), module.choice("abc"), module.gauss(0, 1)]

        ours: list[float] = []
        generator = isolation.dealt(5, lambda num_players, seed: reset(isolation.DICE, ours))
        theirs: list[float] = []
        usual = random.Random(5)
        reset(usual, theirs)
        assert ours == theirs and generator.getstate() == usual.getstate()

    def test_games_have_modules_that_do_as_the_usual_ones(self) -> None:
        made("Mastermind-v0")
        module = sys.modules["textarena.envs.Mastermind.env"]
        assert module.re is isolation.PATTERNS and module.random is isolation.DICE
        assert module.re.search("[A-Z]", "abC").group() == "C" and not module.re.search("[A-Z]", "abc")
        assert module.re.search("[A-Z]", "abc", re.IGNORECASE).group() == "a"
        assert module.re.compile("a") is module.re.compile("a") and module.re.fullmatch is re.fullmatch
        assert module.random.Random is random.Random and module.ta.Env is textarena.Env
        for missing in (module.re, module.random, module.ta):
            with pytest.raises(AttributeError):
                _ = missing.no_such_name

    def test_no_history_from_one_episode_to_the_next(self) -> None:
        env = made("Mastermind-v0")
        lengths = []
        for _ in range(4):
            lengths.append(len(env.start(first(env), 0)[0].content))
            env.advance(Turn((), "[1 2 3 4]"))
        assert len(set(lengths)) == 1

    @pytest.mark.parametrize("name", [*ONE_OF_EACH, *OF_WORDS])
    def test_what_games_share_is_never_changed(self, name: str, words: str) -> None:
        env = made(name)
        template = env._template

        def content() -> str:
            return repr({key: value for key, value in vars(template.game).items() if not callable(value)})

        before = content()
        for index in range(1 if env.tasks.size("train") == 1 else 3):
            task = env.tasks.item("train", index)
            said(env, task, moves_for(env, task))
        assert content() == before

    @pytest.mark.parametrize("name", ["Wordle-v0", "2048-v0-mega-easy", "Minesweeper-v0", "Slitherlink-v0"])
    def test_a_copy_goes_its_own_way_and_is_cheap(self, name: str, words: str) -> None:
        env = made(name)
        task = first(env)
        moves = moves_for(env, task)
        whole = said(env, task, moves)
        env.start(task, 0)
        env.advance(Turn((), moves[0]))
        snapshot = env.snapshot()
        twin = copy.deepcopy(snapshot.attributes["_state"])
        assert all(
            getattr(twin.game, k) is v
            for k, v in vars(twin.template.game).items()
            if id(v) in twin.template.shared
        )
        for _ in range(2):
            env.restore(snapshot)
            lines = []
            for move in moves[1:]:
                messages = env.advance(Turn((), move))
                lines.append(f"{[m.content for m in messages]} {env.trajectory.turns[-1].info}")
                if env.trajectory.terminated or env.trajectory.truncated:
                    break
            assert lines == whole[2:]


# ------------------------------------------------------------------------------------------ tasks, rewards, solutions


class TestTasks:
    @pytest.mark.parametrize(
        "name", ["Wordle-v0", "GuessTheNumber-v0", "LogicPuzzle-v0-hard", "Mastermind-v0"]
    )
    def test_no_deal_is_in_two_splits(self, name: str, words: str) -> None:
        env = made(name)
        key = env._template.rules.key
        seen = {
            split: {json.dumps(key(env._deal(env.tasks.item(split, i)).game)) for i in range(40)}
            for split in ("train", "validation", "test")
        }
        assert not seen["train"] & seen["validation"] and not seen["train"] & seen["test"]
        assert not seen["validation"] & seen["test"]
        assert all(split_of(json.loads(each)) == split for split, found in seen.items() for each in found)

    def test_a_game_that_never_changes_is_one_task(self) -> None:
        env = made("TowerOfHanoi-v0")
        assert [env.tasks.size(split) for split in ("train", "validation", "test")] == [1, 0, 0]
        assert env.tasks.by_id(ONLY) == first(env)

    def test_the_fixed_ones_are_fixed_and_no_others(self) -> None:
        for name in ONE_OF_EACH:
            env = made(name)
            deals = {
                pickle.dumps(vars(env._template._deal(seed)[0])["state"].game_state) for seed in range(5)
            }
            boards = {repr(env._template._deal(seed)[0].state.observations) for seed in range(5)}
            fixed = len(deals) == len(boards) == 1
            assert (
                fixed == env._template.rules.fixed or name == "Minesweeper-v0"
            )  # mines are laid at the first move

    def test_boards_of_the_15_puzzle_can_be_ordered(self) -> None:
        env = made("FifteenPuzzle-v0")
        assert all(env.demonstrate(env.tasks.item("test", i), 0) for i in range(6))


class TestRewards:
    def score(self, name: str, moves: list[str], index: int = 0) -> Any:
        env = made(name)
        env.start(env.tasks.item("train", index), 0)
        for move in moves:
            env.advance(Turn((), move))
        env.rubric.score(env.trajectory)
        assert env.trajectory.score is not None
        return env.trajectory

    def test_two_invalid_moves_in_a_row_end_the_game_as_in_the_game(self) -> None:
        trajectory = self.score("Secretary-v0", ["x", "x"])
        assert trajectory.terminated and trajectory.reward == -1 and not trajectory.score.success
        assert trajectory.score.components["valid"] == 0
        assert "attempted an invalid move" in trajectory.turns[1].messages[0].content
        assert "Invalid Move" in trajectory.closing[0].content

    def test_the_reason_is_told_where_the_game_mixes_up_its_arguments(self) -> None:
        for name in ("Countdown-v0", "Cryptarithm-v0", "Slitherlink-v0", "ThreeCardMonte-v0"):
            trajectory = self.score(name, ["x", "x"])
            assert "Reason: " in trajectory.turns[1].messages[0].content
            assert any(
                c.isalpha()
                for c in trajectory.turns[1].messages[0].content.partition("Reason: ")[2].split(".")[0]
            )
            assert 0 <= trajectory.reward < 1

    def test_the_best_button_of_bandit_is_paid_best(self) -> None:
        env = made("Bandit-v0")
        means = env._deal(first(env)).game.state.game_state["ground_truth"]
        by_reward = {
            button: self.score("Bandit-v0", ["[red]"] * 20 + [f"[{button}]"]).reward for button in means
        }
        assert max(by_reward, key=by_reward.__getitem__) == max(means, key=means.__getitem__)
        assert max(by_reward.values()) == 1 and sorted(means, key=means.get) == sorted(
            by_reward, key=by_reward.get
        )

    def test_all_clues_of_slitherlink_are_no_loop(self) -> None:
        env = made("Slitherlink-v0")
        task = first(env)
        won = moves_for(env, task)[: -len(NONSENSE)]
        trajectory = self.score("Slitherlink-v0", won)
        assert trajectory.score.success and trajectory.reward == 1
        assert not self.score("Slitherlink-v0", [*won[:-1], "x", "x"]).score.success

    def test_one_card_is_no_set(self) -> None:
        for move in ("[1, 1, 1]", "[12, 12, 12]"):
            trajectory = self.score("Set-v0", [move, move])
            assert trajectory.terminated and trajectory.reward <= 0

    def test_an_episode_that_is_cut_is_paid_by_the_games_own_progress(self) -> None:
        env = made("TowerOfHanoi-v0", max_turns=5)
        env.start(first(env), 0)
        for move in moves_for(made("TowerOfHanoi-v0"), first(env))[:5]:
            env.advance(Turn((), move))
        score = env.rubric.score(env.trajectory)
        assert env.trajectory.truncated and score.reward == pytest.approx(1 / 3) and not score.success

    def test_all_or_nothing(self) -> None:
        env = made("GuessTheNumber-v0", partial=False)
        number = env._deal(first(env)).game.game_number
        for moves, reward in (([f"[{number}]"], 1), ([f"[{number % 20 + 1}]", "x", "x"], 0)):
            env.start(first(env), 0)
            for move in moves:
                env.advance(Turn((), move))
            assert env.rubric.score(env.trajectory).reward == reward

    @pytest.mark.parametrize(
        "move", ["[" + "9" * 5000 + "]", "[" * (LONGEST_MOVE + 1), "[1" + " 1" * 5000 + "]"]
    )
    def test_what_is_too_long_for_a_move_never_reaches_the_game(self, move: str) -> None:
        for name in ("GuessTheNumber-v0", "Bandit-v0", "Sudoku-v0"):
            trajectory = self.score(name, [move, move])
            assert trajectory.terminated and "too long" in trajectory.turns[1].messages[0].content


class TestSolutions:
    @pytest.mark.parametrize("name", sorted(ALWAYS_WON))
    def test_games_that_can_be_worked_out_are_won(self, name: str) -> None:
        env = made(name)
        for index in range(1 if env.tasks.size("train") == 1 else 6):
            task = env.tasks.item("train", index)
            talk = env.demonstrate(task, 0)
            assert talk is not None and talk == env.demonstrate(task, 0)
            env.start(task, 0)
            for message in talk:
                if message.role == "assistant":
                    env.advance(Turn((), message.content))
            score = env.rubric.score(env.trajectory)
            assert score.success and score.reward == 1 and score.components["valid"] == 1
            assert [m.content for m in env.trajectory.messages] == [m.content for m in talk]

    @pytest.mark.parametrize(
        "name", ["Bandit-v0", "Blackjack-v0", "Secretary-v0", "2048-v0-mega-easy", *OF_WORDS]
    )
    def test_the_others_often(self, name: str, words: str) -> None:
        env = made(name)
        won = sum(env.demonstrate(env.tasks.item("train", i), 0) is not None for i in range(16))
        assert won >= 3

    def test_the_tower_is_moved_on_the_shortest_way(self) -> None:
        for name, disks in (("TowerOfHanoi-v0", 3), ("TowerOfHanoi-v0-hard", 5)):
            env = made(name)
            talk = env.demonstrate(first(env), 0)
            assert sum(m.role == "assistant" for m in talk) == 2**disks - 1

    def test_known_cheats_do_not_win(self) -> None:
        for name in ("Cryptarithm-v0", "GuessTheNumber-v0", "Set-v0"):
            env = made(name)
            for completions in env.cheats(first(env)).values():
                env.start(first(env), 0)
                turns = [completions] * 40 if isinstance(completions, str) else completions
                for text in turns:
                    if env.trajectory.terminated or env.trajectory.truncated:
                        break
                    env.advance(Turn((), text))
                assert not env.rubric.score(env.trajectory).success


class TestParser:
    @pytest.mark.parametrize(
        ("completion", "answer", "formed"),
        [
            ("[up]", "[up]", True),
            ("  I go [up].\n", "I go [up].", True),
            ("<think>[down]? no</think>[up]", "[up]", True),
            ("[up]<think>[down]", "[up]", True),
            ("<think>[down]", None, False),
            ("up", "up", False),
            ("[up] [down]", "[up] [down]", False),
            ("", None, False),
        ],
    )
    def test_thoughts_do_not_reach_the_game(self, completion: str, answer: str | None, formed: bool) -> None:
        assert MoveParser().parse(completion) == (answer, formed)
