"""The program, and what becomes of an error in any of its commands."""

from __future__ import annotations

from typing import Any

import typer

from ..errors import ControlError, RestorationError, not_loaded


class Program(typer.core.TyperGroup):
    """One sentence and an exit status instead of a traceback: 2 for wrong usage, 1 for the rest.

    A command says what it needs by importing it, and what cannot be imported is said in a sentence too.
    """

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # whoever read along has enough, as `head` has; Typer leaves without a word
            raise
        except (RestorationError, OSError, ImportError, MemoryError) as error:
            said = not_loaded(error) if isinstance(error, ImportError | MemoryError) else error
            typer.echo(f"Error: {said}", err=True)
            raise typer.Exit(2 if isinstance(error, ControlError) else 1) from error


app = typer.Typer(
    cls=Program,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Restore and colourise damaged photos with a VAE, a GAN and a CNN, and compare them.\n\n"
    "INPUT is files or folders (searched through). OUT ending in .png, .jpg, .jpeg or .webp is a file, anything else a "
    "folder."
    " A report.jsonl lies beside the results; what it lists as done is not done again. Exit status: 0 all went well,"
    " 1 some photo failed, 2 wrong usage.",
)
