"""A policy with weights: a transformers model (plain, or with an adapter), its tokenizer, and a decoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rftgym.errors import UsageError
from rftgym.policy import Conversations, Policy, Reply, Request
from rftgym.rollout.decoder import Decoder, DecodeRequest, DecodeResult, DecodeSession
from rftgym.types import Failure, Message, Sampling, Trajectory
from rftgym_transformers.adapters import is_adapted, restore_adapter, restore_model, save_adapter
from rftgym_transformers.chat import ChatFormat

KV_BYTES = 2 * 1024**3
"""What the keys and values of all open conversations may take, if each is 1,024 tokens long."""


def affordable_rows(config: Any) -> int:
    """How many conversations may be open at once, from the size of a token's keys and values in float32 (8 to 256)."""
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    token_bytes = 2 * config.num_hidden_layers * heads * width * 4
    return max(8, min(256, int(KV_BYTES // (token_bytes * 1024))))


class TransformersPolicy(Policy):
    """Holds the weights that a trainer updates, and talks with them.

    Args:
        id: what the user called it.
        model: a causal language model of transformers, possibly wrapped by PEFT.
        tokenizer: of transformers.
        base: the model that an adapter belongs to, as a name that can be loaded again; written into saved adapters.
        facts: more for :meth:`describe`.

    Attributes:
        chat: the conversation format.

    Raises:
        UsageError: the tokenizer's chat template cannot be continued turn by turn.
    """

    def __init__(
        self,
        id: str,
        model: Any,
        tokenizer: Any,
        *,
        base: str | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.id = id
        self.version = 0
        self.model = model
        self.tokenizer = tokenizer
        self.chat = ChatFormat(tokenizer, name=id)
        self.max_rows = affordable_rows(model.config.get_text_config())
        self._base = base or id
        self._facts = dict(facts or {})
        self._decoder: Decoder | None = None

    @property
    def decoder(self) -> Decoder:
        """Made on first use, since it may copy the weights."""
        if self._decoder is None:
            quantized = getattr(self.model, "is_quantized", False)
            self._decoder = Decoder(
                self.model, self.tokenizer, backend="transformers" if quantized else "auto"
            )
        return self._decoder

    def open(self, sampling: Sampling) -> TokenConversations:
        """Start a batch of conversations with the weights as they are now."""
        return TokenConversations(self.id, self.chat, self.decoder.open(sampling))

    def refresh(self) -> None:
        """The weights have changed: later conversations use them, and the version counts one more update."""
        self.version += 1
        if self._decoder is not None:
            self._decoder.refresh()

    def save(self, directory: str | Path) -> None:
        """Write the adapter in PEFT's format, or, where all weights are trained, model and tokenizer. Safetensors only.

        Args:
            directory: is made where it is missing; files of the same names are replaced.
        """
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        if is_adapted(self.model):
            save_adapter(self.model, directory, base=self._base)
        else:
            self.model.save_pretrained(directory)
            self.tokenizer.save_pretrained(directory)

    def restore(self, directory: str | Path) -> None:
        """Read back what :meth:`save` wrote, into the weights that are there; they become the same bit for bit.

        Raises:
            UsageError: it holds weights of other names or shapes.
        """
        if is_adapted(self.model):
            restore_adapter(self.model, Path(directory))
        else:
            restore_model(self.model, Path(directory))
        self.refresh()

    def drift(self, trajectory: Trajectory) -> int:
        """In how many turns the recorded tokens are not those of the recorded text; 0 for every sound trajectory.

        What was sampled must decode to the completion that environment and rewards saw, and what was put before it
        must be the tokens of the recorded messages.
        """
        ended_by: int | None = None
        drifted = 0
        for number, turn in enumerate(trajectory.turns):
            if number == 0:
                expected = self.chat.opening(turn.messages)
            else:
                expected = self.chat.continuation(turn.messages, ended_by=ended_by)
            ended_by = turn.completion_ids[-1] if turn.stop_reason == "eos" and turn.completion_ids else None
            sampled = turn.completion_ids if ended_by is None else turn.completion_ids[:-1]
            drifted += turn.prompt_ids != expected or self.chat.decode(sampled) != turn.completion
        return drifted

    def describe(self) -> dict[str, Any]:
        """Facts for the run's records (JSON values)."""
        parameters = list(self.model.parameters())
        model = self.model.get_base_model() if is_adapted(self.model) else self.model
        return {
            "id": self.id,
            "class": type(model).__name__,
            "parameters": sum(p.numel() for p in parameters),
            "trainable_parameters": sum(p.numel() for p in parameters if p.requires_grad),
            "dtype": str(model.dtype).removeprefix("torch."),
            "device": str(model.device),
            "attention": model.config._attn_implementation,
            "chat_template": self.chat.template,
            "system_message": self.chat.system,
            **self._facts,
        }


@dataclass(slots=True)
class _Row:
    ended_by: int | None = None
    prompt_ids: tuple[int, ...] = ()


@dataclass
class TokenConversations(Conversations):
    """Conversations on a decoder: messages become tokens on the way in, tokens become replies on the way out.

    Attributes:
        session: does the decoding; ``session.stats`` counts its tokens and seconds.
    """

    policy_id: str
    chat: ChatFormat
    session: DecodeSession
    _rows: dict[int, _Row] = field(default_factory=dict)
    _failed: list[Reply] = field(default_factory=list)

    def submit(self, requests: Sequence[Request]) -> None:
        """Queue completions."""
        decode = []
        openings: dict[tuple[Message, ...], tuple[int, ...]] = {}  # a group begins with the same words
        for request in requests:
            try:
                prompt_ids = self._prompt(request, openings)
            except UsageError as error:
                self._failed.append(self._failure(request.row, error))
                continue
            self._rows.setdefault(request.row, _Row()).prompt_ids = prompt_ids
            decode.append(DecodeRequest(request.row, prompt_ids, request.seed))
        self.session.submit(decode)

    def run(self, steps: int | None = None) -> list[Reply]:
        """Decode until every queued row has finished, or for ``steps`` tokens a row."""
        failed, self._failed = self._failed, []
        replies = [self._reply(result) for result in self.session.run(steps)]
        return sorted([*failed, *replies], key=lambda reply: reply.row)

    def release(self, rows: Sequence[int]) -> None:
        """Free the rows' caches."""
        known = [row for row in rows if self._rows.pop(row, None) is not None]
        self.session.release(known)

    def _prompt(
        self, request: Request, openings: dict[tuple[Message, ...], tuple[int, ...]]
    ) -> tuple[int, ...]:
        row = self._rows.get(request.row)
        if row is not None:
            return self.chat.continuation(request.messages, ended_by=row.ended_by)
        if request.messages not in openings:
            openings[request.messages] = self.chat.opening(request.messages)
        return openings[request.messages]

    def _reply(self, result: DecodeResult) -> Reply:
        row = self._rows[result.row]
        ids = tuple(result.token_ids)
        row.ended_by = ids[-1] if result.stop_reason == "eos" and ids else None
        return Reply(
            result.row,
            result.text,
            row.prompt_ids,
            ids,
            tuple(result.logprobs),
            stop_reason=result.stop_reason,
        )

    def _failure(self, row: int, error: Exception) -> Reply:
        failure = Failure("policy", self.policy_id, type(error).__name__, " ".join(str(error).split())[:500])
        return Reply(row, "", stop_reason="error", failure=failure)
