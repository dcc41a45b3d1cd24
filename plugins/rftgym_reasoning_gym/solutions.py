"""Answers to datasets that state none: found here, or among what the entry says besides."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

Metadata = Mapping[str, Any]
SIDE: Final = 6
"""Of the board of rush_hour."""


def solution(name: str, entry: Mapping[str, Any]) -> str | None:
    """A right answer, where one is known or found; whether it is right is for the scorer to say."""
    if entry["answer"] is not None:
        return str(entry["answer"])
    solve = SOLVERS.get(name)
    return None if solve is None else solve(entry["metadata"])


def colouring(metadata: Metadata) -> str:
    """What graph_color keeps as a possible answer."""
    return json.dumps({str(vertex): color for vertex, color in metadata["possible_answer"].items()})


def conclusion(metadata: Metadata) -> str:
    """What propositional_logic keeps as an example."""
    return str(metadata["example_answer"])


def turns(metadata: Metadata) -> str:
    """What rubiks_cube keeps as an example."""
    return str(metadata["example_correct_answer"])


def plan(metadata: Metadata) -> str:
    """One box after the other to its target, square by square, each move a step of its own."""
    state: dict[str, list[str]] = metadata["initial_state"]
    steps = []
    targets = {
        item[7:]: square for square, items in state.items() for item in items if item.startswith("target_")
    }
    boxes = [
        (item[4:], square) for square, items in state.items() for item in items if item.startswith("box_")
    ]
    for color, square in boxes:
        path = _path(square, targets[color], state)
        for here, there in pairwise(path):
            steps.append({_agent(here): f"move(box_{color}, square{_coordinates(there)})"})
        steps.append({_agent(path[-1]): f"move(box_{color}, target_{color})"})
    return json.dumps(steps)


def _coordinates(square: str) -> str:
    return "[{}, {}]".format(*square.split("_"))


def _agent(square: str) -> str:
    return f"Agent{_coordinates(square)}"


def _path(start: str, end: str, squares: Mapping[str, Any]) -> list[str]:
    """Along the grid: first the rows, then the columns."""
    (row, column), (last_row, last_column) = (map(float, square.split("_")) for square in (start, end))
    path = [start]
    while (row, column) != (last_row, last_column):
        if row != last_row:
            row += 1 if last_row > row else -1
        else:
            column += 1 if last_column > column else -1
        path.append(f"{row}_{column}")
    return path if all(square in squares for square in path) else [start]


def drive(metadata: Metadata) -> str | None:
    """Fewest moves that bring car A of rush_hour to the right edge."""
    board = metadata["board_config"]
    cars = _cars(board)
    walls = {place for place, mark in enumerate(board) if mark == "x"}
    start = tuple(car[0] for car in cars)
    came: dict[tuple[int, ...], tuple[tuple[int, ...], str] | None] = {start: None}
    queue = deque([start])
    while queue:
        places = queue.popleft()
        if places[0] % SIDE + len(cars[0]) == SIDE:
            return " ".join(_traced(places, came))
        for after, move in _moves(places, cars, walls):
            if after not in came:
                came[after] = (places, move)
                queue.append(after)
    return None


def _cars(board: str) -> list[list[int]]:
    """The squares of each car, in the order of their letters."""
    letters = sorted(set(re.findall("[A-Z]", board)))
    return [[place for place, mark in enumerate(board) if mark == letter] for letter in letters]


def _moves(
    places: tuple[int, ...], cars: list[list[int]], walls: set[int]
) -> Iterator[tuple[tuple[int, ...], str]]:
    strides = [car[1] - car[0] for car in cars]
    lined_up = list(zip(places, strides, cars, strict=True))
    full = walls | {place + i * stride for place, stride, car in lined_up for i in range(len(car))}
    for number, (place, stride, car) in enumerate(lined_up):
        for sign in (1, -1):
            for steps in range(1, SIDE):
                head = place + stride * (sign * steps + (len(car) - 1 if sign > 0 else 0))
                if (
                    not 0 <= head < SIDE * SIDE
                    or head in full
                    or (stride == 1 and head // SIDE != place // SIDE)
                ):
                    break
                after = (*places[:number], place + sign * steps * stride, *places[number + 1 :])
                yield after, f"{chr(ord('A') + number)}{'+' if sign > 0 else '-'}{steps}"


def _traced(places: tuple[int, ...], came: Mapping[tuple[int, ...], Any]) -> list[str]:
    moves: list[str] = []
    step = came[places]
    while step is not None:
        places, move = step
        moves.append(move)
        step = came[places]
    return moves[::-1]


SOLVERS: Final[Mapping[str, Callable[[Metadata], str | None]]] = {
    "boxnet": plan,
    "graph_color": colouring,
    "propositional_logic": conclusion,
    "rubiks_cube": turns,
    "rush_hour": drive,
}
