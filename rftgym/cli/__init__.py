"""The command line. One short file a command; nothing that a command doesn't need is imported.

``rftgym --help`` and ``rftgym list`` are asked for all the time, by people and by scripts, so both are answered without
even Click: what they print comes from :mod:`rftgym.cli.catalog`, which Click's path uses too.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

# name -> ("module:click command", one line for --help)
COMMANDS = {
    "train": ("rftgym.cli.train:command", "Train a model on an environment."),
    "eval": (
        "rftgym.cli.evaluate:command",
        "Measure a model on an environment, next to another one if you like.",
    ),
    "compare": (
        "rftgym.cli.compare:command",
        "Compare supervised and reinforcement fine-tuning on few tasks, fairly.",
    ),
    "play": ("rftgym.cli.play:command", "Play an environment yourself, in the terminal."),
    "score": ("rftgym.cli.score:command", "Score saved answers, without any model."),
    "data": (
        "rftgym.cli.data:command",
        "Look at files to learn from: format, lengths, duplicates, bad rows.",
    ),
    "list": ("rftgym.cli.listing:command", "What is installed: environments, rewards, models, algorithms."),
    "info": ("rftgym.cli.info:command", "All about one of them: tasks, rewards, settings, schema."),
    "init": ("rftgym.cli.init:command", "Begin a plugin: an environment, a reward, a trainer or a policy."),
    "check": (
        "rftgym.cli.check:command",
        "Does an environment keep the contract? Says what to mend, and why.",
    ),
    "audit": (
        "rftgym.cli.audit:command",
        "Try to be paid without solving anything: how gameable is a reward?",
    ),
    "bench": ("rftgym.cli.bench:command", "How fast is an environment, and where does its time go?"),
    "doctor": ("rftgym.cli.doctor:command", "What this machine can do, and what would cure what it lacks."),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``rftgym``; the exit code is the result.

    Args:
        arguments: what follows ``rftgym`` on the command line; by default the process's own.
    Returns:
        0: done; 1: the run failed; 2: bad usage, nothing written; 130: interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    gc.disable()  # there is nothing to collect in an instant answer, and looking for it takes 5% of the time
    try:
        answer = _instant(given)
    except KeyboardInterrupt:  # while plugins are imported
        sys.stderr.write("\nrftgym: error: interrupted\n")
        return 130
    finally:
        gc.enable()
    if answer is None:
        from rftgym.cli.app import run

        return run(given)
    return say(answer)


def say(text: str) -> int:
    """Write a text to standard output; a reader who left early (``| head``) is no error."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.close()  # or Python complains, at exit, that it cannot flush standard output
        return 0
    return 0


def _instant(arguments: list[str]) -> str | None:
    """The whole answer to a plain ``--help``, ``--version`` or ``list``; None for everything else."""
    if arguments == ["--version"]:
        return version_text()
    if arguments in ([], ["--help"], ["-h"]):
        from rftgym.cli.catalog import help_text
        from rftgym.plugins import discover

        return help_text(discover())
    if arguments[0] == "list":
        from rftgym.cli.catalog import LISTABLE, listing
        from rftgym.plugins import discover

        kinds = [argument for argument in arguments[1:] if argument != "--json"]
        if len(kinds) <= 1 and set(kinds) <= set(LISTABLE):
            return listing(discover(), *kinds, as_json="--json" in arguments)
    return None


def version_text() -> str:
    """What ``rftgym --version`` prints."""
    from rftgym import __version__

    return f"rftgym {__version__}\n"
