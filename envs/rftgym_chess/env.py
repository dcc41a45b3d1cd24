"""The door to both environments: says what to install where the library of the rules is missing."""

from __future__ import annotations

from rftgym.errors import UsageError

try:
    import chess
except ImportError as error:
    raise UsageError(
        f"the chess environments need the package python-chess ({error}); install it: pip install 'rftgym[chess]'"
    ) from error

from rftgym_chess.play_env import ChessPlayEnv
from rftgym_chess.puzzle_env import ChessEnv

RULES = f"python-chess {chess.__version__}"
"""The library that knows the rules."""

__all__ = ["RULES", "ChessEnv", "ChessPlayEnv"]
