"""What is packaged: one list of requirements everywhere, and nothing that only one system has."""

import ast
import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from shortrange import __version__
from shortrange.cli.app import run_app
from shortrange.report.plates import file_names, slug

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
        if stated := re.match(r"([\w.-]+)(?:[ \[].*?)?\s*>=\s*([\w.]+)", line):
            found[stated[1].lower()] = stated[2]
    return found


def rendered_recipe():
    """The recipe as rattler-build reads it: YAML, its ``${{ }}`` filled in from ``context``."""
    text = (ROOT / "recipe/recipe.yaml").read_text(encoding="utf-8")
    context = yaml.safe_load(text)["context"]
    filled = re.sub(r"\$\{\{ (\w+) \}\}", lambda found: context.get(found[1], found[0]), text)
    return yaml.safe_load(filled)


def test_the_recipe_asks_for_what_the_package_asks_for():
    recipe = rendered_recipe()
    there = names(recipe["requirements"]["run"])
    assert len(names(PROJECT["dependencies"])) == len(PROJECT["dependencies"])  # each with its oldest version
    for name, bound in names(PROJECT["dependencies"]).items():
        assert there[{"matplotlib": "matplotlib-base"}.get(name, name)] == bound, name
    extras = PROJECT["optional-dependencies"]
    for extra in ("plotly", "pdffit2"):
        for name, bound in names(extras[extra]).items():
            assert there[name] == bound, name
    assert "diffpy.srreal" in there
    python = {line for line in recipe["requirements"]["run"] if line.startswith("python ")}
    assert python == {f"python {PROJECT['requires-python']}"}
    (backend,) = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"][
        "requires"
    ]
    assert names([backend]).items() <= names(recipe["requirements"]["host"]).items()


def test_the_recipe_is_one():
    """Its parts, its entry point and its files exist (rattler-build 0.73 renders it)."""
    recipe = rendered_recipe()
    assert set(recipe) == {
        "schema_version",
        "context",
        "package",
        "source",
        "build",
        "requirements",
        "tests",
        "about",
    }
    assert recipe["package"] == {"name": PROJECT["name"], "version": __version__}
    ((name, target),) = PROJECT["scripts"].items()
    assert recipe["build"]["python"]["entry_points"] == [f"{name} = {target}"]
    assert recipe["about"]["license"] == PROJECT["license"]
    assert recipe["about"]["summary"] == PROJECT["description"]
    assert (ROOT / recipe["about"]["license_file"]).is_file()
    assert (ROOT / "recipe" / recipe["source"]["path"]).resolve() == ROOT
    imported = recipe["tests"][0]["python"]["imports"]
    assert all(find_spec(module) for module in imported)


def test_commands_of_the_recipe_run(capsys):
    for line in rendered_recipe()["tests"][1]["script"]:
        program, *words = line.split()
        assert program == "shortrange"
        assert run_app(words) == 0, line
    assert "FEFF8L" in capsys.readouterr().out


def test_the_environment_of_conda_is_that_of_the_project():
    found = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    plain = [line for line in found["dependencies"] if isinstance(line, str)]
    (pip,) = (line["pip"] for line in found["dependencies"] if isinstance(line, dict))
    assert found["name"] == PROJECT["name"]
    assert found["channels"] == ["conda-forge"]
    assert pip == ["-e .[dev]"]
    assert f"python {PROJECT['requires-python']}" in plain
    run = names(rendered_recipe()["requirements"]["run"])
    assert names([line for line in plain if line.startswith("diffpy")]) == {
        name: run[name] for name in ("diffpy.srreal", "diffpy.pdffit2")
    }


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


def test_files_are_moved_so_that_windows_does_it_too():
    """Renaming onto a file that exists fails there: `replace` it is, and `rename` only for a new folder."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == "rename":
                assert path.name == "folder.py", f"{path}, line {node.lineno}"
            if isinstance(node, ast.Attribute) and node.attr in (
                "symlink_to",
                "hardlink_to",
                "chmod",
                "owner",
            ):
                raise AssertionError(f"{path}, line {node.lineno}: {node.attr}")


@pytest.mark.parametrize("name", ['Ta L3: a/b\\c*?"<>|', "C:", "..", "", "µ-S, 20 °C", "Ta\nL3"])
def test_names_of_files_are_possible_everywhere(name):
    assert re.fullmatch(r"[a-z0-9_]+", slug(name))


def test_names_do_not_share_files():
    names = ["Ta L3", "ta-l3", "модель А", "модель Б", "edge (mu-S)2", "edge mu-S 2", "x" * 300, "X" * 300]
    files = file_names(names)
    assert list(files) == names
    assert len(set(files.values())) == len(names)
    assert files["Ta L3"] == "ta_l3"
    assert max(len(file) for file in files.values()) < 100


def is_binary(call):
    modes = [*call.args, *(keyword.value for keyword in call.keywords)]
    return any(isinstance(mode, ast.Constant) and mode.value in ("rb", "wb", "ab") for mode in modes)


def test_text_files_are_opened_with_an_encoding():
    """Windows would take the code page of its user."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr == "open" and ast.unparse(node.func.value) != "os":
                encoded = any(keyword.arg == "encoding" for keyword in node.keywords)
                assert encoded or is_binary(node), f"{path}, line {node.lineno}"
            if node.func.attr in ("read_text", "write_text"):
                stated = node.args[1:] if node.func.attr == "write_text" else node.args
                encoded = stated or any(keyword.arg == "encoding" for keyword in node.keywords)
                ascii_only = path.name in ("feff.py", "feff_paths.py")  # FEFF reads nothing else
                assert encoded or ascii_only, f"{path}, line {node.lineno}"
