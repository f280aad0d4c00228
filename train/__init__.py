"""How the released weights are made: data, one objective per model, one loop, evaluation, export."""
