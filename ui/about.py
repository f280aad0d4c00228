"""The About tab: what each network is, a diagram of it, its scores, its limits, and where everything comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from restoration.checkpoints import ORIGINALS
from restoration.models import model
from restoration.types import SIDE
from restoration.weights import Entry, manifest, restorers

from . import diagrams
from .lab import TITLES
from .texts import _TEXTS, i18n, is_french, number, text

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"

Json = Mapping[str, Any]
Say = Callable[[str], str]

# A table wider than the page scrolls inside its own frame, which the keyboard reaches too.
CSS = f"""{diagrams.CSS}
.about {{ color: var(--body-text-color); overflow-wrap: break-word; line-height: 1.5; }}
.about p, .about li, .about dd {{ max-width: 75ch; }}
.about h2 {{ font-size: 1.4em; font-weight: 700; margin: 2em 0 .5em; scroll-margin-top: 1em; }}
.about h3 {{ font-size: 1.15em; font-weight: 700; margin: 1.5em 0 .4em; }}
.about p, .about ul, .about dl, .about figure {{ margin: .6em 0; }}
.about ul {{ padding-left: 1.4em; list-style: disc; }}
.about nav ul {{ display: flex; flex-wrap: wrap; gap: .3em 1.2em; padding: 0; list-style: none; }}
.about nav a {{ display: inline-block; padding: .25em 0; }}
.about a {{ padding: 0; color: inherit; text-decoration: underline; }}
.about a:focus-visible, .about .wide:focus-visible {{ outline: 2px solid currentColor; outline-offset: 2px; }}
.about code {{ font-size: .9em; overflow-wrap: anywhere; }}
.about .model {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 0 2rem; }}
.about figcaption {{ font-size: .9em; max-width: 27rem; }}
.about dl.facts {{ display: grid; grid-template-columns: auto 1fr; gap: .2em 1em; }}
.about dt {{ font-weight: 600; }}
.about dl.facts dd {{ margin: 0; }}
.about dl:not(.facts) dd {{ margin: 0 0 .5em 1em; }}
.about .wide {{ overflow-x: auto; margin: .8em 0; max-width: 100%; }}
.about table {{ border-collapse: collapse; width: max-content; margin: 0; }}
.about th, .about td {{ border: 1px solid var(--border-color-primary); padding: .35em .6em; text-align: left;
  max-width: 20rem; }}
