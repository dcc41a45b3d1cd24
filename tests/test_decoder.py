"""The decoder against transformers: same tokens, same log-probabilities, over many turns and in any company."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from rftgym.errors import RunFailed, UsageError
from rftgym.rollout import attention, llama, weights
from rftgym.rollout.decoder import Decoder, DecodeRequest, DecodeResult, DecodeSession
from rftgym.rollout.kv import KVShape, SlotArena
from rftgym.types import Sampling

EOS = 256
VOCABULARY = 260
SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "pad_token_id": EOS,
    "bos_token_id": None,
    "eos_token_id": EOS,
}
GREEDY = Sampling(temperature=0, max_tokens=24)


def rope(kind: str, **extra: Any) -> dict[str, Any]:
    return {"rope_type": kind, "rope_theta": 10_000.0, **extra}


LLAMA3 = rope(
    "llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64
)
YARN = rope("yarn", factor=4.0, original_max_position_embeddings=128)
FUSED: dict[str, Callable[[], Any]] = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES)),
    "llama-tied": lambda: LlamaForCausalLM(LlamaConfig(**SIZES, tie_word_embeddings=True)),
    "llama-biased": lambda: LlamaForCausalLM(LlamaConfig(**SIZES, attention_bias=True, mlp_bias=True)),
    "llama-linear": lambda: LlamaForCausalLM(
        LlamaConfig(**SIZES, rope_parameters=rope("linear", factor=2.0))
    ),
    "llama3-rope": lambda: LlamaForCausalLM(LlamaConfig(**SIZES, rope_parameters=LLAMA3)),
    "llama-yarn": lambda: LlamaForCausalLM(LlamaConfig(**SIZES, rope_parameters=YARN)),
    "mistral": lambda: MistralForCausalLM(MistralConfig(**SIZES, head_dim=12, sliding_window=None)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES)),
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**SIZES, head_dim=16)),
}
DYNAMIC = rope("dynamic", factor=2.0)
GENERIC: dict[str, Callable[[], Any]] = {
    "gpt2": lambda: GPT2LMHeadModel(
        GPT2Config(vocab_size=VOCABULARY, n_positions=512, n_embd=48, n_layer=2, n_head=4, eos_token_id=EOS)
    ),
    "mistral-window": lambda: MistralForCausalLM(MistralConfig(**SIZES, head_dim=12, sliding_window=16)),
    "llama-dynamic": lambda: LlamaForCausalLM(LlamaConfig(**SIZES, rope_parameters=DYNAMIC)),
}
ALL = {**FUSED, **GENERIC}
_made: dict[str, Any] = {}


def make(name: str) -> Any:
    """A model with seeded weights, spread enough that the likeliest token is no near tie."""
    if name not in _made:
        model = ALL[name]()
        generator = torch.Generator().manual_seed(len(name))
        with torch.no_grad():
            for parameter in model.parameters():
                centre = 1.0 if parameter.ndim == 1 and "bias" not in name else 0.0
                parameter.normal_(centre, 0.15 if parameter.ndim == 2 else 0.1, generator=generator)
        _made[name] = model.eval()
    return _made[name]


@pytest.fixture(scope="module", autouse=True)
def few_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """One token a byte, and four special ones."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    specials = ["<eos>", "<a>", "<b>", "<c>"]
    vocabulary = {symbol: index for index, symbol in enumerate([*alphabet, *specials])}
    bytes_only = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    bytes_only.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_only.decoder = decoders.ByteLevel()
    bytes_only.add_special_tokens(specials)
    return PreTrainedTokenizerFast(tokenizer_object=bytes_only, eos_token="<eos>")


def prompts(count: int, *, seed: int = 0, low: int = 3, high: int = 60) -> list[tuple[int, ...]]:
    rng = Random(seed)
    return [tuple(rng.randrange(EOS) for _ in range(rng.randint(low, high))) for _ in range(count)]


def generated(model: Any, rows: Sequence[Sequence[int]], tokens: int) -> list[tuple[int, ...]]:
    """Greedy ``generate`` on left-padded rows, cut after the end-of-sequence token."""
    longest = max(map(len, rows))
    inputs = torch.tensor([[EOS] * (longest - len(row)) + list(row) for row in rows])
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
    grown = model.generate(
        inputs, attention_mask=mask, do_sample=False, max_new_tokens=tokens, pad_token_id=EOS
    )
    replies = []
    for row in grown[:, longest:].tolist():
        end = row.index(EOS) + 1 if EOS in row else len(row)
        replies.append(tuple(row[:end]))
    return replies


