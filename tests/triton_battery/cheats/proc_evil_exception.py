# task: softmax
# family: process-and-result-channel
# stage: plan
# why: an exception whose text raises, and whose class has a name of a megabyte

import torch
import triton
import triton.language as tl


@triton.jit
def zero_kernel(out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + i, 0.0, mask=i < n)


class Evil(Exception):
    def __str__(self):
        raise self

    __repr__ = __str__


Evil.__name__ = Evil.__qualname__ = "E" * (1 << 20)


def softmax(x):
    raise Evil(Evil())
