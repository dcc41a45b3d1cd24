"""The endpoint policy against a real HTTP server that speaks the chat-completions shape."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from rftgym.config import ModelSettings
from rftgym.errors import UsageError
from rftgym.policy import Reply, Request
from rftgym.registry import make_policy
from rftgym.types import Message, Sampling
from rftgym_openai.endpoint import RETRIES, Endpoint, EndpointError
from rftgym_openai.policy import OpenAIPolicy

KEY = "sk-a-key-that-nobody-may-see"
Answer = tuple[int, dict[str, Any]]


def completion(text: str | None, finish: str = "stop") -> Answer:
    return 200, {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}]}


@dataclass
class Server:
    """Answers with what ``answer`` makes of a request's body; remembers what it was sent."""

    answer: Callable[[dict[str, Any]], Answer]
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    busiest: int = 0
    busy: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def serving(answer: Callable[[dict[str, Any]], Answer]) -> Iterator[Server]:
    state = Server(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with state.lock:
                state.busy += 1
                state.busiest = max(state.busiest, state.busy)
                state.bodies.append(body)
                state.headers.append({name.lower(): value for name, value in self.headers.items()})
            try:
                status, content = state.answer(body) if self.path == "/v1/chat/completions" else (404, {})
            finally:
                with state.lock:
                    state.busy -= 1
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for name in ("OPENAI_BASE_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def policy_at(url: str, *, concurrency: int = 16, timeout_seconds: float = 10.0) -> OpenAIPolicy:
    """With short waits between attempts."""
    endpoint = Endpoint("m", url, KEY, timeout_seconds=timeout_seconds, first_wait_seconds=0.01)
    return OpenAIPolicy("openai:m", endpoint, concurrency=concurrency)


def ask(policy: OpenAIPolicy, texts: list[str], sampling: Sampling | None = None) -> list[Reply]:
    talk = policy.open(sampling or Sampling())
    talk.submit([Request(row, (Message("user", text),), row) for row, text in enumerate(texts)])
    return talk.run()


def echo(body: dict[str, Any]) -> Answer:
    return completion(" | ".join(f"{message['role']}: {message['content']}" for message in body["messages"]))


def test_the_command_line_s_name_leads_to_the_endpoint_and_the_history_is_sent_each_time() -> None:
    with serving(echo) as server:
        policy = make_policy(ModelSettings(id=f"openai:some/model@{server.url}/"))
        talk = policy.open(Sampling(temperature=0.5, top_p=0.9, max_tokens=7))
        talk.submit([Request(3, (Message("system", "s"), Message("user", "a")), 2**62 + 5)])
        (first,) = talk.run()
        assert first == Reply(3, "system: s | user: a")
        talk.submit([Request(3, (Message("user", "b"),), 6)])
        (second,) = talk.run()
        assert second.completion == "system: s | user: a | assistant: system: s | user: a | user: b"
        talk.release([3])
        talk.submit([Request(3, (Message("user", "anew"),), 7)])
        assert talk.run()[0].completion == "user: anew"
        body = server.bodies[0]
        assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    sent = {"model": "some/model", "temperature": 0.5, "top_p": 0.9, "max_tokens": 7, "seed": 5}
    assert {name: body[name] for name in sent} == sent
    assert not {"top_k", "min_p", "stop"} & set(body)


def test_the_environment_names_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(echo) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.delenv("OPENAI_API_KEY")
        policy = make_policy(ModelSettings(id="openai:m"))
        talk = policy.open(Sampling(top_k=5, min_p=0.1))
        talk.submit([Request(0, (Message("user", "a"),), 0)])
        assert talk.run()[0].completion == "user: a"
        assert "authorization" not in server.headers[0]
        assert (server.bodies[0]["top_k"], server.bodies[0]["min_p"]) == (5, 0.1)


def test_requests_are_under_way_together_and_no_more_than_allowed() -> None:
    def slow(body: dict[str, Any]) -> Answer:
        time.sleep(0.1)
        return echo(body)

    with serving(slow) as server:
        replies = ask(policy_at(server.url, concurrency=4), [str(row) for row in range(12)])
        assert [reply.completion for reply in replies] == [f"user: {row}" for row in range(12)]
        assert 2 <= server.busiest <= 4


def test_with_a_step_limit_the_quick_ones_come_first() -> None:
    go_on = threading.Event()

    def one_slow(body: dict[str, Any]) -> Answer:
        if body["messages"][0]["content"] == "slow":
            go_on.wait(20)
        return echo(body)

    with serving(one_slow) as server:
        talk = policy_at(server.url).open(Sampling())
        talk.submit(
            [Request(row, (Message("user", text),), row) for row, text in enumerate(["slow", "quick"])]
        )
        assert [reply.row for reply in talk.run(16)] == [1]
        go_on.set()
        assert [reply.row for reply in talk.run()] == [0]
        assert talk.run() == []


@pytest.mark.parametrize(
    ("text", "finish", "expected", "reason"),
    [
        ("<a>x</a> and more </a>", "stop", "<a>x</a>", "stop"),
        ("no end", "length", "no end", "length"),
        ("whole", "stop", "whole", "eos"),
        (None, "stop", "", "eos"),
    ],
)
def test_why_a_completion_ended(text: str | None, finish: str, expected: str, reason: str) -> None:
    with serving(lambda _: completion(text, finish)) as server:
        (reply,) = ask(policy_at(server.url), ["x"], Sampling(stop=("never", "</a>")))
    assert (reply.completion, reply.stop_reason, reply.failure) == (expected, reason, None)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(status: int) -> None:
    with serving(lambda body: (status, {}) if len(server.bodies) < 3 else echo(body)) as server:
        (reply,) = ask(policy_at(server.url), ["x"])
    assert reply.completion == "user: x"
    assert len(server.bodies) == 3


def test_a_server_that_stays_down_is_a_failure_of_the_infrastructure_and_soon_known() -> None:
    with serving(lambda _: (500, {"error": {"message": "out of order"}})) as server:
        replies = ask(policy_at(server.url, concurrency=1), ["x", "y", "z"])
        failures = [reply.failure for reply in replies]
        assert len(server.bodies) == RETRIES + 3  # the first request tried them all, the others once
    for failure in failures:
        assert failure is not None
        assert (failure.stage, failure.name, failure.kind) == ("policy", "openai:m", "HTTP 500")
        assert failure.infrastructure
        assert "out of order" in failure.message
    assert [failure.attempts for failure in failures if failure] == [RETRIES + 1, 1, 1]
    assert {reply.stop_reason for reply in replies} == {"error"}


def test_a_refusal_is_not_repeated_and_the_key_is_not_shown() -> None:
    with serving(
        lambda _: (401, {"error": {"message": f"Incorrect API key: {KEY}", "code": "bad"}})
    ) as server:
        (reply,) = ask(policy_at(server.url), ["x"])
        assert len(server.bodies) == 1
    assert reply.failure is not None
    assert not reply.failure.infrastructure
    assert "Incorrect API key: *** bad" in reply.failure.message
    assert KEY not in json.dumps(policy_at(server.url).describe())


@pytest.mark.parametrize("content", [{"choices": []}, {"error": "x"}, [], {"choices": [{"message": "text"}]}])
def test_an_answer_of_another_shape_is_a_failure(content: Any) -> None:
    with serving(lambda _: (200, content)) as server:
        (reply,) = ask(policy_at(server.url), ["x"])
    assert reply.failure is not None
    assert reply.failure.kind == "BadResponse"


def test_a_slow_or_absent_server_is_a_failure_of_the_infrastructure() -> None:
    with serving(lambda body: (time.sleep(1), echo(body))[1]) as server, pytest.raises(EndpointError) as slow:
        Endpoint("m", server.url, None, timeout_seconds=0.05, first_wait_seconds=0.001).complete(
            (), Sampling(), 0
        )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(EndpointError, match=r"127\.0\.0\.1") as absent:
        Endpoint("m", url, None, first_wait_seconds=0.001).complete((), Sampling(), 0)
    assert slow.value.infrastructure
    assert slow.value.kind == "ReadTimeout"
    assert absent.value.infrastructure
    assert absent.value.kind == "ConnectError"


def test_a_full_context_ends_the_completion_without_a_failure() -> None:
    error = {
        "error": {
            "message": "This model's maximum context length is 9 tokens",
            "code": "context_length_exceeded",
        }
    }
    with serving(lambda _: (400, error)) as server:
        (reply,) = ask(policy_at(server.url), ["x"])
    assert (reply.stop_reason, reply.completion, reply.failure) == ("context", "", None)


def test_newer_models_get_their_limit_by_its_newer_name() -> None:
    def newer(body: dict[str, Any]) -> Answer:
        if "max_tokens" in body:
            return 400, {"error": {"message": "Unsupported parameter: use 'max_completion_tokens' instead."}}
        return completion(str(body["max_completion_tokens"]))

    with serving(newer) as server:
        policy = policy_at(server.url)
        assert ask(policy, ["x"], Sampling(max_tokens=9))[0].completion == "9"
        ask(policy, ["x"])
        assert len(server.bodies) == 3


@pytest.mark.parametrize(
    ("id", "message"),
    [
        ("openai:", "does not say which"),
        ("openai", "does not say which"),
        ("openai:m@http://", "is no URL"),
        ("openai:m@http://user:secret@host/v1", "may hold no password"),
    ],
)
def test_names_that_cannot_be_are_refused(id: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        make_policy(ModelSettings(id=id))
    assert "secret" not in str(refused.value)


def test_an_endpoint_cannot_be_trained_and_needs_a_key_where_openai_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UsageError, match="no weights that can be trained"):
        make_policy(ModelSettings(id="openai:m"), trainable=True)
    with pytest.raises(UsageError, match="no weights"):
        make_policy(ModelSettings(id="openai:m", weights="adapter"))
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(UsageError, match="set OPENAI_API_KEY"):
        make_policy(ModelSettings(id="openai:m"))
