"""The command line, one file for each group of its commands."""

from . import degrade, models, restore
from .program import app

__all__ = ["app", "degrade", "models", "restore"]
