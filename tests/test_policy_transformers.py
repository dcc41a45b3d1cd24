"""Policies with weights: token-exact conversations, adapters, and what is refused."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from rftgym.config import LoraSettings, ModelSettings
from rftgym.errors import UsageError
from rftgym.policy import Reply, Request
from rftgym.registry import installed, make_policy
from rftgym.runs.directory import RunDirectory
from rftgym.types import Message, Sampling, Task, Trajectory, Turn
from rftgym_transformers.chat import FALLBACK_TEMPLATE, ChatFormat
from rftgym_transformers.policy import TokenConversations, TransformersPolicy

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
DEFAULT_SYSTEM = (
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}"
    "{{ '<|im_start|>system\nBe brief.<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
TRIMMING = (
    "{{ bos_token }}{% for m in messages %}"
    "{{ '<|im_start|>' + m['role'] + '\n\n' + m['content'] | trim + '<|im_end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n\n' }}{% endif %}"
)
SYSTEM_REFUSED = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SYSTEM_BEFORE_LAST = (  # as some do: the system message moves on to the newest user message
    "{% for m in messages %}{% if m['role'] == 'user' %}{{ '[INST] ' }}"
    "{% if loop.last and messages[0]['role'] == 'system' %}{{ messages[0]['content'] + '\n\n' }}{% endif %}"
    "{{ m['content'] + '[/INST]' }}{% elif m['role'] == 'assistant' %}{{ ' ' + m['content'] + '<|im_end|>' }}"
    "{% endif %}{% endfor %}"
)
THINKING = CHATML.replace("assistant\n' }}{% endif %}", "assistant\n<think>\n' }}{% endif %}")
FORGETFUL = (  # shows only the last user message
    "{% for m in messages %}{% if loop.last %}{{ '<|im_start|>' + m['content'] + '<|im_end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
NUMBERING = CHATML.replace("m['role'] + '\n'", "m['role'] + (messages | length | string) + '\n'")
CONTROL = ("<|im_start|>", "<|im_end|>", "<|pad|>")
PROSE = "The answer is <guess>crane</guess>\n\nGreen: ___ne\nYellow: r2 s15  and so on, with spaces.\n" * 3


def make_tokenizer(template: str | None = CHATML) -> PreTrainedTokenizerFast:
    """Byte-level BPE with merges, so that a boundary in the wrong place shows, and with three control tokens."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=320, initial_alphabet=alphabet, show_progress=False)
    core.train_from_iterator([PROSE], trainer)
    core.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in CONTROL])
    core.add_tokens([AddedToken("<guess>", normalized=False)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|pad|>"
    )
    tokenizer.chat_template = template
    return tokenizer


def make_model(vocabulary: int, *, seed: int = 0, hidden: int = 32) -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.3,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)  # noqa: TID251  # transformers draws a new model's weights from it; put back by fork_rng
        return LlamaForCausalLM(config)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random model with its tokenizer, saved as any model is."""
    path = tmp_path_factory.mktemp("models") / "random"
    tokenizer = make_tokenizer()
    make_model(len(tokenizer)).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def load(path: Path | str, *, trainable: bool = False, seed: int = 0, **changes: Any) -> TransformersPolicy:
    policy = make_policy(ModelSettings(id=str(path), **changes), trainable=trainable, seed=seed)
    assert isinstance(policy, TransformersPolicy)
    return policy


def say(text: str, role: str = "user") -> Message:
    return Message(role, text)  # type: ignore[arg-type]


def converse(
    policy: TransformersPolicy, turns: Sequence[Sequence[Message]], sampling: Sampling, *, rows: int = 1
) -> list[list[Turn]]:
    """The same messages to every row, turn by turn; returns each row's turns."""
    talk = policy.open(sampling)
    played: list[list[Turn]] = [[] for _ in range(rows)]
    for number, messages in enumerate(turns):
        talk.submit([Request(row, tuple(messages), 1000 * row + number) for row in range(rows)])
        for reply in talk.run():
            assert reply.failure is None
            ids = (reply.prompt_ids, reply.completion_ids, reply.logprobs)
            played[reply.row].append(Turn(tuple(messages), reply.completion, *ids, reply.stop_reason))
    return played


