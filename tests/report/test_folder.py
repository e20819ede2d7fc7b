"""The folder of results is the new one or the old one, never half of each."""

import json
from pathlib import Path

import pytest

from shortrange.errors import DataError
from shortrange.report.folder import ResultFolder


def write(folder, files, *, kind="run"):
    with ResultFolder(folder, kind=kind) as new:
        for name, text in files.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_text(text, encoding="utf-8")


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".shortrange.json"
    }


def test_a_new_folder_appears_whole(tmp_path):
    write(tmp_path / "deep" / "out", {"a.txt": "1", "figures/b.png": "2"})
    assert content(tmp_path / "deep" / "out") == {"a.txt": "1", "figures/b.png": "2"}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


def test_files_of_an_earlier_run_go_and_those_of_others_stay(tmp_path):
    write(tmp_path / "out", {"a.txt": "old", "figures/gone.png": "old"})
    write(tmp_path / "out", {"gr.csv": "kept"}, kind="simulate pdf")
    (tmp_path / "out" / "notes.txt").write_text("mine", encoding="utf-8")
    write(tmp_path / "out", {"a.txt": "new"})
    assert content(tmp_path / "out") == {"a.txt": "new", "gr.csv": "kept", "notes.txt": "mine"}
    assert not (tmp_path / "out" / "figures").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("failure", [RuntimeError("half way"), KeyboardInterrupt(), SystemExit(3)])
def test_a_failure_leaves_the_last_results(tmp_path, failure):
    write(tmp_path / "out", {"a.txt": "good", "b.txt": "good"})

    def fail():
        with ResultFolder(tmp_path / "out", kind="run") as new:
            (new / "a.txt").write_text("bad", encoding="utf-8")
            raise failure

    with pytest.raises(type(failure)):
        fail()
    assert content(tmp_path / "out") == {"a.txt": "good", "b.txt": "good"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_failure_at_first_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), ResultFolder(tmp_path / "out", kind="run"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fatal", range(1, 9))
def test_a_file_that_cannot_be_moved_undoes_all_moves(tmp_path, monkeypatch, fatal):
    """Whichever of the renamings fails, as when a viewer on Windows holds a file open."""
    write(tmp_path / "out", {"a.txt": "old", "b.txt": "old", "gone.txt": "old"})
    before = content(tmp_path / "out")
    listed = (tmp_path / "out" / ".shortrange.json").read_text(encoding="utf-8")
    rename, calls = Path.replace, []

    def refuse(self, target):
        calls.append(self)
        if len(calls) == fatal:
            raise PermissionError(13, "used by another program", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    if fatal == 8:  # four old files out, three new ones in: the eighth never happens
        write(tmp_path / "out", {"a.txt": "new", "b.txt": "new"})
        assert content(tmp_path / "out") == {"a.txt": "new", "b.txt": "new"}
        return
    with pytest.raises(DataError, match="cannot be replaced: used by another program"):
        write(tmp_path / "out", {"a.txt": "new", "b.txt": "new"})
    assert content(tmp_path / "out") == before
    assert (tmp_path / "out" / ".shortrange.json").read_text(encoding="utf-8") == listed
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_edited_list_cannot_reach_outside(tmp_path):
    (tmp_path / "precious.txt").write_text("mine", encoding="utf-8")
    write(tmp_path / "out", {"a.txt": "1"})
    names = ["../precious.txt", str(tmp_path / "precious.txt"), 7]
    (tmp_path / "out" / ".shortrange.json").write_text(json.dumps({"run": names}), encoding="utf-8")
    write(tmp_path / "out", {"a.txt": "2"})
    assert (tmp_path / "precious.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("text", ["", "no json", "[1]", '{"run": 3}'])
def test_an_unreadable_list_is_no_list(tmp_path, text):
    write(tmp_path / "out", {"a.txt": "1"})
    (tmp_path / "out" / ".shortrange.json").write_text(text, encoding="utf-8")
    write(tmp_path / "out", {"b.txt": "2"})
    assert content(tmp_path / "out") == {"a.txt": "1", "b.txt": "2"}


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    with pytest.raises(DataError, match="is a file, not a folder"):
        write(tmp_path / "out", {})
    with pytest.raises(DataError, match="cannot be made"):
        ResultFolder(tmp_path / "out" / "below", kind="run").check()
    assert (tmp_path / "out").read_text(encoding="utf-8") == "a file"


def test_a_folder_made_by_results_is_readable_by_others(tmp_path):
    (tmp_path / "reference").mkdir()
    write(tmp_path / "out", {"a.txt": "1"})
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "reference").stat().st_mode