def requests(
    rows: Sequence[Sequence[int]], *, first: int = 0, max_tokens: int | None = None
) -> list[DecodeRequest]:
    return [DecodeRequest(first + i, tuple(row), 1000 + first + i, max_tokens) for i, row in enumerate(rows)]


def tokens_of(results: Sequence[DecodeResult]) -> list[tuple[int, ...]]:
    return [result.token_ids for result in results]


def forced_logprobs(model: Any, history: Sequence[int], sampled: int, temperature: float) -> torch.Tensor:
    """What a trainer computes for the last ``sampled`` tokens: one forward over all of them."""
    with torch.no_grad():
        logits_TV = model(torch.tensor([list(history)])).logits[0].double() / temperature
    logprobs_TV = torch.log_softmax(logits_TV[:-1], -1)
    return logprobs_TV.gather(1, torch.tensor(history[1:])[:, None])[-sampled:, 0]


# --------------------------------------------------------------------------------------- greedy parity


@pytest.mark.parametrize("backend", ["fused", "transformers"])
def test_greedy_equals_generate_on_fifty_ragged_prompts(backend: Any, tokenizer: Any) -> None:
    model, rows = make("llama"), prompts(50)
    session = Decoder(model, tokenizer, backend=backend).open(GREEDY)
    session.submit(requests(rows))
    assert tokens_of(session.run()) == generated(model, rows, 24)


@pytest.mark.parametrize("name", ALL)
def test_every_family_equals_generate_over_two_turns(name: str, tokenizer: Any) -> None:
    model = make(name)
    decoder = Decoder(model, tokenizer)
    assert decoder.backend == ("fused" if name in FUSED else "transformers")
    # Two groups that share a prompt, and two rows alone.
    first, second, *alone = prompts(4, seed=1, low=20, high=70)
    rows = [first] * 3 + [second] * 2 + alone
    session = decoder.open(GREEDY)
    session.submit(requests(rows))
    replies = tokens_of(session.run())
    assert replies == [generated(model, [row], 24)[0] for row in rows]
    appended = prompts(len(rows), seed=2, low=1, high=25)
    session.submit(requests(appended))
    histories = [(*row, *reply, *more) for row, reply, more in zip(rows, replies, appended, strict=True)]
    assert tokens_of(session.run()) == [generated(model, [history], 24)[0] for history in histories]
    assert [session.tokens(row)[: len(history)] for row, history in enumerate(histories)] == histories


@pytest.mark.parametrize("backend", ["fused", "transformers"])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=12, deadline=None)
def test_rows_that_come_and_go_decode_as_if_alone(seed: int, backend: Any, tokenizer: Any) -> None:
    """Random schedules: some rows decode while others rest, join, go on or leave."""
    model, rng = make("llama"), Random(seed)
    session = Decoder(model, tokenizer, backend=backend).open(Sampling(temperature=0, max_tokens=9))
    pool = prompts(4, seed=seed, high=20)
    histories: dict[int, tuple[int, ...]] = {}
    busy: set[int] = set()
    for _ in range(12):
        idle = [row for row in range(10) if row not in busy]
        chosen = rng.sample(idle, rng.randint(0, len(idle)))
        asked = []
        for row in chosen:
            fresh = row not in histories
            more = rng.choice(pool) if fresh else prompts(1, seed=rng.random(), low=0, high=12)[0]
            histories[row] = (*histories.get(row, ()), *more)
            asked.append(DecodeRequest(row, more, 0, max_tokens=rng.choice([None, 1, 4])))
        session.submit(asked)
        busy |= set(chosen)
        for result in session.run(rng.choice([1, 3, None])):
            wanted = generated(model, [histories[result.row]], len(result.token_ids))[0]
            assert result.token_ids == wanted
            histories[result.row] += result.token_ids
            assert session.tokens(result.row) == histories[result.row]
            busy.remove(result.row)
            if rng.random() < 0.3:
                session.release([result.row])
                del histories[result.row]


# ------------------------------------------------------------------------------- sampling and logprobs


