"""The program itself: help, typing errors, exit statuses, and how little it imports."""

import inspect
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from shortrange import __version__
from shortrange.cli import app as program
from shortrange.cli import output
from shortrange.cli.app import run_app
from shortrange.cli.outcome import Outcome
from shortrange.cli.output import progress, show_table
from shortrange.errors import DataError

HEAVY = ("larch", "matplotlib", "numba", "scipy", "ase", "pydantic", "h5py", "xraydb", "numpy")


def fake(monkeypatch, error):
    """Make `shortrange check` fail in a given way."""

    def fail(*_):
        raise error

    nothing = SimpleNamespace(args=(), kwargs={})
    replace_program(monkeypatch, lambda *_, **__: (fail, nothing))


def answer(monkeypatch, outcome):
    """Make a command say something and come to an outcome."""

    def speak():
        print("a table for people")
        return outcome

    nothing = SimpleNamespace(args=(), kwargs={})
    replace_program(monkeypatch, lambda *_, **__: (speak, nothing))


def replace_program(monkeypatch, parse_args):
    monkeypatch.setattr(program, "make_app", lambda **_: SimpleNamespace(parse_args=parse_args))


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["simulate", "pdf", "--help"], []])
def test_help_imports_nothing_heavy(words):
    code = (
        "import sys\nfrom shortrange.cli import main\n"
        f"sys.argv = ['shortrange', *{words!r}]\nstatus = main()\n"
        f"print(status, sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


@pytest.mark.parametrize("verb", ["run", "init", "check", "reduce", "references", "simulate"])
def test_every_verb_is_in_the_help(capsys, verb):
    assert run_app(["--help"]) == 0
    assert verb in capsys.readouterr().out
    assert run_app([verb, "--help"]) == 0
    assert verb in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["run"], ["--out"]),
        (["reduce"], ["--out", "--element", "--edge", "--mode", "--k-range", "--r-bkg"]),
        (["simulate", "pdf"], ["--q-max", "--r-max", "--q-damp", "--frames", "--out"]),
        (["simulate", "exafs"], ["--absorber", "--edge", "--r-max", "--out"]),
    ],
)
def test_help_of_a_verb_names_its_options(capsys, words, options):
    assert run_app([*words, "--help"]) == 0
    out = capsys.readouterr().out
    assert all(option in out for option in options)


def test_version(capsys):
    assert run_app(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["rnu", "project.toml"], 'Did you mean "run"?'),
        (["run", "project.toml", "--otu", "x"], "Did you mean --out?"),
        (["reduce", "a.xdi", "--k-rnge", "3", "12"], "Did you mean --k-range?"),
        (["reduce", "a.xdi", "--k-range", "3"], "requires 2"),
        (["reduce", "a.xdi", "--k-range", "3", "x"], "unable to convert"),
        (["reduce", "a.xdi", "--mode", "transmision"], "transmission"),
        (["run"], "requires an argument"),
    ],
)
def test_a_mistyped_command_line_is_explained(capsys, words, text):
    assert run_app(words) == 2
    said = capsys.readouterr()
    assert text in said.err
    assert "\n  where: shortrange" in said.err
    assert "\n  do:    see `shortrange" in said.err
    assert "--help" in said.err
    assert said.out == ""


def test_an_error_of_the_input_is_one_paragraph(capsys, monkeypatch):
    fake(monkeypatch, DataError("energy is NaN", where="a.xdi, line 3", do="repair the file"))
    assert run_app(["check", "x"]) == 2
    err = capsys.readouterr().err
    assert err == "shortrange: energy is NaN\n  where: a.xdi, line 3\n  do:    repair the file\n"


@pytest.mark.parametrize("words", [["--debug", "check", "x"], ["check", "x", "--debug"]])
def test_debug_shows_where_it_arose(capsys, monkeypatch, words):
    fake(monkeypatch, DataError("energy is NaN", where="a", do="b"))
    assert run_app(words) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "in fail" in err


def test_options_after_two_dashes_are_file_names():
    words = ["check", "--", "--debug", "--json"]
    assert program._take_options(words) == (words, set())
    assert program._take_options(["--json", *words]) == (words, {"--json"})


@pytest.mark.parametrize("words", [["--json", "check", "x"], ["check", "x", "--json"]])
def test_json_is_all_that_a_program_gets(capsys, monkeypatch, words):
    answer(monkeypatch, Outcome({"a": "Å"}, status=2))
    assert run_app(words) == 2
    said = capsys.readouterr()
    assert json.loads(said.out) == {"a": "Å"}
    assert said.err == ""


