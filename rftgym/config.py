"""The resolved configuration of a run: what a YAML file, command-line options and Python callers all end up as.

Unknown keys are errors everywhere. Resolution happens once, before anything is written.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from rftgym.errors import UsageError
from rftgym.files import absolute
from rftgym.mixing import absolute_mix, with_sandboxes
from rftgym.types import Sampling

Positive = Field(gt=0)


class Settings(BaseModel):
    """Base of every group of settings: unknown keys are errors, and so are numbers that are not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LoraSettings(Settings):
    """Low-rank adaptation, arXiv:2106.09685."""

    rank: int = Field(16, ge=1)
    alpha: float = Field(32.0, gt=0)
    dropout: float = Field(0.0, ge=0, lt=1)
    targets: str | list[str] = "all-linear"


class ModelSettings(Settings):
    """What the policy is made from, and which of its weights are trained.

    Attributes:
        id: a registered policy, a local directory, a hub id, or ``scheme:...``.
        adapter: "lora" trains an adapter, "full" all weights, "qlora" an adapter on 4-bit weights (needs a GPU and
            bitsandbytes).
        weights: an adapter directory to start from (say a former run's ``adapter``).
        dtype: "auto" is float32 on a CPU and bfloat16 on a GPU that has it.
        device: "auto" is a GPU where there is one.
        attention: transformers' attention implementation; "auto" leaves it to transformers.
    """

    id: str = "tiny"
    revision: str | None = None
    adapter: Literal["lora", "full", "qlora"] = "lora"
    lora: LoraSettings = LoraSettings()
    weights: str | None = None
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: str = "auto"
    attention: Literal["auto", "eager", "sdpa", "flash_attention_2", "flex_attention"] = "auto"
    gradient_checkpointing: bool = False

    @field_validator("id")
    @classmethod
    def _whole_path(cls, value: str) -> str:
        return absolute(value)


