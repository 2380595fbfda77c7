"""Lists the mutants of modules as JSON lines; run by the environment of the tool: `generate.py CONFIG DIRECTORY`.

The operators are cosmic-ray's, and one of ours for what it never does: leaving a statement out. Code for type checkers
alone is not mutated.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.plugins import get_operator, operator_names
from parso.python.tree import Keyword

if TYPE_CHECKING:
    from collections.abc import Iterator


class RemoveStatement(Operator):  # type: ignore[misc]
    """Leaves out a call, a deletion or an assignment to something that outlives the function."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        """Give the place of such a statement."""
        if node.type == "simple_stmt" and _has_effect(node.children[0]):
            yield node.children[0].start_pos, node.children[0].end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Put `pass` in its place."""
        first = node.children[0]
        node.children[0] = Keyword("pass", first.start_pos, first.get_first_leaf().prefix)
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Show what it does."""
        return (Example("a.b = 1\n", "pass\n"), Example("f()\n", "pass\n"))


def _has_effect(statement: Any) -> bool:
    if statement.type in ("atom_expr", "power", "await_expr"):
        return bool(statement.get_last_leaf().value == ")")
    if statement.type == "expr_stmt":
        if "=" not in statement.get_code():
            return False
        return bool(statement.children[0].type in ("atom_expr", "power", "testlist_star_expr"))
    return bool(statement.type == "del_stmt")


class Place(NamedTuple):
    """Where a mutation is: the function, and the first line of its statement there (None: outside of functions)."""

    function: str
    statement: int | None


class Source:
    """A module, as its mutants need it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tree = ast.parse(text)
        self._ignored = [_span(node) for node in _for_type_checkers(self._tree)]

    def is_ignored(self, position: tuple[int, int]) -> bool:
        """Tell whether no process of a run ever looks at this place."""
        return any(start <= position < end for start, end in self._ignored)

    def place_of(self, position: tuple[int, int]) -> Place:
        """Find the function and statement."""
        names: list[str] = []
        statement = None
        node: ast.AST = self._tree
        while (inner := _inner(node, position)) is not None:
            node = inner
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                if isinstance(node, ast.FunctionDef) and position < _span(node.body[0])[0]:
                    return Place(".".join([*names, node.name]), None)
                names.append(node.name)
                statement = None
            elif isinstance(node, ast.stmt):
                statement = node.lineno
        inside = any(isinstance(found, ast.FunctionDef) for found in _path(self._tree, position))
        return Place(".".join(names), statement if inside else None)


def _path(node: ast.AST, position: tuple[int, int]) -> Iterator[ast.AST]:
    while (inner := _inner(node, position)) is not None:
        yield inner
        node = inner


def _inner(node: ast.AST, position: tuple[int, int]) -> ast.AST | None:
    for child in ast.iter_child_nodes(node):
        if not hasattr(child, "lineno"):
            if (found := _inner(child, position)) is not None:
                return found
            continue
        start, end = _span(child)
        if start <= position < end:
            return child
    return None


def _span(node: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    first = min([node, *getattr(node, "decorator_list", [])], key=lambda part: part.lineno)
    column = first.col_offset - 1 if first is not node else first.col_offset
    return (first.lineno, column), (node.end_lineno, node.end_col_offset)


def _for_type_checkers(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if (annotation := getattr(node, field, None)) is not None:
                yield annotation
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield node


def mutants(module: str, source: Source, unused: list[re.Pattern[str]]) -> Iterator[dict[str, Any]]:
    """Give every mutant of a module once."""
    seen = {ast.dump(ast.parse(source.text))}
    number: Counter[tuple[str, str, str]] = Counter()
    for position, code in sorted(_mutations(source, unused), key=lambda found: found[0]):
        try:
            meaning = ast.dump(ast.parse(code))
        except SyntaxError:
            continue
        if meaning in seen:
            continue
        seen.add(meaning)
        place = source.place_of(position)
        original, mutated = _changed(source.text, code)
        key = (place.function, original, mutated)
        number[key] += 1
        yield {
            "module": module,
            "function": place.function or "(module)",
            "original": original,
            "mutated": mutated,
            "occurrence": number[key],
            "statement": place.statement,
            "line": position[0],
            "code": code,
        }


def _mutations(source: Source, unused: list[re.Pattern[str]]) -> Iterator[tuple[tuple[int, int], str]]:
    import parso
    from cosmic_ray.ast import ast_nodes

    tree = parso.parse(source.text)
    operators = [get_operator(name)() for name in operator_names() if _is_used(name, unused)]
    for operator in [*operators, RemoveStatement()]:
        places = (start for node in ast_nodes(tree) for start, _ in operator.mutation_positions(node))
        for occurrence, start in enumerate(places):
            if not source.is_ignored(start) and (code := mutate_code(source.text, operator, occurrence)) is not None:
                yield start, code


def _is_used(name: str, unused: list[re.Pattern[str]]) -> bool:
    return not get_operator(name).arguments() and not any(pattern.fullmatch(name) for pattern in unused)


def _changed(original: str, mutated: str) -> tuple[str, str]:
    """Give the lines that differ, with single blanks."""
    before, after = original.splitlines(), mutated.splitlines()
    while before and after and before[0] == after[0]:
        del before[0], after[0]
    while before and after and before[-1] == after[-1]:
        del before[-1], after[-1]
    return " ".join(" ".join(before).split()), " ".join(" ".join(after).split())


def main(config: str, directory: str) -> None:
    """Print the mutants of all modules that the configuration names."""
    settings = tomllib.loads(Path(config).read_text(encoding="utf-8"))
    unused = [re.compile(pattern) for pattern in settings["unused"]]
    for module in settings["modules"]:
        source = Source((Path(directory) / f"{module}.py").read_text(encoding="utf-8"))
        for mutant in mutants(module, source, unused):
            sys.stdout.write(json.dumps(mutant) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
