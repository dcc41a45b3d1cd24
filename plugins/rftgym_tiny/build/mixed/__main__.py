"""`python -m rftgym_tiny.build.mixed --out DIR`: pretrains `tiny-mixed` on several environments' demonstrations."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch
from transformers import PreTrainedTokenizerFast

from rftgym import Sampling, evaluate
from rftgym_tiny.build.export import export
from rftgym_tiny.build.mixed.corpus import Encoder
from rftgym_tiny.build.mixed.lessons import Batch, Conversations, Recipe
from rftgym_tiny.build.mixed.recipe import (
    ENVIRONMENTS,
    FEED_FORWARD,
    HEADS,
    LAYERS,
    MERGES,
    PLAYERS,
    REPLY_TOKENS,
    SEEN,
    STAGES,
    WIDTH,
    WORDS,
)
from rftgym_tiny.build.mixed.vocabulary import Vocabulary, find_vocabulary
from rftgym_tiny.build.network import Network, Shape
from rftgym_tiny.build.train import Run, Stage

VOCABULARY: Final = Path(__file__).parent / "vocabulary.json"


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m rftgym_tiny.build.mixed", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the finished model")
    parser.add_argument("--work", type=Path, help="folder for checkpoints and the log (default: OUT/work)")
    parser.add_argument("--seed", type=int, default=0, help="of the weights and the demonstrations")
    parser.add_argument(
        "--vocabulary",
        type=Path,
        default=VOCABULARY,
        help="what is one token; a missing file is made from demonstrations (default: the bundled model's)",
    )
    parser.add_argument("--threads", type=int, default=1, help="processor threads")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="multiplies every stage's steps; for a quick look"
    )
    parser.add_argument(
        "--tasks", type=int, default=128, help="validation tasks of each environment at the end"
    )
    parser.add_argument("--no-compile", action="store_true", help="where there is no C++ compiler; slower")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Train, or go on from the last checkpoint, then write the model and say what it can do."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    chosen = options().parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    tokenizer = known_or_found(chosen.vocabulary, chosen.seed).tokenizer(Shape(0).context)
    run = prepared(
        tokenizer, STAGES, seed=chosen.seed, folder=chosen.work or chosen.out / "work", scale=chosen.scale
    )
    if run.resume():
        logging.info("going on at stage %d, step %d", run.stage, run.step)
    if not chosen.no_compile:
        run.compile()
    run.train()
    export(run.network, tokenizer, chosen.out, reply_tokens=REPLY_TOKENS)
    if chosen.tasks:
        for line in report(chosen.out, ENVIRONMENTS, chosen.tasks):
            logging.info("%s", line)


def known_or_found(path: Path, seed: int, *, seen: int = SEEN, merges: int = MERGES) -> Vocabulary:
    """A file's vocabulary; where there is none, it is found in demonstrations of every player and written there.

    Args:
        path: of the file.
        seed: of the demonstrations.
        seen: conversations of each player.
        merges: byte-pair merges, at most.
    """
    if not path.exists():
        chats = [list(player(seen, seed)) for player in PLAYERS]
        find_vocabulary(chats, merges=merges, words=WORDS).write(path)
    return Vocabulary.read(path)


def prepared(
    tokenizer: PreTrainedTokenizerFast,
    stages: Sequence[Stage[Recipe]],
    *,
    seed: int,
    folder: Path,
    scale: float = 1.0,
    shape: Shape | None = None,
) -> Run[Recipe, Batch]:
    """A run that has not begun; `scale` multiplies every stage's steps."""
    shape = shape or Shape(len(tokenizer), WIDTH, LAYERS, HEADS, FEED_FORWARD)
    network = Network(shape, torch.Generator().manual_seed(seed))
    scaled = [replace(stage, steps=max(1, round(stage.steps * scale))) for stage in stages]
    return Run(network, Conversations(Encoder(tokenizer, shape.context)), scaled, seed, folder)


def report(folder: Path, environments: Sequence[str], tasks: int) -> Iterable[str]:
    """What the model in a folder does on validation tasks of each environment, sampled and greedily."""
    for environment in environments:
        for temperature in (1.0, 0.0):
            sampling = Sampling(temperature=temperature, max_tokens=REPLY_TOKENS)
            found = evaluate(environment, str(folder), split="validation", n=tasks, sampling=sampling)
            share = found.success["mean"] or 0.0  # None where no episode could be scored, which raises
            yield f"{environment}, temperature {temperature:g}: {share:.1%} of {found.n} solved"


if __name__ == "__main__":
    main()