class EnvSettings(Settings):
    """Which environment, and what it is made with.

    Attributes:
        kwargs: go to its constructor.
        tasks: a file with tasks of the user's own.
        parser: an installed parser, or one from a file, that reads answers instead of the environment's own.
        train_tasks: train on this many tasks of the train split only; which ones, ``train_seed`` says. Other splits
            stay whole.
        shots: solved train tasks that are shown before each task (few-shot prompting).
    """

    id: str
    kwargs: dict[str, Any] = {}
    tasks: str | None = None
    parser: str | None = None
    max_turns: int | None = Field(None, ge=1)
    train_tasks: int | None = Field(None, ge=1)
    train_seed: int = Field(0, ge=0, lt=2**31)
    shots: int = Field(0, ge=0)

    @field_validator("id")
    @classmethod
    def _whole_path(cls, value: str) -> str:
        """A file's whole path, so that the run can be resumed from any folder."""
        return absolute_mix(value)

    @field_validator("kwargs")
    @classmethod
    def _whole_paths_of_sandboxes(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        return with_sandboxes(str(info.data.get("id", "")), value, absolute)

    @field_validator("tasks")
    @classmethod
    def _whole_path_of_tasks(cls, value: str | None) -> str | None:
        """A file's or a folder's; what else it may be, say a hub id, stays as it is."""
        there = value is not None and os.path.exists(value)  # noqa: PTH110  # never raises: no file has a NUL in its name
        return os.path.abspath(value) if value is not None and there else value  # noqa: PTH100  # links stay links

    @field_validator("parser")
    @classmethod
    def _whole_path_of_parser(cls, value: str | None) -> str | None:
        return None if value is None else absolute(value)


class RewardSettings(Settings):
    """Changes to the environment's rubric.

    Attributes:
        add: installed rewards to add, with their weights.
        weights: new weights of components, by name.
        clip: range to which the composed reward is cut.
        max_error_share: above this share of unscorable trajectories in a batch the run is aborted.
    """

    add: dict[str, float] = {}
    weights: dict[str, float] = {}
    clip: tuple[float, float] | None = None
    max_error_share: float = Field(0.1, ge=0, le=1)

    @field_validator("add")
    @classmethod
    def _whole_paths(cls, value: dict[str, float]) -> dict[str, float]:
        return {absolute(id): weight for id, weight in value.items()}


class SamplingSettings(Settings):
    """See :class:`rftgym.Sampling`."""

    temperature: float = Field(1.0, ge=0)
    top_p: float = Field(1.0, gt=0, le=1)
    top_k: int = Field(0, ge=0)
    min_p: float = Field(0.0, ge=0, lt=1)
    max_tokens: int = Field(256, ge=1)
    stop: list[str] = []

    def to_sampling(self) -> Sampling:
        """As the record that policies take."""
        return Sampling(
            self.temperature, self.top_p, self.top_k, self.min_p, self.max_tokens, tuple(self.stop)
        )


class EvaluationSettings(Settings):
    """Evaluation before and after training, and on the way.

    Attributes:
        split: of the before/after table.
        n: tasks of the before/after table.
        samples: episodes a task (more than one gives pass@k).
        every: steps between evaluations on the validation split; 0 = none.
        every_n: tasks of those.
        measure: what an evaluation on the way is judged by; equal ones go by the other.
        patience: training stops early after this many of them in a row without a new best one; 0 = never.
        seed: of the choice of tasks and of the episodes; the same before and after.
    """

    split: Literal["train", "validation", "test"] = "test"
    n: int = Field(256, ge=1)
    samples: int = Field(1, ge=1)
    every: int = Field(10, ge=0)
    every_n: int = Field(64, ge=1)
    measure: Literal["success", "reward"] = "success"
    patience: int = Field(0, ge=0)
    seed: int = 0

    @model_validator(mode="after")
    def _patience_needs_evaluations(self) -> EvaluationSettings:
        if self.patience and not self.every:
            raise ValueError("patience counts evaluations on the way, and evaluation.every is 0")
        return self


class CheckpointSettings(Settings):
    """What is kept of a run's weights.

    Attributes:
        every: steps between checkpoints, rounded up to a step at which the trainer can be resumed; 0 = only at the end.
        keep: checkpoints that stay, the newest ones; the weights of the best evaluation on the way stay besides.
        take: which weights the run ends with: those after the last step or those of the best evaluation on the way,
            the end included. None: "best" where ``evaluation.patience`` is set, else "last".
    """

    every: int = Field(10, ge=0)
    keep: int = Field(2, ge=1)
    take: Literal["last", "best"] | None = None


class GuardSettings(Settings):
    """Checks before the first step, so that what would fail in hour three fails now; and a monitor in training.

    Attributes:
        preflight: play ``preflight_tasks`` groups with the starting policy, and where too few of them carry a signal,
            warn or stop.
        dry_step: make one forward and backward pass of the largest size that training can meet.
        retreat: where that does not fit into memory, halve ``trainer.micro_batch`` until it does, instead of ending.
        probe_every: batches between those beside which the watched probes (``rftgym list probe``) are played: what does
            not solve the task should not be paid like the policy. 0 = never.
        probe_tasks: tasks of such a batch that they are played on.
    """

    preflight: Literal["off", "warn", "stop"] = "warn"
    preflight_tasks: int = Field(16, ge=1)
    dry_step: bool = True
    retreat: bool = False
    probe_every: int = Field(10, ge=0)
    probe_tasks: int = Field(2, ge=1)

    @field_validator("preflight", mode="before")
    @classmethod
    def _off_in_yaml(cls, value: object) -> object:
        """YAML 1.1 reads the bare word ``off`` as false."""
        return "off" if value is False else value


class WarmStartSettings(Settings):
    """Supervised fine-tuning before the run proper, as a run of its own inside this one.

    Attributes:
        examples: solved tasks to learn from; 0 = no warm start.
        id: of the trainer that does it; ``settings`` are its own.
    """

    examples: int = Field(0, ge=0)
    id: str = "sft"
    settings: dict[str, Any] = {}


class CurriculumSettings(Settings):
    """In which order tasks are trained on.

    Attributes:
        kind: "off" is the split's own seeded order; "staged" takes easy tasks first; "adaptive" those near the edge of
            what the policy can do, by measured pass rates.
        start: staged: share of the tasks, the easiest, that the run begins with.
        until: staged: share of the run after which all tasks are in.
        choice: tasks that are looked at for each one that is taken.
        memory: adaptive: episodes after which half of what pass rates stand on is forgotten.
    """

    kind: Literal["off", "staged", "adaptive"] = "off"
    start: float = Field(0.25, gt=0, le=1)
    until: float = Field(0.6, gt=0, le=1)
    choice: int = Field(8, ge=2, le=256)
    memory: int = Field(512, ge=1)

    @field_validator("kind", mode="before")
    @classmethod
    def _off_in_yaml(cls, value: object) -> object:
        """YAML 1.1 reads the bare word ``off`` as false."""
        return "off" if value is False else value


Schedule = Literal["constant", "linear", "cosine", "cosine-floor", "inverse-sqrt"]


class OptimizerSettings(Settings):
    """What the trainers' settings have in common: AdamW and its learning rate.

    Attributes:
        learning_rate: peak; reached after ``warmup`` steps, then held or decayed as ``schedule`` says: linearly or as a
            cosine to 0 at the last step, as a cosine to a tenth ("cosine-floor"), or with the root of the step.
        max_grad_norm: a longer gradient is scaled down to it.
        micro_batch: most rows per forward and backward pass; None: as many as the trainer finds fitting. It changes
            memory and speed, not the mathematics.
    """

    learning_rate: float = Field(5e-5, gt=0)
    warmup: int = Field(3, ge=0)
    schedule: Schedule = "constant"
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)
    micro_batch: int | None = Field(None, ge=1)


