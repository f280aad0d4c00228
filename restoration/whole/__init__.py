"""A photo restored whole, at its own size: tiles, the guided filter, its own colours."""

from .whole import TILE, reduced, restore

__all__ = ["TILE", "reduced", "restore"]
