"""``shortrange completion``: let the shell complete commands and options."""

from __future__ import annotations

from typing import Literal

from shortrange.cli.outcome import Outcome
from shortrange.errors import ProjectError

__all__ = ["completion"]

Shell = Literal["bash", "zsh", "fish", "powershell"]


def completion(shell: Shell | None = None, /, *, install: bool = False) -> Outcome:
    """Print the script that lets a shell complete commands and options, or install it.

    Parameters
    ----------
    shell
        bash, zsh, fish or powershell; found out when absent.
    install
        Write the script where the shell looks for it, and name it in the file that the shell reads first.
    """
    from shortrange.cli.app import make_app

    app = make_app()
    try:
        if not install:
            script = app.generate_completion(shell=shell)
            print(script)
            return Outcome({"script": script})
        path = app.install_completion(shell=shell)
    except (ValueError, RuntimeError) as error:
        raise ProjectError(
            f"no completion can be made: {error}",
            where="completion",
            do="name the shell: shortrange completion bash",
        ) from error
    print(f"wrote {path}; open a new shell")
    return Outcome({"written": str(path)})
