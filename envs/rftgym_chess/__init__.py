"""Chess: puzzles, and games against a weak engine. Hook implementations only."""

from __future__ import annotations

import importlib.util

from rftgym import EnvSpec, hookimpl
from rftgym.errors import UsageError
from rftgym.types import Check


@hookimpl
def rftgym_environments() -> list[EnvSpec]:
    """Puzzles, and whole games."""
    return [
        EnvSpec(
            id="chess",
            entry_point="rftgym_chess.env:ChessEnv",
            summary="Find the best move in a chess position: mates in 1 to 3, tactics, defences, endgames",
            gymnasium_id="rftgym/Chess-v0",
            default_model="smollm2-135m",
            train_defaults={"sampling.max_tokens": 32, "evaluation.samples": 2},
        ),
        EnvSpec(
            id="chess-play",
            entry_point="rftgym_chess.env:ChessPlayEnv",
            summary="Play chess against a weak engine from won, even and endgame positions (multi-turn)",
            gymnasium_id="rftgym/ChessPlay-v0",
            default_model="smollm2-135m",
            train_defaults={"sampling.max_tokens": 16, "evaluation.samples": 2},
        ),
    ]


@hookimpl
def rftgym_checks() -> list[Check]:
    """The rules of chess, and the engine that may be played against."""
    from rftgym_chess.stockfish import find

    rules = importlib.util.find_spec("chess") is not None
    try:
        engine, cure = find(), ""
    except UsageError as error:
        engine, cure = "not usable: only opponent='stockfish' of chess-play needs it", str(error)
    return [
        Check(
            "chess",
            "python-chess",
            rules,
            "installed" if rules else "not installed: the chess environments cannot be made",
            "" if rules else "pip install 'rftgym[chess]'",
        ),
        Check("chess", "stockfish", not cure, engine, cure),
    ]
