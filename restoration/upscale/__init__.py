"""Real-ESRGAN: its engines and networks."""

from .engines import (
    CHOICES,
    ENGINES,
    GENERAL_NOISY,
    Engine,
    between,
    bicubic,
    build,
    check,
    check_size,
    enlarge,
    method,
    precision,
)

__all__ = [
    "CHOICES",
    "ENGINES",
    "GENERAL_NOISY",
    "Engine",
    "between",
    "bicubic",
    "build",
    "check",
    "check_size",
    "enlarge",
    "method",
    "precision",
]
