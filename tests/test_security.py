"""SECURITY.md names only what there is."""

from __future__ import annotations

import re

from tests.conftest import ROOT

PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_every_file_that_holds_a_promise_is_there() -> None:
    named = set(re.findall(r"`((?:tests|ui|restoration|benchmarks)/[\w/.]+)`", PAGE))
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_each_promise_has_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 15
    for row in rows:
        assert "`tests/" in row.rsplit("|", 2)[1], row
