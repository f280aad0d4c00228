"""From the name of weights to their tensors: what is released (`released`), where a file lies (`locate`), how it is
fetched (`hub`), what it holds (`checkpoints`), and whether it is the one that was released (`verify`).
"""

from .locate import UserWeights, find, models_of, originals, title
from .released import FOLDER, Entry, manifest, published, restorers
from .verify import load

__all__ = [
    "FOLDER",
    "Entry",
    "UserWeights",
    "find",
    "load",
    "manifest",
    "models_of",
    "originals",
    "published",
    "restorers",
    "title",
]
