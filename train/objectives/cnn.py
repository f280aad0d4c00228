"""Regressions alone: light and shade as they were, and the mean of the colours that there may have been."""

from . import Objective

OBJECTIVE = Objective
