"""The making of the bundled model `tiny`: tokenizer, games with soft targets, training that resumes, export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from rftgym_tiny.build import export, generate, network, tokens, train
from rftgym_tiny.build.wordle import corpus, lessons, phrases, play
from rftgym_wordle import prompts
from rftgym_wordle.demonstrations import FAVOURITES, Habits, demonstration
from rftgym_wordle.game import consistent, feedback
from rftgym_wordle.words import answers, answers_in

WEIGHTS = Path(corpus.__file__).parents[2] / "weights"
SMALL = network.Shape(0, width=32, layers=2, heads=2, feed_forward=48)
MIXED = Habits(consistent=0.4, favourite=0.3, whim=0.3)
RECIPE = corpus.Recipe(target=MIXED, spoilt=0.2, branches=3)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return tokens.build_tokenizer(phrases.PHRASES, 1024)


@pytest.fixture(scope="module")
def encoder(tokenizer: PreTrainedTokenizerFast) -> corpus.Encoder:
    return corpus.Encoder(tokenizer)


def small_network(tokenizer: PreTrainedTokenizerFast, seed: int = 0) -> network.Network:
    shape = network.Shape(len(tokenizer), SMALL.width, SMALL.layers, SMALL.heads, SMALL.feed_forward)
    return network.Network(shape, torch.Generator().manual_seed(seed))


def ids_of(
    tokenizer: PreTrainedTokenizerFast, chat: list[dict[str, str]], *, opened: bool = False
) -> list[int]:
    ids: list[int] = tokenizer.apply_chat_template(chat, add_generation_prompt=opened, return_dict=False)
    return ids


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_any_text_round_trips(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


def test_letters_are_their_bytes_and_phrases_single_tokens(tokenizer: PreTrainedTokenizerFast) -> None:
    assert tokenizer.encode("az_-.", add_special_tokens=False) == [ord(letter) for letter in "az_-."]
    for phrase in (*tokens.SPECIAL, *phrases.PHRASES):
        assert len(tokenizer.encode(phrase, add_special_tokens=False)) == 1, phrase
    assert len(tokenizer.encode(prompts.SYSTEM, add_special_tokens=False)) == len(prompts.SYSTEM_SENTENCES)


@pytest.mark.parametrize("index", range(5))
def test_chats_are_prefix_stable(tokenizer: PreTrainedTokenizerFast, index: int) -> None:
    chat = demonstration(1, index, MIXED)
    whole = ids_of(tokenizer, chat)
    for length in range(1, len(chat)):
        part = ids_of(tokenizer, chat[:length])
        assert whole[: len(part)] == part
        if chat[length]["role"] == "assistant":
            opened = ids_of(tokenizer, chat[:length], opened=True)
            assert whole[: len(opened)] == opened


def test_assistant_masks_cover_replies_and_their_end(tokenizer: PreTrainedTokenizerFast) -> None:
    chat = demonstration(1, 0, MIXED)
    coded = tokenizer.apply_chat_template(chat, return_dict=True, return_assistant_tokens_mask=True)
    kept = [i for i, keep in zip(coded["input_ids"], coded["assistant_masks"], strict=True) if keep]
    replies = [message["content"] + tokens.END for message in chat if message["role"] == "assistant"]
    assert tokenizer.decode(kept) == "".join(replies)


def test_the_feedback_table_agrees_with_the_game() -> None:
    table, words = corpus.marks_NN(), answers()
    rng = np.random.default_rng(0)
    for guess, answer in rng.integers(len(words), size=(500, 2)):
        marks = feedback(words[guess], words[answer])
        assert table[guess, answer] == sum(".yg".index(mark) * 3**place for place, mark in enumerate(marks))


@pytest.mark.parametrize("index", range(4))
def test_letter_shares_are_the_players_exact_shares(index: int) -> None:
    rng = np.random.default_rng(index)
    words = answers()
    candidates = np.sort(rng.choice(len(words), size=30, replace=False))
    guess = int(candidates[index])
    shares = corpus.letter_shares(candidates, MIXED, guess)
    chance = dict.fromkeys(words, MIXED.whim / len(words))
    for pool, share in ((FAVOURITES, MIXED.favourite), ([words[i] for i in candidates], MIXED.consistent)):
        for word in pool:
            chance[word] += share / len(pool)
    for place in range(5):
        begun = {word: p for word, p in chance.items() if word.startswith(words[guess][:place])}
        for letter in "aeszt":
            expected = sum(p for word, p in begun.items() if word[place] == letter) / sum(begun.values())
            assert shares[place, ord(letter) - ord("a")] == pytest.approx(expected, abs=1e-6)


def test_games_have_train_secrets_and_exact_candidates() -> None:
    train_words = set(answers_in("train"))
    assert {answers()[index] for index in corpus.secrets()} == train_words
    for index in range(30):
        turns = corpus.play(RECIPE, np.random.default_rng(index))
        said = [answers()[turn.guess] for turn in turns if turn.guess is not None]
        shown = [turn.user.split("\n")[0] for turn in turns[1:]]
        history = [
            (word, marks) for word, _, marks in (line.partition(" ") for line in shown) if word in said
        ]
        if all(turn.guess is not None for turn in turns):
            fitting = {word for word in answers() if consistent(word, history)}
            assert {answers()[i] for i in turns[-1].candidates} == fitting
            assert fitting & train_words


def test_an_item_depends_on_its_index_alone(encoder: corpus.Encoder) -> None:
    first = corpus.item_at(encoder, RECIPE, 0, 1, 7)
    corpus.item_at(encoder, RECIPE, 0, 1, 8)
    again = corpus.item_at(encoder, RECIPE, 0, 1, 7)
    assert first.tokens == again.tokens
    assert np.array_equal(first.letter_shares, again.letter_shares)
    assert corpus.item_at(encoder, RECIPE, 1, 1, 7).tokens != first.tokens


def test_the_trunk_is_what_the_chat_template_renders(
    encoder: corpus.Encoder, tokenizer: PreTrainedTokenizerFast
) -> None:
    rng = np.random.default_rng(3)
    turns = corpus.play(RECIPE, rng)
    item = encoder.item(turns, RECIPE, rng)
    chat = [{"role": "system", "content": prompts.SYSTEM}]
    for turn in turns:
        chat += [{"role": "user", "content": turn.user}, {"role": "assistant", "content": turn.reply}]
    trunk = [token for token, branch in zip(item.tokens, item.branch, strict=True) if branch == 0]
    assert trunk == ids_of(tokenizer, chat)[:-1]  # the template ends with a line break


def test_a_branch_sees_what_it_would_see_alone(
    encoder: corpus.Encoder, tokenizer: PreTrainedTokenizerFast
) -> None:
    net = small_network(tokenizer)
    items = [corpus.item_at(encoder, RECIPE, 0, 0, index) for index in range(2)]
    batch = corpus.collate(items, pad=256)
    tree = forward(net, batch.tokens_BT, batch.positions_BT, batch.mask_BTT)
    for row, item in enumerate(items):
        last = max(item.branch)
        own = [at for at, branch in enumerate(item.branch) if branch == last]
        alone = item.tokens[: item.anchors[own[0]] + 1] + [item.tokens[at] for at in own]
        size = len(alone)
        causal = np.tril(np.ones((1, size, size), dtype=bool))
        plain = forward(net, np.array([alone]), np.arange(size)[None], causal)
        torch.testing.assert_close(plain[0, -len(own) :], tree[row, own], atol=1e-4, rtol=1e-3)


def forward(net: network.Network, ids: np.ndarray, positions: np.ndarray, mask: np.ndarray) -> torch.Tensor:
    with torch.no_grad():
        hidden: torch.Tensor = net(
            torch.from_numpy(ids), torch.from_numpy(positions), torch.from_numpy(mask), torch.float32
        )
    return hidden


def test_training_resumes_as_if_unbroken(
    encoder: corpus.Encoder,
    tokenizer: PreTrainedTokenizerFast,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    games = lessons.Games(encoder, size=4)
    stages = [
        train.Stage("one", RECIPE, steps=4, rate=1e-3, rate_end=0.0, warm_up=2),
        train.Stage("two", RECIPE, steps=1, rate=1e-3, rate_end=0.0),
    ]
    whole = train.Run(small_network(tokenizer), games, stages, 0, tmp_path / "whole")
    whole.train(save_every=1, log_every=1)
    broken = train.Run(small_network(tokenizer), games, stages, 0, tmp_path / "broken")
    monkeypatch.setattr(
        broken, "_log", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt) if broken.step == 3 else 0
    )
    with pytest.raises(KeyboardInterrupt):
        broken.train(save_every=2, log_every=1)
    resumed = train.Run(small_network(tokenizer, seed=9), games, stages, 0, tmp_path / "broken")
    assert resumed.resume()
    assert (resumed.stage, resumed.step) == (0, 2)
    resumed.train(save_every=1, log_every=1)
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, resumed.network.state_dict()[name]), name


def test_the_exported_folder_is_the_same_network(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    net = small_network(tokenizer)
    export.export(net, tokenizer, tmp_path, reply_tokens=16)
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert model.dtype == torch.float32
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    ids = torch.tensor([ids_of(loaded, demonstration(0, 0, MIXED))])
    assert ids[0].tolist() == ids_of(tokenizer, demonstration(0, 0, MIXED))
    size = ids.shape[1]
    hidden = forward(net, ids.numpy(), np.arange(size)[None], np.tril(np.ones((1, size, size), dtype=bool)))
    with torch.no_grad():
        theirs = model(ids).logits
    ours = hidden @ net.model.embed_tokens.weight.detach().T
    torch.testing.assert_close(theirs, ours, atol=2e-3, rtol=2e-3)  # float16 on disk


def test_cached_play_equals_a_fresh_forward(tokenizer: PreTrainedTokenizerFast) -> None:
    net = small_network(tokenizer)
    rows = [ids_of(tokenizer, demonstration(0, index, MIXED)) for index in range(3)]
    cut = [20, 31, 44]
    cache = generate.Cache(net, 3, 320)
    for parts in (
        [r[:c] for r, c in zip(rows, cut, strict=True)],
        [r[c:] for r, c in zip(rows, cut, strict=True)],
    ):
        width = max(map(len, parts))
        fed = torch.tensor([part + [0] * (width - len(part)) for part in parts])
        logits = cache.advance(fed, torch.tensor([len(part) for part in parts]))
    for row, ids in enumerate(rows):
        size = len(ids)
        causal = np.tril(np.ones((1, size, size), dtype=bool))
        hidden = forward(net, np.array([ids]), np.arange(size)[None], causal)
        torch.testing.assert_close(
            logits[row], hidden[0, -1] @ net.model.embed_tokens.weight.detach().T, atol=1e-4, rtol=1e-3
        )


def test_the_bundled_folder_is_small_and_plays_by_the_rules() -> None:
    assert sum(file.stat().st_size for file in WEIGHTS.glob("*.safetensors")) <= 8 * 2**20
    model = AutoModelForCausalLM.from_pretrained(WEIGHTS, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(WEIGHTS)
    assert model.num_parameters() <= 4_000_000
    assert model.config.max_position_embeddings >= 1024
    assert tokenizer.get_vocab() == tokens.build_tokenizer(phrases.PHRASES, 1024).get_vocab()
    assert tokenizer.chat_template == tokens.CHAT_TEMPLATE
    net = network.Network(network.Shape(len(tokenizer)), torch.Generator())
    net.load_state_dict(
        {name: value for name, value in model.state_dict().items() if name != "lm_head.weight"}
    )
    seen = play.report(
        play.play_games(net, tokenizer, list(answers_in("test"))[:32], temperature=1.0, seed=0)
    )
    assert seen.formed >= 0.97
    assert seen.valid >= 0.8
