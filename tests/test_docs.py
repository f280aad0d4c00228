"""The pages that a visitor reads lead somewhere, and README is short."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from restoration.__main__ import app
from tests.conftest import ROOT

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "benchmarks/RESULTS.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
MOST_LINES = 170
"""Of README, which is to be read in two minutes."""
ELSEWHERE = ("http://", "https://")


def prose(page: Path) -> str:
    """The page without its blocks of code, in which a link is none."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.sub(r"^ {4}.*$|`[^`\n]*`", lambda match: "" if match[0].startswith("    ") else "code", text, flags=re.M)


def anchors(page: Path) -> set[str]:
    """What a link into the page can name: its headings, as they are named on GitHub."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    """Where the page's links and pictures lead, but for other sites."""
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)) if not link.startswith(ELSEWHERE)]


def test_there_are_pages() -> None:
    names = {page.name for page in PAGES}
    assert {"app.md", "command-line.md", "api.md", "training.md", "glossary.md"} <= names
    assert len(links(ROOT / "README.md")) > 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.is_relative_to(ROOT), f"{link} leads out of the repository"
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_page_of_docs_is_found_from_readme() -> None:
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    assert pages <= set(links(ROOT / "README.md"))


def test_every_file_that_the_pages_name_is_there() -> None:
    """In `code`, where a name begins with one of the repository's folders."""
    folders = "restoration|train|ui|benchmarks|deploy|notebooks|weights|tests|docs"
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for name in re.findall(rf"`((?:{folders})/[\w/.-]+)`", text):
            assert (ROOT / name).exists() or "NAME" in name, f"{page.name}: {name}"


def test_commands_that_the_pages_show_are_there() -> None:
    """With the options that they show; the tests of the command line run them."""
    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    shown = [
        shlex.split(line, comments=True)
        for page in PAGES
        for line in re.findall(r"^ {4,}.*python -m restoration (.+)$", page.read_text(encoding="utf-8"), re.M)
    ]
    assert {words[0] for words in shown} == set(known)
    for command, *words in shown:
        options = {name for each in known[command].params for name in (*each.opts, *each.secondary_opts)}
        assert {word for word in words if word.startswith("-")} <= options, (command, words)


def test_readme_is_read_in_two_minutes() -> None:
    readme = re.sub(r"\A---\n.*?\n---\n", "", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.S)
    assert len(readme.splitlines()) <= MOST_LINES
