"""The blind test: which restoration would you keep, as long as you do not know whose it is?"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import gradio as gr

from restoration import Photo, Recipe, metrics
from restoration.blind_test.ranking import LEAST, Ranking, Standing, rank
from restoration.blind_test.votes import Vote, Votes
from restoration.degradations import preset
from restoration.metrics import Metrics
from restoration.tiling import Progress, Stopped

from .. import examples, scores
from ..blind_test_tickets import Task, Tickets
from ..cancellation import PROGRESS, Cancellation, discard
from ..components.pictures import picture
from ..context import QUIET, RUNNING, TITLES, AppContext, bound
from ..files import publish
from ..hardening import cleanup
from ..sidebar import Sidebar, chosen
from ..texts import duration, i18n, is_french, number, text

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
    context: AppContext, photo: Photo, ticket: str, task: Task, progress: Progress | None = None
) -> tuple[Shown, list[str]]:
    """``photo``, damaged and restored as ``task`` says: what it measures, and the paths of its pictures, the damaged
    one first. Their names tell nothing, and neither does the order in which they are written.
    """
    damage = preset(task.preset).draw(task.seed)
    recipe = Recipe(degradation=damage, seed=task.seed, models=dict.fromkeys(task.order))
    run = context.run(photo, recipe, progress)
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


def vote(task: Task, index: int | None, weights: Mapping[str, str]) -> Vote:
    """The vote for the picture at ``index``, None for none of them, as of now."""
    return Vote(
        weights=dict(weights),
        shown=task.order,
        choice=None if index is None else task.order[index],
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
    leading = scores.best(measure, list(restored.values()))
    if len(leading) == len(models):
        return text("blind_equal", french, measure=measure.upper())
    if choice is not None and models.index(choice) in leading:
        return text("blind_agreed", french, measure=measure.upper(), model=named(models, french)[choice])
    names = [each for index, each in enumerate(named(models, french).values()) if index in leading]
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
        times = {name: duration(seconds) for name, seconds in measured.seconds.items()}
        rows = [scores.Row(names[name], measured.restored[name], times[name]) for name in task.order]
        degraded = scores.Row(text("degraded", french), measured.degraded)
        parts += [f"<p>{' '.join(said)}</p>", scores.table(degraded, rows, french)]
    parts.append(f"<p>{text('blind_damage', french, preset=text(task.preset, french), seed=task.seed)}</p>")
    return "".join(parts)


def ranked(ranking: Ranking, french: bool) -> str:
    """The models by all votes, in numbers and as dots on a line from 0 to 100 %."""
    counted = text("ranking_votes", french, votes=ranking.votes, none=ranking.none)
    few = "" if ranking.standings else f" {text('ranking_few', french, least=LEAST)}"
    parts = [f"<h3>{text('ranking', french)}</h3><p>{counted}{few}</p>"]
    if ranking.standings:
        lines = []
        for each in ranking.standings:
            times = text("ranking_times", french, times=each.kept)
            percent = {key: number(100 * getattr(each, key), 0, french) for key in ("chance", "low", "high")}
            chance = text("ranking_percent", french, **percent)
            cells = [scores.cell("ranking_kept", times, french), scores.cell("ranking_chance", chance, french)]
            lines.append(scores.line(TITLES[each.model], [*cells, f"<td>{_dot(each)}</td>"]))
        columns = ("model_column", "ranking_kept", "ranking_chance", "")
        parts.append(scores.html_table(columns, lines, "ranking_caption", french, classes="measures ranking"))
    return "".join(parts)


def _dot(standing: Standing) -> str:
    """A standing as a dot in its interval; the numbers beside it say the same."""
    left, width = 100 * standing.low, 100 * (standing.high - standing.low)
    return (
        f'<span class="plot" aria-hidden="true"><span class="interval" style="left:{left:.1f}%;width:{width:.1f}%">'
        f'</span><span class="dot" style="left:{100 * standing.chance:.1f}%"></span></span>'
    )


# --- The page ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class BlindTestTab:
    """The tab's components, by what they hold, and what its handlers share."""

    context: AppContext
    tickets: Tickets
    votes: Votes | None
    """Where votes are kept, if they are."""
    start: gr.Button
    given: gr.Image
    question: gr.Markdown
    row: gr.Row
    pictures: Sequence[gr.Image]
    keeps: Sequence[gr.Button]
    """Each picture's, to vote for it."""
    none: gr.Button
    """To vote for none of them."""
    result: gr.HTML
    again: gr.Button
    ranking: gr.HTML
    ticket: gr.Textbox
    last: gr.State
    """What is `Shown`."""
    running: gr.State
    """The `Cancellation` of what runs, or has run last."""


