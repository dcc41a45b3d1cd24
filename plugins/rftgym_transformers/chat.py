"""Conversations as tokens: what is appended before each completion. History is never rendered or tokenised again.

A chat template is rendered once for every sequence of roles, with markers in the place of the contents. What stands
between the markers is the template's own text; contents are put between it as they are. Three things follow:

- the tokens of a later turn are those of the text between the last completion and the new generation prompt;
- a template that writes its past anew when a conversation goes on is found out when the model is loaded;
- control tokens come from the template only: ``<|im_end|>`` inside an observation stays ordinary text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from jinja2.exceptions import TemplateError

from rftgym.errors import UsageError
from rftgym.types import Message

FALLBACK_TEMPLATE: Final = (
    "{% for message in messages %}"
    "{{ '### ' + message['role'] + '\n' + message['content'] }}"
    "{% if message['role'] == 'assistant' and eos_token %}{{ eos_token }}{% endif %}"
    "{{ '\n\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '### assistant\n' }}{% endif %}"
)
"""For a model without a chat template: a heading per message, the end-of-sequence token after each completion."""

# A template that trims contents takes this off; no template writes it beside a content of its own accord.
_PADDING: Final = "\t"


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A rendered template with its contents taken out.

    Attributes:
        literals: the template's own text around the contents, one more than there are contents.
        trims: by content: the template cuts white space off its (left, right) end.
        folded: all contents go into one user message, because the template has no place for these roles.
    """

    literals: tuple[str, ...]
    trims: tuple[tuple[bool, bool], ...]
    folded: bool = False

    def contents(self, messages: Sequence[Message]) -> list[str]:
        """The messages' contents as the template would write them."""
        contents = [message.content for message in messages]
        if self.folded:
            contents = ["\n\n".join(contents)]
        return [_trimmed(content, *trim) for content, trim in zip(contents, self.trims, strict=True)]


def _trimmed(content: str, left: bool, right: bool) -> str:
    content = content.lstrip() if left else content
    return content.rstrip() if right else content


