"""Chess: reading moves, proving mates, puzzles and games as they come with the environment, and what they pay."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import chess
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rftgym
from rftgym import Task, TextEnv, Turn
from rftgym.errors import InfrastructureError, UsageError
from rftgym.tasks import SPLITS
from rftgym.testing import check_env
from rftgym.types import Score
from rftgym_chess import opponents, play_tasks, puzzles, stockfish
from rftgym_chess.demonstrations import conversation
from rftgym_chess.engine import Habits, choose, evaluate, keeps_material, material
from rftgym_chess.game import points_ahead
from rftgym_chess.mates import MateSearch, TooManyPositionsError
from rftgym_chess.opponents import Plan, StockfishOpponent, opponent
from rftgym_chess.reading import read_move
from rftgym_chess.symmetry import fingerprint, flipped, flipped_move, mirrored_move, twins

QUEEN_ENDING = "7k/8/8/8/8/8/8/KQ6 w - - 0 1"
PROMOTIONS = "7k/P7/8/8/8/8/8/K7 w - - 0 1"
BLACK_TO_MOVE = "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1"
KNIGHTS = "7k/8/8/8/8/1N3N2/8/K7 w - - 0 1"


@cache
def made(id: str) -> TextEnv[Any]:
    return rftgym.make(id)


def tag(move: str) -> str:
    return f"<move>{move}</move>"


def wandered(seed: int, plies: int) -> chess.Board:
    """A position after random moves, one that can be played on."""
    draw, board = Random(seed), chess.Board()
    for _ in range(plies):
        board.push(draw.choice(sorted(board.legal_moves, key=chess.Move.uci)))
        if board.is_game_over():
            board.pop()
            break
    return board


positions = st.builds(wandered, st.integers(0, 2**32), st.integers(0, 70))


def answered(task: Task, completion: str) -> Score:
    env = made("chess")
    env.start(task, 0)
    score = env.step(completion)[4]["score"]
    assert isinstance(score, Score)
    return score


def own_puzzle(**fields: Any) -> Task:
    return puzzles.PuzzleRow.model_validate(fields).to_task()


# ---- reading


@pytest.mark.parametrize(
    ("fen", "text", "move"),
    [
        (chess.STARTING_FEN, "e4", "e2e4"),
        (chess.STARTING_FEN, "1. e4!", "e2e4"),
        (chess.STARTING_FEN, "1.Nf3", "g1f3"),
        (chess.STARTING_FEN, "**Nf3!**", "g1f3"),
        (chess.STARTING_FEN, "`e4`", "e2e4"),
        (BLACK_TO_MOVE, "1... Nf6", "g8f6"),
        (BLACK_TO_MOVE, "12. ... Nf6", "g8f6"),
        (BLACK_TO_MOVE, "...Nf6", "g8f6"),
        (BLACK_TO_MOVE, "… e5 !?", "e7e5"),
        (chess.STARTING_FEN, "♘f3", "g1f3"),
        (chess.STARTING_FEN, "nf3", "g1f3"),
        (chess.STARTING_FEN, "Ng1-f3", "g1f3"),
        (chess.STARTING_FEN, "g1f3", "g1f3"),
        (chess.STARTING_FEN, "G1F3", "g1f3"),
        (chess.STARTING_FEN, "g1–f3", "g1f3"),
        (PROMOTIONS, "a8=Q+", "a7a8q"),
        (PROMOTIONS, "a8Q", "a7a8q"),
        (PROMOTIONS, "a8(N)", "a7a8n"),
        (PROMOTIONS, "a7a8r", "a7a8r"),
        (PROMOTIONS, "a8/B", "a7a8b"),
        (KNIGHTS, "Nbd4", "b3d4"),
        (KNIGHTS, "Nfd4", "f3d4"),
        ("r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1", "0-0", "e1g1"),
        ("r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1", "O-O-O", "e1c1"),
        ("r3k2r/8/8/8/8/8/8/R3K2R b KQkq - 0 1", "1... O-O+", "e8g8"),
        ("8/8/8/3pP2k/8/8/8/K7 w - d6 0 1", "exd6 e.p.", "e5d6"),
        ("8/8/8/3pP2k/8/8/8/K7 w - d6 0 1", "ed6", "e5d6"),
        ("7k/8/8/8/8/2p5/1P1B4/K7 w - - 0 1", "bxc3", "b2c3"),
        ("7k/8/8/8/8/2p5/1P1B4/K7 w - - 0 1", "Bxc3", "d2c3"),
        ("7k/8/8/8/8/2p5/1P1B4/K7 w - - 0 1", "B×c3#??", "d2c3"),
    ],
)
def test_a_move_is_read_in_any_usual_spelling(fen: str, text: str, move: str) -> None:
    reading = read_move(chess.Board(fen), text)
    assert (reading.kind, reading.move and reading.move.uci()) == ("move", move)


@pytest.mark.parametrize(
    ("fen", "text", "kind"),
    [
        (chess.STARTING_FEN, "", "no move"),
        (chess.STARTING_FEN, "e5", "illegal"),
        (chess.STARTING_FEN, "e2e5", "illegal"),
        (chess.STARTING_FEN, "O-O", "illegal"),
        (chess.STARTING_FEN, "e4=Q", "illegal"),
        (chess.STARTING_FEN, "0000", "unreadable"),
        (chess.STARTING_FEN, "e4 e5", "unreadable"),
        (chess.STARTING_FEN, "e4 or d4", "unreadable"),
        (chess.STARTING_FEN, "e2 e4", "unreadable"),
        (chess.STARTING_FEN, "1. e4 e5", "unreadable"),
        (chess.STARTING_FEN, "**e4** **d4**", "unreadable"),
        (chess.STARTING_FEN, "...", "unreadable"),
        (chess.STARTING_FEN, "``**``", "unreadable"),
        (chess.STARTING_FEN, "N", "unreadable"),
        (chess.STARTING_FEN, "and", "unreadable"),
        (chess.STARTING_FEN, "е4", "unreadable"),  # a Cyrillic letter
        (chess.STARTING_FEN, "e٤", "unreadable"),  # an Arabic digit
        (chess.STARTING_FEN, "O-0", "unreadable"),
        (chess.STARTING_FEN, "e4" + "!" * 50, "unreadable"),
        (PROMOTIONS, "a8", "ambiguous"),
        (PROMOTIONS, "a7a8", "ambiguous"),
        (PROMOTIONS, "a8=K", "unreadable"),
        (KNIGHTS, "Nd4", "ambiguous"),
        (
            "8/8/8/3pP2k/8/8/8/K7 w - d6 0 1",
            "d6",
            "illegal",
        ),  # the pawn takes: the file it comes from is needed
    ],
)
def test_what_is_not_exactly_one_legal_move_is_not_guessed_at(fen: str, text: str, kind: str) -> None:
    reading = read_move(chess.Board(fen), text)
    assert reading.kind == kind and reading.move is None


@given(positions)
@settings(max_examples=25)
def test_every_legal_move_is_read_from_all_its_notations(board: chess.Board) -> None:
    for move in board.legal_moves:
        for text in (board.san(move), board.lan(move), board.uci(move), board.san(move).rstrip("+#")):
            assert read_move(board, text).move == move, text


@given(positions, st.text(max_size=30))
@settings(max_examples=50)
def test_reading_takes_any_text_and_gives_legal_moves_only(board: chess.Board, text: str) -> None:
    before = board.fen()
    reading = read_move(board, text)
    assert (reading.move is None) == (reading.kind != "move")
    assert reading.move is None or reading.move in board.legal_moves
    assert board.fen() == before


def test_a_hostile_answer_is_read_in_no_time() -> None:
    started = time.perf_counter()
    for text in ("1." * 500_000, "e4" + "+" * 1_000_000, " " * 1_000_000 + "e4", "<move>" * 2_000):
        read_move(chess.Board(), text)
    assert time.perf_counter() - started < 1


# ---- mirror images


@given(positions)
@settings(max_examples=25)
def test_mirror_images_are_one_problem(board: chess.Board) -> None:
    assert {fingerprint(each) for each in twins(board)} == {fingerprint(board)}
    assert board.mirror().mirror() == board
    for move in board.legal_moves:
        assert mirrored_move(move) in board.mirror().legal_moves
        if not board.castling_rights:
            assert flipped_move(move) in flipped(board).legal_moves
    if board.castling_rights:
        with pytest.raises(ValueError, match="castling"):
            flipped(board)


def test_counters_do_not_make_another_problem_and_a_pawn_does() -> None:
    assert fingerprint(chess.Board(QUEEN_ENDING)) == fingerprint(chess.Board("7k/8/8/8/8/8/8/KQ6 w - - 9 40"))
    assert fingerprint(chess.Board(QUEEN_ENDING)) != fingerprint(chess.Board("7k/8/8/8/8/8/P7/KQ6 w - - 0 1"))


# ---- mates


@pytest.mark.parametrize(
    ("fen", "moves", "first"),
    [
        ("6k1/5ppp/8/8/8/8/8/K2R4 w - - 0 1", 1, "d1d8"),
        ("7k/8/5K2/8/8/8/8/6Q1 w - - 0 1", 1, "g1g7"),
        ("k7/8/2K5/8/8/8/8/7R w - - 0 1", 2, "c6b6 c6c7"),  # Kb6 Kb8 Rh8, Kc7 Ka7 Ra1
        ("5rk1/6pp/8/8/2Q5/8/8/K5N1 w - - 0 1", None, ""),
        ("6rk/6pp/7N/8/2Q5/8/8/K7 w - - 0 1", 1, "c4g8 h6f7"),  # one of them smothered
        ("5r1k/6pp/7N/8/2Q5/8/8/K7 w - - 0 1", 2, "c4g8"),  # and how it comes about: the rook must take
    ],
)
def test_mates_are_found(fen: str, moves: int | None, first: str) -> None:
    board = chess.Board(fen)
    assert MateSearch().distance(board, 2) == moves
    assert " ".join(move.uci() for move in MateSearch().first_moves(board, moves or 2)) == first
    assert board.fen() == fen


@given(positions)
@settings(max_examples=30)
def test_mates_in_one_are_those_that_the_rules_call_mate(board: chess.Board) -> None:
    mating = []
    for move in board.legal_moves:
        board.push(move)
        if board.is_checkmate():
            mating.append(move)
        board.pop()
    assert MateSearch().first_moves(board, 1) == sorted(mating, key=chess.Move.uci)
    assert MateSearch().distance(board, 1) == (1 if mating else None)


def test_the_search_for_a_mate_can_be_bounded() -> None:
    with pytest.raises(TooManyPositionsError):
        MateSearch(5).first_moves(chess.Board(), 3)


# ---- the small engine


@given(positions)
@settings(max_examples=40)
def test_material_and_evaluation_are_the_same_from_both_sides(board: chess.Board) -> None:
    assert material(board, chess.WHITE) == -material(board, chess.BLACK)
    assert material(board.mirror(), chess.BLACK) == material(board, chess.WHITE)
    assert evaluate(board.mirror()) == evaluate(board)
    assert points_ahead(board, chess.WHITE) == -points_ahead(board, chess.BLACK)


@given(positions, st.integers(0, 1), st.integers(0, 1000))
@settings(max_examples=25)
def test_the_engine_plays_legal_moves_the_same_each_time(board: chess.Board, depth: int, seed: int) -> None:
    before = board.fen()
    moves = {choose(board, Habits(depth, 0.2), Random(seed)) for _ in range(2)}
    assert len(moves) == 1 and moves <= set(board.legal_moves) and board.fen() == before


def test_the_engine_sees_what_is_in_front_of_it() -> None:
    hanging = chess.Board("7k/8/8/3q4/8/4N3/8/K7 w - - 0 1")
    mate = chess.Board("6k1/5ppp/8/8/8/8/8/K2R4 w - - 0 1")
    for seed in range(5):
        assert choose(hanging, Habits(1, 0.0), Random(seed)).uci() == "e3d5"
        assert choose(mate, Habits(2, 0.0), Random(seed)).uci() == "d1d8"


@pytest.mark.parametrize(
    ("fen", "move", "keeps"),
    [
        ("7k/8/2p5/8/8/8/8/K2R4 w - - 0 1", "d1d5", False),  # a pawn takes the rook
        ("7k/8/2p5/8/8/8/8/K2R4 w - - 0 1", "d1d4", True),
        ("7k/8/2p5/3q4/8/8/8/K2R4 w - - 0 1", "d1d5", True),  # a queen for a rook
        ("7k/8/2p5/3n4/8/8/8/K2R4 w - - 0 1", "d1d5", False),  # a knight for a rook
        ("6k1/5ppp/8/8/8/8/8/K2R4 w - - 0 1", "d1d8", True),  # mate
    ],
)
def test_material_is_counted_after_the_exchange(fen: str, move: str, keeps: bool) -> None:
    assert keeps_material(chess.Board(fen), chess.Move.from_uci(move)) is keeps


# ---- the puzzles that come with the environment


def test_there_are_enough_puzzles_of_every_kind_in_every_split() -> None:
    count: dict[tuple[str, str], int] = defaultdict(int)
    for row in puzzles.rows():
        count[row["kind"], row["split"]] += 1
    assert sum(count.values()) >= 400
    for kind in ("mate-in-1", "mate-in-2", "mate-in-3", "tactic", "defence", "endgame"):
        assert all(count[kind, split] >= 2 for split in SPLITS), (kind, dict(count))


def test_no_mirror_image_of_a_puzzle_is_in_another_split_nor_twice_in_one() -> None:
    prints = [fingerprint(chess.Board(row["fen"])) for row in puzzles.rows()]
    assert len(set(prints)) == len(prints)
    for row, each in zip(puzzles.rows(), prints, strict=True):
        assert row["id"] == f"{row['kind']}-{each[:8]}"


def test_the_right_moves_are_clearly_the_best() -> None:
    for row in puzzles.rows():
        board = chess.Board(row["fen"])
        assert board.is_valid() and 0 <= row["difficulty"] <= 1
        legal = sorted(move.uci() for move in board.legal_moves)
        values = dict(zip(legal, row["values"], strict=True))
        right, others = row["best"], [values[move] for move in legal if move not in row["best"]]
        assert set(right) <= set(legal) and row["line"][0] in right
        assert min(values[move] for move in right) > max(others), row["id"]
        if not row["kind"].startswith("mate"):
            assert len(right) == 1 and row["gap"] >= 200
            assert values[right[0]] - max(others) >= 100, row["id"]  # a shallower look at all moves agrees


def check_mates(kinds: set[str], step: int = 1) -> None:
    for row in [row for row in puzzles.rows() if row["kind"] in kinds][::step]:
        board, moves = chess.Board(row["fen"]), int(row["kind"][-1])
        assert MateSearch().distance(board, moves) == moves, row["id"]
        assert [move.uci() for move in MateSearch().first_moves(board, moves)] == row["best"], row["id"]


def test_mates_in_one_and_two_are_proved_again() -> None:
    check_mates({"mate-in-1"})
    check_mates({"mate-in-2"}, step=8)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_all_mates_are_proved_again() -> None:
    check_mates({"mate-in-1", "mate-in-2", "mate-in-3"})


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_engine_of_this_machine_agrees_with_the_best_moves() -> None:
    """Other versions of Stockfish search otherwise: a few differences would be theirs, many would be ours."""
    from rftgym_chess.build.analyst import Analyst
    from rftgym_chess.build.puzzles import SURE

    rows = [row for row in puzzles.rows() if not row["kind"].startswith("mate")]
    with Analyst() as analyst:
        found = [analyst.lines(chess.Board(row["fen"]), SURE, 1)[0].moves[0].uci() for row in rows]
    assert sum(move in row["best"] for move, row in zip(found, rows, strict=True)) >= 0.95 * len(rows)


def test_difficulty_orders_puzzles_as_players_of_two_strengths_find_them() -> None:
    """Easier puzzles are solved more often by the small engine, which knows nothing of the grades."""
    rows = sorted(puzzles.rows(), key=lambda row: row["difficulty"])
    third = len(rows) // 3
    solved = []
    for part in (rows[:third:4], rows[-third::4]):
        moves = [choose(chess.Board(row["fen"]), Habits(1, 0.0), Random(row["id"])).uci() for row in part]
        solved.append(sum(move in row["best"] for move, row in zip(moves, part, strict=True)) / len(part))
    assert solved[0] > solved[1] + 0.2, solved


# ---- what a puzzle pays


def test_weights_add_up_to_one_and_right_moves_in_any_spelling_earn_it() -> None:
    env = made("chess")
    assert sum(env.rubric.weights.values()) == pytest.approx(1.0)
    for split in SPLITS:
        for index in range(0, env.tasks.size(split) or 0, 7):
            task = env.tasks.item(split, index)
            board = chess.Board(task.data["fen"])
            for name in task.data["best"]:
                move = chess.Move.from_uci(name)
                for said in (tag(board.san(move)), f"I think that {tag(board.uci(move))}"):
                    score = answered(task, said)
                    assert (score.reward, score.success) == (1.0, True)


@pytest.mark.parametrize(
    ("said", "kind", "reward"),
    [
        (tag("Qb7"), "wrong", 0.15),
        (tag("Qb9"), "unreadable", 0.0),
        (tag("Qc4"), "illegal", 0.05),
        (tag("..."), "unreadable", 0.0),
        (tag(""), "no move", 0.0),
        ("Qg6", "no move", 0.0),
        (f"{tag('Qb7')}{tag('Qb6')}", "wrong", 0.1),
        (f"<think>{tag('Qb7')}</think>", "no move", 0.0),
    ],
)
def test_what_other_answers_earn(said: str, kind: str, reward: float) -> None:
    task = own_puzzle(fen=QUEEN_ENDING, best=["Qb8+"])
    env = made("chess")
    env.start(task, 0)
    info = env.step(said)[4]
    assert info["verdict"]["kind"] == kind
    assert info["score"].reward == pytest.approx(reward) and not info["score"].success


def test_partial_credit_follows_the_values_and_stays_below_half() -> None:
    for row in puzzles.rows()[::25]:
        task, board = made("chess").tasks.by_id(row["id"]), chess.Board(row["fen"])
        legal = sorted(move.uci() for move in board.legal_moves)
        worst_first = sorted(zip(row["values"], legal, strict=True))
        qualities = [puzzles.quality(task, board, chess.Move.from_uci(move)) for _, move in worst_first]
        wrong = [q for q, (_, move) in zip(qualities, worst_first, strict=True) if move not in row["best"]]
        assert wrong == sorted(wrong) and all(0 <= each <= 0.5 for each in wrong)
        assert qualities[-1] == 1.0


@given(st.text(max_size=200))
@settings(max_examples=50)
def test_no_random_text_solves_a_puzzle(text: str) -> None:
    task = made("chess").tasks.item("test", 0)
    score = answered(task, text)
    assert not score.success and score.reward == 0.0


def test_the_prompt_says_what_is_asked_and_not_the_answer() -> None:
    task = made("chess").tasks.by_id(next(row["id"] for row in puzzles.rows() if row["kind"] == "mate-in-2"))
    text = made("chess").start(task, 0)[-1].content
    side = "White" if " w " in task.data["fen"] else "Black"
    assert f"FEN: {task.data['fen']}" in text and f"{side} to move mates in 2." in text
    assert f"<move>{task.data['best'][0]}" not in text and "8 " in text and "a b c d e f g h" in text


def test_a_batch_with_hostile_answers_is_scored_whole() -> None:
    task = made("chess").tasks.item("train", 0)
    board = chess.Board(task.data["fen"])
    right = tag(board.san(chess.Move.from_uci(task.data["best"][0])))
    hostile = [
        "a" * 1_000_000,
        "\ud800",
        tag("\ud800\x00"),
        tag("e4" * 5_000),
        "<move>" * 2_700,
        tag("1" * 15_000),
    ]
    started = time.perf_counter()
    rows = [{"task": task.id, "completion": said} for said in (*hostile, right, *hostile)]
    scores = rftgym.score("chess", rows)
    assert time.perf_counter() - started < 5
    assert [row["success"] for row in scores] == [False] * 6 + [True] + [False] * 6
    assert all(row["error"] is None and row["reward"] == (1.0 if row["success"] else 0.0) for row in scores)


# ---- games


def finished(task: Task, completions: list[str], **settings: Any) -> tuple[Score, list[dict[str, Any]]]:
    env = rftgym.make("chess-play", **settings) if settings else made("chess-play").spawn()
    env.start(task, 0)
    infos = []
    for completion in completions:
        infos.append(env.step(completion)[4])
        if env.trajectory.terminated or env.trajectory.truncated:
            break
    score = infos[-1]["score"]
    assert isinstance(score, Score)
    return score, infos


def own_game(**fields: Any) -> Task:
    return play_tasks.GameRow.model_validate(fields).to_task()


def test_games_are_of_many_families_in_every_split_and_none_is_a_mirror_image() -> None:
    rows = play_tasks.rows()
    prints = [fingerprint(chess.Board(row["fen"])) for row in rows]
    assert len(set(prints)) == len(rows) >= 150
    for split in SPLITS:
        assert len({row["family"] for row in rows if row["split"] == split}) >= 6
    assert all(row["moves"] <= play_tasks.MOST_MOVES and 0 <= row["difficulty"] <= 1 for row in rows)
    assert all(bool(row["played"]) == (row["split"] == "train") for row in rows)


def check_winning_lines(step: int) -> None:
    env = made("chess-play")
    for row in play_tasks.rows()[::step]:
        task = env.tasks.by_id(row["id"])
        talk = env.demonstrate(task, 0)
        assert talk is not None
        said = [message.content for message in talk if message.role == "assistant"]
        score, infos = finished(task, said)
        assert (score.reward, score.success) == (1.0, True), row["id"]
        replies = [info["verdict"]["reply"] for info in infos if info["verdict"]["reply"]]
        assert replies == row["line"].split()[1::2], row["id"]


def test_stored_games_reach_their_goals_and_earn_one() -> None:
    check_winning_lines(step=9)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_stored_games_reach_their_goals_and_earn_one() -> None:
    check_winning_lines(step=1)


def test_a_demonstration_is_the_very_conversation_of_the_episode() -> None:
    env = made("chess-play")
    task = env.tasks.item("train", 3)
    talk = env.demonstrate(task, 0)
    assert talk is not None
    env.start(task, 0)
    for message in talk:
        if message.role == "assistant":
            env.advance(Turn((), message.content))
    assert list(env.trajectory.messages)[: len(talk)] == talk and env.trajectory.terminated


def test_three_answers_that_are_no_moves_lose() -> None:
    score, infos = finished(own_game(fen=QUEEN_ENDING), ["", tag("Qb9"), tag("Ka8")])
    assert [info["verdict"]["kind"] for info in infos] == ["no move", "unreadable", "illegal"]
    assert infos[-1]["verdict"]["ended"] == "no legal moves given"
    assert not score.success and score.reward == pytest.approx(0.05 / 3)
    env = made("chess-play").spawn()
    env.start(own_game(fen=QUEEN_ENDING), 0)
    assert "You lose at the next" not in env.step("")[0]
    assert "You lose at the next" in env.step("")[0]
    assert "plays" in env.step(tag("Qb7"))[0]
    assert env.step("")[2]  # strikes are counted over the whole game


def test_stalemate_is_a_draw_that_pays_nothing_to_whom_was_ahead() -> None:
    task = own_game(fen="7k/8/6K1/8/8/8/8/5Q2 w - - 0 1")
    score, infos = finished(task, [tag("Qf7")])
    assert infos[-1]["verdict"]["ended"] == "draw"
    assert score.components["result"] == 0.0 and score.components["progress"] == 0.0 and not score.success


def test_a_draw_counts_a_little_where_one_was_not_ahead() -> None:
    task = own_game(fen="7k/5r2/6K1/8/8/8/8/8 w - - 0 1")
    score, infos = finished(task, [tag("Kxf7")])
    assert (
        infos[-1]["verdict"]["ended"] == "draw" and score.components["result"] == 0.25 and not score.success
    )


def test_mate_wins_and_moves_are_used_up() -> None:
    back_rank = "6k1/5ppp/8/8/8/8/8/K2R4 w - - 0 1"
    assert finished(own_game(fen=back_rank, moves=1), [tag("Rd8#")])[0].reward == 1.0
    score, infos = finished(own_game(fen=back_rank, moves=1), [tag("Rd7")])
    assert infos[-1]["verdict"]["ended"] == "moves used up" and score.reward == pytest.approx(0.15)


def test_a_lead_is_counted_after_the_last_reply() -> None:
    won = own_game(fen="7k/8/8/3q4/8/4N3/P7/K7 w - - 0 1", goal="lead", lead=3, moves=1)
    assert finished(won, [tag("Nxd5")])[0].reward == 1.0
    retaken = own_game(
        fen="7k/8/4p3/3p4/8/8/8/K2Q4 w - - 0 1", goal="lead", lead=5, moves=1, opponent={"blunders": 0.0}
    )
    score, infos = finished(retaken, [tag("Qxd5")])
    assert infos[-1]["verdict"]["reply"] == "e6d5" and not score.success


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.3]))
@settings(max_examples=12)
def test_whatever_is_played_only_a_reached_goal_earns_more_than_a_third(seed: int, nonsense: float) -> None:
    draw = Random(seed)
    env = made("chess-play").spawn()
    task = env.tasks.item("train", draw.randrange(env.tasks.size("train") or 0))
    env.start(task, seed)
    info: dict[str, Any] = {}
    paid, over = 0.0, False
    while not over:
        board = chess.Board() if env._state is None else env._state.board
        move = draw.choice(sorted(board.legal_moves, key=chess.Move.uci))
        said = "?" if draw.random() < nonsense else tag(board.san(move))
        _, reward, terminated, truncated, info = env.step(said)
        paid, over = paid + reward, terminated or truncated
    score = info["score"]
    assert paid == pytest.approx(score.reward) and 0 <= score.components["progress"] <= 1
    assert (
        score.success or score.reward <= 0.325 + 1e-9
    )  # as the README says: a draw, all of it in legal moves


def test_the_opponent_replies_alike_whatever_the_seed_of_the_episode() -> None:
    env, replies = made("chess-play"), set()
    task = env.tasks.item("train", 0)
    talk = env.demonstrate(task, 0)
    assert talk is not None
    for seed in range(3):
        env.start(task, seed)
        replies.add(env.step(talk[2].content)[0])
    assert len(replies) == 1


# ---- Stockfish as the opponent


@pytest.fixture
def engine() -> str:
    try:
        return stockfish.find()
    except UsageError as error:
        pytest.skip(str(error))


def test_stockfish_plays_legal_moves_the_same_each_time(engine: str) -> None:
    task = own_game(fen=chess.STARTING_FEN, moves=4, opponent={"blunders": 0.0})
    games = []
    for _ in range(2):
        _, infos = finished(task, [tag(m) for m in ("e4", "d4", "a3", "h3")], opponent="stockfish", nodes=200)
        games.append([info["verdict"]["reply"] for info in infos])
    assert games[0] == games[1] and all(games[0])
    env = rftgym.make("chess-play", opponent="stockfish", nodes=200)
    assert env.demonstrate(env.tasks.item("train", 0), 0) is None


def test_a_stockfish_that_dies_is_the_machines_fault_and_is_started_anew(engine: str) -> None:
    other, plan = StockfishOpponent(100), Plan(Habits(1, 0.0), 0)
    assert other.reply(chess.Board(), plan) in chess.Board().legal_moves
    program = other._program
    assert program is not None
    program._process.kill()
    program._process.wait()
    with pytest.raises(InfrastructureError, match="Stockfish"):
        other.reply(chess.Board(), plan)
    assert other.reply(chess.Board(), plan) in chess.Board().legal_moves
    again = other._program
    other.close()
    assert again is not None and again._process.poll() is not None


@pytest.mark.parametrize("said", ["", "bestmove", "bestmove (none)", "bestmove e2e5"])
def test_a_stockfish_that_says_nonsense_is_the_machines_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    other = tmp_path / "stockfish"
    other.write_text(f"#!/bin/sh\nread line; read line; read line\necho '{said} '\n")
    other.chmod(0o755)
    monkeypatch.setenv("RFTGYM_STOCKFISH", str(other))
    with pytest.raises(InfrastructureError, match="no legal move"):
        StockfishOpponent(100).reply(chess.Board(), Plan(Habits(1, 0.0), 0))


def test_a_stockfish_that_cannot_be_started_is_the_machines_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    junk = tmp_path / "stockfish"
    junk.write_bytes(b"\x7fELF junk")
    junk.chmod(0o755)
    monkeypatch.setenv("RFTGYM_STOCKFISH", str(junk))
    with pytest.raises(InfrastructureError, match="cannot be started"):
        StockfishOpponent(100).reply(chess.Board(), Plan(Habits(1, 0.0), 0))


def test_the_doctor_looks_where_the_environment_does(monkeypatch: pytest.MonkeyPatch) -> None:
    import rftgym_chess

    monkeypatch.setenv("RFTGYM_STOCKFISH", "/nowhere/stockfish")
    check = rftgym_chess.rftgym_checks()[1]
    assert not check.ok and "RFTGYM_STOCKFISH" in check.cure
    monkeypatch.setenv("RFTGYM_STOCKFISH", sys.executable)
    check = rftgym_chess.rftgym_checks()[1]
    assert check.ok and check.detail == sys.executable and not check.cure


def test_a_hung_stockfish_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper = tmp_path / "stockfish"
    sleeper.write_text("#!/bin/sh\nexec sleep 100\n")
    sleeper.chmod(0o755)
    monkeypatch.setenv("RFTGYM_STOCKFISH", str(sleeper))
    monkeypatch.setattr(opponents, "SECONDS_PER_REPLY", 0.3)
    with pytest.raises(InfrastructureError, match=r"within 0\.3 s"):
        StockfishOpponent(100).reply(chess.Board(), Plan(Habits(1, 0.0), 0))


def test_what_is_missing_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(stockfish, "PLACES", ())
    with pytest.raises(UsageError, match="apt-get install stockfish"):
        opponent("stockfish", 301)
    monkeypatch.setenv("RFTGYM_STOCKFISH", "/nowhere/stockfish")
    with pytest.raises(UsageError, match="RFTGYM_STOCKFISH"):
        stockfish.find()
    for settings_ in ({"opponent": "kasparov"}, {"opponent": "stockfish", "nodes": 0}, {"nodes": True}):
        with pytest.raises(UsageError, match=r"nodes|kasparov"):
            rftgym.make("chess-play", **settings_)


def test_without_python_chess_an_error_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['chess'] = None\nimport rftgym\nfrom rftgym.errors import UsageError\n"
        "for id in ('chess', 'chess-play'):\n"
        "    try: rftgym.make(id)\n    except UsageError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.count("pip install 'rftgym[chess]'") == 2


# ---- a user's own tasks


def file_of(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    path = tmp_path / "own.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_users_own_puzzles(tmp_path: Path) -> None:
    path = file_of(
        tmp_path,
        {"fen": "6k1/5ppp/8/8/8/8/8/K2R4 w - - 0 1", "mate_in": 1, "difficulty": 0.1},
        {
            "id": "scholar",
            "fen": "r1bqkbnr/pppp1ppp/2n5/4p3/2B1P3/5Q2/PPPP1PPP/RNB1K1NR w KQkq - 0 1",
            "best": ["Qxf7#"],
        },
        {
            "fen": QUEEN_ENDING,
            "best": ["Qb7", "b1b6"],
            "values": {"Qb7": 500, "Qb1b6": 490, "Qb8": 300},
            "split": "test",
        },
    )
    tasks = made("chess").read_tasks(path)
    first = tasks.item("train", 0)
    assert (
        first.id.startswith("fen-") and first.data["best"] == ["d1d8"] and first.data["kind"] == "mate-in-1"
    )
    assert tasks.by_id("scholar").data["best"] == ["f3f7"]
    third = tasks.item("test", 0)
    assert third.data["best"] == ["b1b6", "b1b7"]
    assert 0 < answered(third, tag("Qb8+")).components["quality"] < 0.5  # type: ignore[operator]
    scores = rftgym.score("chess", [{"task": "scholar", "completion": tag("Qxf7")}], tasks=path)
    assert scores[0]["reward"] == 1.0


def test_a_mate_that_takes_too_long_to_prove_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(puzzles, "MOST_POSITIONS", 5)
    with pytest.raises(UsageError, match=r"line 1.*as 'best' instead"):
        made("chess").read_tasks(file_of(tmp_path, {"fen": chess.STARTING_FEN, "mate_in": 3}))


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"fen": "nonsense", "best": ["e4"]}, "is no FEN"),
        ({"fen": "6k1/5ppp/8/8/8/8/8/K2R4 w - - 150 90", "mate_in": 1}, "is over (seventyfive moves)"),
        (
            {"fen": QUEEN_ENDING, "best": ["Qb7"], "values": {"Qb7": 1, "b1b7": 2}},
            "two values for the move 'b1b7'",
        ),
        ({"fen": "8/8/8/8/8/8/8/K7 w - - 0 1", "best": ["Ka2"]}, "no black king"),
        ({"fen": "6Rk/8/5B2/8/8/8/8/K7 b - - 0 1", "best": ["Kxg8"], "mate_in": 1}, "either"),
        ({"fen": "7k/6Q1/6K1/8/8/8/8/8 b - - 0 1", "best": ["Kxg7"]}, "game is over"),
        ({"fen": "K" * 101, "best": ["e4"]}, "at most 100"),
        ({"fen": QUEEN_ENDING}, "either"),
        ({"fen": QUEEN_ENDING, "best": []}, "best"),
        ({"fen": QUEEN_ENDING, "best": ["Qb9"]}, "Qb9"),
        ({"fen": QUEEN_ENDING, "best": ["Q" * 17]}, "best.0"),
        ({"fen": QUEEN_ENDING, "mate_in": 1}, "no mate in 1"),
        ({"fen": QUEEN_ENDING, "mate_in": 4}, "mate_in"),
        ({"fen": QUEEN_ENDING, "best": ["Qb7"], "values": {"Ra1": 3}}, "Ra1"),
        ({"fen": QUEEN_ENDING, "best": ["Qb7"], "surprise": 1}, "surprise"),
    ],
)
def test_a_bad_puzzle_is_refused_with_its_line(tmp_path: Path, row: dict[str, Any], says: str) -> None:
    path = file_of(tmp_path, {"id": "good", "fen": QUEEN_ENDING, "best": ["Qb7"]}, row)
    with pytest.raises(UsageError, match="line 2") as refused:
        made("chess").read_tasks(path)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"fen": "8/8/8/8/8/8/8/K7 w - - 0 1"}, "no black king"),
        ({"fen": QUEEN_ENDING, "moves": 41}, "moves"),
        ({"fen": QUEEN_ENDING, "goal": "lead"}, "lead"),
        ({"fen": QUEEN_ENDING, "lead": 3}, "lead"),
        ({"fen": QUEEN_ENDING, "opponent": {"depth": 9}}, "opponent.depth"),
        ({"fen": QUEEN_ENDING, "opponent": {"engine": "/bin/sh"}}, "opponent.engine"),
    ],
)
def test_a_bad_game_is_refused_with_its_line(tmp_path: Path, row: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match="line 1") as refused:
        made("chess-play").read_tasks(file_of(tmp_path, row))
    assert says in str(refused.value)


def test_a_users_own_game_is_played_and_not_demonstrated(tmp_path: Path) -> None:
    stolen = play_tasks.rows()[0]["id"]
    path = file_of(tmp_path, {"id": stolen, "fen": QUEEN_ENDING, "moves": 3, "opponent": {"depth": 0}})
    task = made("chess-play").read_tasks(path).item("train", 0)
    assert made("chess-play").demonstrate(task, 0) is None
    score, infos = finished(task, [tag("Qb7"), tag("Ka2"), tag("Ka1")])
    assert not score.success and len([info for info in infos if info["verdict"]["reply"]]) == 3


# ---- demonstrations


@pytest.mark.parametrize("id", ["chess", "chess-play"])
def test_demonstrations_are_of_an_imperfect_player_on_the_train_split(id: str) -> None:
    env = made(id)
    talks = list(env.demonstrations("train", 120, 5))
    assert talks[:7] == list(env.demonstrations("train", 7, 5))
    assert talks[:7] != list(env.demonstrations("train", 7, 6))
    assert all(talk[0].role == "system" and talk[-1].role == "assistant" for talk in talks)
    for split in ("validation", "test"):
        with pytest.raises(UsageError, match="train"):
            list(islice(env.demonstrations(split, 1, 0), 1))


def test_demonstrated_puzzles_are_mirror_images_of_the_train_split_and_partly_right() -> None:
    train = {fingerprint(chess.Board(row["fen"])): row for row in puzzles.rows() if row["split"] == "train"}
    right = 0
    for talk in made("chess").demonstrations("train", 100, 1):
        board = chess.Board(talk[1].content.splitlines()[0].removeprefix("FEN: "))
        row = train[fingerprint(board)]
        answer = made("chess").parser.parse(talk[2].content).answer
        move = read_move(board, answer).move
        twin = own_puzzle(fen=board.fen(), best=[move.uci()]) if move else None
        images = {m for name in row["best"] for m in images_of(chess.Move.from_uci(name))}
        right += twin is not None and move in images
    assert 0.5 < right / 100 < 0.9


def images_of(move: chess.Move) -> list[chess.Move]:
    return [move, mirrored_move(move), flipped_move(move), flipped_move(mirrored_move(move))]


def test_demonstrated_games_are_as_the_environment_would_tell_them() -> None:
    env = made("chess-play")
    rows = [row for row in play_tasks.rows() if row["split"] == "train"][::12]
    for row in rows:
        task, line = env.tasks.by_id(row["id"]), play_tasks.moves_of(row["played"][0])
        talk = conversation(task, line)
        env.start(task, 0)
        for message in talk:
            if message.role == "assistant":
                env.advance(Turn((), message.content))
        assert env.trajectory.terminated
        assert [m for m in env.trajectory.messages if m.role != "system"][: len(talk)] == talk


# ---- the contract


@pytest.mark.parametrize("id", ["chess", "chess-play"])
def test_the_contract(id: str) -> None:
    check_env(id, completions=[tag(move) for move in ("e4", "Kb1", "Kb8", "O-O", "Nf3 e5")], processes=False)


def test_the_board_is_rendered() -> None:
    for id in ("chess", "chess-play"):
        env = rftgym.make(id, render_mode="ansi")
        env.reset(seed=0)
        assert "a  b  c" in (env.render() or "")
        env.step(tag("Zz9"))
        assert "♚" in (env.render() or "")
