"""What trainers that run on TRL share: a run directory's metrics and checkpoints, stops and resumes.

TRL drives the optimizer; a trainer of ours is a subclass of one of TRL's with :class:`RecordedTrainer` before it, or
:class:`rftgym.updates.online.OnlineTrainer` where it learns from episodes. These two and the subclasses are all that
touches TRL's and transformers' private surface; ``tests/test_trl_contract.py`` states what they rely on.

A resumed run ends bit-identical (on a CPU) since a checkpoint is written only between two batches of rollouts, when
TRL's buffer of episodes is used up; since tasks and episode seeds are functions of the run's seed and the position; and
since transformers saves the state of the process-wide generators, from which TRL shuffles a batch.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rftgym.config import OptimizerSettings
from rftgym.errors import RunFailed
from rftgym.trainer import StopRequested, TrainContext
from rftgym.updates.schedules import FLOOR

# We know that rollout_func may change: the version is pinned, and a contract test watches.
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
import transformers
from transformers.trainer_callback import PrinterCallback, ProgressCallback

RENAMED = {
    "loss": "loss",
    "grad_norm": "gradient_norm",
    "learning_rate": "learning_rate",
    "kl": "kl",
    "entropy": "entropy",
    "clip_ratio/region_mean": "clip_share",
    "cispo_clip_ratio": "clip_share",
    "mean_token_accuracy": "token_accuracy",
}
"""What TRL and transformers log, and what we call it."""
SCHEDULES = {
    "constant": "constant_with_warmup",
    "linear": "linear",
    "cosine": "cosine",
    "cosine-floor": "cosine_with_min_lr",
    "inverse-sqrt": "inverse_sqrt",
}
"""transformers' names of our schedules; ``rftgym.updates.schedules.learning_rate_factor`` gives the same numbers."""


class RecordedTrainer(transformers.Trainer):  # type: ignore[misc]  # transformers is untyped
    """Mixin, before a trainer of TRL: it writes into a run directory, metrics by step, checkpoints whole or not at all.

    Args:
        context: of the run; its policy's model is trained.
        steps: optimizer steps of the whole run.
        cycle: steps between those at which the trainer can be resumed.
        arguments: of TRL's trainer.

    Attributes:
        stopped: the wish to stop that ended the training, or None.
    """

    def __init__(self, context: TrainContext, *, steps: int, cycle: int = 1, **arguments: Any) -> None:
        policy: Any = context.policy
        self.context, self.steps, self.cycle = context, steps, cycle
        self.stopped: StopRequested | None = None
        self._checkpoint_directory: Path | None = None
        self._step_started = time.perf_counter()
        self._synced: int | None = None
        args: Any = arguments["args"]
        # transformers would spread a batch over all GPUs that it sees, and make it so many times larger.
        args._n_gpu = min(args.n_gpu, 1)
        super().__init__(model=policy.model, processing_class=policy.tokenizer, **arguments)
        for callback in (PrinterCallback, ProgressCallback):
            self.remove_callback(callback)

    def run(self) -> int:
        """Train from the start or from ``context.resume_from``; the policy then speaks with the new weights.

        Returns:
            The steps that it has behind it.
        Raises:
            StopRequested: it was asked for; a checkpoint was written.
            RunFailed: another number of steps was taken than there should be.
        """
        resume_from = self.context.resume_from
        over = resume_from is not None and self.is_over(self.context.step)
        if resume_from is None:
            self.train()
        elif over:
            self._load_from_checkpoint(str(_inner(resume_from)))
            self.state.global_step = self.context.step
        else:
            self.train(resume_from_checkpoint=str(_inner(resume_from)))
        done = int(self.state.global_step)
        self.sync(done)
        if self.stopped is not None:
            raise self.stopped
        if done != self.context.step or not (over or self.is_over(done)):
            raise RunFailed(
                f"{done} optimizer steps were taken instead of {self.steps}; the checkpoint may be damaged"
            )
        return done

    def is_over(self, step: int) -> bool:
        """Whether training ends at this step."""
        return self.context.is_over(step, self.steps)

    def sync(self, step: int) -> None:
        """Let the policy speak with the weights as they are after ``step`` steps."""
        if step != self._synced:
            policy: Any = self.context.policy
            policy.refresh()
            policy.version = self._synced = step

    def step_metrics(self) -> dict[str, float]:
        """What a subclass adds to a step's metrics."""
        return {}

    def wants_to_stop(self, step: int, metrics: Mapping[str, float]) -> bool:
        """Whether the algorithm itself has reached its end at this step; it must say the same after a resume."""
        return False

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """One metrics line for every optimizer step; the summary that transformers logs at the end is left out."""
        if "loss" not in logs:
            return
        gathered = {name: _mean(values) for name, values in self._metrics["train"].items()}
        self._metrics["train"].clear()
        now = time.perf_counter()
        metrics = {
            **_renamed({**logs, **gathered}),
            **self.step_metrics(),
            "seconds/step": now - self._step_started,
        }
        metrics["seconds/update"] = max(0.0, metrics["seconds/step"] - metrics.get("seconds/rollout", 0.0))
        self._close_step(int(self.state.global_step), metrics)
        self._step_started = time.perf_counter()  # evaluations are not part of the next step

    def _close_step(self, step: int, metrics: Mapping[str, float]) -> None:
        whole = step % self.cycle == 0 or step >= self.steps
        ends = self.wants_to_stop(step, metrics)
        try:
            self.context.step_done(step, self.steps, metrics)
        except StopRequested as stop:
            # Inside a cycle it has to wait: the episodes at hand are in no checkpoint. It is raised again.
            self.stopped = stop if whole else None
        ends = ends or self.stopped is not None
        self.control.should_training_stop = self.control.should_training_stop or ends
        self.control.should_save = whole and (
            ends or self.context.checkpoint_due(step, self.steps, cycle=self.cycle)
        )

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        with self.context.checkpoint(int(self.state.global_step)) as directory:
            self._checkpoint_directory = directory
            super()._save_checkpoint(model, trial)
            self.save_more(directory)
        self._checkpoint_directory = None

    def save_more(self, directory: Path) -> None:
        """Write what a subclass needs besides into a checkpoint."""

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._checkpoint_directory or self.args.output_dir)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """The run directory says it all; TRL's card would be written beside the checkpoint, not into it."""


def shared_arguments(context: TrainContext, settings: OptimizerSettings, *, steps: int) -> dict[str, Any]:
    """Arguments of transformers that every trainer on TRL is given."""
    policy: Any = context.policy
    return {
        "output_dir": str(context.run.path / "checkpoints"),
        "max_steps": steps,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": SCHEDULES[settings.schedule],
        "lr_scheduler_kwargs": {"min_lr_rate": FLOOR} if settings.schedule == "cosine-floor" else {},
        "warmup_steps": settings.warmup,
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.max_grad_norm,
        "gradient_checkpointing": context.config.model.gradient_checkpointing,
        "use_cpu": policy.model.device.type == "cpu",
        "bf16": False,
        "seed": context.config.seed,
        "dataloader_num_workers": 0,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "remove_unused_columns": False,
    }


def _inner(checkpoint: Path) -> Path:
    """transformers' own directory in a checkpoint."""
    return next(checkpoint.glob("checkpoint-*"))


def _renamed(logs: Mapping[str, Any]) -> dict[str, float]:
    known = {RENAMED[name]: value for name, value in logs.items() if name in RENAMED}
    return {name: float(value) for name, value in known.items() if value is not None}


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else None
