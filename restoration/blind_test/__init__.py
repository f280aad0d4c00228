"""The votes of the blind test, and the ranking that they make."""
