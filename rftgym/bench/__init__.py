"""How fast an environment is, where its time goes, and how it scales: ``rftgym bench``, and :func:`measure` in Python.

What is measured is what a run does with an environment, in batches and without the model: make a task, begin, read
the answer, respond, score. Completions are solutions of the environment's own, mixed with broken ones and with garbage.
Rates are of CPU time, of this process and of those that it starts, and medians over rounds: a busy machine disturbs
them least.
"""

from __future__ import annotations

from rftgym.bench.measuring import available_cores, measure
from rftgym.bench.report import Rate, Report, Scale, Stage

__all__ = ["Rate", "Report", "Scale", "Stage", "available_cores", "measure"]
