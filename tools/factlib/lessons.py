"""Which bound numbers of the lessons follow which facts: read from the code, nothing is run."""

import ast
import json

from tools import bound

PLANNER = "hedgelib.planner"  # its worksheets and forms take facts of every topic

CHANGING = ("append", "extend", "insert", "update")  # methods that put something into the object


def followers(topics, root):
    """Yield a line for each bound number whose expression hangs on one of some topics.

    A name hangs on a topic if a statement that sets or changes it asks for the topic, uses another such name,
    or takes it from the planner.

    Parameters
    ----------
    topics : collection of str
        Topics of ``market.facts``.
    root : pathlib.Path
        Folder that holds the folder ``notebooks`` and TEACHING.md.
    """
    if not topics:
        return
    ends = {}
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        names, texts = set(), []
        for place, cell in enumerate(json.loads(path.read_text("utf-8"))["cells"], start=1):
            source = "".join(cell["source"])
            if cell["cell_type"] == "code":
                names = names | hanging(source, topics, names)
            else:
                texts.append((f"{path.stem}, cell {place}", source, names))
        for where, source, known in texts:
            for each in bound.find(source):
                if _hangs(ast.parse(each.expression), topics, names if each.last else known):
                    yield f"{where}: {each.text} = {each.expression}"
        ends[path.stem[:2]] = names
    teaching = root / "TEACHING.md"
    for each in bound.find(teaching.read_text("utf-8")) if teaching.exists() else ():
        if _hangs(ast.parse(each.expression), topics, ends.get(each.lesson, set())):
            yield f"{teaching.name}: {each.text} = {each.expression}"


def hanging(source, topics, names):
    """Return the names of a code cell that hang on a topic, given those that did before.

    >>> code = "paid = market.facts('funding_by_year')\\nmean = paid['value'].mean()\\nprice = 60_000"
    >>> sorted(hanging(code, {"funding_by_year"}, set()))
    ['mean', 'paid']
    """
    found = set()
    for statement in ast.parse(source).body:
        if _hangs(statement, topics, names | found):
            found |= _set_by(statement)
    return found


def _hangs(tree, topics, names):
    """Whether a piece of code asks for one of the topics, or uses one of the names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in names:
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PLANNER):
            return True
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "facts":
            asked = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)]
            if not asked or set(map(str, asked)) & set(topics):
                return True
    return False


def _set_by(statement):
    """Names that a statement sets or changes."""
    found = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            found |= _owner(node)
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING
        ):
            found |= _owner(node.func)
    return found


def _owner(node):
    """The name that an attribute or an item belongs to, if there is one."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()
