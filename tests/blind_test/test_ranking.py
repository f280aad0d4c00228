"""The ranking: against strengths that are known, and where votes say little."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from restoration.blind_test.ranking import LEAST, PRIOR, Ranking, bradley_terry, rank
from restoration.blind_test.votes import Vote

STRENGTHS = {"vae": 0.7, "gan": 0.1, "cnn": -0.8}
WEIGHTS = {name: name[0] * 64 for name in STRENGTHS}


def vote(choice: str | None, shown: Sequence[str] = tuple(STRENGTHS), **changes: str) -> Vote:
    weights = {name: changes.get(name, sha256) for name, sha256 in WEIGHTS.items()}
    time = changes.get("time", "2026-01-01T00:00+00:00")
    return Vote(weights=weights, shown=tuple(shown), choice=choice, preset="heavy", seed=0, time=time)


def simulated(count: int, at_once: int, seed: int = 1) -> list[Vote]:
    """What people would choose to whom the models have those strengths: Luce's choice, of which a pair is a case."""
    generator = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        shown = [str(name) for name in generator.permutation(list(STRENGTHS))[:at_once]]
        worth = np.exp([STRENGTHS[name] for name in shown])
        made.append(vote(str(generator.choice(shown, p=worth / worth.sum())), shown))
    return made


def chance(strength: float) -> float:
    return float(1 / (1 + np.exp(-strength)))


def width(ranking: Ranking) -> float:
    return max(each.high - each.low for each in ranking.standings)


@pytest.mark.parametrize("at_once", [2, 3])
def test_strengths_that_are_known_are_found(at_once: int) -> None:
    (ranking,) = rank(simulated(20_000, at_once))
    assert [each.model for each in ranking.standings] == list(STRENGTHS)
    for each in ranking.standings:
        assert each.chance == pytest.approx(chance(STRENGTHS[each.model]), abs=0.015)
        assert each.low < each.chance < each.high


@pytest.mark.parametrize("at_once", [2, 3])
def test_an_interval_holds_the_truth_as_often_as_it_says(at_once: int) -> None:
    found = [
        each.low <= chance(STRENGTHS[each.model]) <= each.high
        for seed in range(100)
        for each in rank(simulated(150, at_once, seed))[0].standings
    ]
    assert 0.9 < np.mean(found) < 0.99


def test_more_votes_say_more() -> None:
    widths = [width(rank(simulated(count, 3))[0]) for count in (50, 500, 5000)]
    assert widths[1] < widths[0] / 2
    assert widths[2] < widths[1] / 2


def test_the_fit_is_the_most_likely_one() -> None:
    """At it, each model wins as often as it is expected to, the prior's wins included."""
    wins = np.array([[0, 7, 3], [2, 0, 9], [4, 1, 0]], float)
    logs = bradley_terry(wins)
    given = wins + PRIOR * (1 - np.eye(3))
    beats = 1 / (1 + np.exp(logs[None, :] - logs[:, None]))
    assert ((given + given.T) * beats).sum(1) == pytest.approx(given.sum(1))
    assert logs.mean() == pytest.approx(0)
    assert bradley_terry(np.stack([wins, wins.T]))[0] == pytest.approx(logs)


def test_where_all_are_always_shown_a_strength_is_the_share_of_the_votes() -> None:
    kept = {"vae": 40, "gan": 15, "cnn": 0}
    (ranking,) = rank([vote(name) for name, count in kept.items() for _ in range(count)])
    logs = np.log([count + PRIOR for count in kept.values()])
    expected = {name: chance(each) for name, each in zip(kept, logs - logs.mean(), strict=True)}
    assert {each.model: each.chance for each in ranking.standings} == pytest.approx(expected)
    assert {each.model: each.kept for each in ranking.standings} == kept


@pytest.mark.parametrize("count", [LEAST, 10_000])
def test_a_model_that_always_wins_is_strong_and_not_infinitely(count: int) -> None:
    (ranking,) = rank([vote("gan")] * count)
    first, *others = ranking.standings
    assert first.model == "gan"
    assert 0.8 < first.low < first.chance <= first.high < 1  # no drawing of such votes is more unanimous
    for each in others:
        assert 0 < each.low < each.high < 0.5
        assert each.kept == 0


def test_fewer_votes_than_the_least_rank_nobody() -> None:
    chosen = [vote("vae") for _ in range(LEAST - 1)]
    (ranking,) = rank([*chosen, *[vote(None)] * 100])
    assert (ranking.votes, ranking.none, ranking.standings) == (LEAST + 99, 100, ())
    (ranking,) = rank([*chosen, vote("cnn")])
    assert [each.model for each in ranking.standings] == ["vae", "cnn", "gan"]


def test_votes_for_none_are_counted_and_change_no_strength() -> None:
    some = simulated(300, 3)
    (without,), (with_none,) = rank(some), rank([*some, *[vote(None)] * 50])
    assert (with_none.votes, with_none.none) == (350, 50)
    assert [each.chance for each in with_none.standings] == [each.chance for each in without.standings]


def test_new_weights_begin_anew() -> None:
    old = [vote("cnn", time="2026-01-01T00:00+00:00")] * 100
    new = [vote("vae", vae="0" * 64, time="2026-02-01T00:00+00:00")] * 40
    first, second = rank([*old, *new])
    assert first.weights == {**WEIGHTS, "vae": "0" * 64}
    assert (first.votes, second.votes) == (40, 100)
    assert second.weights == WEIGHTS
    assert [first.standings[0].model, second.standings[0].model] == ["vae", "cnn"]
    assert rank(new) == [first]


def test_the_same_votes_and_seed_give_the_same_ranking_in_any_order() -> None:
    some = simulated(200, 3)
    assert rank(some) == rank(some[::-1])
    assert rank(some, seed=1) != rank(some)


def test_no_votes_have_no_ranking() -> None:
    assert rank([]) == []
