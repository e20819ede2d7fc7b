"""``shortrange completion``: let the shell complete commands and options."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from shortrange.cli.outcome import Outcome
from shortrange.errors import ProjectError

if TYPE_CHECKING:
    from cyclopts import App

__all__ = ["make_completion"]

Shell = Literal["bash", "zsh", "fish", "powershell"]


def make_completion(app: App) -> Callable[..., Outcome]:
    """Return the verb for a program."""

    def completion(shell: Shell | None = None, /, *, install: bool = False) -> Outcome:
        """Print the script that lets a shell complete commands and options, or install it.

        Parameters
        ----------
        shell
            bash, zsh, fish or powershell; found out when absent.
        install
            Write the script where the shell looks for it, and name it in the file that the shell reads first.
        """
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

    return completion
