"""The tokenizers: one token a byte, whose id is the byte's value, one for every merge and one for every fixed phrase.

Any text round-trips. Where phrases overlap, the one that begins first is taken, and of those the longest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

END: Final = "<|im_end|>"
PAD: Final = "<|pad|>"
ASSISTANT: Final = "<|im_start|>assistant\n"
SPECIAL: Final = (PAD, END, "<|im_start|>", "<|im_start|>system\n", "<|im_start|>user\n", ASSISTANT)
CHAT_TEMPLATE: Final = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}"
    "{{ '<|im_start|>assistant\n' }}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\n' }}"
    "{% else %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def byte_names() -> list[str]:
    """The printable stand-in of each byte in the byte-level alphabet, by byte value.

    Source: the byte-to-unicode table of GPT-2's encoder, which `tokenizers` implements: printable Latin-1 stands for
    itself, the other bytes get the code points from 256 on, in order.
    """
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    spare = iter(range(256, 512))
    return [chr(byte if byte in printable else next(spare)) for byte in range(256)]


def build_tokenizer(
    phrases: Sequence[str], context: int, *, merges: Sequence[tuple[str, str]] = (), pieces: str = ""
) -> PreTrainedTokenizerFast:
    """A tokenizer, ready to be saved.

    Args:
        phrases: what is one token beside bytes, merges and the marks of the chat template, in the order of their ids.
        context: most tokens that the model takes.
        merges: pairs of tokens that are one token side by side, the first pair first; in the byte-level alphabet.
        pieces: a pattern that texts are cut by before anything is merged; needed with `merges`.
    """
    names = [*byte_names(), *dict.fromkeys(left + right for left, right in merges)]
    core = Tokenizer(models.BPE(vocab={name: id for id, name in enumerate(names)}, merges=list(merges)))
    as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    cut = [pre_tokenizers.Split(Regex(pieces), "isolated")] if pieces else []
    core.pre_tokenizer = pre_tokenizers.Sequence([*cut, as_bytes]) if cut else as_bytes
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in SPECIAL])
    core.add_tokens([AddedToken(text, normalized=False) for text in phrases])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token=END,
        pad_token=PAD,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer
