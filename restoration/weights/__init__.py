"""Weights: what is released (`released`), where a file lies (`locate`), what it holds (`checkpoints`), whether it is
the one that was released (`verify`), and how it is fetched (`hub`).
"""

from .locate import files, find, originals, resolve_user_weights, serves, title
from .released import FOLDER, Entry, manifest, published, restorers
from .verify import load

__all__ = [
    "FOLDER",
    "Entry",
    "files",
    "find",
    "load",
    "manifest",
    "originals",
    "published",
    "resolve_user_weights",
    "restorers",
    "serves",
    "title",
]
