"""What is packaged: one list of requirements everywhere, and nothing that only one system has."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from shortrange import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SOURCES = sorted((ROOT / "src").rglob("*.py"))

# Of the os module and of subprocess, what Windows lacks or does otherwise.
POSIX = {
    "fork",
    "kill",
    "killpg",
    "setsid",
    "getuid",
    "geteuid",
    "getpgid",
    "mkfifo",
    "chown",
    "uname",
    "wait",
}
MODULES = {"fcntl", "grp", "pwd", "resource", "termios", "pty", "posix", "tty"}


def names(text):
    """Requirements by name, with their lower bounds."""
    found = {}
    for line in text:
        name, bound = re.match(r"([\w.-]+)(?:[ \[].*?)?\s*>=\s*([\w.]+)", line).groups()
        found[name.lower()] = bound
    return found


def test_the_recipe_asks_for_what_the_package_asks_for():
    recipe = (ROOT / "recipe/recipe.yaml").read_text(encoding="utf-8")
    run = recipe.split("  run:\n")[1].split("\n\n")[0]
    there = names(re.findall(r"- (\S+ >=\S+)", run.replace("${{ python_min }},<3.14", "3.11")))
    renamed = {"matplotlib": "matplotlib-base", "pywavelets": "pywavelets"}
    for name, bound in names(PROJECT["dependencies"]).items():
        assert there[renamed.get(name, name)] == bound, name
    assert "diffpy.srreal" in there
    assert f'version: "{__version__}"' in recipe


def test_the_environment_of_conda_brings_srreal():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert "diffpy.srreal" in text
    assert "-e .[dev]" in text


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT / "src").as_posix())
def test_nothing_but_what_every_system_has(path):
    """Paths with strokes of their own, signals and forks would leave out Windows."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert not {alias.name.split(".")[0] for alias in node.names} & MODULES
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in MODULES
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            assert node.attr not in POSIX, f"os.{node.attr}, line {node.lineno}"
        elif isinstance(node, ast.keyword):
            assert node.arg not in ("preexec_fn", "start_new_session"), f"line {node.value.lineno}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not re.match(r"/(tmp|dev|usr|home|var|proc)\b", node.value), f"line {node.lineno}"


def test_text_files_are_opened_with_an_encoding():
    """Windows would take the code page of its user."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr in ("read_text", "write_text"):
                stated = node.args[1:] if node.func.attr == "write_text" else node.args
                encoded = stated or any(keyword.arg == "encoding" for keyword in node.keywords)
                ascii_only = path.name in ("feff.py", "feff_paths.py")  # FEFF reads nothing else
                assert encoded or ascii_only, f"{path}, line {node.lineno}"