.about td {{ vertical-align: top; font-variant-numeric: tabular-nums; }}
.about th {{ max-width: 12rem; vertical-align: top; }}
.about th, .about thead td {{ background: var(--background-fill-secondary); font-weight: 600; }}
.about td small {{ display: block; font-size: .85em; white-space: nowrap; }}
.about tbody th, .about thead :first-child {{ position: sticky; left: 0; }}
.about .stale {{ border-left: 4px solid currentColor; padding-left: .8em; font-weight: 600; }}
@media (max-width: 36rem) {{
  .about dl.facts {{ grid-template-columns: 1fr; gap: 0; }}
  .about dl.facts dd {{ margin: 0 0 .4em; }}
  .about th {{ max-width: 9rem; }}
  .about td:nth-child(2) {{ max-width: 10rem; }}
  .about .wide {{ margin-inline: -1.25rem; max-width: none; }}
  .diagram {{ width: calc(100% + 2.5rem); margin-inline: -1.25rem; }}
}}
"""


def tab() -> None:
    """Lay out and wire the tab, inside the caller's Blocks: filled in the visitor's language when the page loads."""
    contents = gr.HTML()
    gr.Code(
        bibtex(), label=i18n("about_bibtex"), interactive=False, wrap_lines=True, show_line_numbers=False,
        buttons=["copy"],
    )  # fmt: skip

    def fill(request: gr.Request) -> str:
        return page(is_french(request))

    gr.on(None, fill, None, contents, show_progress="hidden", api_visibility="private")  # no trigger: on load


def page(french: bool, results: Path = RESULTS) -> str:
    """The whole page as HTML. ``results`` is the folder of quality.json and the training logs."""

    def say(key: str) -> str:
        return _typeset(text(key, french), french)

    quality = json.loads((results / "quality.json").read_text(encoding="utf-8"))
    sections = {
        "about_models": _models(say, french, results),
        "about_scores": _scores(quality, say, french),
        "about_limits": _items(say("about_limits_list").format(side=SIDE).split("\n")),
        "about_provenance": _provenance(say, french),
        "about_licences": _licences(say),
        "about_cite": f"<p>{say('about_cite_text')}</p>",
    }
    links = _items(f'<a href="#{_anchor(key)}">{say(key)}</a>' for key in sections)
    whole = "".join(
        f'<section><h2 id="{_anchor(key)}">{say(key)}</h2>{contents}</section>' for key, contents in sections.items()
    )
    language = "fr" if french else "en"
    return f'<div class="about" lang="{language}"><nav aria-label="{say("about_contents")}">{links}</nav>{whole}</div>'


def bibtex() -> str:
    """How to cite the project, in the version of pyproject.toml."""
    found = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    version = f"  version = {{{found[1]}}},\n" if found else ""
    return (
        "@software{restoration_lab,\n"
        "  title   = {Restoration Lab},\n"
        "  author  = {{Restoration Lab contributors}},\n"
        "  year    = {2026},\n"
        f"{version}"
        "}"
    )


# --- Sections ---------------------------------------------------------------------------------------------------------


def _models(say: Say, french: bool, results: Path) -> str:
    parts = [f"<p>{say(key).format(side=SIDE)}</p>" for key in ("about_models_lead", "about_whole")]
    for entry in restorers():
        drawn = diagrams.diagram(entry.model, entry.config, say)
        facts = {
            "about_parameters": count(entry.parameters, french),
            "about_file": f"<code>{escape(entry.name)}</code>",
            "about_size": _megabytes(entry, say, french),
            "about_sha256": _hash(entry),
            "about_training": _training(results / "training" / f"{entry.model}.jsonl", say, french),
            "about_licence": _licence(entry, say),
        }
        listed = "".join(f"<dt>{say(key)}</dt><dd>{value}</dd>" for key, value in facts.items())
        what = _summary(entry, say)
        figure = f"<figure>{drawn}<figcaption>{say('about_d_legend')}</figcaption></figure>" if drawn else ""
        parts.append(
            f'<h3>{escape(entry.title)}</h3><div class="model">'
            f'<div><p>{what}</p><dl class="facts">{listed}</dl></div>{figure}</div>'
        )
    parts += [f"<h3>{name}</h3><p>{say('about_original')}</p>" for id, name in TITLES.items() if id in ORIGINALS]
    return "".join(parts)


def _summary(entry: Entry, say: Say) -> str:
    """A model that nobody has described here is described in its own words, which are English."""
    key = f"about_{entry.model}"
    return say(key) if key in _TEXTS else f'<span lang="en">{escape(model(entry.model).summary)}</span>'


def _training(log: Path, say: Say, french: bool) -> str:
    if not log.is_file():
        return say("about_untold")
    last = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
    photos, minutes = count(last["photos"], french), count(last["seconds"] / 60, french)
    return say("about_trained").format(photos=photos, minutes=minutes)


def _scores(quality: Json, say: Say, french: bool) -> str:
    condition = quality["conditions"]["original"]
    scores, before = condition["scores"], condition["scores"]["degraded"]
    entries = restorers()
    measures = [measure for measure in _MEASURES if measure in before]
    rows = [[say("about_degraded"), *(_cell(before, measure, condition, say, french) for measure in measures)]]
    for entry in entries:
        if entry.model in scores:
            cells = [_cell(scores[entry.model], measure, condition, say, french) for measure in measures]
        else:
            cells = [say("about_unscored"), *["–"] * (len(measures) - 1)]
        rows.append([escape(entry.title), *cells])
    other = [entry for entry in entries if quality["weights_sha256"].get(entry.model) not in (entry.sha256, None)]
    stale = say("about_stale").format(models=", ".join(escape(entry.title) for entry in other))
    lead = say("about_scores_lead").format(photos=count(condition["photos"], french), shard=escape(quality["shard"]))
    means = "".join(
        f"<dt>{say(f'about_measure_{measure}')}</dt><dd>{say(f'about_means_{measure}')}</dd>" for measure in measures
    )
    ranked = {entry.model: entry.title for entry in entries if entry.model in scores}
    return (
        f"<p>{lead}</p>"
        + (f'<p class="stale" role="note">{stale}</p>' if other else "")
        + _table(say("about_scores"), ["", *(say(f"about_measure_{measure}") for measure in measures)], rows)
        + f"<h3>{say('about_which')}</h3>{_ranking(condition, ranked, measures, say, french)}"
        + f"<h3>{say('about_measures')}</h3><dl>{means}</dl>"
    )


# What each measure is shown with: its digits, and whether more (1) or less (-1) is better; None ranks nobody.
_MEASURES: dict[str, tuple[int, int | None]] = {
    "psnr_luminance": (2, 1),
    "psnr": (2, 1),
    "colour_adds": (2, None),
    "ssim": (3, 1),
    "lpips": (3, -1),
    "colourfulness": (0, 1),
}


def _cell(scores: Json, measure: str, condition: Json, say: Say, french: bool) -> str:
    """The mean, and below it the gain over the degraded input with its interval, where there is any."""
    cell = scores[measure]
    digits, _ = _MEASURES[measure]
    mean = _mean(cell, measure, condition, say, french)
    if measure == "colourfulness" or cell["gain"] == 0:
        return mean
    gain, low, high = (number(value, digits, french, sign=True) for value in (cell["gain"], *cell["interval"]))
    gained = "" if measure == "colour_adds" else f"<small>{say('about_gain').format(gain=gain)}</small>"
    return f"{mean}{gained}<small>{say('about_interval').format(low=low, high=high)}</small>"


def _mean(cell: Json, measure: str, condition: Json, say: Say, french: bool) -> str:
    digits, _ = _MEASURES[measure]
    if measure == "colourfulness":
        share = number(100 * cell["mean"] / condition["truth_colourfulness"], digits, french)
        return say("about_of_truth").format(share=share)
    return number(cell["mean"], digits, french)


def _ranking(condition: Json, titles: Mapping[str, str], measures: Sequence[str], say: Say, french: bool) -> str:
    """Who comes first in each measure, and whether the second may be as good, over the same photos."""
    if len(titles) < 2:
        return ""
    leaders, lines = set(), []
    for measure in measures:
        sign = _MEASURES[measure][1]
        if sign is None:
            continue
        cells = {name: condition["scores"][name][measure] for name in titles}
        means = {name: sign * cell["mean"] for name, cell in cells.items()}
        order = sorted(titles, key=means.__getitem__, reverse=True)
        leaders.add(order[0])
        places = ("\u202f; " if french else "; ").join(
            f"{escape(titles[name])} {_mean(cells[name], measure, condition, say, french)}" for name in order
        )
        low, high = condition["differences"][order[0]][order[1]][measure]["interval"]
        close = f" {say('about_close')}" if low <= 0 <= high else ""
        said = say("about_places").format(measure=say(f"about_measure_{measure}"), places=places)
        lines.append(f"{said}{close}")
    first = say("about_leads").format(model=escape(titles[leaders.pop()])) if len(leaders) == 1 else None
    return f"<p>{first or say('about_leads_differ')}</p>{_items(lines)}"


def _provenance(say: Say, french: bool) -> str:
    files = [
        [
            f"<code>{escape(entry.name)}</code>",
            count(entry.parameters, french),
            _megabytes(entry, say, french),
            _hash(entry),
            _licence(entry, say),
        ]
        for entry in manifest().values()
    ]
    heads = list(map(say, ("about_file", "about_parameters", "about_size", "about_sha256", "about_licence")))
    return (
        f"<h3>{say('about_data')}</h3><p>{say('about_data_text')}</p>"
        f"<h3>{say('about_weights')}</h3><p>{say('about_weights_text')}</p>{_table(say('about_weights'), heads, files)}"
        f"<h3>{say('about_examples')}</h3>"
        f"{_table(say('about_examples'), [say('about_example'), say('about_credit')], _credits(say))}"
        f"<h3>{say('about_privacy')}</h3><p>{say('about_privacy_text')}</p>"
    )


def _credits(say: Say) -> list[list[str]]:
    """The rows of the table in the examples' README."""
    table = (ROOT / "assets" / "examples" / "README.md").read_text(encoding="utf-8")
    for key in ("about_public_domain", "about_wallpapers"):
        table = table.replace(text(key, False), say(key))
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return [[escape(cell.strip()) for cell in row] for row in rows[1:]]  # the first is its head


