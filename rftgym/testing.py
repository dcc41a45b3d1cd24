"""Whether an environment keeps the contract: for the tests of whoever writes one.

::

    from rftgym.testing import check_env

    def test_contract():
        check_env("my-env", completions=["<answer>4</answer>", "no idea"])

:func:`check_env` examines the environment as ``rftgym check`` does and raises :class:`rftgym.errors.ContractError` with
everything that it found: what happened, where, why it matters for training and how to mend it. docs/check.md lists what
is looked at; :func:`rftgym.conformance.examine` gives the findings as records.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from rftgym.conformance import Report, examine
from rftgym.conformance.playing import SEEDS, Env, digest, task_digest, transcript
from rftgym.conformance.words import layout
from rftgym.errors import ContractError
from rftgym.registry import make

__all__ = ["ContractWarning", "check_env", "task_digest", "transcript", "transcript_digest"]


class ContractWarning(UserWarning):
    """A habit that does not break the contract yet."""


def check_env(
    env: str | Env, *, completions: Sequence[str] = (), processes: bool = True, seconds: float = 40.0
) -> Report:
    """Check an environment against the contract.

    Args:
        env: an environment, or the id of an installed one, or ``PATH.py:NAME`` (then its construction is checked too).
        completions: plausible ones, good and bad; assistant messages of its demonstrations are used anyway.
        processes: also play in fresh Python processes with other hash seeds (a second or two each); needs an id.
        seconds: about so long it may take; what did not fit stands in the report's ``left_out``.

    Returns:
        The report; its warnings are also issued as :class:`ContractWarning`.

    Raises:
        ContractError: the contract is broken; tells of every breach.
    """
    report = examine(env, completions=completions, seconds=seconds, other_processes=processes)
    if not report.ok:
        raise ContractError(layout(report))
    for each in report.warnings:
        warnings.warn(
            f"{report.subject}: [{each.check}] {each.what} ({each.where})", ContractWarning, stacklevel=2
        )
    return report


def transcript_digest(id: str, completions: Sequence[str]) -> str:
    """A digest of episodes, to be compared between processes."""
    env = make(id)
    return digest(line for seed in SEEDS for line in transcript(env, seed, completions))
