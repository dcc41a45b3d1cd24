"""Running code nobody trusts: :class:`LocalSandbox`, and the contract that other sandboxes implement."""

from __future__ import annotations

from rftgym.sandbox.connection import Launch
from rftgym.sandbox.contract import Job, Layer, Limits, Outcome, Sandbox, Status
from rftgym.sandbox.local import LocalSandbox

__all__ = ["Job", "Launch", "Layer", "Limits", "LocalSandbox", "Outcome", "Sandbox", "Status"]
