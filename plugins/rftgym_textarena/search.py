"""Searching for a way: the graph search that several solutions share, and the puzzles that are solved by it."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator
from random import Random
from typing import Any, TypeVar

StateT = TypeVar("StateT", bound=Hashable)
Steps = Callable[[StateT], Iterable[tuple[str, StateT]]]
_NODES = 200_000
_SIDES = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}


def way(
    start: StateT,
    steps: Steps[StateT],
    solved: Callable[[StateT], bool],
    *,
    far: Callable[[StateT], float] = lambda state: 0,
    greed: float = 1.0,
) -> list[str]:
    """The moves from a state to a solved one: a shortest way, or with greed above 1 a way that is found sooner.

    Args:
        steps: the moves that a state allows, each with the state that it leads to.
        far: a guess at how many moves are missing, not too high.

    Returns:
        No move at all where no way was found within 200,000 states.
    """
    count = itertools.count()
    queue = [(greed * far(start), next(count), 0, start)]
    came: dict[StateT, tuple[StateT, str] | None] = {start: None}
    while queue and len(came) < _NODES:
        _, _, cost, state = heapq.heappop(queue)
        if solved(state):
            return _back(came, state)
        for move, after in steps(state):
            if after not in came:
                came[after] = (state, move)
                heapq.heappush(queue, (cost + 1 + greed * far(after), next(count), cost + 1, after))
    return []


def _back(came: dict[StateT, tuple[StateT, str] | None], state: StateT) -> list[str]:
    moves = []
    while (step := came[state]) is not None:
        state, move = step
        moves.append(move)
    return moves[::-1]


def frozen_lake(game: Any, rng: Random) -> Iterator[str]:
    """The shortest way around the holes."""
    state = game.state.game_state
    grid = state["grid"]

    def steps(at: tuple[int, int]) -> Iterator[tuple[str, tuple[int, int]]]:
        for side, (down, right) in _SIDES.items():
            row, column = at[0] + down, at[1] + right
            if 0 <= row < game.size and 0 <= column < game.size and grid[row][column] != "H":
                yield f"[{side}]", (row, column)

    yield from way(state["player_pos"], steps, lambda at: at == state["goal_pos"])


def fifteen_puzzle(game: Any, rng: Random) -> Iterator[str]:
    """Some way, not the shortest."""
    goal = (*range(1, 16), 0)

    def steps(board: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
        row, column = divmod(board.index(0), 4)
        for side, (down, right) in _SIDES.items():
            other_row, other_column = row - down, column - right  # the tile moves, not the empty place
            if 0 <= other_row < 4 and 0 <= other_column < 4:
                here, there = 4 * row + column, 4 * other_row + other_column
                after = list(board)
                after[here], after[there] = after[there], 0
                yield f"[{side}]", tuple(after)

    def far(board: tuple[int, ...]) -> int:
        return sum(
            abs(at // 4 - (tile - 1) // 4) + abs(at % 4 - (tile - 1) % 4)
            for at, tile in enumerate(board)
            if tile
        )

    board = tuple(tile or 0 for row in game.board for tile in row)
    yield from way(board, steps, lambda board: board == goal, far=far, greed=4.0)


def sokoban(game: Any, rng: Random) -> Iterator[str]:
    """The shortest way, in moves of the player."""
    room = game.room_fixed
    free = {(r, c) for r, row in enumerate(room) for c, cell in enumerate(row) if cell != 0}
    goals = {(r, c) for r, row in enumerate(room) for c, cell in enumerate(row) if cell == 2}
    boxes = frozenset(
        (r, c) for r, row in enumerate(game.room_state) for c, cell in enumerate(row) if cell in (3, 4)
    )
    Room = tuple[tuple[int, int], frozenset[tuple[int, int]]]

    def steps(at: Room) -> Iterator[tuple[str, Room]]:
        (row, column), boxes = at
        for side, (down, right) in _SIDES.items():
            there, behind = (row + down, column + right), (row + 2 * down, column + 2 * right)
            if there not in free:
                continue
            if there not in boxes:
                yield f"[{side}]", (there, boxes)
            elif behind in free and behind not in boxes:
                yield f"[{side}]", (there, boxes - {there} | {behind})

    start = (int(game.player_position[0]), int(game.player_position[1]))
    yield from way((start, boxes), steps, lambda at: at[1] <= goals)


def rush_hour(game: Any, rng: Random) -> Iterator[str]:
    """The shortest way, in steps of one cell."""
    size = game.BOARD_SIZE
    cars = sorted(game.state.game_state["vehicles"].values(), key=lambda car: car.vid)

    def covered(car: Any) -> list[int]:
        """The cells that a car covers, as bits, for each place in its line."""
        along, line, across = (1, car.row * size, 0) if car.horizontal else (size, 0, car.col)
        places = range(size - car.length + 1)
        return [sum(1 << line + across + along * (at + i) for i in range(car.length)) for at in places]

    masks = [covered(car) for car in cars]

    def steps(places: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
        taken = sum(mask[at] for mask, at in zip(masks, places, strict=True))
        for i, (car, mask, at) in enumerate(zip(cars, masks, places, strict=True)):
            for sign, there in (("+", at + 1), ("-", at - 1)):
                if 0 <= there < len(mask) and not (taken - mask[at]) & mask[there]:
                    yield f"[{car.vid}{sign}]", (*places[:i], there, *places[i + 1 :])

    start = tuple(car.col if car.horizontal else car.row for car in cars)
    red = next(i for i, car in enumerate(cars) if car.vid == "X")
    yield from way(start, steps, lambda places: places[red] == len(masks[red]) - 1)


def peg_jump(game: Any, rng: Random) -> Iterator[str]:
    """Some way to one last peg."""

    def steps(board: tuple[bool, ...]) -> Iterator[tuple[str, tuple[bool, ...]]]:
        for start, over, end in game.ALLOWED_MOVES:
            if board[start] and board[over] and not board[end]:
                after = list(board)
                after[start], after[over], after[end] = False, False, True
                yield f"[{start} {end}]", tuple(after)

    yield from way(
        tuple(game.state.game_state["board"]), steps, lambda board: sum(board) == 1, far=sum, greed=2.0
    )


def countdown(game: Any, rng: Random) -> Iterator[str]:
    """The fewest operations that give the target."""

    def steps(numbers: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
        for i, j in itertools.permutations(range(len(numbers)), 2):
            rest = tuple(number for k, number in enumerate(numbers) if k not in (i, j))
            for sign, result in _results(numbers[i], numbers[j], i < j):
                yield f"[{i} {j} {sign}]", (*rest, result)

    yield from way(tuple(game.numbers), steps, lambda numbers: numbers[-1] == game.target)


def _results(a: int, b: int, in_order: bool) -> Iterator[tuple[str, int]]:
    if in_order:  # a sum or a product is the same the other way round
        yield from (("+", a + b), ("*", a * b))
    if a > b:
        yield "-", a - b
    if b > 1 and a % b == 0:
        yield "/", a // b


def word_ladder(game: Any, rng: Random) -> Iterator[str]:
    """The shortest way over the game's own words."""
    known = [word.lower() for word in game.word_list if len(word) == len(game.target_word)]
    neighbours = game._build_neighbor_map(known)
    yield from way(
        game.start_word,
        lambda word: ((f"[{after}]", after) for after in neighbours[word]),
        lambda word: word == game.target_word,
    )