class ChatFormat:
    """The conversation format of one tokenizer.

    Args:
        tokenizer: of transformers; its chat template is used, or :data:`FALLBACK_TEMPLATE` where it has none.
        name: of the model, for messages.

    Attributes:
        template: "own" or "fallback".
        system: "own", or "folded" where the template has no lasting place for a system message: its text then opens the
            first user message.

    Raises:
        UsageError: the template rewrites the past as a conversation goes on, so turns cannot be appended to it.
    """

    def __init__(self, tokenizer: Any, *, name: str) -> None:
        self._tokenizer = tokenizer
        self._name = name
        self.template = "own" if tokenizer.chat_template else "fallback"
        self._source = None if tokenizer.chat_template else FALLBACK_TEMPLATE
        self._openings: dict[tuple[str, ...], Skeleton] = {}
        self._continuations: dict[tuple[str, ...], Skeleton] = {}
        self._check_stable()
        self.system = "own" if self._keeps(("system", "user")) else "folded"
        self._controls = self._control_tokens()
        # A tokenizer without bytes to fall back on writes its unknown token for honest text too.
        self._control_ids = frozenset(self._controls.values()) - {tokenizer.unk_token_id}
        initials = "".join(sorted({control[0] for control in self._controls}))
        self._control_starts = re.compile(f"[{re.escape(initials)}]") if initials else None
        self._counts: dict[tuple[str, ...], int] = {}

    def opening(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """Tokens of a conversation's first messages, up to where the model's first completion begins."""
        skeleton = self._opening(tuple(message.role for message in messages))
        return self._encode(skeleton.literals, skeleton.contents(messages))

    def continuation(self, messages: Sequence[Message], *, ended_by: int | None) -> tuple[int, ...]:
        """Tokens between a completion and the next one.

        Args:
            messages: new since that completion.
            ended_by: the end-of-sequence token that the completion sampled, which is not written twice; None where it
                ended otherwise, so that the turn's end has to be written for it.
        """
        skeleton = self._continuation(tuple(message.role for message in messages))
        head, *rest = skeleton.literals
        contents = skeleton.contents(messages)
        if ended_by is None:
            return self._encode((head, *rest), contents)
        end = self.decode([ended_by])
        before, found, after = head.partition(end)
        if not found or before.strip():
            return self._encode((head, *rest), contents)
        ids = self._encode((end + after, *rest), contents)
        return ids[1:] if ids[0] == ended_by else self._encode((after, *rest), contents)

    def completion(self, text: str) -> tuple[int, ...]:
        """Tokens of a completion's text, without the token that ends its turn."""
        return self._encode(("", ""), (text,))

    def decode(self, ids: Sequence[int]) -> str:
        """Text of tokens, control tokens included."""
        text: str = self._tokenizer.decode(
            list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return text

    # -- skeletons

    def _opening(self, roles: tuple[str, ...]) -> Skeleton:
        if roles not in self._openings:
            own = self._render(roles) if "system" not in roles or self.system == "own" else None
            self._openings[roles] = own or self._folded(self._render(("user",)), roles)
        return self._openings[roles]

    def _continuation(self, roles: tuple[str, ...]) -> Skeleton:
        if roles not in self._continuations:
            past = ("user", "assistant")
            own = self._after(past, roles)
            self._continuations[roles] = own or self._folded(self._after(past, ("user",)), roles)
        return self._continuations[roles]

    def _folded(self, skeleton: Skeleton | None, roles: tuple[str, ...]) -> Skeleton:
        if skeleton is None or not roles:
            what = " + ".join(roles) or "no message"
            raise UsageError(f"the chat template of {self._name} has no place for {what} here")
        return Skeleton(skeleton.literals, skeleton.trims, folded=True)

    def _after(self, past: tuple[str, ...], roles: tuple[str, ...]) -> Skeleton | None:
        """What follows the past's last completion when ``roles`` come next."""
        whole = self._render((*past, *roles))
        return None if whole is None else Skeleton(whole.literals[len(past) :], whole.trims[len(past) :])

    def _render(self, roles: tuple[str, ...]) -> Skeleton | None:
        """The skeleton of these roles; None where the template refuses, drops, repeats or reorders any."""
        markers = [f"⟦{number}⟧" for number in range(len(roles))]
        chat = [
            {"role": role, "content": f"{_PADDING}{marker}{_PADDING}"}
            for role, marker in zip(roles, markers, strict=True)
        ]
        try:
            text: str = self._tokenizer.apply_chat_template(
                chat, tokenize=False, add_generation_prompt=True, chat_template=self._source
            )
        except (TemplateError, ValueError, TypeError, KeyError, IndexError):
            return None  # templates refuse in all of these ways, and the caller says which roles were refused
        return _skeleton(text, markers)

    # -- what is checked when a model is loaded

    def _check_stable(self) -> None:
        if not self._keeps(("user",)):
            raise UsageError(
                f"the chat template of {self._name} rewrites earlier messages as a conversation goes on, so turns "
                "cannot be appended token by token; give it one that only appends (chat_template.jinja)"
            )

    def _keeps(self, opening: tuple[str, ...]) -> bool:
        """Whether going on from this opening, twice, changes nothing before and appends the same text each time."""
        first = self._render(opening)
        once = self._render((*opening, "assistant", "user"))
        twice = self._render((*opening, "assistant", "user", "assistant", "user"))
        usual = self._after(("user", "assistant"), ("user",))
        if first is None or once is None or twice is None or usual is None:
            return False
        n = len(opening)
        same_past = (
            first.literals[:n] == once.literals[:n] and once.literals[: n + 2] == twice.literals[: n + 2]
        )
        # The generation prompt may say more than history will ("<think>"): what was sampled after it stays as it was.
        leads_on = first.literals[n].rstrip().startswith(once.literals[n].rstrip())
        return same_past and leads_on and once.literals[n + 1 :] == twice.literals[n + 3 :] == usual.literals

    # -- tokens

    def _control_tokens(self) -> dict[str, int]:
        """Texts that become control tokens: those that the tokenizer marks special or the template writes."""
        chats = [("user",), ("system", "user"), ("user", "assistant", "user")]
        skeletons = [self._render(roles) for roles in chats]
        written = "\0".join(literal for skeleton in skeletons if skeleton for literal in skeleton.literals)
        return {
            token.content: id
            for id, token in self._tokenizer.added_tokens_decoder.items()
            if len(token.content) > 1
            and not token.content.isspace()
            and (token.special or token.content in written)
        }

    def _encode(self, literals: Sequence[str], contents: Sequence[str]) -> tuple[int, ...]:
        """Tokens of literals and contents in turn.

        Raises:
            UsageError: a content became a control token all the same (a tokenizer which rewrites text before it looks).
        """
        text, spans = literals[0], []
        for content, literal in zip(contents, literals[1:], strict=True):
            spans.append((len(text), len(text) + len(content)))
            text += content + literal
        cuts = [0, *sorted(set(self._injections(text, spans))), len(text)]
        ids = [id for start, end in pairwise(cuts) for id in self._ids(text[start:end])]
        if self._count(ids) != self._expected_count(tuple(literals)):
            raise UsageError(
                f"a message holds text which the tokenizer of {self._name} takes for a control token"
            )
        return tuple(ids)

    def _count(self, ids: Sequence[int]) -> int:
        return sum(id in self._control_ids for id in ids)

    def _expected_count(self, literals: tuple[str, ...]) -> int:
        if literals not in self._counts:
            self._counts[literals] = self._count(self._ids(" ".join(literals)))
        return self._counts[literals]

    def _injections(self, text: str, spans: Sequence[tuple[int, int]]) -> Iterator[int]:
        """Where to cut the text so that no control token reaches into a content."""
        for match in self._control_starts.finditer(text) if self._control_starts else ():
            start = match.start()
            ends = [start + len(control) for control in self._controls if text.startswith(control, start)]
            yield from (
                max(low, start + 1) for end in ends for low, high in spans if start < high and low < end
            )

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = (
            self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"] if text else []
        )
        return ids


def _skeleton(text: str, markers: Sequence[str]) -> Skeleton | None:
    """Take the markers out of a rendered template; None unless each is there once, in order."""
    literals, trims = [], []
    for marker in markers:
        before, found, text = text.partition(marker)
        if not found or marker in text:
            return None
        left_trimmed, right_trimmed = not before.endswith(_PADDING), not text.startswith(_PADDING)
        literals.append(before if left_trimmed else before[: -len(_PADDING)])
        trims.append((left_trimmed, right_trimmed))
        text = text if right_trimmed else text[len(_PADDING) :]
    return Skeleton((*literals, text), tuple(trims))
