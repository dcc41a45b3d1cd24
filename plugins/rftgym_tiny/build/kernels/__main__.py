"""`python -m rftgym_tiny.build.kernels --out DIR`: pretrains `tiny-kernels` on procedural functions."""

from __future__ import annotations

import argparse
import logging
from dataclasses import asdict, replace
from pathlib import Path

import torch

from rftgym_tiny.build.export import export
from rftgym_tiny.build.kernels.corpus import Encoder
from rftgym_tiny.build.kernels.lessons import Answers
from rftgym_tiny.build.kernels.phrases import phrases
from rftgym_tiny.build.kernels.recipe import FEED_FORWARD, HEADS, LAYERS, STAGES, WIDTH
from rftgym_tiny.build.kernels.writing import ANSWER_TOKENS, report, write_answers
from rftgym_tiny.build.network import Network, Shape
from rftgym_tiny.build.tokens import END, build_tokenizer
from rftgym_tiny.build.train import Run
from rftgym_triton_kernels.demonstrations import exercise


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m rftgym_tiny.build.kernels", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the finished model")
    parser.add_argument("--work", type=Path, help="folder for checkpoints and the log (default: OUT/work)")
    parser.add_argument("--seed", type=int, default=0, help="of the weights and the samples")
    parser.add_argument("--threads", type=int, default=1, help="processor threads")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="multiplies every stage's steps; for a quick look"
    )
    parser.add_argument("--answers", type=int, default=128, help="answers to fresh functions at the end")
    parser.add_argument("--no-compile", action="store_true", help="where there is no C++ compiler; slower")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Train, or go on from the last checkpoint, then write the model and say how it writes."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    chosen = options().parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    tokenizer = build_tokenizer(phrases(), Shape(0).context)
    shape = Shape(len(tokenizer), WIDTH, LAYERS, HEADS, FEED_FORWARD)
    network = Network(shape, torch.Generator().manual_seed(chosen.seed))
    stages = [replace(stage, steps=max(1, round(stage.steps * chosen.scale))) for stage in STAGES]
    run = Run(network, Answers(Encoder(tokenizer)), stages, chosen.seed, chosen.work or chosen.out / "work")
    if run.resume():
        logging.info("going on at stage %d, step %d", run.stage, run.step)
    if not chosen.no_compile:
        run.compile()
    run.train()
    export(network, tokenizer, chosen.out, reply_tokens=ANSWER_TOKENS)
    fresh = [exercise("train", f"{chosen.seed}:report", index) for index in range(chosen.answers)]
    for temperature in (1.0, 0.0):
        answers = write_answers(network, tokenizer, fresh, temperature=temperature, seed=chosen.seed)
        logging.info("temperature %s: %s", temperature, asdict(report(fresh, answers, END)))


if __name__ == "__main__":
    main()
