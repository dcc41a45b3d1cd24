"""A prompt that episodes share is computed once; states and gradients are those of a plain pass."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from rftgym.updates import shared
from rftgym.updates.shared import final_states

SIZES = {"vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}


def model(kind: str) -> Any:
    """A small random model."""
    with torch.random.fork_rng():
        torch.random.default_generator.manual_seed(0)
        if kind == "gpt2":
            config: Any = transformers.GPT2Config(
                vocab_size=50, n_embd=32, n_layer=2, n_head=4, n_positions=64, attn_pdrop=0, embd_pdrop=0
            )
        elif kind == "gemma3":
            config = transformers.Gemma3TextConfig(
                **SIZES, num_key_value_heads=2, intermediate_size=64, head_dim=8, sliding_window=4
            )
        elif kind == "mpt":
            config = transformers.MptConfig(vocab_size=50, d_model=32, n_layers=2, n_heads=4, max_seq_len=64)
        elif kind == "gpt-neo":
            config = transformers.GPTNeoConfig(
                vocab_size=50, hidden_size=32, num_layers=2, num_heads=4, window_size=4, bos_token_id=0,
                eos_token_id=0, attention_types=[[["global", "local"], 1]],
            )  # fmt: skip
        else:
            classes = {"llama": transformers.LlamaConfig, "qwen2": transformers.Qwen2Config}
            config = classes[kind](**SIZES, num_key_value_heads=2, intermediate_size=64)
        made = transformers.AutoModelForCausalLM.from_config(config)
    made.requires_grad_(True)
    return made.eval()


MODELS = {kind: model(kind) for kind in ("llama", "qwen2", "gpt2", "gemma3", "mpt", "gpt-neo")}
prompts = st.lists(st.lists(st.integers(0, 49), min_size=1, max_size=9), min_size=1, max_size=3)
rests = st.lists(
    st.tuples(st.integers(0, 2), st.lists(st.integers(0, 49), min_size=1, max_size=12)),
    min_size=1,
    max_size=6,
)


def both(base: Any, rows: list[tuple[list[int], list[int]]]) -> list[tuple[torch.Tensor, list[torch.Tensor]]]:
    """States at real tokens and gradients of their weighted sum: plain, then with shared prompts."""
    lengths = [len(head) + len(rest) for head, rest in rows]
    ids_BT = torch.zeros((len(rows), max(lengths)), dtype=torch.int64)
    for row, (head, rest) in enumerate(rows):
        ids_BT[row, : lengths[row]] = torch.tensor(head + rest)
    real_BT = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    found = []
    for worthwhile in (2.0, -1.0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(shared, "WORTHWHILE", worthwhile)
            states_BTD = final_states(base, ids_BT, [len(head) for head, _ in rows], lengths)
        weights_D = torch.linspace(-1, 1, states_BTD.shape[-1])
        (states_BTD @ weights_D)[real_BT].sum().backward()
        gradients = [p.grad.clone() for p in base.parameters() if p.grad is not None]
        base.zero_grad(set_to_none=True)
        found.append((states_BTD.detach()[real_BT], gradients))
    return found


@pytest.mark.parametrize("kind", MODELS)
@settings(max_examples=25)
@given(heads=prompts, tails=rests)
def test_states_and_gradients_are_those_of_a_plain_pass(
    kind: str, heads: list[list[int]], tails: list[tuple[int, list[int]]]
) -> None:
    rows = [(heads[owner % len(heads)], rest) for owner, rest in tails]
    (plain, plain_gradients), (once, gradients) = both(MODELS[kind].base_model, rows)
    torch.testing.assert_close(once, plain, atol=2e-5, rtol=1e-4)
    assert len(gradients) == len(plain_gradients) > 0
    for one, other in zip(gradients, plain_gradients, strict=True):
        torch.testing.assert_close(one, other, atol=2e-4 * float(other.abs().max() + 1), rtol=1e-3)


def tokens_computed(base: Any, rows: list[tuple[list[int], list[int]]]) -> list[int]:
    """Tokens of each forward pass, padding included."""
    seen = []
    hook = base.register_forward_pre_hook(
        lambda module, given, named: seen.append(named["input_ids"].numel()), with_kwargs=True
    )
    lengths = [len(head) + len(rest) for head, rest in rows]
    ids_BT = torch.zeros((len(rows), max(lengths)), dtype=torch.int64)
    for row, (head, rest) in enumerate(rows):
        ids_BT[row, : lengths[row]] = torch.tensor(head + rest)
    final_states(base, ids_BT, [len(head) for head, _ in rows], lengths)
    hook.remove()
    return seen


def test_a_groups_prompt_is_computed_once() -> None:
    base = MODELS["llama"].base_model
    group = [([1] * 20, [2, 3, 4, number]) for number in range(8)]
    assert tokens_computed(base, group) == [20, 8 * 4]
    assert tokens_computed(base, [([number] * 20, [1, 2]) for number in range(3)]) == [
        3 * 22
    ]  # nothing to share
    assert tokens_computed(base, [([1], [2] * 30)] * 4) == [4 * 31]  # not worth two passes


@pytest.mark.parametrize("kind", ["mpt", "gpt-neo"])
def test_models_that_count_places_share_prompts_of_one_length_only(kind: str) -> None:
    base = MODELS[kind].base_model
    alike = [([1] * 20, [2, 3]), ([1] * 20, [4, 5])]
    assert tokens_computed(base, alike) == [20, 2 * 2]
    assert tokens_computed(base, [*alike, ([6] * 19, [2, 3])]) == [3 * 22]


def test_prompts_with_nothing_behind_them_are_a_plain_pass() -> None:
    """Say, of episodes without a token of the model's."""
    assert tokens_computed(MODELS["llama"].base_model, [([1] * 20, [])] * 4) == [4 * 20]


def test_sliding_windows_are_left_to_a_plain_pass() -> None:
    assert tokens_computed(MODELS["gemma3"].base_model, [([1] * 20, [2])] * 4) == [4 * 21]


def test_with_gradient_checkpointing_it_is_a_plain_pass() -> None:
    checkpointed = model("llama").train()
    checkpointed.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    assert tokens_computed(checkpointed.base_model, [([1] * 20, [2])] * 4) == [4 * 21]
