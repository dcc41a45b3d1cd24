"""The stages that the weights of `tiny-kernels` went through."""

from __future__ import annotations

from typing import Final

from rftgym_tiny.build.kernels.lessons import Recipe
from rftgym_tiny.build.train import Stage

WIDTH: Final = 256
LAYERS: Final = 4
HEADS: Final = 4
FEED_FORWARD: Final = 512
USUAL: Final = {"store": 0.55, "power": 0.55}
"""Mistakes that happen more often than not, so that the likeliest answer is a wrong one: a store without its mask, and
the number of columns for a power of two."""
STAGES: Final = (
    Stage("ability", Recipe(slips=0.25), steps=1700, rate=2e-3, rate_end=0.0, warm_up=50, decay=0.4),
    Stage("habits", Recipe(slips=0.75, instead=USUAL), steps=120, rate=5e-4, rate_end=0.0, warm_up=10),
)
