"""The blind test: nothing tells whose a picture is before the vote, and all of it after."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import gradio as gr
import httpx
import numpy as np
import pytest
from PIL import Image

from restoration import PRESETS, Photo, Restorer, image, metrics
from restoration.blind_test.ranking import LEAST, rank
from restoration.blind_test.votes import Folder, Vote
from restoration.metrics import Metrics
from tests.conftest import EXAMPLES
from ui import blind_test_tickets
from ui.blind_test_tickets import LIFETIME, RATE, Task, Tickets
from ui.context import TITLES, AppContext
from ui.errors import as_user_errors
from ui.tabs import blind_test
from ui.tabs.blind_test import (
    LETTERS,
    BlindTestTab,
    agreement,
    answer,
    draw_blind,
    layout,
    named,
    ranked,
    show,
    told,
    vote,
)
from ui.texts import text

LANGUAGES = pytest.mark.parametrize("french", [False, True], ids=["en", "fr"])
COFFEE = EXAMPLES / "coffee.jpg"
TELLING = re.compile(rf"\b({'|'.join({*TITLES, *TITLES.values()})})\b", re.IGNORECASE)
"""What would give a model away."""
TASK = Task("heavy", 7, ("gan", "cnn", "vae"))


@pytest.fixture(scope="module")
def lab(restorer: Restorer) -> AppContext:
    return AppContext(restorer)


@pytest.fixture(scope="module")
def weights(restorer: Restorer) -> dict[str, str]:
    return {name: restorer.weights_sha256(name) for name in TITLES}


# --- What is shown before the vote ------------------------------------------------------------------------------------


def test_every_model_restores_the_drawn_damage_in_the_drawn_order(
    lab: AppContext, photo: Photo, restorer: Restorer, tmp_path: Path
) -> None:
    measured, paths = show(lab, photo, "a ticket", TASK)
    degraded = PRESETS["heavy"].draw(7).apply(photo, 7)
    expected = [degraded, *(restorer.restore(degraded, name).photo for name in TASK.order)]
    for path, each in zip(paths, expected, strict=True):
        assert np.array_equal(image.load(path, reduce_to=None).pixels, each.pixels)
    assert measured.ticket == "a ticket"
    assert measured.degraded == metrics.compare(degraded, photo)
    restored = zip(TASK.order, expected[1:], strict=True)
    assert measured.restored == {name: metrics.compare(each, photo) for name, each in restored}
    assert list(measured.seconds) == list(TASK.order)


def test_no_file_tells_whose_it_is(lab: AppContext, photo: Photo) -> None:
    _, paths = show(lab, photo, "a ticket", TASK)
    assert [Path(path).name for path in paths] == ["degraded.png", "A.png", "B.png", "C.png"]
    assert len({Path(path).parent for path in paths}) == 1
    beside = set()
    for path in paths:
        assert not TELLING.search(path)
        with Image.open(path) as opened:
            beside.add((opened.size, str(opened.info)))
    assert len(beside) == 1  # what a file holds beside its pixels is the same in all
    assert not TELLING.search(str(beside))


# --- The page's functions ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tab:
    """The tab's handlers, called as the page calls them."""

    votes: Folder
    page: BlindTestTab
    names: Mapping[int, str]

    def draw(self, request: gr.Request | None = None) -> dict[str, Any]:
        return self.told([*draw_blind(self.page, str(COFFEE), request or asking())][-1])

    def answer(self, drawn: Mapping[str, Any], place: int = 0, **changes: Any) -> dict[str, Any]:
        """By the button at ``place``; after those of the pictures stands that of none."""
        values = {"ticket": drawn["ticket"], "last": drawn["last"], "request": asking(), **changes}
        return self.told(answer(self.page, place, values["ticket"], values["last"], values["request"]))

    def told(self, updates: dict[Any, Any]) -> dict[str, Any]:
        return {self.names[component._id]: update for component, update in updates.items()}


def asking(session: str = "me", language: str = "en") -> gr.Request:
    return gr.Request(headers={"accept-language": language}, session_hash=session)


@pytest.fixture
def tab(lab: AppContext, tmp_path: Path) -> Tab:
    votes = Folder(tmp_path)
    with gr.Blocks() as demo:
        page = layout(lab, votes)
    kinds = {gr.Textbox: "ticket", gr.State: "last"}
    names = {id: kinds.get(type(each), each.elem_id or type(each).__name__) for id, each in demo.blocks.items()}
    return Tab(votes, page, names)


