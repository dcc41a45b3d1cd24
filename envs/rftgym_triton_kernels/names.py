"""Which names of a module stand for Triton, and what they are called in vetted source."""

from __future__ import annotations

import ast

MODULE_PATHS = {
    "triton": ("triton",),
    "triton.language": ("tl",),
    "triton.language.math": ("tl", "math"),
    "triton.language.extra.libdevice": ("libdevice",),
    "triton.language.extra.cuda.libdevice": ("libdevice",),
    "triton.language.extra.hip.libdevice": ("libdevice",),
    "triton.language.libdevice": ("libdevice",),
}
"""Modules that a kernel may name, and what they are called in the vetted source."""


Modules = dict[str, tuple[str, ...]]


def module_names(tree: ast.Module) -> dict[str, tuple[str, ...]]:
    """Names at module level that stand for Triton's modules (or for something inside them)."""
    names: dict[str, tuple[str, ...]] = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname is None and alias.name.split(".")[0] == "triton":
                    names["triton"] = ("triton",)
                elif alias.asname and alias.name in MODULE_PATHS:
                    names[alias.asname] = MODULE_PATHS[alias.name]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                path = MODULE_PATHS.get(f"{node.module}.{alias.name}")
                if path is None and node.module in MODULE_PATHS:
                    path = (*MODULE_PATHS[node.module], alias.name)
                if path is not None:
                    names[alias.asname or alias.name] = path
        elif (
            isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        ):
            path = path_of(node.value, names)
            if path in MODULE_PATHS.values():  # tl = triton.language
                names[node.targets[0].id] = path
    return names


def path_of(node: ast.AST, modules: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """A dotted name that starts at one of Triton's modules, canonical; () where it is none."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in modules:
        return ()
    path = (*modules[node.id], *reversed(attributes))
    if path[:2] == ("triton", "language"):
        path = ("tl", *path[2:])
    if path[:2] == ("tl", "extra") and "libdevice" in path:
        path = path[path.index("libdevice") :]
    if path[:2] == ("tl", "libdevice"):
        path = path[1:]
    return path
