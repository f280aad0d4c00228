"""A file per tab: one function lays it out, one wires it, and the handlers stand beside them."""
