"""The stages that the weights of `tiny-kernels` went through."""

from __future__ import annotations

from typing import Final

from rftgym_tiny.build.kernels.lessons import Recipe
from rftgym_tiny.build.train import Stage

WIDTH: Final = 256
LAYERS: Final = 4
HEADS: Final = 4
FEED_FORWARD: Final = 512
STAGES: Final = (
    Stage("ability", Recipe(slips=0.25), steps=1700, rate=2e-3, rate_end=0.0, warm_up=50, decay=0.4),
    Stage("habits", Recipe(slips=1.0), steps=120, rate=5e-4, rate_end=0.0, warm_up=10, decay=1.0),
)