class TrainerSettings(Settings):
    """Which algorithm; every other key belongs to that trainer's own settings and is checked by them."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: str = "grpo"

    @field_validator("id")
    @classmethod
    def _whole_path(cls, value: str) -> str:
        return absolute(value)

    @property
    def own(self) -> dict[str, Any]:
        """The keys that belong to the trainer."""
        return dict(self.model_extra or {})


class RunConfig(Settings):
    """Everything that determines a run."""

    env: EnvSettings
    model: ModelSettings = ModelSettings()
    rewards: RewardSettings = RewardSettings()
    sampling: SamplingSettings = SamplingSettings()
    trainer: TrainerSettings = TrainerSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    checkpoints: CheckpointSettings = CheckpointSettings()
    guard: GuardSettings = GuardSettings()
    warm_start: WarmStartSettings = WarmStartSettings()
    curriculum: CurriculumSettings = CurriculumSettings()
    seed: int = Field(0, ge=0, lt=2**31)
    runs: str = "runs"

    @property
    def takes_best(self) -> bool:
        """The run ends with the weights of the best evaluation on the way, not with the last ones."""
        return (self.checkpoints.take or ("best" if self.evaluation.patience else "last")) == "best"

    @model_validator(mode="after")
    def _best_needs_evaluations(self) -> RunConfig:
        if self.takes_best and not self.evaluation.every:
            raise ValueError(
                "checkpoints.take=best goes by evaluations on the way, and evaluation.every is 0"
            )
        return self

    @field_validator("env", "model", "trainer", mode="before")
    @classmethod
    def _id_alone(cls, value: object) -> object:
        """``env: wordle`` is short for ``env: {id: wordle}``."""
        return {"id": value} if isinstance(value, str) else value


def read_yaml(path: str | Path) -> dict[str, Any]:
    """A YAML mapping from a file.

    Raises:
        UsageError: no such file, or no mapping in it.
    """
    import yaml

    try:
        value = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(value, dict):
        raise UsageError(f"{path}: expected settings by name, got {type(value).__name__}")
    return value


def merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Deep merge of nested mappings; later layers win. ``{"env": "x"}`` merges as ``{"env": {"id": "x"}}``."""
    result: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            old = result.get(key)
            if isinstance(value, str) and (isinstance(old, dict) or key in ("env", "model", "trainer")):
                value = {"id": value}
            if isinstance(value, Mapping):
                value = merged(old, value) if isinstance(old, dict) else merged(value)
            result[key] = value
    return result


def dotted(settings: Mapping[str, Any]) -> dict[str, Any]:
    """``{"trainer.steps": 3}`` as ``{"trainer": {"steps": 3}}``."""
    layers: list[dict[str, Any]] = []
    for name, value in settings.items():
        for part in reversed(name.split(".")):
            value = {part: value}
        layers.append(value)
    return merged(*layers)


def parsed(model: type[Settings], values: Mapping[str, Any], *, where: str = "configuration") -> Any:
    """Validate values against a settings model.

    Raises:
        UsageError: names each key that is unknown or wrong, says what is allowed, one line.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise UsageError(
            f"{where}: {'; '.join(_line(model, item) for item in error.errors()[:3])}"
        ) from error


def _line(model: type[BaseModel], item: Any) -> str:
    import difflib

    name = ".".join(str(part) for part in item["loc"])
    if item["type"] != "extra_forbidden":
        given = "" if isinstance(item["input"], Mapping) else f" (got {item['input']!r:.80})"
        return f"{name}: {item['msg']}".removeprefix(": ").replace("Value error, ", "", 1) + given
    known = list(_fields_at(model, item["loc"][:-1]))
    close = difflib.get_close_matches(str(item["loc"][-1]), known, n=1)
    return f"unknown option {name!r}; " + (
        f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"
    )


def _fields_at(model: type[BaseModel], path: tuple[Any, ...]) -> Mapping[str, Any]:
    for part in path:
        field = model.model_fields.get(str(part))
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return {}
        model = inner
    return model.model_fields
