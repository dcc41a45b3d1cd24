"""Brings problems in the form of KernelBench's level 1 into the form of a problems file.

    python -m rftgym_triton_kernels.kernelbench CHECKOUT --out problems.jsonl

Such a file defines ``class Model(nn.Module)``, module-level sizes, ``get_inputs()`` and ``get_init_inputs()``. It is
read, not run: sizes are reduced until no argument has more than ``--shrink`` elements, parameters of layers become
further arguments, and inputs that are drawn otherwise than by ``torch.rand`` and its like are refused. Then each
reference is run once in the sandbox, and what fails there is left out. What could not be taken is listed with the
reason.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click
from pydantic import ValidationError

from rftgym.errors import RftgymError, UsageError
from rftgym_triton_kernels.cases import Evaluate, decoys, pack
from rftgym_triton_kernels.compare import BadReference, Failed, read_results
from rftgym_triton_kernels.problems import ProblemRow
from rftgym_triton_kernels.torchfile import Sized, Source, free_names, method_of, parse, sized_for
from rftgym_triton_kernels.torchstatic import CannotTell

LIMITS: Final = (96, 64, 48, 32, 24, 16, 12, 8, 6, 4)
"""Largest sizes that are tried, until the arguments are small enough."""
SHRINK: Final = 40_000
TOLERANCE: Final = {"float32": [1e-4, 1e-4]}


def convert(text: str, name: str, *, shrink: int = SHRINK) -> ProblemRow:
    """One file's problem.

    Args:
        text: of the file.
        name: of the function that it becomes.
        shrink: most elements of an argument.

    Raises:
        CannotTell: the file holds something that is not understood; the message says what.
    """
    source = parse(text)
    for limit in LIMITS:
        sized = sized_for(source, limit, vary=False)
        if sized.largest() <= shrink:
            break
    else:
        raise CannotTell(f"it is too large: no sizes leave at most {shrink:,} elements an argument")
    other = sized_for(source, limit, vary=True)
    if (other.init, other.made) != (sized.init, sized.made):
        other = sized
    taken = _forward_parameters(source.model, len(sized.drawn))
    extra = {path: _free_name(path.replace(".", "_"), taken) for path in sized.made}
    signature = f"{name}({', '.join([*taken, *extra.values()])})"
    try:
        return ProblemRow.model_validate(
            {
                "name": name,
                "signature": signature,
                "doc": _doc(source.model),
                "reference": _reference(source, sized, signature, taken, extra),
                "cases": _cases(sized, other),
                "tol": TOLERANCE,
                "split": "test",
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise CannotTell(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def tried(row: ProblemRow, evaluate: Evaluate) -> ProblemRow:
    """The problem without the cases that its reference cannot do.

    Args:
        row: as it was converted.
        evaluate: runs the reference, in a sandbox.

    Raises:
        CannotTell: no case is left.
    """
    entries, blobs = pack(decoys(case) for case in row.cases)
    header, out = evaluate({"source": row.reference, "name": row.name, "cases": entries}, blobs)
    try:
        results = read_results(header, out, len(row.cases))
    except BadReference as error:
        raise CannotTell(f"the reference does not run: {error}") from error
    left = tuple(
        case for case, result in zip(row.cases, results, strict=True) if not isinstance(result, Failed)
    )
    if not left:
        messages = [result.message for result in results if isinstance(result, Failed)]
        raise CannotTell(f"the reference does not run: {messages[0].splitlines()[0][:160]}")
    return row.model_copy(update={"cases": left})


def convert_folder(
    checkout: Path, *, shrink: int = SHRINK, evaluate: Evaluate | None = None
) -> tuple[list[ProblemRow], dict[str, str]]:
    """All problems of a checkout that can be taken, and by file name the reasons why the others cannot.

    Args:
        checkout: of KernelBench, or a folder of such files.
        shrink: see `convert`.
        evaluate: runs references in a sandbox; None: they are not tried.

    Raises:
        UsageError: there are no such files.
    """
    rows: list[ProblemRow] = []
    refused: dict[str, str] = {}
    names: set[str] = set()
    for path in _files(checkout):
        try:
            row = convert(path.read_text(encoding="utf-8"), _name(path.stem, names), shrink=shrink)
            rows.append(row if evaluate is None else tried(row, evaluate))
        except (CannotTell, UnicodeDecodeError, RecursionError) as error:
            refused[path.name] = str(error)
    return rows, refused


# ---- reading a file


def _files(checkout: Path) -> list[Path]:
    folders = (checkout / "KernelBench" / "level1", checkout / "level1", checkout)
    folder = next((each for each in folders if each.is_dir() and any(each.glob("*.py"))), None)
    if folder is None:
        raise UsageError(
            f"{checkout} holds no level 1 of KernelBench: no *.py in it or in KernelBench/level1"
        )
    return sorted(
        folder.glob("*.py"), key=lambda path: (int((re.match(r"\d+", path.name) or ["0"])[0]), path.name)
    )


# ---- writing a problem


def _cases(sized: Sized, other: Sized) -> list[list[dict[str, Any]]]:
    """As in the file; with odd sizes; and where all inputs are drawn from 0 to 1, with negative ones as well."""
    made = [each.specification() for each in sized.made.values()]
    cases = [[*(each.specification() for each in drawn), *made] for drawn in (sized.drawn, other.drawn)]
    if all((each.kind, each.scale, each.offset) == ("uniform", 1, 0) for each in sized.drawn):
        cases.append([*(replace(each, kind="normal").specification() for each in sized.drawn), *made])
    return [case for index, case in enumerate(cases) if case not in cases[:index]]


def _reference(
    source: Source, sized: Sized, signature: str, taken: Sequence[str], extra: dict[str, str]
) -> str:
    """The file's own class, and a function that puts the arguments into it."""
    used = free_names([source.model, *source.code])
    constants = [f"{name} = {value!r}" for name, value in sized.constants.items() if name in used]
    bare = [ast.unparse(_without_docstrings(each)) for each in (*source.code, source.model)]
    made = f"Model({', '.join(map(repr, sized.init))})"
    inputs = ", ".join(taken)
    call = f"{made}({inputs})"
    if extra:
        values = ", ".join(f"{path!r}: {name}" for path, name in extra.items())
        call = f"torch.func.functional_call({made}, {{{values}}}, ({inputs},))"
    return "\n".join([*constants, *bare, f"def {signature}:\n    return {call}\n"])


