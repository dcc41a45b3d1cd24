"""What the tokenizer of `tiny` holds as one token beside the bytes: the fixed phrases of Wordle's messages."""

from __future__ import annotations

from typing import Final

from rftgym_wordle import prompts

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
