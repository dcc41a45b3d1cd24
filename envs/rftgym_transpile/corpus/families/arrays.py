"""Families about arrays: in place, two-dimensional, sorted."""

from __future__ import annotations

from typing import Final

from rftgym_transpile.corpus.draws import (
    INT_MAX,
    INT_MIN,
    args,
    grids,
    ints,
    lists,
    nullable,
    sorted_lists,
    wide_ints,
)
from rftgym_transpile.corpus.family import Family, over

VALUES: Final = lists(ints(-20, 40), 0, 9)

FAMILIES: Final = (
    Family(
        "sort-in-place",
        "train",
        "arrays",
        0.3,
        "$name",
        """
        static void $name(int[] a) {
            for (int i = 0; i < a.length - 1; i++) {
                for (int j = 0; j < a.length - 1 - i; j++) {
                    if ($less) {
                        int t = a[j];
                        a[j] = a[j + 1];
                        a[j + 1] = t;
                    }
                }
            }
        }
        """,
        """
        def $name(a):
            for i in range(len(a) - 1):
                for j in range(len(a) - 1 - i):
                    if $python:
                        a[j], a[j + 1] = a[j + 1], a[j]
        """,
        args(VALUES, shown=[([5, -3, 5, 0, 12, -7],)]),
        [
            ("range(len(a) - 1):\n        for", "range(1):\n        for"),
            ("for i", "a = list(a)\n    for i"),
            ("len(a) - 1 - i", "len(a) - 2 - i"),
        ],
        over(
            name=("bubbleSort", "sortDown", "sortByRest"),
            less=("a[j] > a[j + 1]", "a[j] < a[j + 1]", "a[j] % 5 > a[j + 1] % 5"),
            python=(
                "a[j] > a[j + 1]",
                "a[j] < a[j + 1]",
                "a[j] - int(a[j] / 5) * 5 > a[j + 1] - int(a[j + 1] / 5) * 5",
            ),
        ),
    ),
    Family(
        "two-sum",
        "train",
        "arrays",
        0.3,
        "$name",
        """
        static int[] $name(int[] nums, int target) {
            Map<Integer, Integer> seen = new HashMap<>();
            for (int i = 0; i < nums.length; i++) {
                Integer other = seen.get($need);
                if (other != null) {
                    return new int[]{other, i};
                }
                seen.$put(nums[i], i);
            }
            return $none;
        }
        """,
        """
        def $name(nums, target):
            seen = {}
            for i, value in enumerate(nums):
                other = seen.get($python)
                if other is not None:
                    return [other, i]
                $store
            return $missing
        """,
        args(
            lists(ints(-5, 12), 0, 9),
            ints(-3, 15),
            shown=[([2, 7, 11, 15], 9), ([3, 3], 6), ([1, 1, 1, 4], 5), ([5], 10)],
        ),
        [
            ("if other is not None", "if other"),
            ("return [other, i]", "return [i, other]"),
            ("return $missing", "return [0, 0]"),
        ],
        over(
            name=("twoSum", "findPair", "pairGap"),
            need=("target - nums[i]", "target - nums[i]", "nums[i] - target"),
            put=("put", "putIfAbsent", "put"),
            none=("new int[0]", "null", "new int[]{-1, -1}"),
            python=("target - value", "target - value", "value - target"),
            store=("seen[value] = i", "seen.setdefault(value, i)", "seen[value] = i"),
            missing=("[]", "None", "[-1, -1]"),
        ),
    ),
    Family(
        "turn-matrix",
        "test",
        "arrays",
        0.35,
        "$name",
        """
        static int[][] $name(int[][] m) {
            if (m.length == 0) {
                return m;
            }
            int rows = m.length, columns = m[0].length;
            int[][] out = new int[columns][rows];
            for (int r = 0; r < rows; r++) {
                for (int c = 0; c < columns; c++) {
                    out[$a][$b] = m[r][c];
                }
            }
            return out;
        }
        """,
        """
        def $name(m):
            if not m:
                return m
            rows, columns = len(m), len(m[0])
            out = [[0] * rows for _ in range(columns)]
            for r in range(rows):
                for c in range(columns):
                    out[$a][$b] = m[r][c]
            return out
        """,
        args(grids(ints(-9, 9), (1, 4), (1, 4), [], [[1, 2, 3]])),
        [
            ("[[0] * rows for _ in range(columns)]", "[[0] * rows] * columns"),
            ("out[$a][$b]", "out[c][r - 1]"),
            ("range(columns):\n            out", "range(columns - 1):\n            out"),
        ],
        over(
            name=("transpose", "rotateRight", "rotateLeft"),
            a=("c", "c", "columns - 1 - c"),
            b=("r", "rows - 1 - r", "r"),
        ),
    ),
    Family(
        "binary-search",
        "train",
        "arrays",
        0.3,
        "$name",
        """
        static int $name(int[] sorted, int key) {
            int low = 0, high = sorted.length - 1;
            while (low <= high) {
                int mid = (low + high) >>> 1;
                if (sorted[mid] $less key) {
                    low = mid + 1;
                } else if (sorted[mid] $more key) {
                    high = mid - 1;
                } else {
                    return mid;
                }
            }
            return $missing;
        }
        """,
        """
        def $name(sorted, key):
            low, high = 0, len(sorted) - 1
            while low <= high:
                mid = (low + high) // 2
                if sorted[mid] $less key:
                    low = mid + 1
                elif sorted[mid] $more key:
                    high = mid - 1
                else:
                    return mid
            return $missing
        """,
        args(
            sorted_lists(ints(-20, 40), 0, 9),
            ints(-25, 45),
            shown=[
                ([1, 3, 5, 7], 7),
                ([1, 3, 5, 7], 0),
                ([1, 3, 5, 7], 8),
                ([2, 2, 2], 2),
                ([4], 4),
                ([1, 2, 3, 4, 5], 4),
                ([1, 2, 3, 4, 5, 6, 7], 3),
            ],
        ),
        [
            ("while low <= high", "while low < high"),
            ("return $missing", "return low"),
            ("high = mid - 1", "high = mid - 2"),
        ],
        over(
            name=("binarySearch", "insertionPoint"),
            less=("<", "<"),
            more=(">", ">"),
            missing=("-1", "-(low + 1)"),
        ),
    ),
    Family(
        "best-slice",
        "train",
        "arrays",
        0.35,
        "$name",
        """
        static $type $name(int[] xs) {
            $type best = xs[0];
            $type current = xs[0];
            for (int i = 1; i < xs.length; i++) {
                current = Math.max(xs[i], current + xs[i]);
                best = Math.max(best, current);
            }
            return best;
        }
        """,
        """
        def $name(xs):
            best = current = xs[0]
            for x in xs[1:]:
                current = max(x, $python)
                best = max(best, current)
            return best
        """,
        args(
            lists(wide_ints(-1000, 1000), 0, 9),
            shown=[
                ([INT_MAX, 1, 5],),
                ([INT_MIN, -1],),
                ([-3, -1, -2],),
                ([],),
                ([4, -1, 2, -9, 5],),
                ([INT_MAX, INT_MAX, INT_MAX],),
            ],
        ),
        [
            ("best = current = xs[0]", "best = current = 0"),
            ("max(x, $python)", "max(x, $other)"),
            ("best = max(best, current)", "best = current"),
        ],
        over(
            name=("bestSlice", "bestSliceLong"),
            type=("int", "long"),
            python=("(current + x + 2**31) % 2**32 - 2**31", "current + x"),
            other=("current + x", "(current + x + 2**31) % 2**32 - 2**31"),
        ),
    ),
    Family(
        "merge-sorted",
        "test",
        "arrays",
        0.35,
        "$name",
        """
        static int[] $name(int[] a, int[] b) {
            int[] out = new int[a.length + b.length];
            int i = 0, j = 0, k = 0;
            while (i < a.length && j < b.length) {
                if (a[i] == b[j] && $drop) {
                    j++;
                } else {
                    out[k++] = a[i] <= b[j] ? a[i++] : b[j++];
                }
            }
            while (i < a.length) {
                out[k++] = a[i++];
            }
            while (j < b.length) {
                out[k++] = b[j++];
            }
            return $result;
        }
        """,
        """
        def $name(a, b):
            out = []
            i = j = 0
            while i < len(a) and j < len(b):
                if a[i] == b[j] and $python:
                    j += 1
                elif a[i] <= b[j]:
                    out.append(a[i])
                    i += 1
                else:
                    out.append(b[j])
                    j += 1
            out += a[i:] + b[j:]
            return $value
        """,
        args(
            sorted_lists(ints(-9, 12), 0, 6),
            sorted_lists(ints(-9, 12), 0, 6),
            shown=[([1, 3, 3], [1, 3, 4]), ([], [2]), ([5], [1, 2])],
        ),
        [
            ("out += a[i:] + b[j:]", "out += a[i:]"),
            ("elif a[i] <= b[j]", "elif a[i] >= b[j]"),
            ("return $value", "return out[1:]"),
        ],
        over(
            name=("mergeSorted", "mergeDistinct", "mergeTop"),
            drop=("false", "true", "i % 2 == 0"),
            result=("out", "Arrays.copyOf(out, k)", "Arrays.copyOfRange(out, k / 2, k)"),
            python=("False", "True", "i % 2 == 0"),
            value=("out", "out", "out[len(out) // 2 :]"),
        ),
    ),
    Family(
        "spiral",
        "train",
        "arrays",
        0.45,
        "$name",
        """
        static List<Integer> $name(int[][] m) {
            List<Integer> out = new ArrayList<>();
            if (m == null || m.length == 0) {
                return out;
            }
            int top = 0, bottom = m.length - 1, left = 0, right = m[0].length - 1;
            while (top <= bottom && left <= right) {
                for (int c = left; c <= right; c++) out.add(m[top][c]);
                for (int r = top + 1; r <= bottom; r++) out.add(m[r][right]);
                if (top < bottom && left < right) {
                    for (int c = right - 1; c > left; c--) out.add(m[bottom][c]);
                    for (int r = bottom; r > top; r--) out.add(m[r][left]);
                }
                top++;
                bottom--;
                left++;
                right--;
            }
            $last
            return out;
        }
        """,
        """
        def $name(m):
            out = []
            if not m:
                return out
            top, bottom, left, right = 0, len(m) - 1, 0, len(m[0]) - 1
            while top <= bottom and left <= right:
                out += m[top][left : right + 1]
                out += [m[r][right] for r in range(top + 1, bottom + 1)]
                if top < bottom and left < right:
                    out += [m[bottom][c] for c in range(right - 1, left, -1)]
                    out += [m[r][left] for r in range(bottom, top, -1)]
                top, bottom, left, right = top + 1, bottom - 1, left + 1, right - 1
            $python
            return out
        """,
        args(
            nullable(grids(ints(0, 9), (1, 4), (1, 4), [], [[1, 2, 3]], [[1], [2], [3]])),
            shown=[([[1, 2, 3], [4, 5, 6], [7, 8, 9]],)],
        ),
        [
            ("if top < bottom and left < right:", "if top < bottom:"),
            ("range(right - 1, left, -1)", "range(right - 1, left - 1, -1)"),
            ("range(bottom, top, -1)", "range(bottom, top)"),
        ],
        over(
            name=("spiral", "spiralBack"),
            last=("", "Collections.reverse(out);"),
            python=("", "out.reverse()"),
        ),
    ),
    Family(
        "histogram",
        "validation",
        "arrays",
        0.3,
        "$name",
        """
        static int[] $name(int[] values, int size) {
            int[] counts = new int[size];
            Arrays.fill(counts, $start);
            for (int v : values) {
                if (v < 0) {
                    continue;
                }
                counts[$index] += $add;
            }
            return counts;
        }
        """,
        """
        def $name(values, size):
            if size < 0:
                raise ValueError("negative size")
            counts = [$start] * size
            for v in values:
                if v < 0:
                    continue
                counts[$python] += $add
            return counts
        """,
        args(lists(ints(-4, 15), 0, 8), ints(-1, 7), shown=[([0, 1, 1, 2], 3), ([5, 9], 4), ([3], 0)]),
        [
            ("if v < 0:\n            continue\n        ", ""),
            ('if size < 0:\n        raise ValueError("negative size")\n    ', ""),
            ("[$start] * size", "[$start + 1] * size"),
        ],
        over(
            name=("histogram", "buckets"),
            start=(0, 10),
            index=("v % size", "Math.min(v, size - 1)"),
            add=(1, "v"),
            python=("v % size", "min(v, size - 1) if size else 1"),
        ),
    ),
    Family(
        "unique-in-place",
        "train",
        "arrays",
        0.35,
        "$name",
        """
        static int $name(int[] a) {
            int k = 0;
            for (int i = 0; i < a.length; i++) {
                if ($keep) {
                    a[k++] = a[i];
                }
            }
            return k;
        }
        """,
        """
        def $name(a):
            k = 0
            for i in range(len(a)):
                if $python:
                    a[k] = a[i]
                    k += 1
            return k
        """,
        args(sorted_lists(ints(-3, 6), 0, 9), shown=[([1, 1, 2, 2, 3],), ([0, 0, 0],), ([1, 2, 3],)]),
        [("a[k] = a[i]", "pass"), ("for i", "a = a[:]\n    for i"), ("return k", "return len(a)")],
        over(
            name=("uniqueInPlace", "dropZeros", "keepTwo"),
            keep=("k == 0 || a[k - 1] != a[i]", "a[i] != 0", "k < 2 || a[k - 2] != a[i]"),
            python=("k == 0 or a[k - 1] != a[i]", "a[i] != 0", "k < 2 or a[k - 2] != a[i]"),
        ),
    ),
    Family(
        "checksum",
        "test",
        "arrays",
        0.35,
        "$name",
        """
        static int $name(int[] data) {
            int sum = $start;
            for (int i = data.length - 1; i >= 0; i--) {
                sum = (sum $shift) $mix data[i];
            }
            return sum;
        }
        """,
        """
        def $name(data):
            sum = $start
            for value in reversed(data):
                sum = $python
                sum = (sum $mix value + 2**31) % 2**32 - 2**31
            return sum
        """,
        args(
            lists(wide_ints(), 0, 8),
            shown=[([INT_MAX, INT_MAX, 3],), ([INT_MIN, INT_MIN],), ([1, 2, 3, 4, 5, 6, 7, 8],)],
        ),
        [
            ("reversed(data)", "data"),
            ("sum = (sum $mix value + 2**31) % 2**32 - 2**31", "sum = sum $mix value"),
            ("sum = $start", "sum = $start + 5"),
        ],
        over(
            name=("checksum", "foldBack", "blend"),
            start=(17, 1, -1),
            shift=("<< 5", ">> 3", "* 31"),
            mix=("+", "-", "+"),
            python=("sum << 5", "sum >> 3", "sum * 31"),
        ),
    ),
    Family(
        "pascal-row",
        "train",
        "arrays",
        0.3,
        "$name",
        """
        static $type[] $name(int n) {
            $type[] row = new $type[n + 1];
            row[0] = $first;
            for (int i = 1; i <= n; i++) {
                for (int j = i; j >= 1; j--) {
                    row[j] += row[j - 1];
                }
            }
            return row;
        }
        """,
        """
        def $name(n):
            if n < 0:
                raise $error
            row = [0] * (n + 1)
            row[0] = $one
            for i in range(1, n + 1):
                for j in range(i, 0, -1):
                    row[j] = (row[j] + row[j - 1] + 2**$half) % 2**$bits - 2**$half
            return row
        """,
        args(ints(0, 40, -1, 2, 36, 35, 5)),
        [
            ("(row[j] + row[j - 1] + 2**$half) % 2**$bits - 2**$half", "row[j] + row[j - 1]"),
            ("range(i, 0, -1)", "range(1, i + 1)"),
            ("row[0] = $one", "row[0] = 2"),
        ],
        over(
            name=("pascalRow", "scaledRow"),
            type=("int", "long"),
            first=(1, "100000000000L"),
            one=(1, 100000000000),
            half=(31, 63),
            bits=(32, 64),
            error=('IndexError("no room")', 'IndexError("no room")'),
        ),
    ),
)
