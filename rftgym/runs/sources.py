"""Copies of the files that a run's configuration names, ``./my_env.py:MyEnv``, kept in its ``sources/``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rftgym.files import digest, is_file, source_of, split
from rftgym.mixing import is_mix, parse_mix, sandboxes_in
from rftgym.runs import atomic
from rftgym.runs.strictjson import dumps

FOLDER = "sources"
INDEX = "sources.json"


def named_in(config: Mapping[str, Any]) -> list[Path]:
    """The files that a run's configuration names, each once."""
    return list(dict.fromkeys(split(id)[0] for id in _ids(config) if is_file(id)))


def _ids(config: Mapping[str, Any]) -> Iterator[str]:
    env, model, trainer, rewards = (_section(config, name) for name in ("env", "model", "trainer", "rewards"))
    id = str(env.get("id", ""))
    yield from parse_mix(id) if is_mix(id) else [id]
    yield from (str(each) for each in (model.get("id"), trainer.get("id"), env.get("parser")) if each)
    yield from rewards.get("add", {})
    yield from sandboxes_in(id, _section(env, "kwargs"))


def _section(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of a configuration; of one that no run of ours resolved, whatever is there may be anything."""
    found = config.get(name)
    return found if isinstance(found, Mapping) else {}


def keep(run: Path, config: Mapping[str, Any]) -> None:
    """Copy the files that a configuration names, as they were imported, into a run's directory; none: nothing."""
    index = {}
    for path in named_in(config):
        sha256 = digest(path)
        copy = f"{sha256[:12]}-{path.name}"
        (run / FOLDER).mkdir(exist_ok=True)
        atomic.write_bytes(run / FOLDER / copy, source_of(path))
        index[str(path)] = {"sha256": sha256, "copy": f"{FOLDER}/{copy}"}
    if index:
        atomic.write_bytes(run / INDEX, dumps(index, indent=1) + b"\n")


def changed(run: Path, index: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Which files of a run are not what they were when it began, in a sentence each."""
    found = []
    for name, facts in index.items():
        path = Path(name)
        now = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        if now != facts["sha256"]:
            what = "has changed since the run began" if now else "is gone"
            found.append(f"{name} {what}; as it was then: {run / facts['copy']}")
    return found
