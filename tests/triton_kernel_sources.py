"""Kernels that the replay's tests run."""

SOURCE = """
import triton
import triton.language as tl
from triton.language.extra import libdevice

SCALE = tl.constexpr(2.5)


@triton.jit
def add(x_ptr, y_ptr, o_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.load(y_ptr + offsets, mask=mask)
    tl.store(o_ptr + offsets, (x + y).to(o_ptr.dtype.element_ty), mask=mask)


@triton.jit
def mathematics(x_ptr, o_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask, other=1.0)
    a = tl.abs(x)
    y = tl.exp(-a) + tl.exp2(-a) + tl.log(a + 1.0) + tl.log2(a + 1.0) + tl.sqrt(a) + tl.rsqrt(a + 1.0)
    y += tl.sin(x) + tl.cos(x) + tl.floor(x) + tl.ceil(x) + tl.erf(x) + tl.sigmoid(x)
    y += tl.fma(x, x, a) * SCALE
    y += tl.clamp(x, -1.0, 1.0) + tl.maximum(x, 0.5) + tl.minimum(x, 0.25) - x / (1.0 + a)
    y = tl.where((x > 0) & (a < 2.0), y, -y)
    tl.store(o_ptr + offsets, y, mask=mask)


@triton.jit
def integers(x_ptr, y_ptr, o_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask, other=3)
    y = tl.load(y_ptr + offsets, mask=mask, other=5)
    z = x // y + 3 * (x % y) + (x << 3) + (x >> 2) + (x & y) + (x | y) + (x ^ y) + (~x) - (-y)
    z += tl.where(x < y, 1, 0) + tl.where(x >= y, 10, 0) + tl.where((x == y) | (x != 4), 100, 0)
    u = x.to(tl.uint32, bitcast=True)
    v = y.to(tl.uint32, bitcast=True)
    z += (u // v + u % v + (u >> 5)).to(tl.int32, bitcast=True) + tl.where(u > v, 7, 0)
    z += tl.umulhi(u, v).to(tl.int32, bitcast=True) + tl.maximum(x, y) * tl.minimum(u, v).to(tl.int32)
    z += x.to(tl.int8).to(tl.int32) + x.to(tl.int64).to(tl.int32) + x.to(tl.float32).to(tl.int32) + tl.abs(x)
    tl.store(o_ptr + offsets, z, mask=mask)


@triton.jit
def casts(x_ptr, i_ptr, j_ptr, h_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask, other=0.0)
    tl.store(i_ptr + offsets, x.to(tl.int32), mask=mask)
    tl.store(j_ptr + offsets, x.to(tl.int64) + (x > 0).to(tl.int64), mask=mask)
    tl.store(h_ptr + offsets, x.to(tl.float16), mask=mask)


@triton.jit
def reductions(x_ptr, f_ptr, i_ptr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    rows = tl.arange(0, ROWS)
    x = tl.load(x_ptr + rows[:, None] * COLUMNS + tl.arange(0, COLUMNS)[None, :])
    tl.store(f_ptr + rows, tl.sum(x, axis=1))
    tl.store(f_ptr + ROWS + rows, tl.max(x, axis=1))
    tl.store(f_ptr + 2 * ROWS + rows, tl.min(x, axis=1) + tl.max(tl.max(x, axis=0), axis=0))
    value, index = tl.max(x, axis=1, return_indices=True)
    tl.store(f_ptr + 3 * ROWS + rows, value + tl.sum(x))
    tl.store(i_ptr + rows, tl.argmax(x, axis=1) + index)
    tl.store(i_ptr + ROWS + rows, tl.argmin(x, axis=1))
    tl.store(i_ptr + 2 * ROWS + rows, tl.xor_sum(x.to(tl.int32), axis=1) + tl.sum((x > 0).to(tl.int32), axis=1))


@triton.jit
def combine_affine(a1, b1, a2, b2):
    return a1 * a2, b1 * a2 + b2


@triton.jit
def combine_welford(mean1, m1, n1, mean2, m2, n2):
    delta = mean2 - mean1
    n = n1 + n2
    return mean1 + delta * n2 / n, m1 + m2 + delta * delta * n1 * n2 / n, n


@triton.jit
def folds(x_ptr, o_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * BLOCK + lanes)
    mean, m2, count = tl.reduce((x, tl.zeros_like(x), tl.full((BLOCK,), 1.0, tl.float32)), 0, combine_welford)
    a, b = tl.associative_scan((x * 0.25, x), 0, combine_affine)
    y = tl.cumsum(x, 0) + tl.cumprod(x * 0.1 + 1.0, 0) + tl.cumsum(x, 0, reverse=True) + a + b
    tl.store(o_ptr + row * BLOCK + lanes, y + mean + m2 / count)


@triton.jit
def shapes(x_ptr, o_ptr, BLOCK: tl.constexpr):
    lanes = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + tl.program_id(0) * BLOCK + lanes)
    square = tl.reshape(x, (BLOCK // 4, 4))
    y = tl.reshape(tl.trans(square), (BLOCK,)) + tl.reshape(tl.permute(square, (1, 0)) * 2, (BLOCK,))
    pair = tl.join(x, y)
    left, right = tl.split(pair)
    y += left * right + tl.sum(tl.reshape(tl.interleave(x, y), (BLOCK, 2)), axis=1)
    y += tl.flip(x, 0) + tl.sort(x) * 3.0
    cube = square[:, :, None] + tl.zeros((1, 1, 2), tl.float32)
    y += tl.reshape(tl.sum(cube, axis=2), (BLOCK,)) + tl.broadcast_to(tl.sum(x, axis=0), (BLOCK,))
    y += tl.gather(x, BLOCK - 1 - lanes, 0)
    tl.store(o_ptr + tl.program_id(0) * BLOCK + lanes, y)


@triton.jit
def counts(x_ptr, o_ptr, BLOCK: tl.constexpr, BINS: tl.constexpr):
    row = tl.program_id(0)
    x = tl.load(x_ptr + row * BLOCK + tl.arange(0, BLOCK))
    tl.store(o_ptr + row * BINS + tl.arange(0, BINS), tl.histogram(x, BINS))


@triton.jit
def product(a_ptr, b_ptr, c_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    rows = tl.program_id(0) * BM + tl.arange(0, BM)
    columns = tl.program_id(1) * BN + tl.arange(0, BN)
    total = tl.zeros((BM, BN), dtype=tl.float32 if a_ptr.dtype.element_ty != tl.int8 else tl.int32)
    for start in range(0, K, BK):
        inner = start + tl.arange(0, BK)
        a_mask = (rows[:, None] < M) & (inner[None, :] < K)
        b_mask = (inner[:, None] < K) & (columns[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + inner[None, :], mask=a_mask, other=0)
        b = tl.load(b_ptr + inner[:, None] * N + columns[None, :], mask=b_mask, other=0)
        total = tl.dot(a, b, total, out_dtype=total.dtype)
    place = c_ptr + rows[:, None] * N + columns[None, :]
    tl.store(place, total.to(c_ptr.dtype.element_ty), mask=(rows[:, None] < M) & (columns[None, :] < N))


@triton.jit
def branches(x_ptr, o_ptr, n):
    pid = tl.program_id(0)
    x = tl.load(x_ptr + pid)
    if pid >= n:
        return
    y = x
    if pid % 3 == 0:
        y = x * 2.0
        if x > 0.0:
            y += 10.0
    elif pid % 3 == 1:
        y = -x
    else:
        tl.store(o_ptr + n + pid, x)
    if x > 0.5 and pid > 2:
        tl.store(o_ptr + pid, y + 100.0)
    else:
        tl.store(o_ptr + pid, y)


@triton.jit
def loops(x_ptr, lengths_ptr, o_ptr, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    length = tl.load(lengths_ptr + row)
    total = tl.zeros((BLOCK,), tl.float32)
    last = 0
    for start in range(0, length, BLOCK):
        lanes = start + tl.arange(0, BLOCK)
        total += tl.load(x_ptr + row * stride + lanes, mask=lanes < length, other=0.0)
        last = start
    value = tl.sum(total, axis=0)
    steps = 0
    while value < 100.0:
        value = value * 2.0 + 50.0
        steps += 1
    for k in tl.static_range(3):
        value += k * length
    for k in tl.range(length, 0, -2):
        value += k
    tl.store(o_ptr + row, value + last + steps)


@triton.jit
def early(x):
    if x > 3:
        return x * 2
    else:
        return x - 1


@triton.jit(noinline=True)
def outlined(x, y):
    return x * y + SCALE


@triton.jit
def calls(x_ptr, o_ptr, missing_ptr, FLAG: tl.constexpr, KIND: tl.constexpr, DTYPE: tl.constexpr):
    pid = tl.program_id(0) + tl.program_id(1) * tl.num_programs(0) + tl.program_id(2) * 6
    x = tl.load(x_ptr + pid)
    y = outlined(x, early(pid).to(tl.float32)).to(DTYPE).to(tl.float32)
    if missing_ptr is not None:
        y += tl.load(missing_ptr + pid)
    if FLAG:
        y += 1.0
    if KIND == "double":
        y *= 2.0
    tl.store(o_ptr + pid, y)


@triton.jit
def updates(x_ptr, bins_ptr, count_ptr, order_ptr, top_ptr, n, BINS: tl.constexpr, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    lanes = pid * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + lanes, mask=lanes < n, other=0)
    tl.atomic_add(bins_ptr + x % BINS, 1, mask=lanes < n, sem="relaxed")
    place = tl.atomic_add(count_ptr, 2)
    tl.store(order_ptr + place // 2, place)
    tl.atomic_max(top_ptr, tl.max(x, axis=0))
    tl.atomic_min(top_ptr + 1, tl.min(x, axis=0), scope="cta")
    tl.atomic_or(top_ptr + 2 + x * 0, x % 64, mask=lanes < n)
    tl.atomic_xor(top_ptr + 3 + x % 2, x)
    tl.atomic_and(top_ptr + 5 + x * 0, x | 1)
    tl.atomic_xchg(top_ptr + 6, 42)
    tl.atomic_cas(top_ptr + 7, 0, 42)


@triton.jit
def float_updates(x_ptr, o_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + lanes, mask=lanes < n, other=0.0)
    tl.atomic_add(o_ptr, tl.sum(x, axis=0))
    tl.atomic_max(o_ptr + 1, tl.max(x, axis=0))
    tl.atomic_min(o_ptr + 2, tl.min(x, axis=0))


@triton.jit
def random_numbers(o_ptr, seed, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    y = tl.rand(seed, lanes) + tl.randn(seed, lanes) + (tl.randint(seed, lanes) % 10)
    tl.store(o_ptr + lanes, y)


@triton.jit
def descriptors(x_ptr, o_ptr, M, N, BM: tl.constexpr, BN: tl.constexpr):
    source = tl.make_tensor_descriptor(x_ptr, [M, N], [N, 1], [BM, BN])
    target = tl.make_tensor_descriptor(o_ptr, [M, N], [N, 1], [BM, BN])
    row = tl.program_id(0) * BM
    for column in range(0, N, BN):
        target.store([row, column], source.load([row, column]) * 2.0)


@triton.jit
def library(x_ptr, o_ptr, BLOCK: tl.constexpr):
    lanes = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + lanes)
    a = tl.abs(x) + 0.125
    tl.store(o_ptr + lanes, libdevice.tanh(x))
    tl.store(o_ptr + BLOCK + lanes, libdevice.log1p(a))
    tl.store(o_ptr + 2 * BLOCK + lanes, libdevice.expm1(x))
    tl.store(o_ptr + 3 * BLOCK + lanes, libdevice.pow(a, 2.5))
    tl.store(o_ptr + 4 * BLOCK + lanes, libdevice.erf(x))
    tl.store(o_ptr + 5 * BLOCK + lanes, libdevice.atan2(x, a))
    tl.store(o_ptr + 6 * BLOCK + lanes, libdevice.fmod(x, a))
    tl.store(o_ptr + 7 * BLOCK + lanes, libdevice.round(x))
    tl.store(o_ptr + 8 * BLOCK + lanes, libdevice.rsqrt(a) + libdevice.rint(x) + libdevice.trunc(x))
    tl.store(o_ptr + 9 * BLOCK + lanes, libdevice.hypot(x, a) + libdevice.cosh(x) + libdevice.asin(x / (a + 1.0)))
    tl.store(o_ptr + 10 * BLOCK + lanes, libdevice.erfinv(x / (a + 1.0)))
    tl.store(o_ptr + 11 * BLOCK + lanes, tl.where(libdevice.isnan(x / 0.0) != 0, 1.0, 0.0) + libdevice.fast_expf(x))


@triton.jit
def narrow(x_ptr, y_ptr, o_ptr, n, alpha, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = lanes < n
    x = tl.load(x_ptr + lanes, mask=mask, other=0.0)
    y = tl.load(y_ptr + lanes, mask=mask, other=0.0)
    z = x * y + x
    tl.store(o_ptr + lanes, tl.where(z > y, z - y, tl.maximum(z, x)) * alpha, mask=mask)


@triton.jit
def planes(x_ptr, o_ptr, i_ptr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    rows = tl.arange(0, ROWS)[:, None]
    columns = tl.arange(0, COLUMNS)[None, :]
    place = tl.program_id(0) * ROWS * COLUMNS + rows * COLUMNS + columns
    x = tl.load(x_ptr + place)
    y = tl.softmax(x, dim=1, keep_dims=True) + tl.cumsum(x, axis=0) + tl.sort(x, dim=1, descending=True)
    y += tl.sum(x, axis=1, keep_dims=True) * tl.max(x, axis=0, keep_dims=True)
    y += tl.trans(tl.cumsum(tl.trans(tl.cumsum(x, axis=1, reverse=True)), axis=0))
    batch = tl.reshape(x, (2, ROWS // 2, COLUMNS))
    y += tl.reshape(tl.sum(batch, axis=0, keep_dims=True) + tl.zeros_like(batch), (ROWS, COLUMNS))
    place_of = tl.argmax(x, axis=0, keep_dims=True) * 100 + tl.argmin(x, axis=1, keep_dims=True)
    tl.store(o_ptr + place, y)
    tl.store(i_ptr + place, place_of + tl.swizzle2d(rows, columns, ROWS, COLUMNS, 2)[0])


@triton.jit
def small_types(a_ptr, b_ptr, h_ptr, o_ptr, p_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = lanes < n
    a = tl.load(a_ptr + lanes, mask=mask, other=1)
    b = tl.load(b_ptr + lanes, mask=mask, other=True)
    h = tl.load(h_ptr + lanes, mask=mask, other=0.0)
    z = (a * 3 + a // 7).to(tl.int32) + tl.sum(a, axis=0) + tl.sum(b.to(tl.int32), axis=0)
    z += tl.where(b, a.to(tl.int8).to(tl.int32), (a >> 1).to(tl.int32)) + (a < 100) + (~b).to(tl.int32)
    g = h * h + tl.cumsum(h, 0) * 0.5 + tl.max(h, 0) - h / 3.0
    tl.store(o_ptr + lanes, z + (g * 16).to(tl.int32), mask=mask)
    tl.store(p_ptr + lanes, (g > 0) ^ b, mask=mask)


@triton.jit
def walks(x_ptr, o_ptr, n, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    pointer = x_ptr + row * stride + tl.arange(0, BLOCK)
    lanes = tl.arange(0, BLOCK)
    best = tl.full((BLOCK,), float("-inf"), tl.float32)
    found = -1
    for step in range(0, tl.cdiv(n, BLOCK)):
        x = tl.load(pointer, mask=step * BLOCK + lanes < n, other=float("-inf"))
        if tl.max(x, axis=0) > 1.0:
            inner = row
            while inner > 0:
                if inner % 2 == 0:
                    found += step
                else:
                    best += 0.5
                inner = inner // 2
            best = tl.maximum(best, x)
        else:
            found = found * 2 if found > 0 else found - 1
        pointer += BLOCK
    if found > 3 or row == 0:
        tl.store(o_ptr + row, tl.max(best, axis=0))
        return
    tl.store(o_ptr + row, tl.max(best, axis=0) * 2.0 + found)


@triton.jit
def half_products(a_ptr, c_ptr, B: tl.constexpr, N: tl.constexpr):
    place = tl.arange(0, B)[:, None, None] * N * N + tl.arange(0, N)[None, :, None] * N + tl.arange(0, N)[None, None, :]
    a = tl.load(a_ptr + place)
    c = tl.dot(a, tl.permute(a, (0, 2, 1)), out_dtype=tl.float32)
    tl.store(c_ptr + place, c)


@triton.jit
def write_everywhere(o_ptr, n, OFFSET: tl.constexpr, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(o_ptr + lanes + OFFSET, 1.0)


@triton.jit
def read_everywhere(x_ptr, o_ptr, OFFSET: tl.constexpr, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + lanes + OFFSET)
    tl.store(o_ptr + lanes, x)


@triton.jit
def write_own_number(o_ptr):
    tl.store(o_ptr, tl.program_id(0))


@triton.jit
def write_same(o_ptr, BLOCK: tl.constexpr):
    tl.store(o_ptr + tl.arange(0, BLOCK), 7.0)


@triton.jit
def write_lanes_together(o_ptr, BLOCK: tl.constexpr):
    lanes = tl.arange(0, BLOCK)
    tl.store(o_ptr + lanes // 2, lanes)


@triton.jit
def read_neighbour(o_ptr):
    pid = tl.program_id(0)
    tl.store(o_ptr + pid, pid)
    value = tl.load(o_ptr + (pid + 1) % tl.num_programs(0))
    tl.store(o_ptr + tl.num_programs(0) + pid, value)


@triton.jit
def shift_in_place(o_ptr, n, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(o_ptr + lanes, mask=lanes < n, other=0.0)
    tl.store(o_ptr + lanes + 1, x + 1.0, mask=lanes + 1 < n)


@triton.jit
def update_in_place(o_ptr, BLOCK: tl.constexpr):
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(o_ptr + lanes, 1.0)
    tl.store(o_ptr + lanes, tl.load(o_ptr + lanes) + 1.0)


@triton.jit
def mixed_update(o_ptr):
    pid = tl.program_id(0)
    if pid == 0:
        tl.store(o_ptr, 5)
    tl.atomic_add(o_ptr, 1)


@triton.jit
def cross_buffers(x_ptr, y_ptr, o_ptr, BLOCK: tl.constexpr):
    lanes = tl.arange(0, BLOCK)
    pointer = tl.where(lanes % 2 == 0, x_ptr + lanes, y_ptr + lanes)
    tl.store(o_ptr + lanes, tl.load(pointer))


@triton.jit
def forever(o_ptr):
    value = tl.load(o_ptr)
    while value == value or value != value:
        value += 1.0
    tl.store(o_ptr, value)


@triton.jit
def assembly(o_ptr):
    lanes = tl.arange(0, 32)
    value = tl.inline_asm_elementwise("mov.u32 $0, 1;", "=r,r", [lanes], dtype=tl.int32, is_pure=True, pack=1)
    tl.store(o_ptr + lanes, value)


@triton.jit
def ill_typed(o_ptr):
    tl.store(o_ptr + tl.arange(0, 24), 1.0)


@triton.jit
def unaligned(o_ptr):
    pointer = o_ptr.to(tl.pointer_type(tl.int8)) + 2
    tl.store(pointer.to(tl.pointer_type(tl.float32)), 1.0)


@triton.jit
def last_one_sums(x_ptr, parts_ptr, count_ptr, o_ptr, BY_NUMBER: tl.constexpr, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    last = tl.num_programs(0) - 1
    x = tl.load(x_ptr + pid * BLOCK + tl.arange(0, BLOCK))
    tl.store(parts_ptr + pid, tl.sum(x, axis=0))
    arrived = tl.atomic_add(count_ptr, 1)
    if BY_NUMBER:
        finishes = pid == last + arrived * 0
    else:
        finishes = arrived == last
    if finishes:
        lanes = tl.arange(0, BLOCK)
        tl.store(o_ptr, tl.sum(tl.load(parts_ptr + lanes, mask=lanes <= last, other=0.0), axis=0))


@triton.jit
def with_lock(lock_ptr, o_ptr, BLOCK: tl.constexpr):
    lanes = tl.arange(0, BLOCK)
    while tl.atomic_cas(lock_ptr, 0, 1) == 1:
        pass
    tl.store(o_ptr + lanes, tl.load(o_ptr + lanes) + 1.0)
    tl.atomic_xchg(lock_ptr, 0)
"""