def as_chat(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def rendered(tokenizer: Any, messages: Sequence[Message], template: str | None = None) -> tuple[int, ...]:
    ids = tokenizer.apply_chat_template(as_chat(messages), add_generation_prompt=True, chat_template=template)
    return tuple(ids["input_ids"])


def trajectory(turns: list[Turn]) -> Trajectory:
    return Trajectory("test", Task("t", {}), 0, turns=turns)


TURNS = [
    [say("You play.", "system"), say("Begin!")],
    [say("\nNot in the list.")],
    [say("Again"), say("please")],
]


# -- conversations as tokens


def test_a_conversation_is_the_template_s_text_and_ends_are_not_written_twice(directory: Path) -> None:
    policy = load(directory)
    played = converse(policy, TURNS, Sampling(max_tokens=60), rows=24)
    reasons = {turn.stop_reason for turns in played for turn in turns[:-1]}
    assert reasons == {"eos", "length"}  # both ways of going on are in this test
    for turns in played:
        pieces = [policy.chat.decode(ids) for turn in turns for ids in (turn.prompt_ids, turn.completion_ids)]
        end = "" if turns[-1].stop_reason == "eos" else "<|im_end|>"
        said = list(trajectory(turns).messages)
        assert "".join(pieces) + end + "\n" == policy.tokenizer.apply_chat_template(
            as_chat(said), tokenize=False
        )


TEMPLATES = [CHATML, DEFAULT_SYSTEM, TRIMMING, THINKING.replace("<think>\n", "")]
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.sampled_from(TEMPLATES), st.lists(st.tuples(texts, texts), min_size=1, max_size=3), st.booleans())
@settings(deadline=None, max_examples=150)
def test_what_is_appended_equals_rendering_the_whole(
    template: str, exchanges: list[tuple[str, str]], system: bool
) -> None:
    tokenizer = TOKENIZERS[template]
    chat = ChatFormat(tokenizer, name="test")
    end: int = tokenizer.eos_token_id
    history = [say("A rule.", "system")] if system else []
    ids: tuple[int, ...] = ()
    for number, (observation, completion) in enumerate(exchanges):
        new = [*(history if number == 0 else ()), say(observation)]
        ids += chat.continuation(new, ended_by=end) if number else chat.opening(new)
        history.append(new[-1])
        assert ids == rendered(tokenizer, history)
        spoken = (
            completion.strip()
        )  # a template that trims would trim the model's own words in a rendering, too
        ids += (*tokenizer(spoken, add_special_tokens=False)["input_ids"], end)
        history.append(say(spoken, "assistant"))


TOKENIZERS = {template: make_tokenizer(template) for template in TEMPLATES}


@given(
    st.lists(st.one_of(st.sampled_from([*CONTROL, "<|im_", "start|>", "end|>", "<", "|>", "\n", " "]), texts))
)
@settings(deadline=None, max_examples=200)
def test_control_tokens_come_from_the_template_only(pieces: list[str]) -> None:
    tokenizer = TOKENIZERS[CHATML]
    chat = ChatFormat(tokenizer, name="test")
    text = "".join(pieces)
    control = set(tokenizer.convert_tokens_to_ids(list(CONTROL)))
    for ids, expected in (
        (chat.opening([say(text, "system"), say(text)]), 5),
        (chat.continuation([say(text)], ended_by=None), 4),
        (chat.continuation([say(text)], ended_by=tokenizer.eos_token_id), 3),
    ):
        assert sum(id in control for id in ids) == expected
        assert chat.decode(ids).count(text) >= 1


