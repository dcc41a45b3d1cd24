"""Tasks of an OpenEnv server: those that it lists, or else seeds."""

from __future__ import annotations

import hashlib
import re

from rftgym.errors import UsageError
from rftgym.tasks import SPLITS, Taskset
from rftgym.types import Task
from rftgym_openenv.remote import Remote

LARGEST_LISTED = 1_000_000
"""A split of more is taken to have no end: nobody plays it through, and an order of it would be as long a list."""
STRIDE = 1_000_003
"""Tasks between the places at which two neighbouring seeds begin in an endless list."""
_SEED_ID = re.compile(r"(?P<split>\w+)-(?P<seed>0|-?[1-9][0-9]{0,18})-(?P<index>0|[1-9][0-9]{0,18})")
_INDEX_ID = re.compile(r"(?P<split>\w+)-(?P<index>0|[1-9][0-9]{0,18})")


class OpenEnvTasks(Taskset):
    """A task's data are what ``reset`` is called with.

    Where the server lists tasks, that is a split and an index, and ids read ``train-12``. Where it does not, it is a
    seed, ids read ``train-0-12`` and no split has an end; seeds of different splits never meet. Which of the two it is
    shows when the first task is asked for.
    """

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def size(self, split: str) -> int | None:
        """As the server has it; None for seeds, and for more than anybody plays through."""
        if split not in SPLITS:
            return 0
        sizes = self._remote.sizes
        if not sizes:
            return None
        count = sizes.get(split, ("", 0))[1]
        return None if count > LARGEST_LISTED else count

    def item(self, split: str, index: int, seed: int = 0) -> Task:
        """Task ``index`` of a split.

        Tasks that the server lists are in its own order, whatever the seed; of a list that nobody plays through, the
        seed says where to begin.

        Raises:
            IndexError: the server lists fewer.
        """
        sizes = self._remote.sizes
        if not sizes:
            return Task(f"{split}-{seed}-{index}", {"reset": {"seed": _seed(split, seed, index)}}, split)
        name, count = sizes.get(split, ("", 0))
        if count > LARGEST_LISTED:
            index = (index + seed * STRIDE) % count
        if not 0 <= index < count:
            raise IndexError(index)
        return Task(f"{split}-{index}", {"reset": {"split": name, "index": index}}, split)

    def by_id(self, id: str) -> Task:
        """The task of an id that :meth:`item` gave out."""
        listed = bool(self._remote.sizes)
        found = (_INDEX_ID if listed else _SEED_ID).fullmatch(id)
        if found is not None and found["split"] in SPLITS:
            seed = 0 if listed else int(found["seed"])
            try:
                return self.item(found["split"], int(found["index"]), seed)
            except IndexError as error:
                raise UsageError(f"no task {id!r}: the server lists fewer") from error
        form = "SPLIT-INDEX, say train-12" if listed else "SPLIT-SEED-INDEX, say train-0-12"
        raise UsageError(f"no task {id!r:.80}; ids of this server's tasks read {form}")


def _seed(split: str, seed: int, index: int) -> int:
    """The seed of a server's episode: 29 bits of BLAKE2b over ``"split:seed:index"``, and 2 that tell the split."""
    digest = hashlib.blake2b(f"{split}:{seed}:{index}".encode(), digest_size=4).digest()
    return (int.from_bytes(digest, "big") >> 3) * 4 + SPLITS.index(split)