@pytest.mark.parametrize("name", ["llama", "qwen3", "gpt2"])
def test_logprobs_are_what_a_trainer_recomputes(name: str, tokenizer: Any) -> None:
    model = make(name)
    session = Decoder(model, tokenizer, eos_token_ids=()).open(
        Sampling(temperature=0.8, top_p=0.9, max_tokens=15)
    )
    first, second = prompts(2, seed=3, low=10, high=40)
    rows = [first, first, first, second]
    for turn in range(3):
        session.submit(requests(rows if turn == 0 else prompts(4, seed=turn, low=1, high=9)))
        for result in session.run():
            wanted = forced_logprobs(model, session.tokens(result.row), 15, 0.8)
            torch.testing.assert_close(torch.tensor(result.logprobs).double(), wanted, atol=2e-5, rtol=0)


@pytest.mark.parametrize("backend", ["fused", "transformers"])
def test_draws_depend_on_the_seed_and_not_on_the_company(backend: Any, tokenizer: Any) -> None:
    decoder = Decoder(make("llama"), tokenizer, backend=backend, eos_token_ids=())
    rows = [*prompts(5, seed=4), prompts(1, seed=4)[0]]
    together = decoder.open(Sampling(max_tokens=12))
    together.submit(requests(rows, max_tokens=12))
    results = together.run()
    for request, result in zip(requests(rows), results, strict=True):
        alone = decoder.open(Sampling(max_tokens=12))
        alone.submit([request])
        assert tokens_of(alone.run()) == [result.token_ids]
    assert results[0].token_ids != results[5].token_ids  # one prompt, two seeds


@pytest.mark.parametrize("backend", ["fused", "transformers"])
def test_counts_of_the_next_token_follow_the_model(backend: Any, tokenizer: Any) -> None:
    model, prompt, draws = make("llama-tied"), prompts(1, seed=5)[0], 4000
    session = Decoder(model, tokenizer, backend=backend).open(Sampling(max_tokens=1))
    session.submit(requests([prompt] * draws))
    counts_V = torch.bincount(torch.tensor(tokens_of(session.run()))[:, 0], minlength=VOCABULARY)
    with torch.no_grad():
        exact_V = torch.softmax(model(torch.tensor([prompt])).logits[0, -1].double(), -1)
    assert chi_square_p(counts_V, exact_V) > 1e-4


def chi_square_p(counts_V: torch.Tensor, exact_V: torch.Tensor) -> float:
    """Upper tail of Pearson's statistic; cells expected under 5 times are pooled."""
    expected_V = exact_V * counts_V.sum()
    rare_V = expected_V < 5
    observed = torch.cat([counts_V[~rare_V].double(), counts_V[rare_V].sum()[None].double()])
    expected = torch.cat([expected_V[~rare_V], expected_V[rare_V].sum()[None]])
    statistic = ((observed - expected) ** 2 / expected).sum()
    return float(torch.special.gammaincc(torch.tensor((len(expected) - 1) / 2).double(), statistic / 2))


@pytest.mark.parametrize("backend", ["fused", "transformers"])
def test_running_in_pieces_changes_nothing(backend: Any, tokenizer: Any) -> None:
    decoder, rows = Decoder(make("llama"), tokenizer, backend=backend), prompts(6, seed=6)
    whole, pieces = (decoder.open(Sampling(max_tokens=20)) for _ in range(2))
    whole.submit(requests(rows))
    pieces.submit(requests(rows))
    collected: list[DecodeResult] = []
    for _ in range(20):
        collected += pieces.run(1)
    assert tokens_of(sorted(collected, key=lambda result: result.row)) == tokens_of(whole.run())
    assert pieces.run() == []


def test_no_global_generator_is_touched(tokenizer: Any) -> None:
    session = Decoder(make("llama"), tokenizer).open(Sampling(max_tokens=5))
    before = torch.get_rng_state()
    session.submit(requests(prompts(3)))
    session.run()
    assert torch.equal(torch.get_rng_state(), before)


# ---------------------------------------------------------------------------------------- how rows end