def test_other_added_tokens_still_match_in_messages(directory: Path) -> None:
    policy = load(directory)
    assert policy.tokenizer.convert_tokens_to_ids("<guess>") in policy.chat.opening([say("a <guess>b")])


def test_a_template_without_a_lasting_place_for_system_messages_gets_them_in_the_first_user_message() -> None:
    for template in (SYSTEM_REFUSED, SYSTEM_BEFORE_LAST):
        tokenizer = make_tokenizer(template)
        chat = ChatFormat(tokenizer, name="test")
        assert chat.system == "folded"
        assert chat.opening([say("Rules.", "system"), say("Go")]) == rendered(
            tokenizer, [say("Rules.\n\nGo")]
        )
    assert ChatFormat(make_tokenizer(CHATML), name="test").system == "own"


def test_a_generation_prompt_may_say_more_than_the_history_shows() -> None:
    chat = ChatFormat(make_tokenizer(THINKING), name="test")
    assert chat.decode(chat.opening([say("x")])).endswith("<|im_start|>assistant\n<think>\n")
    following = chat.decode(chat.continuation([say("y")], ended_by=None))
    assert following == "<|im_end|>\n<|im_start|>user\ny<|im_end|>\n<|im_start|>assistant\n<think>\n"


@pytest.mark.parametrize("template", [FORGETFUL, NUMBERING])
def test_a_template_that_rewrites_the_past_is_refused_at_loading(template: str) -> None:
    with pytest.raises(UsageError, match="rewrites earlier messages"):
        ChatFormat(make_tokenizer(template), name="test")


def test_without_a_template_there_is_a_plain_one() -> None:
    tokenizer = make_tokenizer(None)
    chat = ChatFormat(tokenizer, name="test")
    assert chat.template == "fallback"
    opening = chat.opening([say("Rules.", "system"), say("Go")])
    assert chat.decode(opening) == "### system\nRules.\n\n### user\nGo\n\n### assistant\n"
    history = [say("Rules.", "system"), say("Go"), say("ok", "assistant"), say("on")]
    said = (*tokenizer("ok", add_special_tokens=False)["input_ids"], tokenizer.eos_token_id)
    whole = opening + said + chat.continuation([say("on")], ended_by=tokenizer.eos_token_id)
    assert whole == rendered(tokenizer, history, FALLBACK_TEMPLATE)


# -- what is sampled


def test_greedy_replies_equal_generate_over_the_whole_conversation(directory: Path) -> None:
    policy = load(directory)
    turns = converse(policy, TURNS, Sampling(temperature=0, max_tokens=12))[0]
    history: list[int] = []
    for turn in turns:
        history += turn.prompt_ids
        prompt = torch.tensor([history])
        whole = policy.model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=12, do_sample=False
        )
        assert tuple(whole[0, len(history) :].tolist()) == turn.completion_ids
        history += turn.completion_ids


def logprobs_of(model: Any, turns: list[Turn], temperature: float) -> list[float]:
    """What a forward pass of the model over the whole trajectory says about its sampled tokens."""
    played = trajectory(turns)
    ids = torch.tensor([played.token_ids])
    with torch.no_grad():
        logprobs_TV = torch.log_softmax(model(ids).logits[0] / temperature, dim=-1)
    each = logprobs_TV[:-1].gather(1, ids[0, 1:, None])[:, 0].tolist()
    return [value for value, sampled in zip(each, played.model_mask[1:], strict=True) if sampled]


@pytest.mark.parametrize("trainable", [False, True])
def test_logprobs_are_the_model_s(directory: Path, trainable: bool) -> None:
    policy = load(directory, trainable=trainable)
    if trainable:
        spoil_adapter(policy)
        policy.refresh()
    for turns in converse(policy, TURNS, Sampling(temperature=0.7, max_tokens=10), rows=3):
        recorded = [value for turn in turns for value in turn.logprobs]
        assert recorded == pytest.approx(logprobs_of(policy.model, turns, 0.7), abs=1e-4)


