"""The blind test: which restoration would you keep, as long as you do not know whose it is?"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import gradio as gr

from restoration import Photo, Recipe, metrics
from restoration.blind_test.ranking import LEAST, Ranking, rank
from restoration.blind_test.votes import Vote, Votes
from restoration.degradations import preset
from restoration.metrics import Metrics
from restoration.tiling import Progress, Stopped

from .. import examples, tables
from ..cancellation import PROGRESS, Cancellation, discard
from ..components.pictures import picture
from ..context import QUIET, RUNNING, TITLES, AppContext
from ..files import publish
from ..sidebar import Sidebar, chosen
from ..texts import i18n, is_french, number, text
from ..tickets import Task, Tickets

LETTERS = string.ascii_uppercase
"""What the pictures are called before they are named."""
MEASURES = ("psnr", "ssim")
"""Those that the eye is compared with."""


@dataclass(frozen=True)
class Shown:
    """What the pictures measure, against the original, until they are named; the page does not get it."""

    ticket: str
    degraded: Metrics
    restored: Mapping[str, Metrics]
    """By the model's id."""
    seconds: Mapping[str, float]


def show(
    lab: AppContext, photo: Photo, ticket: str, task: Task, progress: Progress | None = None
) -> tuple[Shown, list[str]]:
    """``photo``, damaged and restored as ``task`` says: what it measures, and the paths of its pictures, the damaged
    one first. Their names tell nothing, and neither does the order in which they are written.
    """
    recipe = Recipe(
        degradation=preset(task.preset).draw(task.seed), seed=task.seed, models=dict.fromkeys(task.order)
    )  # fmt: skip
    run = lab.run(photo, recipe, progress)
    assert run.truth
    made = {name: run.restored[name] for name in task.order}
    named = {f"{letter}.png": made[name].photo for letter, name in zip(LETTERS, task.order, strict=False)}
    measured = Shown(
        ticket,
        metrics.compare(run.degraded, run.truth),
        {name: metrics.compare(each.photo, run.truth) for name, each in made.items()},
        {name: each.seconds for name, each in made.items()},
    )
    return measured, list(publish({"degraded.png": run.degraded, **named}).values())


def vote(task: Task, place: int | None, weights: Mapping[str, str]) -> Vote:
    """The vote for the picture at ``place``, None for none of them, as of now."""
    return Vote(
        weights=dict(weights),
        shown=task.order,
        choice=None if place is None else task.order[place],
        preset=task.preset,
        seed=task.seed,
        time=datetime.now(timezone.utc).isoformat(timespec="minutes"),
    )


def named(order: Sequence[str], french: bool) -> dict[str, str]:
    """The pictures' full names, by the model's id: "A: VAE"."""
    return {
        name: text("blind_named", french, letter=letter, model=TITLES[name])
        for letter, name in zip(LETTERS, order, strict=False)
    }


def agreement(measure: str, choice: str | None, restored: Mapping[str, Metrics], french: bool) -> str:
    """Whether ``measure`` prefers what was chosen, in a sentence."""
    models = list(restored)
    leading = tables.best(measure, list(restored.values()))
    if len(leading) == len(models):
        return text("blind_equal", french, measure=measure.upper())
    if choice is not None and models.index(choice) in leading:
        return text("blind_agreed", french, measure=measure.upper(), model=named(models, french)[choice])
    names = [each for place, each in enumerate(named(models, french).values()) if place in leading]
    said = {"measure": measure.upper(), "model": text("blind_or", french).join(names)}
    return text("blind_closest", french, **said) if choice is None else text("blind_differed", french, **said)


def told(task: Task, choice: str | None, measured: Shown | None, french: bool) -> str:
    """What a visitor learns who has voted; without the measures, where the page was left for so long that they are
    gone.
    """
    names = named(task.order, french)
    chose = text("blind_chose_none", french) if choice is None else text("blind_chose", french, model=names[choice])
    parts = [f"<h3>{chose}</h3>"]
    if measured:
        said = (agreement(measure, choice, measured.restored, french) for measure in MEASURES)
        rows = [
            tables.Row(
                title=names[name], measured=measured.restored[name], time=f"{round(1000 * measured.seconds[name])} ms"
            )
            for name in task.order
        ]
        degraded = tables.Row(title=text("degraded", french), measured=measured.degraded)
        parts += [f"<p>{' '.join(said)}</p>", tables.measured(degraded, rows, french)]
    parts.append(f"<p>{text('blind_damage', french, preset=text(task.preset, french), seed=task.seed)}</p>")
    return "".join(parts)


def ranked(ranking: Ranking, french: bool) -> str:
    """The models by all votes, in numbers and as dots on a line from 0 to 100 %."""
    counted = text("ranking_votes", french, votes=ranking.votes, none=ranking.none)
    few = "" if ranking.standings else f" {text('ranking_few', french, least=LEAST)}"
    parts = [f"<h3>{text('ranking', french)}</h3><p>{counted}{few}</p>"]
    if ranking.standings:
        titles = [text(key, french) for key in ("model_column", "ranking_kept", "ranking_chance")]
        head = "".join(f'<th scope="col">{title}</th>' for title in titles)
        rows = []
        for each in ranking.standings:
            percent = {key: number(100 * getattr(each, key), 0, french) for key in ("chance", "low", "high")}
            cells = (
                f'<td data-label="{titles[1]}">{text("ranking_times", french, times=each.kept)}</td>'
                f'<td data-label="{titles[2]}">{text("ranking_percent", french, **percent)}</td>'
            )
            rows.append(f'<tr><th scope="row">{TITLES[each.model]}</th>{cells}<td>{_dot(each)}</td></tr>')
        parts.append(
            f'<table class="measures ranking"><caption>{text("ranking_caption", french)}</caption>'
            f"<thead><tr>{head}<td></td></tr></thead><tbody>{''.join(rows)}</tbody></table>"
        )
    return "".join(parts)


