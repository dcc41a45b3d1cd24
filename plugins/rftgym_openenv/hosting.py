"""``python -m rftgym_openenv.hosting MODULE:APP``: serves an application on a free port until standard input ends.

The first line on standard output is the server's address. Who started it holds the other end of its standard input; so
it ends with them, even where they are killed.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from typing import Any

from rftgym_openenv.listening import LARGEST_MESSAGE_BYTES, listener


def main(application: str) -> None:
    """Serve "module:app"."""
    import uvicorn

    threading.Thread(target=_end_with_input, daemon=True).start()
    module, _, name = application.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    listening = listener("127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    settings = uvicorn.Config(found, log_level="warning", ws_max_size=LARGEST_MESSAGE_BYTES)
    uvicorn.Server(settings).run(sockets=[listening])


def _end_with_input() -> None:
    while os.read(
        0, 4096
    ):  # not sys.stdin, whose lock this thread would take along into the interpreter's end
        pass
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