def test_a_group_shares_its_prompt(directory: Path) -> None:
    talk = load(directory).open(Sampling(max_tokens=2))
    assert isinstance(talk, TokenConversations)
    opening = (say("The same long words for all. " * 5),)
    talk.submit([Request(row, opening, row) for row in range(8)])
    assert len({reply.prompt_ids for reply in talk.run()}) == 1
    stats = talk.session.stats
    assert stats.shared_tokens == 7 * stats.computed_tokens > 0


def test_draws_depend_on_the_seed_alone(directory: Path) -> None:
    policy = load(directory)
    before = torch.get_rng_state()

    def ask(rows: Sequence[int]) -> dict[int, Reply]:
        talk = policy.open(Sampling(max_tokens=10))
        talk.submit([Request(row, (say(f"row {row}"),), row) for row in rows])
        return {reply.row: reply for reply in talk.run()}

    together, alone = ask([1, 2, 3]), ask([2])
    assert together[2].completion_ids == alone[2].completion_ids
    assert torch.equal(before, torch.get_rng_state())


def test_a_full_context_is_said_and_not_raised(directory: Path) -> None:
    talk = load(directory).open(Sampling(max_tokens=4))
    talk.submit([Request(0, (say("x" * 2000),), 0), Request(1, (say("short"),), 0)])
    full, fine = talk.run()
    assert (full.row, full.stop_reason, full.completion_ids) == (0, "context", ())
    assert fine.completion_ids
    talk.release([0, 1])


def test_drift_counts_turns_that_are_not_what_was_said(directory: Path) -> None:
    policy = load(directory)
    turns = converse(policy, TURNS, Sampling(max_tokens=8))[0]
    assert policy.drift(trajectory(turns)) == 0
    turns[1].completion += "!"
    assert policy.drift(trajectory(turns)) == 1
    turns[0].prompt_ids = turns[0].prompt_ids[1:]
    assert policy.drift(trajectory(turns)) == 2


# -- adapters and weights


def spoil_adapter(policy: TransformersPolicy) -> None:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in policy.model.named_parameters():
            if "lora_B" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)


def greedy(policy: TransformersPolicy) -> tuple[int, ...]:
    return converse(policy, [[say("Go")]], Sampling(temperature=0, max_tokens=16))[0][0].completion_ids


def test_refresh_makes_new_weights_speak(directory: Path) -> None:
    policy = load(directory, trainable=True)
    first = greedy(policy)
    assert first == greedy(load(directory))  # a new adapter changes nothing
    spoil_adapter(policy)
    assert greedy(policy) == first
    policy.refresh()
    assert policy.version == 1
    assert greedy(policy) != first


def test_what_is_trained_is_what_was_asked_for(directory: Path) -> None:
    lora = LoraSettings(rank=4, targets="q_proj,v_proj")
    policy = load(directory, trainable=True, lora=lora)
    trained = {
        name.split(".lora_")[0].rpartition(".")[2]
        for name, p in policy.model.named_parameters()
        if p.requires_grad
    }
    assert trained == {"q_proj", "v_proj"}
    everything = load(directory, trainable=True, adapter="full").describe()
    assert (
        everything["trainable_parameters"]
        == everything["parameters"]
        == load(directory).describe()["parameters"]
    )
    assert load(directory).describe()["trainable_parameters"] == 0
    linears = load(directory, trainable=True).model
    assert not any(
        "lm_head" in name or "embed" in name for name, p in linears.named_parameters() if p.requires_grad
    )


def test_a_new_adapter_comes_from_its_seed_and_nobody_else_s(directory: Path) -> None:
    def adapter(seed: int) -> torch.Tensor:
        named = load(directory, trainable=True, seed=seed).model.named_parameters()
        return torch.cat([p.detach().flatten() for name, p in named if "lora_A" in name])

    before = torch.get_rng_state()
    first, again, other = adapter(1), adapter(1), adapter(2)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert 0 < first.std() < 1


