"""The tokenizer: one token a byte, plus one for every fixed phrase of the first-party templates.

Any text round-trips; letters of guesses and notes stay single tokens, whose id is the byte's value.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from rftgym_wordle import prompts

END: Final = "<|im_end|>"
PAD: Final = "<|pad|>"
ASSISTANT: Final = "<|im_start|>assistant\n"
SPECIAL: Final = (PAD, END, "<|im_start|>", "<|im_start|>system\n", "<|im_start|>user\n", ASSISTANT)
OPEN: Final = "<guess>"
CLOSE: Final = "</guess>"
PHRASES: Final = (
    OPEN,
    CLOSE,
    prompts.SYSTEM_SENTENCES[0],
    *("\n" + sentence for sentence in prompts.SYSTEM_SENTENCES[1:]),
    prompts.NEW_GAME,
    prompts.NO_GUESS,
    prompts.NOT_A_WORD,
    "\n" + prompts.WON,
    "\n" + prompts.LOST,
    "\nGreen: ",
    "\nYellow: ",
    "\nGray: ",
    "\nLeft: ",
)
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


def build_tokenizer(context: int) -> PreTrainedTokenizerFast:
    """The tokenizer of `tiny`, ready to be saved.

    Args:
        context: most tokens that the model takes.
    """
    core = Tokenizer(models.BPE(vocab={name: byte for byte, name in enumerate(byte_names())}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in SPECIAL])
    core.add_tokens([AddedToken(text, normalized=False) for text in PHRASES])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token=END,
        pad_token=PAD,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def save_tokenizer(folder: Path, context: int) -> PreTrainedTokenizerFast:
    """Build the tokenizer and write its files into `folder`."""
    tokenizer = build_tokenizer(context)
    tokenizer.save_pretrained(folder)
    return tokenizer
