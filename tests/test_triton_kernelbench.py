"""The converter of KernelBench's level 1: on files of the same sort."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from rftgym.errors import UsageError
from rftgym_triton_kernels import reference
from rftgym_triton_kernels.cases import decoys, pack
from rftgym_triton_kernels.compare import Failed, read_results
from rftgym_triton_kernels.env import TritonKernelsEnv
from rftgym_triton_kernels.kernelbench import convert, convert_folder, main
from rftgym_triton_kernels.torchstatic import CannotTell


def a_file(
    forward="torch.relu(x)",
    *,
    inputs="torch.rand(n, wide)",
    init="",
    arguments="",
    sizes="n = 4096\nwide = 2048",
    init_inputs="",
    parameters="x",
    imports="",
):
    return f'''
import torch
import torch.nn as nn
{imports}

class Model(nn.Module):
    """
    Something to be done.

    Second paragraph.
    """
    def __init__(self{arguments}):
        super().__init__()
        {init or "pass"}

    def forward(self, {parameters}: torch.Tensor) -> torch.Tensor:
        """Do it."""
        return {forward}

{sizes}

def get_inputs():
    # comment
    scale = torch.rand(())
    return [{inputs}]

def get_init_inputs():
    return [{init_inputs}]
'''


def shapes(row):
    return [tuple(spec.shape for spec in case) for case in row.cases]


def results(row):
    entries, blobs = pack(decoys(case) for case in row.cases)
    header, out = reference.evaluate({"source": row.reference, "name": row.name, "cases": entries}, blobs)
    return read_results(header, out, len(row.cases))


class TestConverted:
    def test_a_function_without_parameters(self):
        row = convert(a_file(), "relu")
        assert (row.signature, row.doc, row.split) == ("relu(x)", "Something to be done.", "test")
        assert all(max(shape) <= 96 for (shape,) in shapes(row))
        assert (
            len(set(shapes(row))) == 2 and len(row.cases) == 3
        )  # as in the file, odd sizes, negative numbers
        assert [case[0].kind for case in row.cases] == ["uniform", "uniform", "normal"]
        assert all(each[0].dtype == "float32" for each in results(row))
        assert "Do it" not in row.reference

    def test_shrunk_sizes_still_fit_together(self):
        sizes = "M = 1024 * 2\nK = 4096 * 2\nN = 2048 * 2\nP = N // 2"
        row = convert(
            a_file(
                "torch.matmul(A, B)",
                inputs="torch.rand(M, K), torch.randn(K, P)",
                sizes=sizes,
                parameters="A, B",
            ),
            "product",
        )
        for (left, right), (result,) in zip(shapes(row), results(row), strict=True):
            assert left[1] == right[0] and result.shape == (left[0], right[1]) and left[0] * left[1] <= 40_000

    def test_shrink_is_the_most_elements_of_an_argument(self):
        for shrink in (100, 1000):
            row = convert(a_file(), "relu", shrink=shrink)
            assert all(shape[0] * shape[1] <= shrink for (shape,) in shapes(row))
        with pytest.raises(CannotTell, match="too large"):
            convert(a_file(), "relu", shrink=2)

    @pytest.mark.parametrize(
        ("layer", "arguments", "inputs", "parameters"),
        [
            ("nn.Linear(width, 30)", ", width", "n, wide", ["(30, W)", "(30,)"]),
            ("nn.Linear(in_features=width, out_features=30, bias=False)", ", width", "n, wide", ["(30, W)"]),
            ("nn.Conv2d(width, 8, (3, 1), groups=4)", ", width", "2, wide, 9, 9", ["(8, W/4, 3, 1)", "(8,)"]),
            ("nn.ConvTranspose1d(width, 8, 3, 2, 1, 1, 4, False)", ", width", "2, wide, 9", ["(W, 2, 3)"]),
            ("nn.BatchNorm2d(width)", ", width", "3, wide, 5, 5", ["(W,)", "(W,)"]),
            ("nn.InstanceNorm2d(width)", ", width", "3, wide, 5, 5", []),
            ("nn.GroupNorm(num_groups=8, num_channels=width)", ", width", "3, wide, 5", ["(W,)", "(W,)"]),
            ("nn.LayerNorm(width)", ", width", "n, wide", ["(W,)", "(W,)"]),
            ("nn.Parameter(torch.ones(width))", ", width", "n, wide", ["(W,)"]),
            ("nn.Softmax(dim=1)", ", width", "n, wide", []),
        ],
    )
    def test_parameters_of_layers_become_arguments(self, layer, arguments, inputs, parameters):
        forward = "x * self.layer" if "Parameter" in layer else "self.layer(x)"
        row = convert(
            a_file(
                forward,
                init=f"self.layer = {layer}",
                arguments=arguments,
                inputs=f"torch.rand({inputs})",
                init_inputs="wide",
            ),
            "f",
        )
        wide = row.cases[0][0].shape[1]
        parameters = [each.replace("W/4", str(wide // 4)).replace("W", str(wide)) for each in parameters]
        assert [str(spec.shape) for spec in row.cases[0][1:]] == parameters
        assert not any(isinstance(each, Failed) for each in results(row))
        assert len({shape[1:] for shape in shapes(row)}) == 1  # what layers were made for stays
        if parameters:
            assert row.signature.startswith("f(x, layer")

    def test_parameters_matter(self):
        row = convert(
            a_file("self.fc(x)", init="self.fc = nn.Linear(n, n)", inputs="torch.rand(n, n)", sizes="n = 5"),
            "f",
        )
        (first,), *_ = results(row)
        changed = row.model_copy(
            update={"cases": ((*row.cases[0][:2], row.cases[0][2].model_copy(update={"offset": 3.0})),)}
        )
        ((second,),) = results(changed)
        assert abs((second.exact - first.exact) - 3).max() < 1e-6

    @pytest.mark.parametrize(
        ("inputs", "said"),
        [
            ("torch.rand(n, 10) * 2 - 1", {"kind": "uniform", "scale": 2, "offset": -1}),
            ("1 - torch.randn(n, 10) / 4", {"kind": "normal", "scale": -0.25, "offset": 1}),
            ("torch.rand(n, 10) * scale", {"kind": "uniform", "scale": 1}),
            ("torch.randint(0, 50, (n,)) ", {"dtype": "int64", "high": 50}),
            (
                "torch.randint(0, 2, (n, 3)).float() * 2 - 1",
                {"dtype": "float32", "kind": "mask", "scale": 2, "offset": -1},
            ),
            ("torch.randint(0, 2, (n, 3)).bool()", {"dtype": "bool", "kind": "mask"}),
            ("torch.randn(n, 10, device='cuda', dtype=torch.float16)", {"dtype": "float16"}),
            ("torch.randn((n, 10)).half().cuda()", {"dtype": "float16", "shape": (72, 10)}),
            ("torch.rand(*(n, 10)).to(torch.bfloat16)", {"dtype": "bfloat16"}),
            ("torch.ones(n)", {"scale": 0, "offset": 1}),
            ("Pareto(0.01, 1.5).sample((n, 10))", {"kind": "uniform"}),
        ],
    )
    def test_inputs(self, inputs, said):
        imports = "from torch.distributions import Pareto"
        row = convert(a_file("x + x", inputs=inputs, sizes="n = 1000", imports=imports), "f")
        assert {key: getattr(row.cases[0][0], key) for key in said} == said
        assert not isinstance(results(row)[0], Failed)

    def test_a_global_that_the_class_reads_comes_along(self):
        row = convert(
            a_file(
                "x.sum(dim) * self.k",
                init="self.k = k",
                arguments=", k=3",
                sizes="n = 4096\nwide = 12\ndim = 1",
            ),
            "f",
        )
        assert row.reference.startswith("dim = 1\n") and "wide" not in row.reference
        assert [each[0].shape for each in results(row)] == [(case[0],) for (case,) in shapes(row)]

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"inputs": "torch.rand(n, n).softmax(dim=-1)"}, "softmax"),
            ({"inputs": "torch.triu(torch.rand(n, n))"}, "triu"),
            ({"inputs": "torch.rand(n) + torch.rand(n)"}, "computed"),
            ({"inputs": "torch.rand(unknown)"}, "unknown"),
            ({"inputs": "[1] * 10 ** 9"}, "times"),
            ({"inputs": "3"}, "random tensor"),
            ({"inputs": "open('x')"}, "open"),
            ({"init": "self.d = nn.Dropout(0.5)"}, "random"),
            ({"init": "self.d = nn.LSTM(3, 3)"}, "LSTM"),
            ({"init": "for i in range(3): pass"}, "__init__"),
            ({"forward": "x + torch.rand_like(x)"}, "random"),
            ({"parameters": "x, y, z"}, "forward"),
            ({"sizes": "import os\nn = wide = 3\nprint(n)"}, "module level"),
        ],
    )
    def test_what_cannot_be_taken_is_said(self, changes, reason):
        with pytest.raises(CannotTell, match=reason):
            convert(a_file(**changes), "f")

    def test_nothing_of_the_file_is_run(self, tmp_path):
        mark = tmp_path / "mark"
        with pytest.raises(CannotTell):
            convert(f"open({str(mark)!r}, 'w')\n{a_file()}", "f")
        convert(a_file(f"(x, open({str(mark)!r}, 'w'))[0]"), "f")
        assert not mark.exists()


class TestFolder:
    def files(self, folder):
        level = folder / "KernelBench" / "level1"
        level.mkdir(parents=True)
        (level / "19_ReLU.py").write_text(a_file(), encoding="utf-8")
        (level / "2_LeakyReLU_.py").write_text(a_file("nn.functional.leaky_relu(x, 0.2)"), encoding="utf-8")
        (level / "3_3D_thing.py").write_text(a_file(), encoding="utf-8")
        (level / "100_Dropout.py").write_text(a_file(init="self.d = nn.Dropout()"), encoding="utf-8")
        (level / "101_Broken.py").write_text(a_file("x @ x"), encoding="utf-8")
        return folder

    def test_the_command_writes_a_file_that_the_environment_reads(self, tmp_path):
        out = tmp_path / "problems.jsonl"
        done = CliRunner().invoke(main, [str(self.files(tmp_path)), "--out", str(out)])
        assert done.exit_code == 0, done.output
        assert "3 problems" in done.output
        assert "100_Dropout.py: nn.Dropout is random" in done.output
        assert "101_Broken.py: the reference does not run" in done.output
        found = TritonKernelsEnv.read_tasks(out)
        assert [found.item("test", index).id for index in range(3)] == [
            "leaky_relu",
            "problem_3d_thing",
            "relu",
        ]
        assert all("doc" in json.loads(line) for line in out.read_text(encoding="utf-8").splitlines())

    def test_names_stay_apart(self, tmp_path):
        for name in ("1_ReLU.py", "2_relu.py"):
            (tmp_path / name).write_text(a_file(), encoding="utf-8")
        rows, refused = convert_folder(tmp_path)
        assert [row.name for row in rows] == ["relu", "relu_2"] and not refused

    def test_an_empty_folder_is_said(self, tmp_path):
        with pytest.raises(UsageError, match="level1"):
            convert_folder(tmp_path)