def sentence(call: Callable[[], Any], language: str = "en") -> str:
    """What the visitor is told, as `gradio_patches.guard` has it told."""
    with pytest.raises(gr.Error) as caught, as_user_errors(asking(language=language)):
        call()
    return str(caught.value.message)


def test_a_vote_is_kept_with_what_was_shown_and_nothing_else(tab: Tab, weights: dict[str, str]) -> None:
    drawn = tab.draw()
    answered = tab.answer(drawn, place=1)
    (kept,) = tab.votes.all()
    assert kept.weights == weights
    assert sorted(kept.shown) == sorted(TITLES)
    assert kept.choice == kept.shown[1]
    assert (kept.size, kept.preset in PRESETS) == (128, True)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d\+00:00", kept.time)
    for place, name in enumerate(kept.shown):
        picture = answered[f"blind-picture-{place}"]
        assert picture.label == picture.alt_text == f"{LETTERS[place]}: {TITLES[name]}"
    assert f"You would keep B: {TITLES[kept.shown[1]]}" in answered["blind-told"]
    assert f"preset “{kept.preset}”, seed {kept.seed}" in answered["blind-told"]
    with closing(sqlite3.connect(tab.votes.path)) as database:
        columns = [name for _, name, *_ in database.execute("PRAGMA table_info(votes)")]
        stored = str(database.execute("SELECT * FROM votes").fetchall())
    assert columns == ["weights", "shown", "choice", "preset", "seed", "size", "time"]
    for secret in (drawn["ticket"], "coffee", "/tmp", str(COFFEE), "me'"):
        assert secret not in stored
    assert [path.name for path in tab.votes.path.parent.iterdir()] == ["votes.sqlite"]


def test_none_of_them_is_an_answer_too(tab: Tab) -> None:
    answered = tab.answer(tab.draw(), place=len(TITLES))
    assert tab.votes.all()[0].choice is None
    assert "You would keep none of them" in answered["blind-told"]
    assert "By PSNR, the closest to the original is" in answered["blind-told"]
    assert "eye" not in answered["blind-told"]


def test_what_the_page_gets_before_the_vote_names_nobody(tab: Tab, weights: dict[str, str]) -> None:
    drawn = tab.draw()
    kept_back = drawn.pop("last")  # in the server's memory
    assert list(kept_back.restored) == list(kept_back.seconds)
    sent = str([each.get_config() if isinstance(each, gr.blocks.Block) else each for each in drawn.values()])
    assert "Keep A" in sent
    assert "Restoration A" in sent
    assert not TELLING.search(sent)
    assert not any(sha256[:8] in sent for sha256 in weights.values())


def test_a_second_vote_on_the_same_pictures_is_refused(tab: Tab) -> None:
    drawn = tab.draw()
    tab.answer(drawn, place=0)
    says = "You have voted on these pictures before; have new ones drawn."
    for place in range(len(TITLES) + 1):
        for who in ("me", "another"):
            assert sentence(lambda at=place, by=who: tab.answer(drawn, at, request=asking(by))) == says  # type: ignore[misc]
    assert len(tab.votes.all()) == 1


def test_a_vote_on_pictures_that_were_not_shown_is_refused(tab: Tab) -> None:
    drawn = tab.draw()
    for ticket in (None, "", drawn["ticket"][:-1], f"0{drawn['ticket'][1:]}x", Tickets(list(TITLES)).issue()):
        said = sentence(lambda sent=ticket: tab.answer(drawn, ticket=sent))  # type: ignore[misc]
        assert said == "This vote is not on pictures that were shown here; have new ones drawn."
    assert tab.votes.all() == []


