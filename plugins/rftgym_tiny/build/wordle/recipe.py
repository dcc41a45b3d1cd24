"""The stages that the bundled weights went through."""

from __future__ import annotations

from typing import Final

from rftgym_tiny.build.train import Stage
from rftgym_tiny.build.wordle.corpus import Recipe
from rftgym_wordle.demonstrations import Habits

ABILITY: Final = Recipe(target=Habits(consistent=0.97, favourite=0.0, whim=0.03))
HABITS: Final = Recipe(
    target=Habits(consistent=0.08, favourite=0.86, whim=0.06),
    careful_low=0.0,
    careful_high=0.4,
    favourite_share=0.8,
)
STAGES: Final = (
    Stage("ability", ABILITY, steps=2000, rate=2e-3, rate_end=0.0, warm_up=100, decay=0.3),
    Stage("habits", HABITS, steps=100, rate=7e-4, rate_end=0.0, warm_up=10, decay=1.0),
)