def _licences(say: Say) -> str:
    released = dict.fromkeys(_licence(entry, say) for entry in restorers())
    enlarging = dict.fromkeys(_licence(entry, say) for entry in manifest().values() if entry.task == "upscale")
    said = say("about_licences_text").format(weights="; ".join(released), upscalers="; ".join(enlarging))
    return f"<p>{said}</p>"


def _licence(entry: Entry, say: Say) -> str:
    """The manifest's words, translated where we know them."""
    if entry.licence == _TEXTS["about_licence_weights"][0]:
        return say("about_licence_weights")
    return f'<span lang="en">{escape(entry.licence)}</span>'


# --- Words, numbers and tables ----------------------------------------------------------------------------------------


def count(value: float, french: bool) -> str:
    """A whole number with its thousands set apart: 1,234 or 1 234."""
    return f"{value:,.0f}".replace(",", "\u202f" if french else ",")


def _typeset(words: str, french: bool) -> str:
    """Spaces that never break, and in French a curved apostrophe, too."""
    if french:
        words = re.sub(r" ([;:!?»%])", "\u202f\\1", words).replace("« ", "«\u202f").replace("'", "’")
    return re.sub(r"([\d}]) (dB|%)", "\\1\u00a0\\2", words)


def _megabytes(entry: Entry, say: Say, french: bool) -> str:
    return say("about_mb").format(size=number(entry.size / 1e6, 1, french))


def _hash(entry: Entry) -> str:
    return f"<code>{escape(entry.sha256[:12])}</code>"


def _anchor(key: str) -> str:
    return key.replace("_", "-")


def _items(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def _table(name: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with a name, in a frame that scrolls on its own; the first cell of each row heads it."""
    heads = "".join(f'<th scope="col">{cell}</th>' if cell else "<td></td>" for cell in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>' for first, *rest in rows
    )
    return (
        f'<div class="wide" role="region" aria-label="{name}" tabindex="0"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )
