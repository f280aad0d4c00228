"""Many photos: what there is to do, who does it, and what came of it."""