def trained_adapter(directory: Path, target: Path) -> TransformersPolicy:
    policy = load(directory, trainable=True, lora=LoraSettings(rank=4))
    spoil_adapter(policy)
    policy.refresh()
    policy.save(target)
    return policy


def test_a_saved_adapter_says_the_same_again(directory: Path, tmp_path: Path) -> None:
    spoken = greedy(trained_adapter(directory, tmp_path / "adapter"))
    assert sorted(path.name for path in (tmp_path / "adapter").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert greedy(load(directory, weights=str(tmp_path / "adapter"))) == spoken
    going_on = load(directory, trainable=True, weights=str(tmp_path / "adapter"))
    assert greedy(going_on) == spoken
    assert 0 < going_on.describe()["trainable_parameters"] < going_on.describe()["parameters"]
    merged = load(directory, trainable=True, adapter="full", weights=str(tmp_path / "adapter"))
    assert greedy(merged) == spoken
    alone = load(tmp_path / "adapter")
    assert greedy(alone) == spoken
    assert alone.id == str(tmp_path / "adapter")


def test_full_weights_say_the_same_again(directory: Path, tmp_path: Path) -> None:
    policy = load(directory, trainable=True, adapter="full")
    with torch.no_grad():
        policy.model.model.norm.weight.mul_(torch.linspace(-2, 2, 32))
    policy.refresh()
    spoken = greedy(policy)
    assert spoken != greedy(load(directory))
    policy.save(tmp_path / "full")
    assert greedy(load(tmp_path / "full")) == spoken
    assert greedy(load(directory, weights=str(tmp_path / "full"))) == spoken


def make_run(directory: Path, root: Path) -> RunDirectory:
    return RunDirectory.create(root, name="x", config={"model": {"id": str(directory)}}, plugins=installed())


def test_a_run_can_be_named_as_a_model(directory: Path, tmp_path: Path) -> None:
    run = make_run(directory, tmp_path)
    with pytest.raises(UsageError, match=r"no trained weights yet; .*--resume"):
        load(run.path)
    with run.publish("adapter") as target:
        spoken = greedy(trained_adapter(directory, target))
    assert greedy(load(run.path)) == spoken
    assert greedy(load(directory, weights=str(run.path))) == spoken
    with pytest.raises(UsageError, match="weights of its own"):
        load(run.path, weights=str(run.path))


def test_gradient_checkpointing_trains_the_same(directory: Path) -> None:
    def gradient(checkpointing: bool) -> torch.Tensor:
        policy = load(directory, trainable=True, gradient_checkpointing=checkpointing)
        policy.model.train()
        ids = torch.tensor([policy.chat.opening([say("Go")])])
        policy.model(input_ids=ids, labels=ids).loss.backward()
        return torch.cat([p.grad.flatten() for _, p in policy.model.named_parameters() if p.grad is not None])

    assert torch.allclose(gradient(True), gradient(False), atol=1e-6)


def test_attention_and_dtype_are_settings(directory: Path) -> None:
    described = load(directory, attention="eager", dtype="bfloat16").describe()
    assert (described["attention"], described["dtype"], described["device"]) == ("eager", "bfloat16", "cpu")
    assert load(directory).describe()["dtype"] == ("bfloat16" if torch.cuda.is_available() else "float32")


# -- what is refused


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": "/nowhere"}, "no such directory"),
        ({"device": "frobnicator"}, "model.device=frobnicator"),
        (
            {"lora": LoraSettings(targets=["q_proj", "nonsense"])},
            "nonsense cannot be adapted; there are .*down_proj",
        ),
        ({"lora": LoraSettings(targets=["lm_head"])}, "lm_head cannot be adapted"),
        ({"lora": LoraSettings(targets="nothing_like_it")}, r"model\.lora"),
    ],
)
def test_settings_that_cannot_be_are_refused(directory: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load(directory, trainable=True, **changes)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_qlora_without_a_gpu_names_the_way_out(directory: Path) -> None:
    with pytest.raises(UsageError, match=r"needs a GPU.*model\.adapter=lora"):
        load(directory, trainable=True, adapter="qlora")


def test_pickled_weights_are_not_read(directory: Path, tmp_path: Path) -> None:
    pickled = shutil.copytree(directory, tmp_path / "pickled")
    torch.save(make_model(10).state_dict(), pickled / "pytorch_model.bin")
    (pickled / "model.safetensors").unlink()
    with pytest.raises(UsageError, match="pickled weights are not read"):
        load(pickled)
    trained_adapter(directory, tmp_path / "adapter")
    (tmp_path / "adapter" / "adapter_model.safetensors").rename(tmp_path / "adapter" / "adapter_model.bin")
    with pytest.raises(UsageError, match="pickled weights are not read"):
        load(directory, weights=str(tmp_path / "adapter"))


def test_a_model_s_own_code_is_not_run(directory: Path, tmp_path: Path) -> None:
    own = shutil.copytree(directory, tmp_path / "own")
    config = json.loads((own / "config.json").read_text())
    config |= {
        "model_type": "homemade",
        "auto_map": {"AutoConfig": "code.C", "AutoModelForCausalLM": "code.M"},
    }
    (own / "config.json").write_text(json.dumps(config))
    (own / "code.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(UsageError, match="code of its own"):
        load(own)
    assert not (tmp_path / "ran").exists()


def test_an_adapter_for_another_model_is_refused(directory: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    tokenizer = make_tokenizer()
    make_model(len(tokenizer), hidden=64).save_pretrained(other)
    tokenizer.save_pretrained(other)
    trained_adapter(directory, tmp_path / "adapter")
    with pytest.raises(UsageError, match="does not fit this model"):
        load(other, weights=str(tmp_path / "adapter"))


def test_a_tokenizer_larger_than_its_model_is_refused(directory: Path, tmp_path: Path) -> None:
    small = shutil.copytree(directory, tmp_path / "small")
    make_model(50).save_pretrained(small)
    with pytest.raises(UsageError, match="embedding only 50 rows"):
        load(small)


def test_a_directory_that_is_no_model_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no config\.json of a model and no adapter_config\.json"):
        load(tmp_path)


def test_without_a_network_a_hub_id_fails_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unresolved(*_: object) -> None:
        raise socket.gaierror("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    monkeypatch.setattr("urllib.request.getproxies", dict)
    with pytest.raises(UsageError, match="the hub cannot be reached"):
        load("owner/no-such-model-anywhere")


# -- the bundled model


def test_tiny_plays_token_exactly(tmp_path: Path) -> None:
    policy = load("tiny", trainable=True)
    turns = converse(policy, TURNS, Sampling(temperature=0, max_tokens=12))[0]
    history: list[Message] = []
    ids: tuple[int, ...] = ()
    for turn in turns:
        history += turn.messages
        ids += turn.prompt_ids
        if all(said.stop_reason == "eos" for said in turns[: turns.index(turn)]):
            assert ids == rendered(policy.tokenizer, history)
        prompt = torch.tensor([ids])
        mask = torch.ones_like(prompt)
        whole = policy.model.generate(
            input_ids=prompt, attention_mask=mask, max_new_tokens=12, do_sample=False
        )
        assert tuple(whole[0, len(ids) :].tolist()) == turn.completion_ids
        ids += turn.completion_ids
        history.append(say(turn.completion, "assistant"))
    assert policy.drift(trajectory(turns)) == 0
    policy.save(tmp_path)
    assert json.loads((tmp_path / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny"
    assert greedy(load(tmp_path)) == greedy(policy)
