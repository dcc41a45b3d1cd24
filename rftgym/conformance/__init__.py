"""Conformance: does an environment, or a reward, keep the contract? Behind ``rftgym check`` and ``check_env``."""

from rftgym.conformance.examination import examine
from rftgym.conformance.findings import Finding, Report

__all__ = ["Finding", "Report", "examine"]