def layout(context: AppContext, votes: Votes | None) -> BlindTestTab:
    """Lay out the tab, inside the caller's Blocks; without ``votes`` none is kept."""
    gr.Markdown(i18n("blind_lead"))
    gr.Markdown(i18n("blind_kept" if votes else "blind_unkept"))
    start = gr.Button(i18n("blind_run"), variant="primary", elem_id="blind-run")
    given = picture(i18n("degraded"), "blind-given", pixels=True)
    question = gr.Markdown(i18n("blind_question"), visible=False, elem_id="blind-question")
    pictures, keeps = [], []
    with gr.Row(elem_classes="blind", visible=False) as row:
        for index in range(len(TITLES)):
            with gr.Column(min_width=300):
                pictures.append(picture(None, f"blind-picture-{index}", pixels=True))
                keeps.append(gr.Button(elem_id=f"blind-keep-{index}"))
    none = gr.Button(i18n("blind_none"), visible=False, elem_id="blind-none")
    result = gr.HTML(elem_id="blind-told")
    again = gr.Button(i18n("blind_again"), visible=False)
    ranking = gr.HTML(elem_id="blind-ranking")
    return BlindTestTab(
        context=context, tickets=Tickets(list(TITLES)), votes=votes, start=start, given=given, question=question,
        row=row, pictures=pictures, keeps=keeps, none=none, result=result, again=again, ranking=ranking,
        ticket=gr.Textbox(visible=False), last=gr.State(time_to_live=cleanup.AGE), running=gr.State(),
    )  # fmt: skip


def wire(tab: BlindTestTab, sidebar: Sidebar) -> None:
    """Wire the tab, which tests on the sidebar's photo."""
    answers = [*tab.keeps, tab.none]
    changed = [*tab.pictures, *answers, tab.question, tab.result, tab.ranking, tab.again]
    outputs = [*changed, tab.given, tab.row, tab.ticket, tab.last]
    asked, drawn = [tab.start.click, tab.again.click], [*outputs, tab.running]
    ran = gr.on(asked, bound(draw_blind, tab), sidebar.photo, drawn, show_progress_on=tab.given, **RUNNING)
    ran.success(None, js="() => lab.goTo('#blind-question')", **QUIET)
    for index, button in enumerate(answers):
        voted = button.click(bound(answer, tab, index), [tab.ticket, tab.last], changed, **QUIET)
        voted.success(None, js="() => lab.goTo('#blind-told h3')", **QUIET)
    sidebar.arrived.change(bound(clear, tab), tab.running, outputs, queue=False, **QUIET)


def draw_blind(
    tab: BlindTestTab, path: str | None, request: gr.Request, progress: gr.Progress = PROGRESS
) -> Iterator[dict[Any, Any]]:
    """Damage the photo, and show what each model makes of it under letters that tell nothing."""
    french, run = is_french(request), Cancellation()
    with suppress(Stopped):
        loaded = tab.context.load(examples.undamaged(chosen(path, request)))
        ticket = tab.tickets.issue()
        yield {tab.running: run}
        task = tab.tickets.draw(ticket)
        measured, (first, *paths) = show(tab.context, loaded, ticket, task, run.reporting(progress, french))
        run.raise_if_ended()
        updates: dict[Any, Any] = {tab.given: gr.Image(first, alt_text=text("degraded", french))}
        for letter, shown, keep, made in zip(LETTERS, tab.pictures, tab.keeps, paths, strict=False):
            updates[shown] = gr.Image(made, label=letter, alt_text=text("blind_alt", french, letter=letter))
            updates[keep] = gr.Button(text("blind_keep", french, letter=letter), visible=True)
        updates |= {tab.question: gr.Markdown(visible=True), tab.row: gr.Row(visible=True)}
        updates |= {tab.none: gr.Button(visible=True), tab.again: gr.Button(visible=False)}
        yield {**updates, tab.result: None, tab.ranking: None, tab.ticket: ticket, tab.last: measured}


def answer(tab: BlindTestTab, index: int, ticket: str, measured: Shown | None, request: gr.Request) -> dict[Any, Any]:
    """Count a vote for the picture at ``index``, behind the last for none of them, and say whose each picture is."""
    french = is_french(request)
    task = tab.tickets.redeem(ticket, request.session_hash or "")
    kept = index if index < len(tab.keeps) else None
    cast = vote(task, kept, {name: tab.context.restorer.weights_sha256(name) for name in TITLES})
    if tab.votes:
        tab.votes.add(cast)
    labels = named(task.order, french).values()
    known = measured if measured and measured.ticket == ticket else None
    return {
        **{each: gr.Image(label=name, alt_text=name) for each, name in zip(tab.pictures, labels, strict=True)},
        **{each: gr.Button(visible=False) for each in (*tab.keeps, tab.none)},
        tab.question: gr.Markdown(visible=False),
        tab.result: told(task, cast.choice, known, french),
        tab.ranking: ranked(rank_of(tab.votes, cast), french) if tab.votes else None,
        tab.again: gr.Button(visible=True),
    }


def clear(tab: BlindTestTab, run: Cancellation | None) -> dict[Any, Any]:
    """Empty the tab: another photo is there."""
    discard(run)
    return {
        **dict.fromkeys([*tab.pictures, tab.given, tab.result, tab.ranking, tab.ticket, tab.last]),
        **{each: gr.Button(visible=False) for each in (tab.none, tab.again)},
        tab.question: gr.Markdown(visible=False),
        tab.row: gr.Row(visible=False),
    }


def rank_of(votes: Votes, cast: Vote) -> Ranking:
    """The ranking of the weights that ``cast`` is on."""
    return next(each for each in rank(votes.all()) if each.weights == cast.weights)
