"""How the released weights are made: data, one objective per model, one loop, evaluation, export."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
"""What was measured; `make results` renders tables and cards from it."""
