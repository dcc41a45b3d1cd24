"""Probes: ways to earn a reward without solving the task, for ``rftgym audit`` and for the monitor in training."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym.hookspecs import hookimpl
from rftgym.specs import ProbeSpec


@hookimpl
def rftgym_probes() -> Sequence[ProbeSpec]:
    """The battery that every environment meets."""
    return [ProbeSpec(id="empty", entry_point="rftgym_probes.battery:empty", summary="says nothing")]