def _without_docstrings(node: ast.stmt) -> ast.stmt:
    for each in ast.walk(node):
        if isinstance(each, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(each) is not None:
            each.body = each.body[1:] or [ast.Pass()]
    return node


def _forward_parameters(model: ast.ClassDef, inputs: int) -> list[str]:
    forward = method_of(model, "forward")
    names = [argument.arg for argument in forward.args.args[1:]] if forward else []
    if forward is None or not len(names) - len(forward.args.defaults) <= inputs <= len(names):
        raise CannotTell(f"forward() does not take the {inputs} inputs")
    for each in ast.walk(forward):
        if isinstance(each, ast.Attribute) and each.attr in {
            "rand",
            "randn",
            "rand_like",
            "randn_like",
            "dropout",
        }:
            raise CannotTell(f"forward() is random: {each.attr}()")
    return names[:inputs]


def _doc(model: ast.ClassDef) -> str:
    """The first paragraph of the class's docstring."""
    return " ".join((ast.get_docstring(model) or "").split("\n\n")[0].split())


def _free_name(name: str, taken: Iterable[str]) -> str:
    return f"{name}_" if name in taken else name


def _name(stem: str, names: set[str]) -> str:
    """The file's name in snake case, without its number; made unique."""
    bare = re.sub(r"^\d+_", "", stem)
    snake = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", bare)
    name = re.sub(r"\W+|__+", "_", snake).strip("_").lower() or "problem"
    name = name if name.isidentifier() else f"problem_{name}"
    number = 2
    unique = name
    while unique in names:
        unique, number = f"{name}_{number}", number + 1
    names.add(unique)
    return unique


@click.command()
@click.argument("checkout", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write."
)
@click.option("--shrink", default=SHRINK, show_default=True, help="Most elements that an argument may have.")
@click.option(
    "--try/--no-try", "try_references", default=True, help="Run each reference once, in the sandbox."
)
def main(checkout: Path, out: Path, shrink: int, try_references: bool) -> None:
    """Turn the level-1 problems of a KernelBench CHECKOUT into a problems file."""
    try:
        if try_references:
            from rftgym_triton_kernels.trying import sandboxed  # starts processes: only where it is wanted

            with sandboxed() as evaluate:
                rows, refused = convert_folder(checkout, shrink=shrink, evaluate=evaluate)
        else:
            rows, refused = convert_folder(checkout, shrink=shrink)
    except RftgymError as error:
        raise click.ClickException(str(error)) from error
    lines = [row.model_dump_json(exclude_defaults=True) for row in rows]
    out.write_text("".join(f"{json.dumps(json.loads(line))}\n" for line in lines), encoding="utf-8")
    click.echo(f"{len(rows)} problems in {out}")
    for name, reason in refused.items():
        click.echo(f"left out: {name}: {reason}")


if __name__ == "__main__":
    main()
