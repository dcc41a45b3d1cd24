"""What NLTK would download, in its own formats, from words that are here: for TextArena's games of words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

WORDS = Path(__file__).resolve().parents[1] / "envs" / "rftgym_wordle" / "data"


def write_nltk_data(folder: Path, basic: Iterable[str] | None = None) -> Path:
    """The corpus "words", and a tagger that takes every word for a noun.

    Args:
        basic: the basic words; by default some 170 of five letters and 680 of eight, a fifth as in the original.
    """
    answers = (WORDS / "answers.txt").read_text(encoding="ascii").split()
    guesses = (WORDS / "guesses.txt").read_text(encoding="ascii").split()
    corpus = folder / "corpora" / "words"
    corpus.mkdir(parents=True)
    corpus.joinpath("en").write_text("\n".join(guesses))
    chosen = answers[::14][:170] + [word + "ing" for word in answers[:680]] if basic is None else basic
    corpus.joinpath("en-basic").write_text("\n".join(chosen))
    tagger = folder / "taggers" / "averaged_perceptron_tagger_eng"
    tagger.mkdir(parents=True)
    for part, value in (("weights", {}), ("tagdict", {}), ("classes", ["NN"])):
        (tagger / f"averaged_perceptron_tagger_eng.{part}.json").write_text(json.dumps(value))
    return folder
