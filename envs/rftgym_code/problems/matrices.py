"""Problems about matrices, written as lists of rows."""

from __future__ import annotations

from rftgym_code.problems.problem import Problem, grid

PROBLEMS = (
    Problem(
        1,
        '''
def transposed(matrix: list[list[int]]) -> list[list[int]]:
    """Return a matrix whose rows are the columns of another one.

    >>> transposed([[1, 2, 3], [4, 5, 6]])
    [[1, 4], [2, 5], [3, 6]]
    """
    return [list(column) for column in zip(*matrix)]
''',
        (([[7]],), ([[1, 2]],), ([[1], [2]],), ([],)),
        lambda rng: (grid(rng, 0, 9),),
        (
            ("zip(*matrix)", "zip(*matrix[::-1])"),
            ("list(column)", "column"),
            ("[list(column) for column in zip(*matrix)]", "[row[::-1] for row in matrix]"),
        ),
    ),
    Problem(
        2,
        '''
def spiral(matrix: list[list[int]]) -> list[int]:
    """Return the numbers of a matrix in a spiral: along the top row, down, back, up, and so on inwards.

    >>> spiral([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    [1, 2, 3, 6, 9, 8, 7, 4, 5]
    """
    out: list[int] = []
    rows = list(matrix)
    while rows:
        out.extend(rows.pop(0))
        rows = [list(row) for row in zip(*rows)][::-1]
    return out
''',
        (([],), ([[1]],), ([[1, 2, 3]],), ([[1], [2], [3]],), ([[1, 2], [3, 4], [5, 6]],)),
        lambda rng: (grid(rng, 0, 99, 5),),
        (
            ("zip(*rows)][::-1]", "zip(*rows)]"),
            ("rows = list(matrix)", "rows = matrix"),
            ("    return out", "    return out[:-1] if len(out) > 9 else out"),
        ),
    ),
    Problem(
        2,
        '''
def product(first: list[list[int]], second: list[list[int]]) -> list[list[int]]:
    """Return the product of two matrices; raise ValueError where their sizes do not fit.

    >>> product([[1, 2], [3, 4]], [[0, 1], [1, 0]])
    [[2, 1], [4, 3]]
    """
    if len(first[0]) != len(second):
        raise ValueError("the first has as many columns as the second has rows")
    columns = list(zip(*second))
    return [[sum(a * b for a, b in zip(row, column)) for column in columns] for row in first]
''',
        (
            ([[2]], [[3]]),
            ([[1, 2]], [[3], [4]]),
            ([[1], [2]], [[3, 4]]),
            ([[1, 2]], [[3, 4]]),
            ([[1, 0], [0, 1]], [[5, 6], [7, 8]]),
            ([[1, 2, 3]], [[1], [2]]),
        ),
        lambda rng: (
            a := grid(rng, -5, 5, 3),
            [[rng.randint(-5, 5) for _ in range(rng.choice([2]))] for _ in a[0]],
        ),
        (
            ("list(zip(*second))", "second"),
            (
                "if len(first[0]) != len(second):",
                "if len(first) != len(second[0]) and len(first[0]) != len(second):\n        return []\n    if False:",
            ),
            ("sum(a * b for a, b in zip(row, column))", "sum(abs(a * b) for a, b in zip(row, column))"),
        ),
    ),
    Problem(
        3,
        '''
def islands(grid: list[str]) -> int:
    """Return how many islands a map has: groups of "#" that touch at their sides, not at their corners.

    >>> islands(["##.", "..#", "#.#"])
    3
    """
    land = {(r, c) for r, row in enumerate(grid) for c, sign in enumerate(row) if sign == "#"}
    count = 0
    while land:
        count += 1
        border = [land.pop()]
        while border:
            r, c = border.pop()
            for near in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
                if near in land:
                    land.remove(near)
                    border.append(near)
    return count
''',
        (
            ([],),
            (["..."],),
            (["#"],),
            (["#.#", ".#.", "#.#"],),
            (["###", "#.#", "###"],),
            (["#.#", "###"],),
            (["##", "##"],),
        ),
        lambda rng: (
            (lambda w: ["".join(rng.choice("##.") for _ in range(w)) for _ in range(rng.randint(2, 5))])(
                rng.randint(2, 5)
            ),
        ),
        (
            ("(r, c + 1), (r, c - 1))", "(r, c + 1), (r, c - 1), (r + 1, c + 1), (r - 1, c - 1))"),
            ("(r + 1, c), (r - 1, c), ", ""),
            ("                    border.append(near)\n", ""),
        ),
    ),
    Problem(
        3,
        '''
def next_generation(cells: list[list[int]]) -> list[list[int]]:
    """Return the next generation of Conway's game of life; 1 is a living cell, and nothing lives outside.

    A living cell lives on with 2 or 3 living neighbours out of 8, and a dead one comes to life with 3.

    >>> next_generation([[0, 1, 0], [0, 1, 0], [0, 1, 0]])
    [[0, 0, 0], [1, 1, 1], [0, 0, 0]]
    """
    alive = {(r, c) for r, row in enumerate(cells) for c, cell in enumerate(row) if cell}

    def lives(r: int, c: int) -> bool:
        block = sum((i, j) in alive for i in (r - 1, r, r + 1) for j in (c - 1, c, c + 1))
        return block == 3 or (block == 4 and (r, c) in alive)

    return [[int(lives(r, c)) for c in range(len(row))] for r, row in enumerate(cells)]
''',
        (
            ([[1]],),
            ([[1, 1], [1, 1]],),
            ([[1, 1, 1]],),
            ([[0]],),
            ([[1, 1, 0], [1, 1, 0], [0, 0, 1]],),
            ([[1, 1, 1], [1, 1, 1], [1, 1, 1]],),
        ),
        lambda rng: (grid(rng, 0, 1, 5),),
        (
            ("(block == 4 and (r, c) in alive)", "block == 4"),
            ("block == 3 or ", ""),
            ("int(lives(r, c))", "lives(r, c)"),
            ("(c - 1, c, c + 1))", "(c - 1, c + 1))"),
        ),
    ),
    Problem(
        2,
        '''
def rotated_right(matrix: list[list[int]], turns: int) -> list[list[int]]:
    """Return a matrix turned clockwise by some quarter turns; negative ones go the other way.

    >>> rotated_right([[1, 2], [3, 4]], 1)
    [[3, 1], [4, 2]]
    """
    out = [list(row) for row in matrix]
    for _ in range(turns % 4):
        out = [list(row) for row in zip(*out[::-1])]
    return out
''',
        (
            ([[1]], 3),
            ([[1, 2]], 0),
            ([[1, 2]], 1),
            ([[1, 2, 3], [4, 5, 6]], 2),
            ([[1, 2], [3, 4]], -1),
            ([[1, 2], [3, 4]], 4),
            ([[1, 2], [3, 4]], 5),
        ),
        lambda rng: (grid(rng, 0, 9, 3), rng.randint(-5, 6)),
        (
            ("turns % 4", "turns"),
            ("zip(*out[::-1])", "zip(*out)"),
            ("[list(row) for row in zip(*out[::-1])]", "list(zip(*out[::-1]))"),
        ),
    ),
    Problem(
        4,
        '''
def determinant(matrix: list[list[int]]) -> int:
    """Return the determinant of a square matrix of whole numbers, exactly; 1 for the matrix without rows.

    >>> determinant([[2, 1], [5, 3]])
    1
    """
    if not matrix:
        return 1
    total = 0
    for column, number in enumerate(matrix[0]):
        rest = [row[:column] + row[column + 1 :] for row in matrix[1:]]
        total += (-1) ** column * number * determinant(rest)
    return total
''',
        (
            ([],),
            ([[7]],),
            ([[0, 0], [0, 0]],),
            ([[0, 1], [1, 0]],),
            ([[10**12, 1], [1, 10**12]],),
            ([[2, 0, 0], [0, 3, 0], [0, 0, 4]],),
        ),
        lambda rng: (grid(rng, -5, 5, 4, square=True),),
        (
            ("(-1) ** column * ", ""),
            ("matrix[1:]]", "matrix[1:]][::-1]"),
            ("        return 1\n", "        return 0\n"),
            ("return total", "return abs(total)"),
        ),
    ),
    Problem(
        4,
        '''
def cheapest_way(costs: list[list[int]]) -> int:
    """Return the smallest sum of costs on a way from the upper left field to the lower right one.

    A step leads to the next field in any of the four directions. The costs of both ends count; none is negative.

    >>> cheapest_way([[1, 9, 1], [1, 9, 1], [1, 1, 1]])
    5
    """
    import heapq

    queue = [(costs[0][0], 0, 0)]
    done = set()
    while True:
        total, r, c = heapq.heappop(queue)
        if (r, c) == (len(costs) - 1, len(costs[0]) - 1):
            return total
        if (r, c) in done:
            continue
        done.add((r, c))
        for i, j in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
            if 0 <= i < len(costs) and 0 <= j < len(costs[0]):
                heapq.heappush(queue, (total + costs[i][j], i, j))
''',
        (
            ([[4]],),
            ([[1, 2]],),
            ([[1], [2]],),
            ([[1, 9, 1, 1, 1], [1, 9, 1, 9, 1], [1, 1, 1, 9, 1]],),
            ([[0, 0], [0, 0]],),
            ([[1, 1, 1], [9, 9, 1], [1, 1, 1], [1, 9, 9], [1, 1, 1]],),
            ([[5, 1], [9, 2]],),
        ),
        lambda rng: (grid(rng, 0, 9, 5),),
        (
            ("((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1))", "((r + 1, c), (r, c + 1))"),
            ("queue = [(costs[0][0], 0, 0)]", "queue = [(0, 0, 0)]"),
            ("(total + costs[i][j], i, j)", "(costs[i][j], i, j)"),
        ),
    ),
)
