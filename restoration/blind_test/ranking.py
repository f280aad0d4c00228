"""How models rank by the votes of a blind test: Bradley and Terry's model of who beats whom.

Bradley and Terry 1952, "Rank analysis of incomplete block designs", fitted by the algorithm of Hunter 2004, "MM
algorithms for generalized Bradley-Terry models".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .votes import Vote

LEAST = 30
"""Votes for some picture, under which there is no ranking yet."""
PRIOR = 0.5
"""Wins that every model is given against every other before any vote, so that one that always won has a strength that
is large, not infinite, and an interval; it says that nobody is known to be better."""
RESAMPLES = 1000
"""Of the bootstrap."""
MOST_STEPS = 10_000
CLOSE = 1e-9
"""Of the fit: it ends where no logarithm of a strength moves by more."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A model's place. ``chance``, 0 to 1, is that of being kept rather than a model of average strength; ``low`` and
    ``high`` are the ends of its 95 % interval.
    """

    model: str
    kept: int
    """Votes that chose it."""
    chance: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """What the votes on one set of weights say."""

    weights: Mapping[str, str]
    """As in each of the `Vote`s."""
    votes: int
    none: int
    """Of ``votes``, those that kept no picture: they are counted, and say nothing of who beats whom."""
    standings: tuple[Standing, ...]
    """Best first; empty where fewer than `LEAST` votes chose a picture."""


def rank(votes: Sequence[Vote], seed: int = 0) -> list[Ranking]:
    """A ranking per set of weights, as a model with new weights is another one; the set with the newest vote first.

    The chosen picture beats every other that was shown. As these pairs of one vote are not independent, the intervals
    come from drawing whole votes anew, by ``seed`` (the percentile bootstrap); a picture that nobody chose is among
    what is drawn, with the weight of `PRIOR`, or votes that all agree would have intervals of no width.
    """
    by_weights: dict[tuple[tuple[str, str], ...], list[Vote]] = {}
    for vote in sorted(votes, key=lambda each: each.time, reverse=True):
        by_weights.setdefault(tuple(sorted(vote.weights.items())), []).append(vote)
    return [_rank(dict(weights), some, seed) for weights, some in by_weights.items()]


def _rank(weights: Mapping[str, str], votes: Sequence[Vote], seed: int) -> Ranking:
    names = list(weights)
    kept = Counter(vote.choice for vote in votes)
    none = kept.pop(None, 0)
    standings = []
    if len(votes) - none >= LEAST:
        answers = Counter((tuple(sorted(vote.shown)), vote.choice) for vote in votes)
        possible = [(shown, choice) for shown in sorted({each for each, _ in answers}) for choice in (*shown, None)]
        counts = np.array([answers[each] for each in possible])
        wins = np.array([_wins(names, *each) for each in possible])
        likely = counts + np.array([PRIOR if choice else 0 for _, choice in possible])
        drawn = np.random.default_rng(seed).multinomial(len(votes), likely / likely.sum(), RESAMPLES)
        chances = _chance(bradley_terry(np.tensordot(counts, wins, 1)))
        low, high = np.percentile(_chance(bradley_terry(np.tensordot(drawn, wins, 1))), (2.5, 97.5), axis=0)
        standings = [
            Standing(model=name, kept=kept[name], chance=float(each[0]), low=float(each[1]), high=float(each[2]))
            for name, each in zip(names, np.stack([chances, low, high], 1), strict=True)
        ]
    standings.sort(key=lambda each: -each.chance)
    return Ranking(weights=weights, votes=len(votes), none=none, standings=tuple(standings))


def bradley_terry(wins: np.ndarray) -> np.ndarray:
    """The models' strengths ``[..., k]`` as logarithms, with mean 0, from ``wins`` ``[..., k, k]``: how often the row's
    model beat the column's.

    A model of strength a beats one of strength b with the chance ``1 / (1 + exp(b - a))``. `PRIOR` is added to every
    pair.
    """
    wins = wins + PRIOR * (1 - np.eye(wins.shape[-1]))
    met = wins + np.swapaxes(wins, -1, -2)
    logs = np.zeros(wins.shape[:-1])
    for _ in range(MOST_STEPS):
        strengths = np.exp(logs)
        new = np.log(wins.sum(-1) / (met / (strengths[..., :, None] + strengths[..., None, :])).sum(-1))
        new -= new.mean(-1, keepdims=True)
        moved = np.abs(new - logs).max()
        logs = new
        if moved < CLOSE:
            break
    return logs


def _wins(names: Sequence[str], shown: Sequence[str], choice: str | None) -> np.ndarray:
    """``[k, k]``: a 1 for each pair that a vote decides."""
    found = np.zeros((len(names), len(names)))
    if choice is not None:
        found[names.index(choice), [names.index(other) for other in shown if other != choice]] = 1
    return found


def _chance(logs: np.ndarray) -> np.ndarray:
    """Of beating a model of strength 0, which is the average."""
    chance: np.ndarray = 1 / (1 + np.exp(-logs))
    return chance
