"""A process that does jobs, one after another: ``python -m rftgym.compare.worker``.

Orders come as JSON lines on standard input, each with the plugins to register that are not installed; answers go as
JSON lines to standard output: {"done": id}, {"stopped": id} or {"failed": id, "reason": text}. What libraries print
goes to standard error. The word "stop" asks the job under way to stop with a checkpoint. When the input ends, the
parent is gone, and so is this process, in the middle of whatever it does: runs can be killed at any moment and go on.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Mapping
from typing import IO, Any

from rftgym.errors import RftgymError


def main() -> None:
    """Serve orders until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii", buffering=1)
    os.dup2(2, 1)  # so that nobody's print() ends up among the answers
    orders: queue.Queue[Mapping[str, Any]] = queue.Queue()
    stop = threading.Event()
    threading.Thread(target=_listen, args=(sys.stdin, orders, stop), daemon=True).start()
    while True:
        answers.write(json.dumps(_served(orders.get(), stop)) + "\n")


def _listen(lines: IO[str], orders: queue.Queue[Mapping[str, Any]], stop: threading.Event) -> None:
    for line in lines:
        if line.strip() == "stop":
            stop.set()
        else:
            orders.put(json.loads(line))
    os._exit(0)


def _served(order: Mapping[str, Any], stop: threading.Event) -> dict[str, str]:
    from rftgym.compare.work import Order, perform
    from rftgym.registry import installed
    from rftgym.training import RunStopped

    job = Order(**order["order"])  # what the parent wrote with asdict()
    print(f"---- {job.id}", file=sys.stderr, flush=True)  # noqa: T201  # a log's heading
    try:
        perform(job, installed().adopt(order["plugins"]), stop=stop.is_set)
    except RunStopped:
        return {"stopped": job.id}
    except RftgymError as error:
        return {"failed": job.id, "reason": str(error)}
    except Exception as error:  # noqa: BLE001  # the parent reports it, the traceback is in the log
        traceback.print_exc()
        return {"failed": job.id, "reason": f"{type(error).__name__}: {error}"}
    return {"done": job.id}


if __name__ == "__main__":
    main()