def test_json_is_the_file_that_the_command_wrote(tmp_path, capsys, monkeypatch):
    (tmp_path / "summary.json").write_text('{"e0": 9881.0}\n', encoding="utf-8")
    answer(monkeypatch, Outcome(tmp_path / "summary.json"))
    assert run_app(["reduce", "x", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"e0": 9881.0}


def test_without_json_a_command_speaks_to_people(capsys, monkeypatch):
    answer(monkeypatch, Outcome({"a": 1}))
    assert run_app(["check", "x"]) == 0
    assert capsys.readouterr().out == "a table for people\n"


def test_a_fault_is_json_too_and_still_told(capsys, monkeypatch):
    fake(monkeypatch, DataError("energy is NaN", where="a.xdi, line 3", do="repair the file"))
    assert run_app(["check", "x", "--json"]) == 2
    said = capsys.readouterr()
    expected = {"what": "energy is NaN", "where": "a.xdi, line 3", "do": "repair the file"}
    assert json.loads(said.out) == {"error": expected, "status": 2}
    assert "energy is NaN" in said.err


def test_a_mistyped_command_line_is_json_too(capsys):
    assert run_app(["--json", "rnu", "x"]) == 2
    assert "run" in json.loads(capsys.readouterr().out)["error"]["what"]


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], []])
def test_help_is_a_record_too(capsys, words):
    assert run_app([*words, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)["help"]
    assert run_app(words) == 0
    assert record == capsys.readouterr().out


def test_verbs_that_are_not_called_are_not_imported(capsys):
    code = (
        "import sys\nfrom shortrange.cli.app import VERBS, run_app\nrun_app(['run', '--help'])\n"
        "homes = {'shortrange.cli.' + place.partition(':')[0] for place, _ in VERBS.values()}\n"
        "print(sorted(homes & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['shortrange.cli.run']"


@pytest.mark.parametrize("name", program.VERBS)
def test_the_list_of_verbs_says_what_each_says_of_itself(name):
    _, summary = program.VERBS[name]
    assert summary == program.make_app()[name].help.partition("\n\n")[0]


def test_the_help_of_a_verb_is_whole(capsys):
    """More than its line in the list of verbs."""
    assert run_app(["peaks", "--help"]) == 0
    assert "Peaks are fitted as the Q-range makes them" in capsys.readouterr().out


def test_every_command_has_a_record():
    """Whoever adds a command gives it a record for programs."""
    app = program.make_app()
    for name in program.VERBS:
        if name == "simulate":
            continue
        function = app[name].default_command
        assert inspect.signature(function).return_annotation in ("Outcome", Outcome), name


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_names_the_commands(capsys, shell):
    assert run_app(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(verb in script for verb in ("shortrange", "reduce-pdf", "simulate", "--q-max"))


def test_completion_of_an_unknown_shell(capsys):
    assert run_app(["completion", "tcsh"]) == 2
    assert "bash" in capsys.readouterr().err


def test_control_c(capsys, monkeypatch):
    fake(monkeypatch, KeyboardInterrupt())
    assert run_app(["check", "x"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_the_disk_is_not_our_fault(capsys, monkeypatch):
    fake(monkeypatch, OSError(28, "No space left on device", "/results/mu.csv"))
    assert run_app(["check", "x"]) == 2
    err = capsys.readouterr().err
    assert "No space left on device" in err
    assert "mu.csv" in err


@pytest.mark.parametrize("error", [ZeroDivisionError("division"), OSError("odd"), AssertionError()])
def test_our_own_fault_is_said_to_be_ours(capsys, monkeypatch, error):
    fake(monkeypatch, error)
    assert run_app(["check", "x"]) == 70
    err = capsys.readouterr().err
    assert "fault of shortrange itself" in err
    assert "--debug" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("words", [["--help"], ["init", "new"]])
def test_a_closed_pipe_is_no_fault(tmp_path, words):
    code = f"import sys; sys.argv = ['', *{words!r}]; from shortrange.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=tmp_path) as process:
        process.stdout.close()  # long before the program has anything to say
        assert process.stderr.read() == ""
    assert process.returncode == 0
    if words[0] == "init":
        assert (tmp_path / "new" / "project.toml").exists()


def test_tables_are_plain_in_a_pipe(capsys):
    show_table(["model", "p"], [["[bold]a[/bold]", "1"], ["b", "100"]], right=[1])
    assert capsys.readouterr().out == "model             p\n[bold]a[/bold]    1\nb               100\n"


def test_tables_on_a_terminal_keep_square_brackets(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show_table(["model", "p"], [["[bold]a[/bold]", "1"]], right=[1])
    out = capsys.readouterr().out
    assert "[bold]a[/bold]" in out
    assert "─" in out or "━" in out


def test_progress_of_short_work_is_quiet_in_a_pipe(capsys):
    with progress() as tell:
        tell("work")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


def test_progress_of_long_work_in_a_log(capsys, monkeypatch):
    """A line each ten seconds at most, and how much is left."""
    clock = iter([0.0, 1.0, 12.0, 15.0, 40.0])
    monkeypatch.setattr("shortrange.cli.output.monotonic", lambda: next(clock))
    with progress(4.0, cost=lambda _: 1.0) as tell:
        for work in ("load", "reduce", "simulate", "fit"):
            tell(work)
    assert capsys.readouterr().err == "12 s: reduce (about 36 s left)\n40 s: fit (about 13 s left)\n"


def test_progress_on_a_terminal_says_how_long_it_takes(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress(4.0, cost=lambda text: 2.0 if text == "long" else 1.0) as tell:
        tell("long")
        tell("short")
    assert output._left(30.0, 2.0, 4.0) == "about 30 s left"
    assert output._left(600.0, 1.0, 4.0) == "about 30 min left"
    assert output._left(30.0, 0.0, 4.0) == ""
    assert output._left(30.0, 5.0, 4.0) == "about 0 s left"


def test_progress_on_a_terminal_takes_any_text(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress() as tell:
        tell("model [/x] of 3")


def test_version_says_what_a_bug_report_needs(capsys, monkeypatch):
    monkeypatch.setenv("SHORTRANGE_PROFILES", "/home/somebody/private")
    assert run_app(["--version", "--verbose"]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["shortrange"] == __version__
    assert {"python", "numpy", "xraylarch", "system", "FEFF8L", "processors"} <= set(lines)
    assert lines["SHORTRANGE_PROFILES"] == "set"
    assert "somebody" not in " ".join(lines.values())
    assert run_app(["--version", "--verbose", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == lines


@pytest.mark.parametrize(
    "words", [["--version"], ["--version", "run"], ["run", "--version"], ["--version", "x"]]
)
def test_version_is_a_record_whatever_else_is_asked(capsys, words):
    assert run_app(words) == 0
    assert capsys.readouterr().out.strip() == __version__
    assert run_app(["--json", *words]) == 0
    assert json.loads(capsys.readouterr().out) == {"shortrange": __version__}