def scripted(tokenizer: Any, reply: str | Sequence[int], **sampling: Any) -> DecodeResult:
    """Greedy decoding by a model that says one thing: its next token depends on the last token only."""
    tokens = tokenizer(reply)["input_ids"] if isinstance(reply, str) else list(reply)
    assert len(set(tokens)) == len(tokens), "each token names the next, so none may come twice"
    model = copy.deepcopy(make("llama"))
    width = SIZES["hidden_size"]
    generator = torch.Generator().manual_seed(0)
    codes = torch.nn.functional.normalize(torch.randn(VOCABULARY, width, generator=generator), dim=-1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.model.norm.weight.fill_(1.0)
        model.model.embed_tokens.weight.copy_(codes)
        for now, then in itertools.pairwise([0, *tokens]):
            model.lm_head.weight[then] = 100 * codes[now]
    session = Decoder(model, tokenizer).open(Sampling(temperature=0, **sampling))
    session.submit([DecodeRequest(0, (0,), 0)])
    return session.run()[0]


def test_end_of_sequence_ends_a_row_and_stays_in_its_tokens(tokenizer: Any) -> None:
    result = scripted(tokenizer, "Paris.<eos>")
    assert (result.text, result.stop_reason) == ("Paris.", "eos")
    assert result.token_ids[-1] == EOS
    assert len(result.logprobs) == len(result.token_ids) == 7


@pytest.mark.parametrize(
    ("reply", "stop", "text"),
    [
        ("</gues>ab", ("</gues>",), "</gues>"),
        ("xyz", ("nothing", "y"), "xy"),
        ("naïve!", ("ïv",), "naïv"),
        ("a€b", ("€",), "a€"),
        ("six two", (" ",), "six "),
        ("ab<b>c", ("<b>",), "ab<b>"),
    ],
)
def test_a_stop_string_ends_a_row_at_once(
    reply: str, stop: tuple[str, ...], text: str, tokenizer: Any
) -> None:
    result = scripted(tokenizer, reply, stop=stop)
    assert (result.text, result.stop_reason) == (text, "stop")


def test_a_stop_string_must_lie_in_the_completion(tokenizer: Any) -> None:
    prompt = tokenizer.decode([0])
    result = scripted(tokenizer, "abc", stop=(prompt + "a",), max_tokens=3)
    assert (result.text, result.stop_reason) == ("abc", "length")


def test_the_token_limit_ends_a_row(tokenizer: Any) -> None:
    result = scripted(tokenizer, "abcdefgh", max_tokens=3)
    assert (result.text, result.stop_reason) == ("abc", "length")


def test_a_full_context_ends_a_row_and_a_prompt_that_overflows_gets_an_empty_reply(tokenizer: Any) -> None:
    decoder = Decoder(make("llama"), tokenizer, eos_token_ids=())
    session = decoder.open(Sampling(max_tokens=50))
    nearly, over = prompts(1, low=500, high=500)[0], prompts(1, low=512, high=512)[0]
    session.submit(requests([nearly, over]))
    cut, empty = session.run()
    assert (len(cut.token_ids), cut.stop_reason) == (12, "context")
    assert empty == DecodeResult(1, (), (), "", "context")
    session.submit([DecodeRequest(0, (1,), 0), DecodeRequest(1, (5, 6), 0)])
    still_full, second_try = session.run()
    assert still_full.stop_reason == "context"
    assert len(session.tokens(0)) == 512
    assert len(second_try.token_ids) == 50
    session.release([0, 1, 99])


# ---------------------------------------------------------------------------- what it does not compute


@pytest.fixture
def fed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tokens each forward of the fused decoder computed."""
    counts: list[int] = []
    real = llama.FusedLlama.forward

    def counting(self: Any, tokens_N: torch.Tensor, *arguments: Any) -> torch.Tensor:
        counts.append(len(tokens_N))
        return real(self, tokens_N, *arguments)

    monkeypatch.setattr(llama.FusedLlama, "forward", counting)
    return counts


def test_a_groups_prompt_is_computed_once_and_histories_never_again(fed: list[int], tokenizer: Any) -> None:
    session = Decoder(make("llama"), tokenizer, eos_token_ids=()).open(Sampling(max_tokens=4))
    first, second = prompts(1, low=30, high=30)[0], prompts(1, seed=1, low=20, high=20)[0]
    session.submit(requests([first] * 8 + [second] * 8))
    assert sum(fed) == 50
    session.run()
    # Four tokens a row: the last is not fed before the row goes on.
    assert fed[1:] == [16, 16, 16]
    session.submit(requests([(1, 2, 3)] * 16))
    assert fed[4:] == [16 * 4]
    session.submit(requests([first, second], first=16))
    assert len(fed) == 5
    stats = session.stats
    assert (stats.prompt_tokens, stats.computed_tokens, stats.shared_tokens) == (498, 114, 400)
    assert stats.generated_tokens == 64


def test_finished_rows_cost_nothing(fed: list[int], tokenizer: Any) -> None:
    session = Decoder(make("llama"), tokenizer, eos_token_ids=()).open(Sampling(max_tokens=9))
    rows = prompts(4, seed=7)
    session.submit([DecodeRequest(i, row, i, max_tokens=1 + 2 * i) for i, row in enumerate(rows)])
    fed.clear()
    session.run()
    assert fed == [3, 3, 2, 2, 1, 1]


def test_shared_prompts_take_their_memory_once(tokenizer: Any) -> None:
    decoder = Decoder(make("llama"), tokenizer)
    prompt = prompts(1, low=256, high=256)[0]
    shared, apart = (decoder.open(Sampling(max_tokens=2)) for _ in range(2))
    shared.submit(requests([prompt] * 16))
    apart.submit(requests([(*prompt[:-1], last) for last in range(16)]))
    shared.run()
    apart.run()
    a_token = 2 * 3 * 2 * 8 * 4  # keys and values, layers, key heads, width, bytes
    assert shared.stats.peak_kv_bytes == a_token * (256 + 16 * 64)
    assert apart.stats.peak_kv_bytes >= a_token * 16 * 256


# -------------------------------------------------------------------------------- adapters and weights


def adapted(name: str, **options: Any) -> Any:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=4, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM", **options)
    model = get_peft_model(copy.deepcopy(make(name)), config)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.normal_(0, 0.1, generator=generator)
    return model.eval()


@pytest.mark.parametrize(
    ("name", "options", "backend"),
    [
        ("llama", {}, "fused"),
        ("llama", {"use_rslora": True}, "fused"),
        ("llama", {"modules_to_save": ["lm_head", "embed_tokens"]}, "fused"),
        ("llama-biased", {"lora_bias": True}, "fused"),
        ("qwen2", {}, "fused"),
        ("llama", {"use_dora": True}, "transformers"),
        ("gpt2", {}, "transformers"),
    ],
    ids=str,
)
def test_adapters_decode_as_they_forward(
    name: str, options: dict[str, Any], backend: str, tokenizer: Any
) -> None:
    model, rows = adapted(name, **options), prompts(6, seed=8)
    decoder = Decoder(model, tokenizer)
    assert decoder.backend == backend
    session = decoder.open(GREEDY)
    session.submit(requests(rows))
    replies = tokens_of(session.run())
    assert replies == generated(model, rows, 24)
    assert replies != generated(make(name), rows, 24)
    with model.disable_adapter():
        decoder.refresh()
        session = decoder.open(GREEDY)
        session.submit(requests(rows))
        assert tokens_of(session.run()) == generated(make(name), rows, 24)


@pytest.mark.parametrize("backend", ["fused", "transformers"])
def test_after_an_update_refresh_decodes_with_the_new_weights(backend: Any, tokenizer: Any) -> None:
    model, rows = adapted("llama", lora_dropout=0.1), prompts(6, seed=9)
    decoder = Decoder(model, tokenizer, backend=backend)
    before = decoder.open(GREEDY)
    before.submit(requests(rows))
    old = tokens_of(before.run())
    model.train()
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1.0)
    model(torch.tensor([rows[0]]), labels=torch.tensor([rows[0]])).loss.backward()
    optimizer.step()
    decoder.refresh()
    session = decoder.open(GREEDY)
    session.submit(requests(rows))
    new = tokens_of(session.run())
    assert all(module.training for module in model.modules())
    assert new == generated(model.eval(), rows, 24)
    assert new != old
    with pytest.raises(RuntimeError, match="open a new one"):
        before.run()
    # Nothing that inference made has found its way into the graph.
    model(torch.tensor([rows[1]]), labels=torch.tensor([rows[1]])).loss.backward()


# -------------------------------------------------------------------------- other machines' code paths


def test_without_packed_weights_and_the_cpu_kernel_tokens_are_the_same(
    monkeypatch: pytest.MonkeyPatch, tokenizer: Any
) -> None:
    monkeypatch.setattr(weights, "has_packed_linear", lambda: False)
    monkeypatch.setattr(attention, "_has_cpu_kernel", lambda: False)
    test_every_family_equals_generate_over_two_turns("llama-biased", tokenizer)


def test_this_build_of_torch_has_both_fast_paths() -> None:
    assert weights.has_packed_linear()
    assert attention._has_cpu_kernel()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_dtypes_decode_too(dtype: torch.dtype, tokenizer: Any) -> None:
    model = copy.deepcopy(make("llama")).to(dtype)
    session = Decoder(model, tokenizer, backend="fused", eos_token_ids=()).open(Sampling(max_tokens=6))
    rows = [prompts(1, seed=10)[0]] * 3 + prompts(2, seed=11)
    session.submit(requests(rows))
    for result in session.run():
        wanted = forced_logprobs(model, session.tokens(result.row), 6, 1.0)
        tolerance = 0.15 if dtype is torch.bfloat16 else 1e-5
        torch.testing.assert_close(torch.tensor(result.logprobs).double(), wanted, atol=tolerance, rtol=0)


def test_a_large_prefill_is_cut_into_chunks(
    monkeypatch: pytest.MonkeyPatch, fed: list[int], tokenizer: Any
) -> None:
    monkeypatch.setattr(llama, "PREFILL_TOKENS", 64)
    test_every_family_equals_generate_over_two_turns("llama", tokenizer)
    assert sum(1 for count in fed if count > 7) > 4


@given(counts=st.lists(st.integers(1, 50), min_size=1, max_size=30), budget=st.integers(1, 200))
def test_chunks_cover_all_rows_in_order_and_keep_to_the_budget(counts: list[int], budget: int) -> None:
    cut = attention.chunks(counts, budget)
    assert [count for chunk in cut for count in counts[chunk]] == counts
    for chunk in cut:
        part = counts[chunk]
        assert len(part) == 1 or max(part) * len(part) <= budget


# ------------------------------------------------------------------------------------------- the arena


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_an_arena_never_loses_or_mixes_what_its_owners_hold(seed: int) -> None:
    rng = Random(seed)
    arena = SlotArena(KVShape(2, 1, 1, 1, torch.float32, torch.device("cpu")))
    held: dict[int, int] = {}
    for _ in range(30):
        action = rng.choice(["add", "write", "drop", "activate"])
        if action == "add":
            new = [owner for owner in rng.sample(range(20), 3) if owner not in held]
            arena.add(new)
            held.update(dict.fromkeys(new, 0))
        elif action == "write" and held:
            owner = rng.choice(sorted(held))
            held[owner] = rng.randint(1, 90)
            arena.reserve(held[owner])
            slot = arena.slot(owner)
            arena.length[slot] = held[owner]
            for layer in arena.kv:
                layer[:, slot, :, : held[owner]] = owner * 100 + held[owner]
            arena.hidden[slot] = owner
        elif action == "drop" and held:
            owner = rng.choice(sorted(held))
            arena.drop(owner)
            del held[owner]
        else:
            wanted = rng.sample(sorted(held), rng.randint(0, len(held)))
            order = arena.activate(wanted)
            assert sorted(order) == sorted(wanted)
            assert [arena.slot(owner) for owner in order] == list(range(len(order)))
        for owner, length in held.items():
            slot = arena.slot(owner)
            assert arena.length[slot] == length
            if length:
                assert all(bool((kv[:, slot, :, :length] == owner * 100 + length).all()) for kv in arena.kv)
                assert float(arena.hidden[slot]) == owner


# ---------------------------------------------------------------------------------------------- misuse


def opened(tokenizer: Any) -> DecodeSession:
    return Decoder(make("llama"), tokenizer).open(Sampling(max_tokens=4))


def test_what_cannot_be_is_refused_by_name(tokenizer: Any) -> None:
    with pytest.raises(UsageError, match=r"'quick'.*auto, fused or transformers"):
        Decoder(make("llama"), tokenizer, backend="quick")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"GPT2LMHeadModel.*backend='auto'"):
        Decoder(make("gpt2"), tokenizer, backend="fused")
    with pytest.raises(UsageError, match="top_p"):
        Decoder(make("llama"), tokenizer).open(Sampling(top_p=0))
    t5 = T5ForConditionalGeneration(
        T5Config(vocab_size=20, d_model=8, d_ff=8, d_kv=4, num_layers=1, num_heads=2)
    )
    with pytest.raises(UsageError, match="encoder-decoder"):
        Decoder(t5, tokenizer)


def test_auto_says_why_it_did_not_take_the_fused_backend(tokenizer: Any) -> None:
    assert "dynamic" in Decoder(make("llama-dynamic"), tokenizer).reason
    assert "window of 16" in Decoder(make("mistral-window"), tokenizer).reason
    assert "lora" in Decoder(adapted("llama", use_dora=True), tokenizer).reason.lower()
    assert Decoder(make("llama"), tokenizer).reason == ""


def test_a_state_that_is_no_key_value_cache_is_refused(tokenizer: Any) -> None:
    from transformers import MambaConfig, MambaForCausalLM

    mamba = MambaForCausalLM(
        MambaConfig(vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=1, state_size=4)
    )
    session = Decoder(mamba, tokenizer).open(Sampling(max_tokens=4))
    with pytest.raises(UsageError, match=r"MambaForCausalLM.*attention"):
        session.submit(requests(prompts(2)))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            [DecodeRequest(0, (1,), 0), DecodeRequest(0, (1,), 0)],
            "row 0 is still decoding, or is named twice",
        ),
        ([DecodeRequest(0, (), 0)], "row 0 is new"),
        ([DecodeRequest(0, (1,), 0, max_tokens=0)], "max_tokens is 0"),
    ],
)
def test_wrong_requests_are_errors_and_change_nothing(
    asked: list[DecodeRequest], message: str, tokenizer: Any
) -> None:
    session = opened(tokenizer)
    with pytest.raises(ValueError, match=message):
        session.submit(asked)
    assert session.run() == []
    session.submit(requests([(1, 2)]))
    assert len(session.run()) == 1


def test_a_diverged_model_is_said_plainly(tokenizer: Any) -> None:
    model = copy.deepcopy(make("llama"))
    with torch.no_grad():
        model.model.layers[1].mlp.down_proj.weight.fill_(torch.nan)
    session = Decoder(model, tokenizer).open(Sampling(max_tokens=4))
    session.submit(requests(prompts(2)))
    with pytest.raises(RunFailed, match="not finite"):
        session.run()


# ------------------------------------------------------------------------------- a real, trained model


@pytest.fixture(scope="module")
def smollm2() -> tuple[Any, Any]:
    from rftgym.config import ModelSettings
    from rftgym.registry import make_policy

    try:
        policy: Any = make_policy(ModelSettings(id="smollm2-135m"))
    except UsageError as error:
        pytest.skip(str(error))
    return policy.model, policy.tokenizer


def questions(tokenizer: Any, count: int) -> list[tuple[int, ...]]:
    rng = Random(0)
    things = ["rivers", "bread", "winter", "chess", "islands", "trains", "music", "glass"]
    rows = []
    for index in range(count):
        words = " and ".join(rng.sample(things, rng.randint(1, 6)))
        message = [{"role": "user", "content": f"Question {index}: what do {words} have in common?"}]
        rows.append(
            tuple(tokenizer.apply_chat_template(message, add_generation_prompt=True, return_dict=False))
        )
    return rows


@pytest.mark.slow
def test_smollm2_greedy_equals_generate_on_fifty_prompts(smollm2: tuple[Any, Any]) -> None:
    model, tokenizer = smollm2
    rows = questions(tokenizer, 50)
    session = Decoder(model, tokenizer, backend="fused").open(Sampling(temperature=0, max_tokens=32))
    session.submit(requests(rows))
    eos = tokenizer.eos_token_id
    for row, result in zip(rows, session.run(), strict=True):
        grown = model.generate(torch.tensor([row]), do_sample=False, max_new_tokens=32, pad_token_id=eos)
        assert result.token_ids == tuple(grown[0, len(row) :].tolist())


@pytest.mark.slow
def test_smollm2_counts_of_the_next_token_follow_the_model(smollm2: tuple[Any, Any]) -> None:
    model, tokenizer = smollm2
    prompt = questions(tokenizer, 1)[0]
    decoder = Decoder(model, tokenizer, backend="fused")
    with torch.no_grad():
        exact_V = torch.softmax(model(torch.tensor([prompt])).logits[0, -1].double(), -1)
    counts_V = torch.zeros_like(exact_V)
    for first in range(0, 4096, 512):
        session = decoder.open(Sampling(max_tokens=1))
        session.submit(requests([prompt] * 512, first=first))
        counts_V += torch.bincount(torch.tensor(tokens_of(session.run()))[:, 0], minlength=len(exact_V))
    assert chi_square_p(counts_V, exact_V) > 1e-4
