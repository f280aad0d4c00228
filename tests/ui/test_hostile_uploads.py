"""Files that nobody should send, several at once over HTTP, and what the next visitor finds."""

from __future__ import annotations

import numpy as np

from benchmarks.hostile_files import AMPLIFIED, Case, saved, send_all, sent, source


def test_hostile_uploads_are_refused_in_one_sentence_and_the_app_goes_on(url: str) -> None:
    results = list(send_all(url, every=150))
    assert {result.name: result.wrong for result in results if result.wrong} == {}
    assert len(results) >= 70
    assert set(AMPLIFIED) <= {result.name for result in results}
    good = sent(url, Case("good.png", saved(source(), "PNG"), np.asarray(source())))
    assert (good.outcome, good.wrong) == ("picture", "")