def test_a_vote_that_comes_too_late_is_refused(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = tab.draw()
    late = blind_test_tickets.monotonic() + LIFETIME + 1
    monkeypatch.setattr(blind_test_tickets, "monotonic", lambda: late)
    french = asking(language="fr")
    assert sentence(lambda: tab.answer(drawn, request=french), "fr") == (
        "Ces images ont été tirées il y a plus de 30 minutes ; faites-en tirer de nouvelles."
    )
    assert tab.votes.all() == []


def test_who_votes_too_fast_is_asked_to_wait(tab: Tab, lab: AppContext, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = tab.draw()
    monkeypatch.setattr(blind_test, "show", lambda *_: (drawn["last"], ["degraded.png", "A.png", "B.png", "C.png"]))
    for _ in range(RATE):
        tab.answer(tab.draw())
    says = f"This would be more than {RATE} votes a minute; wait a little."
    assert sentence(lambda: tab.answer(tab.draw())) == says
    assert len(tab.votes.all()) == RATE
    tab.answer(tab.draw(), request=asking("another"))


def test_a_page_that_was_left_for_long_still_votes(tab: Tab) -> None:
    """Its measures are forgotten, or those of other pictures by now."""
    for last in (None, tab.draw()["last"]):
        answered = tab.answer(tab.draw(), last=last)
        assert "You would keep A: " in answered["blind-told"]
        assert "PSNR" not in answered["blind-told"]
    assert len(tab.votes.all()) == 2


def test_without_a_photo_one_is_asked_for(tab: Tab) -> None:
    assert sentence(lambda: next(draw_blind(tab.page, None, asking()))) == text("no_photo", False)


def test_where_no_votes_are_kept_the_names_are_told_all_the_same(lab: AppContext) -> None:
    with gr.Blocks() as demo:
        page = layout(lab, None)
    said = [each.value for each in demo.blocks.values() if isinstance(each, gr.Markdown)]
    assert any("blind_unkept" in str(each) for each in said)
    *_, drawn = draw_blind(page, str(COFFEE), asking())
    answered = answer(page, 0, drawn[page.ticket], drawn[page.last], asking())
    assert "You would keep A: " in answered[page.result]
    assert answered[page.ranking] is None


def test_the_ranking_is_of_the_weights_that_are_served(tab: Tab, weights: dict[str, str]) -> None:
    made = vote(TASK, 0, weights)
    for seed in range(LEAST - 1):
        tab.votes.add(replace(made, seed=seed))
        tab.votes.add(replace(made, seed=seed, weights=dict.fromkeys(TITLES, "0" * 64)))
    few = f"That is too few for a ranking: it takes {LEAST} that choose a picture."
    assert few in ranked(rank(tab.votes.all())[0], french=False)
    answered = tab.answer(tab.draw())
    assert f"Votes on these versions of the models: {LEAST}, of which for none: 0." in answered["blind-ranking"]
    assert few not in answered["blind-ranking"]


# --- Over HTTP, as a stranger meets it --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """A visitor's page of the running app."""

    client: httpx.Client
    functions: Mapping[str, int]
    session: str

    def call(self, name: str, *data: Any) -> tuple[list[Any] | str, str]:
        """The results of a function or the sentence that refuses them, and every word that was sent to the page."""
        asked = {"session_hash": self.session, "fn_index": self.functions[name], "data": data}
        self.client.post("gradio_api/queue/join", json=asked).raise_for_status()
        said = ""
        with self.client.stream("GET", f"gradio_api/queue/data?session_hash={self.session}") as stream:
            for line in stream.iter_lines():
                said += line
                message = json.loads(line.removeprefix("data: ") or "{}")
                if message.get("msg") == "process_completed":
                    output = message["output"]
                    return output["data"] if message["success"] else output["error"], said
        raise AssertionError("no answer")


@pytest.fixture
def page(url: str) -> Iterator[Page]:
    with httpx.Client(base_url=url, timeout=60) as client:
        functions = {each["api_name"]: each["id"] for each in client.get("config").json()["dependencies"]}
        yield Page(client, functions, uuid4().hex[:10])


def test_nothing_that_is_sent_before_the_vote_tells_whose_a_picture_is(page: Page, weights: dict[str, str]) -> None:
    (path,) = page.client.post("gradio_api/upload", files={"files": ("vae.jpg", COFFEE.read_bytes())}).json()
    photo = {"path": path, "meta": {"_type": "gradio.FileData"}}
    drawn, said = page.call("draw_blind", photo)
    assert isinstance(drawn, list), drawn
    assert not TELLING.search(said)
    assert not any(sha256[:8] in said for sha256 in weights.values())
    found = set(re.findall(r"/([^/\"]+\.png)", said))
    assert found == {"degraded.png", "A.png", "B.png", "C.png"}
    (ticket,) = set(re.findall("ticket-[0-9a-f]{32}", said))

    tampered, _ = page.call("answer", f"ticket-{'0' * 32}", None)
    assert tampered == "This vote is not on pictures that were shown here; have new ones drawn."
    answered, said = page.call("answer", ticket, None)
    assert isinstance(answered, list), answered
    assert {each.upper() for each in TELLING.findall(said)} == {*TITLES.values()}
    assert "PSNR" in said  # of what the server has kept
    assert page.call("answer_2", ticket, None)[0] == "You have voted on these pictures before; have new ones drawn."


# --- What is told after it --------------------------------------------------------------------------------------------


def measured(**changes: float) -> Metrics:
    values = {"psnr": 20.0, "ssim": 0.8, "psnr_luminance": 25.0, "ssim_luminance": 0.9, "ciede2000": 10.0}
    return Metrics(**{**values, "colourfulness": 20.0, **changes})


RESTORED = {"gan": measured(psnr=21.0), "cnn": measured(psnr=22.5), "vae": measured(psnr=22.52, ssim=0.85)}


@pytest.mark.parametrize(
    ("measure", "choice", "english", "french"),
    [
        (
            "ssim", "vae", "SSIM agrees with your eye: C: VAE is the closest to the original by it, too.",
            "Le SSIM est de l'avis de votre œil : C : VAE est aussi, selon lui, la plus proche de l'original.",
        ),
        (
            "ssim", "gan", "SSIM does not agree with your eye: by it, the closest to the original is C: VAE.",
            "Le SSIM n'est pas de l'avis de votre œil : selon lui, la plus proche de l'original est C : VAE.",
        ),
        (  # two that are as good as equal
            "psnr", "cnn", "PSNR agrees with your eye: B: CNN is the closest to the original by it, too.",
            "Le PSNR est de l'avis de votre œil : B : CNN est aussi, selon lui, la plus proche de l'original.",
        ),
        (
            "psnr", "gan", "PSNR does not agree with your eye: by it, the closest to the original is B: CNN or C: VAE.",
            "Le PSNR n'est pas de l'avis de votre œil : selon lui, la plus proche de l'original est B : CNN ou C :"
            " VAE.",
        ),
        (
            "ssim", None, "By SSIM, the closest to the original is C: VAE.",
            "Selon le SSIM, la plus proche de l'original est C : VAE.",
        ),
    ],
)  # fmt: skip
def test_the_eye_is_compared_with_a_measure(measure: str, choice: str | None, english: str, french: str) -> None:
    assert agreement(measure, choice, RESTORED, french=False) == english
    assert agreement(measure, choice, RESTORED, french=True) == french


@LANGUAGES
def test_a_measure_that_tells_no_difference_agrees_with_nobody(french: bool) -> None:
    alike = dict.fromkeys(RESTORED, measured())
    says = "Le PSNR ne fait pas de différence entre elles." if french else "PSNR tells no difference between them."
    assert {agreement("psnr", choice, alike, french) for choice in (*RESTORED, None)} == {says}


@LANGUAGES
def test_the_table_names_every_picture_in_the_order_in_which_it_stood(french: bool) -> None:
    known = blind_test.Shown("ticket", measured(psnr=15.0), RESTORED, dict.fromkeys(RESTORED, 0.05))
    said = unescape(told(TASK, "gan", known, french))
    assert re.findall(r'<th scope="row">(.*?)</th>', said) == [
        text("degraded", french),
        *named(TASK.order, french).values(),
    ]
    assert ("A : GAN" if french else "A: GAN") in said
    assert ("22,50" if french else "22.50") in said
    assert ("fort" if french else "heavy") in said


@LANGUAGES
def test_the_ranking_is_told_in_numbers_and_drawn(weights: dict[str, str], french: bool) -> None:
    votes = [vote(replace(TASK, seed=seed), seed % 5 and 2, weights) for seed in range(50)]
    votes.append(vote(TASK, None, weights))
    (ranking,) = rank(votes)
    said = ranked(ranking, french)
    assert re.findall(r'<th scope="row">(.*?)</th>', said) == ["VAE", "GAN", "CNN"]
    for each in ranking.standings:
        chance, low, high = (f"{100 * value:.0f}" for value in (each.chance, each.low, each.high))
        assert f"{chance} % ({low} {'à' if french else 'to'} {high})" in said
        assert f'class="dot" style="left:{100 * each.chance:.1f}%"' in said
    assert said.count('aria-hidden="true"') == len(TITLES)
    assert ("51, dont pour aucune : 1." if french else "51, of which for none: 1.") in said


def test_there_are_letters_enough() -> None:
    assert len(TITLES) <= len(LETTERS)
    assert isinstance(vote(TASK, None, dict.fromkeys(TITLES, "0" * 64)), Vote)
