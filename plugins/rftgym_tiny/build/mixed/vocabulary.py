"""What the tokenizer of `tiny-mixed` holds as one token beside the bytes, found in demonstrations.

Three kinds: texts that never change (whole messages, the beginning that all first messages of an environment share,
tags) are fixed phrases; pieces of words and of code are byte-pair merges; common words come with the blank before them
as well. A digit is always a token of its own, and a name has the same tokens with a blank before it and without,
unless it is a common word: a model copies names more easily then.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from rftgym.types import Message
from rftgym_tiny.build.tokens import build_tokenizer, byte_names

Chat = Sequence[Message]
WORDS: Final = r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])"
REST: Final = r"[0-9]|\n *|[^A-Za-z0-9\n]+"
PIECES: Final = f" ?(?:{WORDS})|{REST}"
"""How texts are cut before merging: a word, or a part of a camel-case name, with the blank before it; a digit; a line
break with the indentation after it; anything else as far as it goes."""
TAG: Final = re.compile(r"</?[a-z_]+>")
WHOLE_SHARE: Final = 0.1
"""A message is a fixed phrase from this share of an environment's conversations on."""
SHORTEST: Final = 8
"""Characters of the shortest shared beginning that becomes a phrase."""
BLANK: Final = byte_names()[ord(" ")]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is one token.

    Attributes:
        phrases: texts that never change.
        merges: pairs of tokens, in the byte-level alphabet, that are one token side by side; the first pair first.
    """

    phrases: Sequence[str]
    merges: Sequence[tuple[str, str]]

    def tokenizer(self, context: int) -> PreTrainedTokenizerFast:
        """The tokenizer, for models that take `context` tokens."""
        return build_tokenizer(self.phrases, context, merges=self.merges, pieces=PIECES)

    def write(self, path: Path) -> None:
        """Write the vocabulary down: a model is of no use with another one than it was trained with."""
        listed = {"phrases": list(self.phrases), "merges": [" ".join(pair) for pair in self.merges]}
        path.write_text(json.dumps(listed, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Vocabulary:
        """What :meth:`write` wrote."""
        listed = json.loads(path.read_text(encoding="utf-8"))
        pairs = (pair.split(" ") for pair in listed["merges"])
        return cls(tuple(listed["phrases"]), tuple((left, right) for left, right in pairs))


def find_vocabulary(chats: Sequence[Sequence[Chat]], *, merges: int, words: int) -> Vocabulary:
    """The vocabulary that suits demonstrations.

    Args:
        chats: conversations, by environment.
        merges: byte-pair merges, at most.
        words: common words that are tokens together with the blank before them, at most.
    """
    phrases = list(dict.fromkeys(phrase for own in chats for phrase in fixed_phrases(own)))
    cut = re.compile("|".join(map(re.escape, sorted(phrases, key=len, reverse=True))) or r"(?!)")
    texts = [part for own in chats for chat in own for message in chat for part in cut.split(message.content)]
    learnt = learn_merges([text for text in texts if text], merges)
    learnt += blank_words(texts, learnt, words)
    return Vocabulary(tuple(phrases), tuple(learnt))


def fixed_phrases(chats: Sequence[Chat]) -> list[str]:
    """Texts of one environment's conversations that never change: frequent messages, a shared beginning, tags."""
    messages = Counter(message.content for chat in chats for message in chat if message.role != "assistant")
    found = [
        text
        for text, count in messages.items()
        if len(text) >= SHORTEST and count >= WHOLE_SHARE * len(chats)
    ]
    first = [message.content for chat in chats for message in chat[:2] if message.role == "user"]
    shared = beginning(shared_by(min(first), max(first))) if first else ""
    if len(shared) >= SHORTEST and len(set(first)) > 1:
        found.append(shared)
    tags = Counter(tag for chat in chats for message in chat for tag in TAG.findall(message.content))
    return found + sorted(tag for tag, count in tags.items() if count >= WHOLE_SHARE * len(chats))


def shared_by(one: str, other: str) -> str:
    """What two texts begin with; of many texts, the first and the last in order share what all do."""
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return "".join(left for left, _ in same)


def beginning(shared: str) -> str:
    """A shared beginning without its last, broken line, or where it has one line, without its last word.

    What is cut off may be chance: other messages of the environment may go on in another way.
    """
    lines, _, _ = shared.rpartition("\n")
    words, _, _ = shared.rpartition(" ")
    return f"{lines}\n" if lines else f"{words} " if words else ""


def learn_merges(texts: Iterable[str], merges: int) -> list[tuple[str, str]]:
    """Byte-pair merges within words, names' parts and runs of signs; no digit is ever merged."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(f"{WORDS}|{REST}"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = byte_names()
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) + merges, initial_alphabet=alphabet, show_progress=False, min_frequency=20
    )
    core.train_from_iterator(texts, trainer)
    learnt = json.loads(core.to_str())["model"]["merges"]
    return [(left, right) for left, right in learnt]


def blank_words(texts: Iterable[str], learnt: Sequence[tuple[str, str]], words: int) -> list[tuple[str, str]]:
    """Merges of a blank with a common word that is one token, the commonest first."""
    whole = {left + right for left, right in learnt}
    counts = Counter(word for text in texts for word in re.findall(rf" ({WORDS})", text))
    return [(BLANK, word) for word, _ in counts.most_common() if word in whole or len(word) == 1][:words]
