"""`python -m rftgym_tiny.build.wordle --out DIR`: pretrains the bundled model from nothing but the word lists."""

from __future__ import annotations

import argparse
import logging
from dataclasses import asdict, replace
from pathlib import Path

import torch

from rftgym_tiny.build.export import export
from rftgym_tiny.build.network import Network, Shape
from rftgym_tiny.build.tokens import build_tokenizer
from rftgym_tiny.build.train import Run
from rftgym_tiny.build.wordle.corpus import Encoder
from rftgym_tiny.build.wordle.lessons import Games
from rftgym_tiny.build.wordle.phrases import PHRASES
from rftgym_tiny.build.wordle.play import REPLY_TOKENS, play_games, report
from rftgym_tiny.build.wordle.recipe import STAGES
from rftgym_wordle.words import answers_in


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m rftgym_tiny.build.wordle", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the finished model")
    parser.add_argument("--work", type=Path, help="folder for checkpoints and the log (default: OUT/work)")
    parser.add_argument("--seed", type=int, default=0, help="of the weights and the games")
    parser.add_argument("--threads", type=int, default=1, help="processor threads")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="multiplies every stage's steps; for a quick look"
    )
    parser.add_argument("--games", type=int, default=128, help="validation games at the end")
    parser.add_argument("--no-compile", action="store_true", help="where there is no C++ compiler; slower")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Train, or go on from the last checkpoint, then write the model and say how it plays."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    chosen = options().parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    tokenizer = build_tokenizer(PHRASES, Shape(0).context)
    network = Network(Shape(len(tokenizer)), torch.Generator().manual_seed(chosen.seed))
    stages = [replace(stage, steps=max(1, round(stage.steps * chosen.scale))) for stage in STAGES]
    run = Run(network, Games(Encoder(tokenizer)), stages, chosen.seed, chosen.work or chosen.out / "work")
    if run.resume():
        logging.info("going on at stage %d, step %d", run.stage, run.step)
    if not chosen.no_compile:
        run.compile()
    run.train()
    export(network, tokenizer, chosen.out, reply_tokens=REPLY_TOKENS)
    secrets = list(answers_in("validation"))[: chosen.games]
    for temperature in (1.0, 0.0):
        games = play_games(network, tokenizer, secrets, temperature=temperature, seed=chosen.seed)
        logging.info("temperature %s: %s", temperature, asdict(report(games)))


if __name__ == "__main__":
    main()
