"""A server that is out to do harm, for the tests of the OpenEnv adapter: what is said to it chooses how."""

from __future__ import annotations

import json
import os
from typing import Any

from fastapi import FastAPI, WebSocket

hostile = FastAPI()
ANSWERS = {
    "huge": json.dumps({"type": "observation", "data": {"observation": {"text": "x" * 9_000_000}}}),
    "long": json.dumps({"type": "observation", "data": {"observation": {"text": "x" * 70_000}}}),
    "deep": '{"type":"observation","data":' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "}",
    "deep metadata": '{"type":"observation","data":{"observation":{"text":"t"},"reward":1,"done":true,"metadata":%s}}'
    % ('{"a":' * 500 + "1" + "}" * 500),
    "no json": "\x80\x04K\x01.",
    "list": '{"type":"observation","data":[1]}',
    "number": "12345",
    "error": json.dumps({"type": "error", "data": {"code": "\x1b[2J", "message": "\x1b]0;owned\x07" * 999}}),
    "nan": '{"type":"observation","data":{"observation":{"text":"t"},"reward":NaN,"done":true}}',
    "infinite": '{"type":"observation","data":{"observation":{"text":"t"},"reward":1e999,"done":true}}',
    "words": '{"type":"observation","data":{"observation":{"text":"t"},"reward":"1.0","done":true}}',
    "no reward": '{"type":"observation","data":{"observation":{"text":"t"},"done":true}}',
    "steering": json.dumps(
        {
            "type": "observation",
            "data": {"observation": {"text": "a\x1b[2J\ud800\x00b"}, "reward": 1, "done": True},
        }
    ),
    "odd metadata": json.dumps(
        {"type": "observation", "data": {"observation": 7, "reward": 1, "done": "yes", "metadata": [1]}}
    ),
}


@hostile.get("/schema")
def schema() -> dict[str, Any]:
    return {"action": {"properties": {"say": {"type": "string"}}, "required": ["say", 3]}}


@hostile.websocket("/ws")
async def session(websocket: WebSocket) -> None:
    await websocket.accept()
    while True:
        message = json.loads(await websocket.receive_text())
        if message["type"] == "reset":
            await websocket.send_text('{"type":"observation","data":{"observation":{"text":"go"}}}')
            continue
        said = message["data"]["say"]
        if said == "die":
            os._exit(1)
        if said == "leave":
            await websocket.close()
            return
        if said != "silence":
            await websocket.send_text(ANSWERS[said])
