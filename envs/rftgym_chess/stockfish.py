"""Stockfish as an opponent: where the program is, and the few words of its language (UCI) that a game needs."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING, Final

from rftgym.errors import InfrastructureError, UsageError

if TYPE_CHECKING:
    import chess  # `rftgym doctor` looks for the program also where this library is not installed

PLACES: Final = ("/usr/games/stockfish", "/usr/local/bin/stockfish", "/opt/homebrew/bin/stockfish")
"""Where packages put the program, besides ``PATH``: Debian's stands in a folder that not every shell searches."""
CURE: Final = "install it (Debian, Ubuntu: `apt-get install stockfish`; macOS: `brew install stockfish`)"


def find() -> str:
    """The program's path: ``RFTGYM_STOCKFISH`` where that is set, else on ``PATH``, else in a usual place.

    Raises:
        UsageError: it is nowhere; says how to install it.
    """
    named = os.environ.get("RFTGYM_STOCKFISH")
    if named is not None:
        if shutil.which(named) is None:
            raise UsageError(f"RFTGYM_STOCKFISH={named!r} is no program; correct it or unset it")
        return named
    found = next(filter(None, map(shutil.which, ("stockfish", *PLACES))), None)
    if found is None:
        raise UsageError(f"the program stockfish is not on this machine; {CURE}")
    return found


class Stockfish:
    """A running program. Gives the same answer to the same question: one thread, an empty memory for each.

    Not thread-safe: one question at a time.

    Args:
        seconds: after which an answer is not waited for any longer.

    Raises:
        UsageError: it is not installed.
        InfrastructureError: it cannot be started.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds, program = seconds, find()
        # A session of its own: Ctrl-C is for us, and the program ends when its input does.
        try:
            self._process = subprocess.Popen(
                [program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
        except OSError as error:
            raise InfrastructureError(f"Stockfish cannot be started: {error}") from error

    def best(self, board: chess.Board, nodes: int) -> chess.Move:
        """Its move in a position after looking at about ``nodes`` positions.

        Raises:
            InfrastructureError: it died, was too slow, or said something else than a legal move.
        """
        watchdog = threading.Timer(self._seconds, self._process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            said = self._asked(f"ucinewgame\nposition fen {board.fen()}\ngo nodes {nodes}\n")
        except (OSError, ValueError) as error:
            raise InfrastructureError(f"Stockfish cannot be talked to: {error}") from error
        finally:
            watchdog.cancel()
        move = next((move for move in board.legal_moves if move.uci() == said), None)
        if move is None:
            raise InfrastructureError(
                f"Stockfish gave no legal move within {self._seconds:g} s (exit code {self._process.poll()})"
            )
        return move

    def _asked(self, question: str) -> str | None:
        sent, heard = self._process.stdin, self._process.stdout
        if sent is None or heard is None:
            return None
        sent.write(question)
        sent.flush()
        for line in heard:
            if line.startswith("bestmove "):
                return line.removeprefix("bestmove ").partition(" ")[0].strip()
        return None

    def close(self) -> None:
        """End the program, also one that has died or hangs."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._process.wait()
