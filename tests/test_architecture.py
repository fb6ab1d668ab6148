"""The import rule of the house: every room knows only the rooms below it."""

import ast
from pathlib import Path

APP = Path(__file__).parent.parent / "app"
LEAVES = {
    "bounded",
    "clock",
    "config",
    "domain",
    "downloads",
    "errors",
    "logs",
    "private_files",
    "strict_json",
    "waiting",
}
# A room -> what it may import of app besides itself.
MAY_IMPORT = {
    "api": {"services", "schemas", *LEAVES},
    "schemas": LEAVES,
    "services": {"models", *LEAVES},
    "models": LEAVES,
    "serving": {"api", "banner", "services", *LEAVES},
    "jobs": {"banner", "services", *LEAVES},
    "cli": {"", "api", "banner", "jobs", "schemas", "services", *LEAVES},
    "banner": {"services", *LEAVES},
    "__main__": {"cli"},
    "": {"api", "banner", "services", *LEAVES},
    **dict.fromkeys(LEAVES, LEAVES),
}
# A library -> the rooms that may use it.
AT_HOME = {
    "flask": {"", "api"},
    "werkzeug": {"api"},
    "flask_smorest": {"api"},
    "peewee": {"models"},
    "playhouse": {"models"},
    "psycopg": {"models"},
    "marshmallow": {"schemas"},
    "gunicorn": {"serving"},
    "greenlet": {"waiting"},
    "click": {"cli"},
    "limits": {"config", "services"},
    "jwt": {"services"},
    "cryptography": {"services"},
}
STANDARD_ONLY = LEAVES - {"config", "logs", "strict_json", "waiting"}


def room_of(path):
    return path.relative_to(APP).parts[0].removesuffix(".py").replace("__init__", "")


def imports(path):
    """Yield (module, whether it is at the top of the file) of every import."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"app.{alias.name}" for alias in node.names] if node.module == "app" else [node.module]
        else:
            continue
        for name in names:
            yield name, node in tree.body


FILES = sorted(APP.rglob("*.py"))
FOUND = [(path, name, top) for path in FILES for name, top in imports(path)]
ROOMS = {room_of(path) for path in FILES}


def test_every_room_is_known():
    assert ROOMS == MAY_IMPORT.keys()


def test_imports_point_down_only():
    wrong = []
    for path, name, _ in FOUND:
        room, target = room_of(path), name.split(".")[1] if name.startswith("app.") else None
        target = "" if name == "app" or (target is not None and target not in ROOMS) else target
        if target is not None and target != room and target not in MAY_IMPORT[room]:
            wrong.append(f"{path.relative_to(APP)} imports {name}")
    assert not wrong


def test_libraries_stay_in_their_rooms():
    wrong = [
        f"{path.relative_to(APP)} imports {name}"
        for path, name, _ in FOUND
        if room_of(path) not in AT_HOME.get(name.split(".")[0], {room_of(path)})
    ]
    assert not wrong


def test_leaves_need_the_standard_library_alone():
    import sys

    wrong = [
        f"{path.name} imports {name}"
        for path, name, _ in FOUND
        if room_of(path) in STANDARD_ONLY and name.split(".")[0] not in {*sys.stdlib_module_names, "app"}
    ]
    assert not wrong


def test_imports_stand_at_the_top():
    assert not [f"{path.relative_to(APP)} imports {name}" for path, name, top in FOUND if not top]


def test_only_config_reads_the_environment():
    assert [path.name for path in FILES if "environ" in _attributes(path)] == ["config.py"]


def test_every_public_function_has_a_docstring():
    missing = []
    for path in FILES:
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.FunctionDef | ast.ClassDef)
                and not node.name.startswith("_")
                and node.name != "Meta"
            ):
                if not ast.get_docstring(node) and not _is_inner(path, node):
                    missing.append(f"{path.relative_to(APP)}:{node.lineno} {node.name}")
    assert not missing


def _attributes(path):
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
    }


def _is_inner(path, wanted):
    """Whether the definition stands inside a function, where nobody else can call it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = [child for child in ast.walk(node) if child is not node]
            if any(
                getattr(child, "lineno", 0) == wanted.lineno and getattr(child, "name", "") == wanted.name
                for child in inner
            ):
                return True
    return False
