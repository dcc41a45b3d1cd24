"""Habits in source code that break training sooner or later: what each looks like in a syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from rftgym.conformance.reach import Definition, Source
from rftgym.conformance.taint import Flow

Place = tuple[ast.AST, str]
"""A node, and what is wrong with it."""

_NUMPY_FINE = frozenset(
    {
        "default_rng",
        "Generator",
        "SeedSequence",
        "PCG64",
        "PCG64DXSM",
        "Philox",
        "MT19937",
        "SFC64",
        "RandomState",
        "BitGenerator",
        "get_state",
    }
)
_RANDOM_FINE = frozenset({"Random", "SystemRandom", "getstate"})
_RESTORED = frozenset(
    {"random.setstate", "numpy.random.set_state", "torch.set_rng_state", "torch.random.set_rng_state"}
)
"""Who calls these puts back what was there: as an adapter does around a package that knows no better."""
_TORCH_DRAWS = frozenset(
    {"manual_seed", "seed", "rand", "randn", "randint", "randperm", "bernoulli", "multinomial", "normal"}
)
_CLOCKS = frozenset(
    {
        "time.time",
        "time.time_ns",
        "time.localtime",
        "time.ctime",
        "time.gmtime",
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
    }
)
_RUNS = frozenset(
    {
        "eval",
        "exec",
        "pickle.loads",
        "pickle.load",
        "marshal.loads",
        "dill.loads",
        "cloudpickle.loads",
        "os.system",
        "os.popen",
        "subprocess.getoutput",
        "subprocess.getstatusoutput",
        "yaml.unsafe_load",
        "yaml.full_load",
        "jsonpickle.decode",
        "joblib.load",
        "torch.load",
        "sympy.sympify",
        "sympy.S",
        "sympy.parsing.sympy_parser.parse_expr",
        "code.interact",
        "runpy.run_path",
        "importlib.import_module",
        "__import__",
    }
)
_DOWNLOADS = frozenset(
    {
        "requests.get",
        "requests.post",
        "requests.request",
        "httpx.get",
        "httpx.post",
        "urllib.request.urlopen",
        "urllib.request.urlretrieve",
        "datasets.load_dataset",
        "huggingface_hub.hf_hub_download",
        "huggingface_hub.snapshot_download",
        "nltk.download",
        "socket.create_connection",
        "gdown.download",
        "wget.download",
        "kagglehub.dataset_download",
    }
)
_CHANGES = frozenset(
    {
        "append",
        "extend",
        "insert",
        "add",
        "update",
        "setdefault",
        "pop",
        "popitem",
        "remove",
        "discard",
        "clear",
        "appendleft",
        "sort",
        "reverse",
    }
)
_ORDERED_BY = frozenset({"list", "tuple", "enumerate", "next", "iter", "str", "repr", "zip"})
_SAFE_LOADERS = frozenset({"SafeLoader", "CSafeLoader", "BaseLoader"})


def calls(definition: Definition) -> Iterator[tuple[ast.Call, str]]:
    """Every call in a function, with the dotted name of what is called."""
    for node in ast.walk(definition.node):
        if isinstance(node, ast.Call):
            yield node, definition.source.dotted(node.func)


def global_random(definition: Definition) -> Iterator[Place]:
    """Draws from, or seeds of, the process's generators, save in a function that puts their state back."""
    if any(name in _RESTORED for _, name in calls(definition)):
        return
    for node, name in calls(definition):
        module, _, last = name.rpartition(".")
        passed = any(each.arg == "generator" for each in node.keywords)
        if (
            (module == "random" and last not in _RANDOM_FINE)
            or (module == "numpy.random" and last not in _NUMPY_FINE)
            or (module in ("torch", "torch.cuda", "torch.random") and last in _TORCH_DRAWS and not passed)
        ):
            yield node, f"{name}() uses the process's generator"


def clocks(definition: Definition) -> Iterator[Place]:
    """The time of day."""
    for node, name in calls(definition):
        if name in _CLOCKS:
            yield node, f"{name}() where a completion is judged"


def swallowed(definition: Definition) -> Iterator[Place]:
    """A number in the place of whatever exception."""
    for node in ast.walk(definition.node):
        if isinstance(node, ast.ExceptHandler) and _broad(node.type):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and _number(inner.value):
                    yield inner, f"any exception becomes {ast.unparse(inner.value or ast.Constant(0))}"


