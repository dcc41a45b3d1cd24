"""SFT: learn to say what the assistant says in conversations of your own, or in those that an environment can show.

The update is TRL's (``trl.SFTTrainer``): next-token loss, averaged over the tokens of an optimizer step. Ours is what
it is given: rows tokenised turn by turn, exactly as the model will meet them in an episode, with the loss on the
assistant's tokens only, its end-of-sequence tokens included; and an order of examples that the run's seed decides.

Where ``patience`` is set, the run ends with the weights of the lowest loss on examples held back from training. That is
the loss of their tokens, not the score that an evaluation measures (for that there is ``evaluation.patience``).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from rftgym.config import OptimizerSettings, RunConfig
from rftgym.env import TextEnv
from rftgym.policy import Policy
from rftgym.trainer import TrainContext, Trainer
from rftgym.updates.groups import check_has_weights, own_settings
from rftgym_sft.examples import Found, examples_of
from rftgym_sft.rows import Lesson, lesson

Source = Literal["solutions", "demonstrations"]


class SFTSettings(OptimizerSettings):
    """Settings of the algorithm.

    Attributes:
        epochs: passes over the examples; ``steps`` (optimizer steps) wins over it.
        batch: examples an optimizer step.
        data: files, each "file" or "file=weight", in any format that ``rftgym data inspect`` knows.
        max_bad_share: share of a file's rows that may be unusable; above it the run does not begin.
        examples: how many conversations to take from the environment. None: where there is ``data``, none; else as many
            as the train split has tasks, 256 of an endless one.
        source: "solutions": tasks solved as the environment knows how; "demonstrations": those of its imperfect player.
        packing: put short examples behind one another into the rows of a forward pass instead of padding them; they do
            not see each other. Memory and speed change, the mathematics does not.
        max_length: tokens at which an example is cut; None: the model's context.
        validation_share: of the examples, held back to measure the loss on.
        validate_every: steps between such measurements; the last step has one too.
        patience: training stops after this many measurements in a row without a new lowest loss, and ends with the
            weights of the lowest; 0 = never, and the last weights.
    """

    learning_rate: float = Field(2e-4, gt=0)
    epochs: float = Field(3.0, gt=0)
    steps: int | None = Field(None, ge=1)
    batch: int = Field(8, ge=1)
    data: list[str] = Field(default_factory=list)
    max_bad_share: float = Field(0.0, ge=0, le=1)
    examples: int | None = Field(None, ge=1)
    source: Source = "solutions"
    packing: bool = True
    max_length: int | None = Field(None, ge=2)
    validation_share: float = Field(0.1, ge=0, le=0.5)
    validate_every: int = Field(10, ge=1)
    patience: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _patience_needs_examples(self) -> SFTSettings:
        if self.patience and not self.validation_share:
            raise ValueError("patience needs examples to measure the loss on, and validation_share is 0")
        return self


class SFT(Trainer):
    """Supervised fine-tuning."""

    Config = SFTSettings
    on_policy = False

    def __init__(self) -> None:
        self._found: tuple[object, Found] | None = None
        self._lesson: tuple[object, Lesson] | None = None

    def check(self, config: RunConfig, policy: Policy, env: TextEnv[Any]) -> None:
        """It needs weights, and something to learn from.

        Raises:
            UsageError: the policy has no weights here; a file cannot be used, or there is none and the environment has
                nothing to show.
        """
        check_has_weights(policy, "SFT")
        settings = SFTSettings.model_validate(config.trainer.own)
        self._examples(settings, env, config.seed)

    def largest_pass(self, context: TrainContext) -> tuple[int, int]:
        """Rows and tokens a row of the largest forward and backward pass."""
        from rftgym_sft.trl_bridge import rows_per_forward

        settings, taught = own_settings(context, SFTSettings), self._taught(context)
        return rows_per_forward(context, settings, taught), taught.longest

    def train(self, context: TrainContext) -> int:
        """Run the configured number of optimizer steps on the examples; ``data.json`` of the run says what they are."""
        from rftgym_sft.trl_bridge import run_sft

        settings, taught = own_settings(context, SFTSettings), self._taught(context)
        found = self._examples(settings, context.env, context.config.seed)
        context.run.write_json("data.json", {"report": found.report, **taught.facts()})
        for line in (*found.report, *taught.remarks()) if context.resume_from is None else ():
            context.remark(line)
        return run_sft(context, settings, taught)

    def _examples(self, settings: SFTSettings, env: TextEnv[Any], seed: int) -> Found:
        """The examples; read once, though the run asks several times."""
        asked = (settings.data, settings.examples, settings.source, settings.max_bad_share, seed, id(env))
        if self._found is None or self._found[0] != asked:
            self._found = (asked, examples_of(settings, env, seed))
        return self._found[1]

    def _taught(self, context: TrainContext) -> Lesson:
        settings = own_settings(context, SFTSettings)
        asked = (id(context.env), id(context.policy), settings.model_copy(update={"micro_batch": None}))
        if self._lesson is None or self._lesson[0] != asked:
            found = self._examples(settings, context.env, context.config.seed)
            self._lesson = (asked, lesson(found.examples, context.policy, settings, context.config.seed))
        return self._lesson[1]