def _dot(standing: Any) -> str:
    """A standing as a dot in its interval; the numbers beside it say the same."""
    left, width = 100 * standing.low, 100 * (standing.high - standing.low)
    return (
        f'<span class="plot" aria-hidden="true"><span class="interval" style="left:{left:.1f}%;width:{width:.1f}%">'
        f'</span><span class="dot" style="left:{100 * standing.chance:.1f}%"></span></span>'
    )


def tab(panel: Sidebar, lab: AppContext, votes: Votes | None) -> None:
    """Lay out and wire the tab, inside the caller's Blocks; without ``votes`` none is kept."""
    tickets = Tickets(list(TITLES))
    gr.Markdown(i18n("blind_lead"))
    gr.Markdown(i18n("blind_kept" if votes else "blind_unkept"))
    start = gr.Button(i18n("blind_run"), variant="primary", elem_id="blind-run")
    given = picture(i18n("degraded"), "blind-given", pixels=True)
    question = gr.Markdown(i18n("blind_question"), visible=False, elem_id="blind-question")
    pictures, keeps = [], []
    with gr.Row(elem_classes="blind", visible=False) as row:
        for place in range(len(TITLES)):
            with gr.Column(min_width=300):
                pictures.append(picture(None, f"blind-picture-{place}", pixels=True))
                keeps.append(gr.Button(elem_id=f"blind-keep-{place}"))
    none = gr.Button(i18n("blind_none"), visible=False, elem_id="blind-none")
    result = gr.HTML(elem_id="blind-told")
    again = gr.Button(i18n("blind_again"), visible=False, elem_id="blind-again")
    ranking = gr.HTML(elem_id="blind-ranking")
    ticket = gr.Textbox(visible=False)
    last = gr.State(time_to_live=3000)
    running = gr.State()
    answers = [*keeps, none]

    def draw_blind(path: str | None, request: gr.Request, progress: gr.Progress = PROGRESS) -> Iterator[dict[Any, Any]]:
        french, run = is_french(request), Cancellation()
        with suppress(Stopped):
            loaded = lab.load(examples.undamaged(chosen({"photo": path}, request)))
            new = tickets.issue()
            yield {running: run}
            measured, (first, *paths) = show(lab, loaded, new, tickets.draw(new), run.reporting(progress, french))
            run.raise_if_ended()
            updates: dict[Any, Any] = {given: gr.Image(first, alt_text=text("degraded", french))}
            for letter, each, keep, made in zip(LETTERS, pictures, keeps, paths, strict=False):
                alt = text("blind_alt", french, letter=letter)
                updates[each] = gr.Image(made, label=letter, alt_text=alt)
                updates[keep] = gr.Button(text("blind_keep", french, letter=letter), visible=True)
            shows = {question: gr.Markdown(visible=True), row: gr.Row(visible=True), none: gr.Button(visible=True)}
            emptied = {again: gr.Button(visible=False), result: None, ranking: None}
            yield {**updates, **shows, **emptied, ticket: new, last: measured}

    def answer_with(place: int | None) -> Callable[..., dict[Any, Any]]:
        """The listener of the button of the picture at ``place``, or of none of them."""

        def answer(used: str, measured: Shown | None, request: gr.Request) -> dict[Any, Any]:
            french = is_french(request)
            task = tickets.redeem(used, request.session_hash or "")
            cast = vote(task, place, {name: lab.restorer.weights_sha256(name) for name in TITLES})
            if votes:
                votes.add(cast)
            labels = named(task.order, french).values()
            return {
                **{each: gr.Image(label=name, alt_text=name) for each, name in zip(pictures, labels, strict=True)},
                **{each: gr.Button(visible=False) for each in answers},
                question: gr.Markdown(visible=False),
                result: told(task, cast.choice, measured if measured and measured.ticket == used else None, french),
                ranking: ranked(rank_of(votes, cast), french) if votes else None,
                again: gr.Button(visible=True),
            }

        return answer

    def clear(run: Cancellation | None) -> dict[Any, Any]:
        discard(run)
        return {
            **dict.fromkeys([*pictures, given, result, ranking, ticket, last]),
            **{each: gr.Button(visible=False) for each in (none, again)},
            question: gr.Markdown(visible=False),
            row: gr.Row(visible=False),
        }

    outputs = [given, *pictures, *answers, question, row, result, again, ranking, ticket, last]
    ran = gr.on(
        [start.click, again.click], draw_blind, panel.photo, [*outputs, running], show_progress_on=given, **RUNNING
    )
    ran.success(None, js="() => lab.goTo('#blind-question')", **QUIET)
    changed = [*pictures, *answers, question, result, ranking, again]
    for place, button in enumerate(answers):
        chosen_place = None if button is none else place
        voted = button.click(answer_with(chosen_place), [ticket, last], changed, **QUIET)
        voted.success(None, js="() => lab.goTo('#blind-told h3')", **QUIET)
    panel.arrived.change(clear, running, outputs, queue=False, **QUIET)


def rank_of(votes: Votes, cast: Vote) -> Ranking:
    """The ranking of the weights that ``cast`` is on."""
    return next(each for each in rank(votes.all()) if each.weights == cast.weights)
