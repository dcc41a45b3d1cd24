"""Writes a trained network as a folder that `transformers` loads."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import GenerationConfig, LlamaConfig, PreTrainedTokenizerFast

from rftgym_tiny.build.network import Network, Shape
from rftgym_tiny.build.tokens import END, PAD


def llama_config(shape: Shape, *, end: int, pad: int) -> LlamaConfig:
    """The library's configuration of the same network.

    Args:
        shape: sizes.
        end: id of the token that ends a reply.
        pad: id of the padding token.
    """
    return LlamaConfig(
        architectures=["LlamaForCausalLM"],
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=shape.context,
        rms_norm_eps=shape.norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=pad,
        dtype="float32",
    )


def export(network: Network, tokenizer: PreTrainedTokenizerFast, folder: Path, *, reply_tokens: int) -> None:
    """Write weights (float16), configuration, generation configuration and tokenizer.

    Args:
        network: trained.
        tokenizer: with as many tokens as the network knows.
        folder: is made where it is missing.
        reply_tokens: the most tokens of a reply, for those who generate without saying how many.

    The configuration asks for float32: half precision is for the file's size only, and loading widens it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder)
    end, pad = tokenizer.convert_tokens_to_ids([END, PAD])
    llama_config(network.shape, end=end, pad=pad).save_pretrained(folder)
    GenerationConfig(
        eos_token_id=end, pad_token_id=pad, do_sample=True, max_new_tokens=reply_tokens
    ).save_pretrained(folder)
    tensors = {name: tensor.to(torch.float16).contiguous() for name, tensor in network.state_dict().items()}
    path = folder / "model.safetensors"
    save_file(tensors, path, metadata={"format": "pt"})
    path.chmod(0o644)  # safetensors leaves it readable to its owner only
