"""Entries made in a process of their own, for datasets that would disturb this one or follow the order of its sets.

``python -m rftgym_reasoning_gym.apart NAME CONFIG`` is that process: a draw a line in, a pickled entry out. It runs the
installed package and nothing that an answer says.
"""

from __future__ import annotations

import atexit
import json
import os
import pickle
import random
import subprocess
import sys
import tempfile
import threading
from typing import Any, BinaryIO

from rftgym.errors import InfrastructureError, RftgymError


class GeneratorFailed(RftgymError):
    """The dataset raised an exception over there."""


class Generator:
    """Asks such a process; starts it when it is first asked, and once more after it died.

    Thread-safe. A fork of this process must make its own.
    """

    def __init__(self, name: str, config: str) -> None:
        self._command = [sys.executable, "-m", __name__, name, config]
        self._name = name
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()
        atexit.register(self.close)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # as long as this object lives

    def entry(self, draw: int) -> dict[str, Any]:
        """The entry of a draw.

        Raises:
            GeneratorFailed: the dataset raised an exception.
            InfrastructureError: the process died twice.
        """
        with self._lock:
            try:
                status, value = self._asked(draw)
            except (OSError, EOFError):
                self.close()
                status, value = self._asked_again(draw)
        if status != "entry":
            raise GeneratorFailed(value)
        made: dict[str, Any] = value
        return made

    def _asked_again(self, draw: int) -> tuple[str, Any]:
        try:
            return self._asked(draw)
        except (OSError, EOFError) as error:
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace").strip()[-500:]
            self.close()
            raise InfrastructureError(
                f"the process that makes entries of reasoning-gym:{self._name} died: {said or error}"
            ) from error

    def _asked(self, draw: int) -> tuple[str, Any]:
        if self._process is None:
            self._process = self._started()
        requests, answers = self._process.stdin, self._process.stdout
        if requests is None or answers is None:
            raise EOFError("no pipe")
        requests.write(b"%d\n" % draw)
        requests.flush()
        answer: tuple[str, Any] = pickle.load(answers)  # noqa: S301  # written by our own program
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        self._errors.truncate(0)
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )

    def close(self) -> None:
        """End the process, where it is this one's."""
        process, self._process = self._process, None
        if process is not None and os.getpid() == self._owner:
            process.kill()
            process.communicate()


def _answer(dataset: Any, draw: int) -> tuple[str, Any]:
    import numpy as np

    random.seed(draw)  # noqa: TID251  # this process exists so that the global generators are nobody else's
    np.random.seed(draw)  # noqa: NPY002, TID251  # the same
    try:
        return "entry", dataset[draw]
    except Exception as error:  # noqa: BLE001  # told to whoever asked
        return "exception", f"{type(error).__name__}: {error}"


def _serve(name: str, config: str, requests: BinaryIO, answers: BinaryIO) -> None:
    from rftgym_reasoning_gym.drawing import made

    dataset = made(name, json.loads(config))
    size = dataset.size
    for line in requests:
        answer = _answer(dataset, int(line))
        dataset.size = size  # word_ladder shrinks itself where it finds no ladder
        answers.write(pickle.dumps(answer))
        answers.flush()


def main() -> None:
    """Serve until standard input ends. What a dataset prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    _serve(sys.argv[1], sys.argv[2], sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
