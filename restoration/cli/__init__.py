"""The command line, one file for each group of its commands; in this order `--help` lists them."""

from .typer_app import app  # isort: skip
from . import restore  # isort: skip
from . import experiments, models

__all__ = ["app", "experiments", "models", "restore"]
