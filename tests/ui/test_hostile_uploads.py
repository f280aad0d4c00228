"""Files that nobody should send, several at once over HTTP, and what the next visitor finds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice

import numpy as np
import pytest

from tests.corpus import AMPLIFIED, small
from tests.corpus.case import Case
from tests.corpus.formats import saved
from tests.corpus.photo import source
from tests.corpus.sending import IN_FLIGHT, heavy, sent

pytestmark = pytest.mark.hostile


def test_hostile_uploads_are_refused_in_one_sentence_and_the_app_goes_on(url: str) -> None:
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        results = list(pool.map(partial(sent, url), [*islice(small(), None, None, 150), *heavy()]))
    assert {result.name: result.wrong for result in results if result.wrong} == {}
    assert len(results) >= 70
    assert set(AMPLIFIED) <= {result.name for result in results}
    good = sent(url, Case("good.png", saved(source(), "PNG"), np.asarray(source())))
    assert (good.outcome, good.wrong) == ("picture", "")
