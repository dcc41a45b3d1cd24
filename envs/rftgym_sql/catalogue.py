"""All of the environment's own questions, by split."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import Any

from rftgym import Task
from rftgym.tasks import ProceduralTaskset
from rftgym_sql.questions import cinema, flights, hospital, library, school, shop, staff
from rftgym_sql.schema import Schema
from rftgym_sql.template import Template, pose

_MODULES = (shop, library, school, flights, staff, cinema, hospital)
SCHEMAS: dict[str, Schema] = {module.SCHEMA.name: module.SCHEMA for module in _MODULES}


@lru_cache(maxsize=1)
def by_split() -> dict[str, tuple[tuple[Schema, Template], ...]]:
    """Templates with their schemas. A template is in one split, so what is tested was never trained on."""
    lists: dict[str, Sequence[tuple[Schema, Sequence[Template]]]] = {
        "train": [(module.SCHEMA, module.TRAIN) for module in _MODULES],
        "validation": [(module.SCHEMA, module.VALIDATION) for module in _MODULES],
        "test": [(module.SCHEMA, module.TEST) for module in _MODULES],
    }
    return {
        split: tuple((schema, template) for schema, templates in found for template in templates)
        for split, found in lists.items()
    }


def generated(engine: str) -> ProceduralTaskset:
    """Questions without end, for an engine; all templates of a split come up equally often."""

    def generate(split: str, rng: Random, id: str) -> Task:
        schema, template = rng.choice(by_split()[split])
        return task_of(schema, template, engine, rng, id, split)

    return ProceduralTaskset(generate)


def task_of(schema: Schema, template: Template, engine: str, rng: Random, id: str, split: str) -> Task:
    """A task from a template; its id seeds the database states."""
    posed = pose(template, schema, engine, rng)
    data: dict[str, Any] = {
        "template": f"{schema.name}/{template.name}",
        "schema": schema.name,
        "question": posed.question,
        "columns": template.columns,
        "query": posed.query,
        "order": list(template.order),
        "pins": {column: list(values) for column, values in posed.pins.items()},
        "seed": id,
    }
    return Task(id, data, split, template.difficulty)
