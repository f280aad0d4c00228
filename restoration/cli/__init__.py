"""The command line, one file for each group of its commands; in this order `--help` lists them."""

from .program import app  # isort: skip
from . import restore  # isort: skip
from . import experiments, models

__all__ = ["app", "experiments", "models", "restore"]
