"""Run `shortrange refine` and `shortrange boxcar` on a folder, and look at how they refuse a project."""

import re

from shortrange.cli.app import run_app


def run_verb(verb, folder, capsys):
    """Exit status and what was printed; the results go to ``out``."""
    status = run_app([verb, str(folder / "project.toml"), "--out", str(folder / "out")])
    return status, capsys.readouterr()


def assert_refused(verb, folder, capsys, words):
    """See a verb refuse what is in a folder, saying what, where and what to do, and writing nothing."""
    status, said = run_verb(verb, folder, capsys)
    assert status == 2, said
    assert re.search(words, said.err), said.err
    assert "where:" in said.err
    assert "do:" in said.err
    assert not (folder / "out").exists()
    return said.err


def changed_project(folder, project, old, new):
    """Write a project with one line changed."""
    assert old in project
    (folder / "project.toml").write_text(project.replace(old, new, 1))
