"""The About page says the same in both languages, and what the manifest holds."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from restoration.weights import manifest, restorers
from ui.tabs import about

LANGUAGES = pytest.mark.parametrize("french", [False, True], ids=["en", "fr"])


@LANGUAGES
def test_the_page_names_every_file_network_and_licence(french: bool) -> None:
    page = about.page(french)
    for entry in manifest().values():
        assert f"| `{entry.name}` |" in page
        assert entry.sha256[:12] in page
        licence = "commercial" if entry.licence.startswith("non-commercial") else entry.licence.split(" (")[0]
        assert licence in page
    for entry in restorers():
        assert page.count(f"\n| {entry.title} | ") == 2  # how it was trained, and its scores
    assert "danielbuechele, CC BY 2.0" in page
    assert not re.search(r"<!--|None|\bnan\b", page)


def test_both_languages_have_the_same_parts() -> None:
    def shape(page: str) -> list[str]:
        return re.findall(r"^(?:#+|\||- \*\*|-|```)", page, re.MULTILINE)

    assert shape(about.page(french=False)) == shape(about.page(french=True))


def test_the_drawing_is_well_formed_and_named() -> None:
    svg = ElementTree.parse(about.LOCALES / "networks.svg").getroot()
    identities = {each.get("id") for each in svg.iter()}
    assert svg.get("role") == "img"
    assert set((svg.get("aria-labelledby") or "").split()) <= identities
