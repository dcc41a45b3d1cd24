"""A whole GRPO step, ours against ``trl.GRPOTrainer``'s own generation path.

    python benchmarks/grpo_step.py --model smollm2-135m --rounds 3

Both sides have the same model, adapter, prompts, rewards and settings. They sample ``--prompts`` x ``--group``
completions of exactly ``--tokens`` tokens (end-of-sequence is suppressed on both), score them with the same function,
and take one optimizer step with the same TRL loss. Rounds alternate between the two in one process; a step's seconds
run from the start of its generation to the end of its optimizer step. Prints medians and their ratio.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

import rftgym
from rftgym.config import ModelSettings, RunConfig
from rftgym.registry import installed, make_policy
from rftgym.runs.directory import RunDirectory
from rftgym.tasks import ListTaskset
from rftgym.trainer import TrainContext

SUBJECTS = ("rivers", "bread", "winter", "chess", "islands", "trains", "music", "glass")


def question(index: int, words: int) -> str:
    """A prompt of about ``words`` words, different for each index."""
    rng = Random(f"grpo-step:{index}")
    listed = ", ".join(rng.choice(SUBJECTS) for _ in range(max(1, words - 12)))
    return f"Write one plain sentence for a child about these things: {listed}. Number {index}."


def vowels(text: str) -> float:
    """The reward: share of vowels among the characters. Cheap, and different for every completion."""
    return sum(character in "aeiou" for character in text) / max(1, len(text))


class Questions(rftgym.SingleTurnEnv):
    """The benchmark's prompts as an environment."""

    words = 40

    def make_tasks(self) -> ListTaskset:
        return ListTaskset(rftgym.Task(str(i), {"question": question(i, self.words)}) for i in range(64))

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric(
            [rftgym.Component("vowels", lambda completion: vowels(completion))], success="vowels"
        )

    def prompt(self, task: rftgym.Task) -> str:
        return str(task.data["question"])


def ours(arguments: argparse.Namespace, steps: int, directory: Path) -> list[float]:
    """Seconds of each step."""
    from rftgym_grpo.trainer import GRPO, GRPOSettings

    Questions.words = arguments.words
    policy = make_policy(ModelSettings(id=arguments.model), trainable=True, seed=0)
    suppress_end(policy.model, policy.tokenizer)  # type: ignore[attr-defined]
    config = RunConfig.model_validate(
        {
            "env": "questions",
            "model": arguments.model,
            "evaluation": {"every": 0},
            "checkpoints": {"every": 0},
        }
    )
    run = RunDirectory.create(
        directory, name="benchmark", config=config.model_dump(mode="json"), plugins=installed()
    )
    settings = GRPOSettings(
        steps=steps,
        prompts=arguments.prompts,
        group_size=arguments.group,
        micro_batch=arguments.micro_batch,
    )
    seconds: list[float] = []
    context = TrainContext(
        config=config,
        settings=settings,
        env=Questions(),
        policy=policy,
        sampling=rftgym.Sampling(max_tokens=arguments.tokens),
        run=run,
        plugins=installed(),
        resume_from=None,
        evaluate_now=lambda step: None,
        listeners=[lambda step, steps, metrics: seconds.append(metrics["seconds/step"])],
    )
    GRPO().train(context)
    return seconds


def theirs(arguments: argparse.Namespace, steps: int, directory: Path) -> list[float]:
    """Seconds of each step of a plain TRL script."""
    from datasets import Dataset
    from transformers import PrinterCallback, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    policy: Any = make_policy(ModelSettings(id=arguments.model), trainable=True, seed=0)
    suppress_end(policy.model, policy.tokenizer)
    seconds: list[float] = []

    class Clock(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.started = time.perf_counter()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            seconds.append(time.perf_counter() - self.started)

    def reward(completions: list[Any], **_: Any) -> list[float]:
        return [vowels(completion[0]["content"]) for completion in completions]

    rows = arguments.prompts * arguments.group
    prompts = [
        [{"role": "user", "content": question(i, arguments.words)}] for i in range(steps * arguments.prompts)
    ]
    args = GRPOConfig(
        output_dir=str(directory / "trl"), max_steps=steps, per_device_train_batch_size=arguments.micro_batch,
        gradient_accumulation_steps=rows // arguments.micro_batch, num_generations=arguments.group,
        max_completion_length=arguments.tokens, learning_rate=5e-5, loss_type="dr_grpo", scale_rewards="none", beta=0.0,
        temperature=1.0, use_cpu=policy.model.device.type == "cpu", bf16=False, gradient_checkpointing=False,
        save_strategy="no", report_to=[], disable_tqdm=True, logging_steps=1,
    )  # fmt: skip
    trainer = GRPOTrainer(
        model=policy.model, reward_funcs=[reward], args=args, train_dataset=Dataset.from_dict({"prompt": prompts}),
        processing_class=policy.tokenizer, callbacks=[Clock()],
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return seconds


def suppress_end(model: Any, tokenizer: Any) -> None:
    """Let a control token that no conversation has be the end of sequence, on both sides alike: nothing ends early."""
    never = max(tokenizer.added_tokens_decoder)
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(never)
    model.generation_config.eos_token_id = never


def main() -> None:
    """Run the rounds and print the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--prompts", type=int, default=4)
    parser.add_argument("--group", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--words", type=int, default=40, help="length of a prompt, in words")
    parser.add_argument("--micro-batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--steps", type=int, default=2, help="steps a round; the first of each is a warm-up and not counted"
    )
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    measured: dict[str, list[float]] = {"ours": [], "trl": []}
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(arguments.rounds):
            measured["ours"] += ours(arguments, arguments.steps, Path(directory))[1:]
            measured["trl"] += theirs(arguments, arguments.steps, Path(directory))[1:]
    medians = {name: statistics.median(values) for name, values in measured.items()}
    result = {"seconds": measured, "median_seconds": medians, "ratio": medians["trl"] / medians["ours"]}
    if arguments.json:
        print(json.dumps(result))
    else:
        print(f"ours {medians['ours']:.1f} s, trl {medians['trl']:.1f} s a step; ratio {result['ratio']:.2f}")


if __name__ == "__main__":
    main()