def _broad(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(map(_broad, kind.elts))
    return kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException"))


def _number(value: ast.expr | None) -> bool:
    if isinstance(value, ast.UnaryOp):
        return _number(value.operand)
    return isinstance(value, ast.Constant) and isinstance(value.value, int | float)


def asserts(flow: Flow) -> Iterator[Place]:
    """Assertions about what a model wrote."""
    for node in ast.walk(flow.definition.node):
        if isinstance(node, ast.Assert) and any(
            isinstance(each, ast.Name) and each.id in flow.names for each in ast.walk(node.test)
        ):
            yield node, f"assert {ast.unparse(node.test)[:60]}"


def runs_text(flow: Flow) -> Iterator[Place]:
    """What a model wrote, run."""
    for node, name in calls(flow.definition):
        given = [*node.args, *(each.value for each in node.keywords)]
        dangerous = name in _RUNS or _unsafe_yaml(node, name) or _shell(node, name)
        if dangerous and any(flow.holds(each) for each in given):
            yield node, f"{name}() runs what a model wrote"


def _unsafe_yaml(node: ast.Call, name: str) -> bool:
    loaders = [*node.args[1:], *(each.value for each in node.keywords if each.arg == "Loader")]
    return name == "yaml.load" and not any(
        ast.unparse(each).rpartition(".")[2] in _SAFE_LOADERS for each in loaders
    )


def _shell(node: ast.Call, name: str) -> bool:
    return name.startswith("subprocess.") and any(
        each.arg == "shell" and isinstance(each.value, ast.Constant) and each.value.value is True
        for each in node.keywords
    )


def shells(definition: Definition) -> Iterator[Place]:
    """Processes started through a shell."""
    for node, name in calls(definition):
        if _shell(node, name):
            yield node, f"{name}(shell=True)"


def hashes(definition: Definition) -> Iterator[Place]:
    """The built-in hash."""
    if definition.name != "__hash__":
        for node, name in calls(definition):
            if name == "hash":
                yield node, ast.unparse(node)[:60]


def set_orders(definition: Definition) -> Iterator[Place]:
    """Something in order, made from a set in the set's own."""
    sets = {
        target.id
        for node in ast.walk(definition.node)
        if isinstance(node, ast.Assign) and _is_set(node.value, definition.source, set())
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node, name in calls(definition):
        joins = isinstance(node.func, ast.Attribute) and node.func.attr == "join"
        draws = isinstance(node.func, ast.Attribute) and node.func.attr in ("choice", "sample", "choices")
        if (joins or draws or name in _ORDERED_BY) and any(
            _in_own_order(each, definition.source, sets, joins) for each in node.args[:1]
        ):
            yield node, ast.unparse(node)[:80]


def _in_own_order(node: ast.expr, source: Source, sets: set[str], joined: bool) -> bool:
    if joined and isinstance(node, ast.GeneratorExp | ast.ListComp):
        return _is_set(node.generators[0].iter, source, sets)
    return _is_set(node, source, sets)


def _is_set(node: ast.AST, source: Source, sets: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in sets
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
        return _is_set(node.left, source, sets) and _is_set(node.right, source, sets)
    called = isinstance(node, ast.Call) and source.dotted(node.func) in ("set", "frozenset")
    return called or isinstance(node, ast.Set | ast.SetComp)


def downloads(definition: Definition) -> Iterator[Place]:
    """Calls that go out into the network."""
    for node, name in calls(definition):
        if name in _DOWNLOADS or name.endswith(".from_pretrained"):
            yield node, f"{name}() is called to make the environment"


def shared_attributes(source: Source, name: str) -> Iterator[Place]:
    """Lists, dicts and sets of a class that its methods change for all of its instances."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and node.name == name:
            shared = dict(_containers(node))
            own = {
                a.attr
                for a in ast.walk(node)
                if isinstance(a, ast.Attribute) and isinstance(a.ctx, ast.Store)
            }
            for inner in ast.walk(node):
                attribute = _changed(inner)
                if attribute in shared.keys() - own:
                    yield inner, f"{name}.{attribute} is one for all environments, and is changed here"


def _containers(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    for statement in node.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            called = isinstance(statement.value, ast.Call) and ast.unparse(statement.value.func) in (
                "list",
                "dict",
                "set",
                "defaultdict",
                "deque",
                "Counter",
                "collections.defaultdict",
            )
            if called or isinstance(
                statement.value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp
            ):
                yield from ((each.id, statement.value) for each in targets if isinstance(each, ast.Name))


def _changed(node: ast.AST) -> str:
    """The attribute whose value a node changes in place; "" where it changes none."""
    value: ast.AST | None = None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGES:
        value = node.func.value
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        value = node.value
    elif isinstance(node, ast.AugAssign):
        value = node.target
    while isinstance(value, ast.Subscript):
        value = value.value
    return value.attr if isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name) else ""
