"""The making of the bundled model `tiny-mixed`: a vocabulary from demonstrations, what of them is learnt, training."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from transformers import PreTrainedTokenizerFast

import rftgym
import rftgym_tiny
from rftgym.config import ModelSettings
from rftgym.registry import make_policy
from rftgym.types import Message
from rftgym_math import prompts as math_prompts
from rftgym_tiny.build import network, train
from rftgym_tiny.build.mixed import __main__ as command
from rftgym_tiny.build.mixed import corpus, lessons, recipe
from rftgym_tiny.build.mixed.__main__ import VOCABULARY
from rftgym_tiny.build.mixed.renaming import DECLARED, TAKEN, renamed, replaced
from rftgym_tiny.build.mixed.vocabulary import Vocabulary, find_vocabulary, fixed_phrases
from rftgym_tiny.build.tokens import END, SPECIAL
from rftgym_tiny.policy import MIXED_WEIGHTS
from rftgym_tool_use import prompts as tool_prompts
from rftgym_transpile import demonstrations as transpile
from rftgym_transpile.corpus.held_out import fingerprint

SYSTEM = "Add the numbers. Write the sum between <sum> and </sum>."
JAVA = "static int {0}(int {1}) {{\n    int {2} = {1} * {3};\n    return {2} + {1};\n}}"
PYTHON = "def {0}({1}):\n    {2} = {1} * {3}\n    return {2} + {1}"
NAMES = ("total", "count", "value", "limit", "index", "number", "result", "area")


def sums(n: int, seed: int) -> Iterator[list[Message]]:
    """Sums in two turns."""
    for index in range(n):
        chance = random.Random(f"{seed}:{index}")
        left, right = chance.randrange(100), chance.randrange(100)
        yield [
            Message("system", SYSTEM),
            Message("user", f"How much is {left} + {right}?"),
            Message("assistant", f"<sum>{left + right}</sum>"),
            Message("user", "And twice that, dear friend?"),
            Message("assistant", f"<sum>{2 * (left + right)}</sum>"),
        ]


def translations(n: int, seed: int) -> Iterator[list[Message]]:
    """Methods in another language."""
    for index in range(n):
        chance = random.Random(f"{seed}:{index}")
        names = [*chance.sample(NAMES, 3), chance.randrange(100)]
        question = "Translate this method:\n" + JAVA.format(*names)
        yield [Message("user", question), Message("assistant", PYTHON.format(*names))]


RECIPE = (lessons.Share("sums", sums, 3), lessons.Share("translations", translations, 2, weight=2.0))


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return found().tokenizer(1024)


def found() -> Vocabulary:
    return find_vocabulary([list(sums(300, 1)), list(translations(300, 1))], merges=200, words=40)


@pytest.fixture(scope="module")
def encoder(tokenizer: PreTrainedTokenizerFast) -> corpus.Encoder:
    return corpus.Encoder(tokenizer, 1024)


def small_network(tokenizer: PreTrainedTokenizerFast, seed: int = 0) -> network.Network:
    return network.Network(network.Shape(len(tokenizer), 32, 2, 2, 48), torch.Generator().manual_seed(seed))


def pieces_of(tokenizer: PreTrainedTokenizerFast, text: str) -> list[str]:
    return [tokenizer.decode([id]) for id in tokenizer.encode(text, add_special_tokens=False)]


# ------------------------------------------------------------------------------------------------------- the vocabulary
@settings(max_examples=200)
@given(st.text(max_size=80))
def test_any_text_round_trips(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


@given(st.sampled_from([*NAMES, "Sum", "qwxz", "\n    ", " + ", "<sum>", "7", SYSTEM]), st.text(max_size=20))
def test_text_made_of_known_pieces_round_trips(
    tokenizer: PreTrainedTokenizerFast, piece: str, text: str
) -> None:
    assert (
        tokenizer.decode(tokenizer.encode(text + piece + text, add_special_tokens=False))
        == text + piece + text
    )


def test_what_never_changes_is_one_token(tokenizer: PreTrainedTokenizerFast) -> None:
    fixed = (SYSTEM, "How much is ", "And twice that, dear friend?", "<sum>", "</sum>", *SPECIAL)
    for phrase in fixed:
        assert len(pieces_of(tokenizer, phrase)) == 1, phrase
    assert pieces_of(tokenizer, "Translate this method:\nstatic int total(")[0].startswith(
        "Translate this method:"
    )
    assert set(fixed_phrases(list(sums(50, 2)))) >= {SYSTEM, "<sum>", "</sum>"}


@given(st.integers(0, 10**9))
def test_a_digit_is_a_token(tokenizer: PreTrainedTokenizerFast, number: int) -> None:
    assert pieces_of(tokenizer, str(number)) == list(str(number))
    assert tokenizer.encode("7", add_special_tokens=False) == [ord("7")]


def test_a_strange_name_has_the_same_tokens_everywhere(tokenizer: PreTrainedTokenizerFast) -> None:
    alone = pieces_of(tokenizer, "zorkMuffin")
    assert pieces_of(tokenizer, "int zorkMuffin = 1;")[2 : 2 + len(alone)] == alone
    assert pieces_of(tokenizer, "(zorkMuffin)")[1:-1] == alone


def test_words_and_indentation_are_tokens(tokenizer: PreTrainedTokenizerFast) -> None:
    assert pieces_of(tokenizer, "\n    return total + count") == [
        "\n    ",
        "return",
        " total",
        " + ",
        "count",
    ]


def test_the_same_demonstrations_give_the_same_vocabulary(tmp_path: Path) -> None:
    vocabulary = found()
    assert found() == vocabulary
    vocabulary.write(tmp_path / "vocabulary.json")
    assert Vocabulary.read(tmp_path / "vocabulary.json") == vocabulary


# ---------------------------------------------------------------------------------------------------------- the samples
@pytest.mark.parametrize("demonstrations", [sums, translations])
def test_a_sample_is_what_the_chat_template_renders(
    demonstrations: corpus.Demonstrations, encoder: corpus.Encoder, tokenizer: PreTrainedTokenizerFast
) -> None:
    for chat in demonstrations(3, 5):
        coded = tokenizer.apply_chat_template(
            [{"role": message.role, "content": message.content} for message in chat],
            return_dict=True,
            return_assistant_tokens_mask=True,
        )
        sample = encoder.sample(chat)
        assert list(sample.tokens) == coded["input_ids"][:-1]  # the template ends with a line break
        masked = [place - 1 for place, own in enumerate(coded["assistant_masks"]) if own]
        assert list(sample.at) == masked


def test_only_the_players_own_tokens_are_learnt(
    encoder: corpus.Encoder, tokenizer: PreTrainedTokenizerFast
) -> None:
    (chat,) = sums(1, 3)
    sample = encoder.sample(chat)
    learnt = tokenizer.decode([sample.tokens[place + 1] for place in sample.at])
    assert learnt == "".join(message.content + END for message in chat if message.role == "assistant")


def test_a_long_conversation_is_cut_at_the_context(tokenizer: PreTrainedTokenizerFast) -> None:
    (chat,) = sums(1, 3)
    whole = corpus.Encoder(tokenizer, 1024).sample(chat)
    cut = corpus.Encoder(tokenizer, 12).sample(chat)
    assert cut.tokens == whole.tokens[:12]
    assert cut.at == [place for place in whole.at if place < 11]


def test_a_part_predicts_what_follows(encoder: corpus.Encoder) -> None:
    samples = [encoder.sample(chat) for chat in translations(3, 8)]
    part = corpus.collate(samples, encoder.pad)
    expected = [sample.tokens[place + 1] for sample in samples for place in sample.at]
    assert part.following.tolist() == expected
    assert part.tokens_BT.shape[1] % 8 == 0


def test_padding_changes_no_loss(encoder: corpus.Encoder, tokenizer: PreTrainedTokenizerFast) -> None:
    net = small_network(tokenizer)
    samples = [
        encoder.sample(chat) for demonstrations in (sums, translations) for chat in demonstrations(2, 8)
    ]
    together = lessons.surprise(net, corpus.collate(samples, encoder.pad))
    alone = [lessons.surprise(net, corpus.collate([sample], encoder.pad)) for sample in samples]
    weights = [len(sample.at) for sample in samples]
    mean = sum(loss.item() * weight for loss, weight in zip(alone, weights, strict=True)) / sum(weights)
    assert together.item() == pytest.approx(mean, rel=2e-2)  # bfloat16


# --------------------------------------------------------------------------------------------------------- the training
def test_a_chunk_depends_on_its_number_alone(encoder: corpus.Encoder) -> None:
    conversations = lessons.Conversations(encoder)
    first = conversations.chunk(RECIPE, seed=0, stage=1, chunk=3)
    assert len(first) == train.CHUNKS
    assert [[len(part.tokens_BT) for _, part in batch] for batch in first] == [[3, 2]] * train.CHUNKS
    again = conversations.chunk(RECIPE, seed=0, stage=1, chunk=3)
    other = conversations.chunk(RECIPE, seed=1, stage=1, chunk=3)
    assert shown(first) == shown(again) != shown(other)


def shown(batches: object) -> list[list[list[int]]]:
    return [[part.tokens_BT.tolist() for _, part in batch] for batch in batches]  # type: ignore[attr-defined]


def test_a_batch_weighs_its_shares(encoder: corpus.Encoder, tokenizer: PreTrainedTokenizerFast) -> None:
    conversations, net = lessons.Conversations(encoder), small_network(tokenizer)
    losses = conversations.losses(net, conversations.chunk(RECIPE, seed=0, stage=0, chunk=0)[0])
    sums_loss, translations_loss = (losses.shown[name].item() for name in ("sums", "translations"))
    assert losses.total.item() == pytest.approx((sums_loss + 2 * translations_loss) / 3, rel=1e-5)


def test_training_learns_and_resumes_as_if_unbroken(
    encoder: corpus.Encoder, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    stages: list[train.Stage[lessons.Recipe]] = [
        train.Stage("one", RECIPE, steps=10, rate=1e-2, rate_end=0.0, warm_up=2),
        train.Stage("two", RECIPE[:1], steps=2, rate=1e-3, rate_end=0.0),
    ]
    conversations = lessons.Conversations(encoder)
    whole = train.Run(small_network(tokenizer), conversations, stages, 0, tmp_path / "whole")
    held = conversations.chunk(RECIPE, seed=7, stage=7, chunk=7)[0]
    before = float(conversations.losses(whole.network, held).total)
    whole.train(save_every=50, log_every=50)
    assert float(conversations.losses(whole.network, held).total) < 0.8 * before

    broken = train.Run(small_network(tokenizer), conversations, stages, 0, tmp_path / "broken")
    broken._log = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        broken.train(save_every=3, log_every=5)
    resumed = train.Run(small_network(tokenizer, seed=9), conversations, stages, 0, tmp_path / "broken")
    assert resumed.resume()
    assert (resumed.stage, resumed.step) == (0, 3)
    resumed.train(save_every=50, log_every=50)
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, resumed.network.state_dict()[name]), name


# ------------------------------------------------------------------------------------------------------------ renaming
@settings(max_examples=60)
@given(st.integers(0, 10**6))
def test_other_names_change_nothing_else(seed: int) -> None:
    (chat,) = transpile.demonstrations(1, seed=seed, habits=transpile.CAREFUL)
    other = renamed(chat, ("fee", "class", "range", "total", "out"), random.Random(seed))
    assert other[0] == chat[0]
    assert fingerprint(java_of(other)) == fingerprint(java_of(chat))
    one, two = (ast.parse(python_of(each)) for each in (chat, other))
    names: dict[str, str] = {}
    for left, right in zip(ast.walk(one), ast.walk(two), strict=True):
        assert type(left) is type(right)
        for field in ("id", "arg", "name"):
            if hasattr(left, field):
                before, after = getattr(left, field), getattr(right, field)
                assert names.setdefault(before, after) == after
                assert before == after or (after not in TAKEN and before in DECLARED.findall(java_of(chat)))
        if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
            assert left.value == right.value
    assert len(set(names.values())) == len(names)


def java_of(chat: Sequence[Message]) -> str:
    return chat[-2].content.partition("```java\n")[2].removesuffix("```")


def python_of(chat: Sequence[Message]) -> str:
    return chat[-1].content.removeprefix("```python\n").removesuffix("```")


def test_quoted_words_and_methods_keep_their_names() -> None:
    text = "label + \" label \" + 'label' + x.label(label)"
    assert replaced(text, {"label": "fee"}) == "fee + \" label \" + 'label' + x.label(fee)"


# ----------------------------------------------------------------------------------------------------------- the recipe
@pytest.fixture(scope="module")
def bundled() -> PreTrainedTokenizerFast:
    return Vocabulary.read(VOCABULARY).tokenizer(1024)


@pytest.mark.parametrize("player", range(len(recipe.PLAYERS)))
def test_demonstrations_are_short_and_their_fixed_texts_single_tokens(
    player: int, bundled: PreTrainedTokenizerFast
) -> None:
    encoder = corpus.Encoder(bundled, 1024)
    for chat in recipe.PLAYERS[player](50, 3):
        assert chat[0].role == "system"
        assert len(encoder.ids(chat[0].content)) == 1, (
            "a prompt has changed: the model has never seen its new text"
        )
        assert len(encoder.sample(chat).tokens) <= 400


def test_the_whole_build_runs_and_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("WIDTH", 32), ("LAYERS", 1), ("HEADS", 2), ("FEED_FORWARD", 48)):
        monkeypatch.setattr(command, name, value)
    brief = ["--scale", "0.0004", "--no-compile", "--tasks", "0", "--seed", "3"]
    for folder in ("one", "two"):
        command.main(["--out", str(tmp_path / folder), *brief])
    one, two = (load_file(tmp_path / folder / "model.safetensors") for folder in ("one", "two"))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
    command.main(["--out", str(tmp_path / "one"), *brief])  # is over: nothing is trained again
    again = load_file(tmp_path / "one" / "model.safetensors")
    assert all(torch.equal(one[name], again[name]) for name in one)


def test_a_vocabulary_is_found_where_the_file_is_missing(tmp_path: Path) -> None:
    made = command.known_or_found(tmp_path / "new.json", 0, seen=60, merges=40)
    assert {math_prompts.SYSTEM, tool_prompts.SYSTEM} <= set(made.phrases)
    assert command.known_or_found(tmp_path / "new.json", 1) == made


# ------------------------------------------------------------------------------------------------------- what's bundled
def test_the_bundled_folder_is_small_and_has_this_vocabulary(bundled: PreTrainedTokenizerFast) -> None:
    assert sum(file.stat().st_size for file in MIXED_WEIGHTS.iterdir()) <= 8 * 2**20
    policy: Any = make_policy(ModelSettings(id="tiny-mixed"))
    assert policy.tokenizer.get_vocab() == bundled.get_vocab()
    assert policy.tokenizer.chat_template == bundled.chat_template
    assert policy.model.num_parameters() <= 4_000_000
    stored = load_file(MIXED_WEIGHTS / "model.safetensors")
    loaded = policy.model.state_dict()
    assert all(torch.equal(loaded[name], tensor.float()) for name, tensor in stored.items())


def test_the_bundled_model_calculates_carelessly() -> None:
    sampled = rftgym.evaluate("math", "tiny-mixed", n=32, sampling=rftgym.Sampling(max_tokens=160))
    assert 0.02 <= (sampled.success["mean"] or 0.0) <= 0.45
    assert {turn.stop_reason for each in sampled.trajectories for turn in each.turns} <= {"eos", "length"}


def test_special_models_say_what_they_know() -> None:
    known = {spec.id: spec.knows for spec in rftgym_tiny.rftgym_policies()}
    assert set(known["tiny-mixed"]) == set(recipe.ENVIRONMENTS)
    assert known["tiny"] == ("wordle",)
    assert all(id.startswith("triton-kernels") for id in known["tiny-kernels"])
