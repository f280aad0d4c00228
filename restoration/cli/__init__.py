"""The command line, one file for each group of its commands; in this order `--help` lists them."""

from .typer_app import app  # isort: skip
from . import restore, experiments, models, blind_test  # isort: skip

__all__ = ["app", "blind_test", "experiments", "models", "restore"]
