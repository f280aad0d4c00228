"""Whatever is sent in place of a control's value: the answer is a result or one sentence, and nothing else happens."""

from __future__ import annotations

import base64
import json
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.serving import serve
from tests.conftest import EXAMPLES, ROOT
from ui.api import PARAMETERS

Json = dict[str, Any]
FILE = {"_type": "gradio.FileData"}
JSON = {"Content-Type": "application/json"}
DATA_URL = f"data:image/jpeg;base64,{base64.b64encode((EXAMPLES / 'coffee.jpg').read_bytes()).decode()}"
PATIENCE = 60
"""Seconds after which an answer does not come any more."""
MEMORY = 512 << 20
"""Bytes that all that is tried here may add to the app."""
LONGEST = 400
"""Characters of a sentence that somebody reads."""
UNFORESEEN = re.compile(r" under ([0-9a-f]{8})\.$")
HOST = ("Traceback", "site-packages", str(ROOT), str(Path.home()), tempfile.gettempdir())
"""What tells a stranger of the machine."""
QUICK: dict[str, Json] = {
    "restore": {"model": "gan", "size": "128"},
    "degrade": {"gaussian": 0.1},
    "compare": {"damage": "light"},
    "upscale": {"scale": 2, "engine": "fast"},
    "sweep": {"steps": 2},
}
"""The endpoints, and what makes a call of them a quick one."""

# --- What is sent -----------------------------------------------------------------------------------------------------

WORDS = st.text(st.characters(), max_size=9)
SAID = [
    "x" * 5000, "{" * 2000, "a\nb\r\n\x00\x1b[31m", "\ud800", "NaN", "null", "{name} {0!r} %s", "../x",
    -1, 0.5, 10**400, 2**53 + 1, 1e308, float("nan"), float("inf"), float("-inf"), {"path": "x"}, [None] * 1000,
]  # fmt: skip
VALUES = st.sampled_from(SAID) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
"""Anything that JSON can say, and NaN and the infinities, which Python's can."""
PATHS = (
    st.sampled_from(["", ".", "\x00", "\ud800", "nowhere.png", "x" * 5000, "http://", "http://[", "file:x"]) | VALUES
)
FILES = st.fixed_dictionaries(
    {"path": PATHS, "meta": st.just(FILE) | VALUES}, optional={"url": PATHS, "is_stream": VALUES, "size": VALUES}
)
"""What Gradio takes for a file, or nearly."""
NO_CALLS = [
    "", "\x00", "{", "[]", "null", "NaN", "5", '"data"', '{"data": NaN}', '{"data": {}}', '{"data": null}',
    '{"data": [], "session_hash": NaN}', '{"data": [], "fn_index": NaN}', '{"data": [], "fn_index": "x"}',
    '{"data": [], "fn_index": -1, "session_hash": "a"}', '{"data": [], "fn_index": 999, "session_hash": "a"}',
    '{"data": [], "fn_index": 1e30, "session_hash": "a"}', '{"data": [], "event_data": NaN}',
    '{"data": [], "batched": true, "trigger_id": 5, "event_id": "x"}', f'{{"data": [{"9" * 5000}]}}',
    *(f'{{"data": {"[" * depth}{"]" * depth}}}' for depth in (500, 900, 100_000)),
    '{"data": []}', '{"photo": 1, "photo": 2}', '{"\\ud800": "\\ud800"}',
]  # fmt: skip


def seldom(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly nothing."""
    return st.none() | st.none() | st.none() | strategy


def tried(examples: int) -> settings:
    """Without making an example that fails smaller, which would take minutes."""
    return settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        report_multiple_bugs=False, suppress_health_check=[HealthCheck.too_slow],
    )  # fmt: skip


# --- The app ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Function:
    """One of the page's: what its inputs are, and what the page would send of them."""

    id: int
    kinds: list[str]
    usual: list[Any]


@dataclass(frozen=True)
class App:
    """A running one, of which ``folder`` has the files and the log."""

    url: str
    folder: Path
    process: psutil.Process

    def get(self, path: str) -> Any:
        return self.client.get(path).json()

    def call(self, route: str, body: Json | str) -> list[Any] | str:
        """The results, or the sentence that refuses them; a ``body`` that is text is sent as it is."""
        sent = body if isinstance(body, str) else json.dumps(body)
        response = self.client.post(f"gradio_api/{route}", content=sent.encode(), headers=JSON)
        assert response.status_code < 500, response.text
        answer = response.json()
        if "event_id" in answer and route == "queue/join":
            return self._told(json.loads(sent)["session_hash"])
        if "event_id" in answer:
            return self.answer_of(route, answer["event_id"])
        found: list[Any] | str = answer["data"] if response.is_success else answer.get("detail", answer.get("error"))
        return found

    def join(self, function: int, data: list[Any], **more: Any) -> list[Any] | str:
        """As the page calls its functions."""
        return self.call("queue/join", {"session_hash": uuid4().hex, **more, "fn_index": function, "data": data})

    def use(self, tool: str, arguments: Json) -> str | None:
        """What a tool of the MCP server says where it gives no results."""
        asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
        headers = {**JSON, "Accept": "application/json, text/event-stream"}
        response = self.client.post("gradio_api/mcp/", content=json.dumps(asked), headers=headers)
        answer = json.loads(response.text.partition("data: ")[2] or response.text)
        if "result" not in answer:
            return f"{answer['error']['message']}."  # of JSON-RPC, whose words have no full stop
        result = answer["result"]
        return str(result["content"][0]["text"]) if result["isError"] else None

    def answer_of(self, route: str, event: str) -> list[Any] | str:
        """What an endpoint answers."""
        kind = ""
        for line in self._lines(f"{route}/{event}"):
            name, _, value = line.partition(": ")
            kind = value if name == "event" else kind
            if name == "data" and kind in ("complete", "error"):
                found: list[Any] | str = json.loads(value) if kind == "complete" else json.loads(value)["error"]
                return found
        raise AssertionError("no answer")

    def _told(self, session: str) -> list[Any] | str:
        """What the page is told."""
        for line in self._lines(f"queue/data?session_hash={session}"):
            message = json.loads(line.removeprefix("data: ") or "{}")
            if message.get("msg") == "process_completed":
                output = message["output"]
                found: list[Any] | str = output["data"] if message["success"] else output["error"]
                return found
        raise AssertionError("no answer")

    def _lines(self, path: str) -> Iterator[str]:
        late = time.monotonic() + PATIENCE
        with self.client.stream("GET", f"gradio_api/{path}") as response:
            for line in response.iter_lines():
                assert time.monotonic() < late, "no answer"
                yield line

    def check(self, answer: list[Any] | str) -> None:
        """It is a result or one sentence, and what nobody foresaw stands in the log."""
        if isinstance(answer, list):
            return
        check_sentence(answer)
        if found := UNFORESEEN.search(answer):
            assert f"error {found[1]}\nTraceback" in self.log

    @cached_property
    def client(self) -> httpx.Client:
        """Which opens a connection for each request: the app closes those of a failure."""
        limits = httpx.Limits(max_keepalive_connections=0)
        return httpx.Client(base_url=self.url, timeout=PATIENCE, limits=limits, trust_env=False)

    @cached_property
    def photo(self) -> Json:
        """A small one that is uploaded."""
        return {"path": self.upload("small.png", (self.folder / "small.png").read_bytes()), "meta": FILE}

    @cached_property
    def functions(self) -> dict[str, Function]:
        """The page's, by their names."""
        config = self.get("config")
        components = {each["id"]: each for each in config["components"]}
        inputs = {each["api_name"]: [components[id] for id in each["inputs"]] for each in config["dependencies"]}
        return {
            each["api_name"]: Function(
                id=each["id"],
                kinds=[component["type"] for component in inputs[each["api_name"]]],
                usual=[_usual(component, self.photo) for component in inputs[each["api_name"]]],
            )
            for each in config["dependencies"]
        }

    @cached_property
    def cache(self) -> Path:
        """The folder of everything that visitors send and make."""
        return next((self.folder / "cache").glob("restoration-lab-*"))

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def upload(self, name: str, contents: bytes) -> str:
        (path,) = self.client.post("gradio_api/upload", files={"files": (name, contents)}).json()
        return str(path)

    def written(self) -> set[str]:
        """Everything that there is of the app but in its cache, and of the repository."""
        places = [path for path in self.folder.rglob("*") if self.cache not in path.parents]
        return {str(path) for path in (*places, *ROOT.glob("*"), *(ROOT / "weights").iterdir())}

    def picture(self) -> bytes:
        """What it makes of a photo, a damage and a seed."""
        recipe = {
            "schema": 3, "seed": 7, "models": {"gan": None},
            "degradation": {"grayscale": True, "gaussian": 0.1, "lines": 3, "jpeg": 30},
        }  # fmt: skip
        results = self.call("call/v2/restore", {"photo": self.photo, "recipe": recipe})
        assert isinstance(results, list), results
        return self.client.get(results[0]["url"]).content


def _usual(component: Json, photo: Json) -> Any:
    """What the page would send of a component; of its choices the first, which is the quickest."""
    properties, kind = component["props"], component["type"]
    if kind in ("image", "uploadbutton"):
        return photo
    if kind == "file":
        return [photo]
    if "choices" in properties:
        first = properties["choices"][0][1]
        return [first] if kind == "checkboxgroup" else first
    return {"slider": properties.get("minimum"), "number": 0, "checkbox": True, "code": "{}", "dataset": 0}.get(kind)


def check_sentence(answer: Any, telling: tuple[str, ...] = HOST) -> None:
    """For the visitor: it can be read, and has nothing ``telling``."""
    assert isinstance(answer, str), answer
    assert len(answer) <= LONGEST, answer[:1000]
    assert answer.endswith("."), answer
    assert answer.isprintable(), answer
    assert not any(each in answer for each in telling), answer


@contextmanager
def started(folder: Path, **environment: str) -> Iterator[App]:
    """An app whose log may have tracebacks, each under the id that a visitor was told."""
    (folder / "tmp").mkdir()
    Image.open(EXAMPLES / "coffee.jpg").resize((60, 40)).save(folder / "small.png")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"TMPDIR": str(folder / "tmp"), **environment}.items():
            patch.setenv(name, value)
        with serve(folder, is_provoked=True) as url:
            (process,) = (each for each in psutil.Process().children() if url.split(":")[-1] in each.cmdline())
            app = App(url, folder, process)
            yield app
            traces = re.sub(r"\n\n(The above|During) .+\n\nTraceback", "", app.log).count("\nTraceback")
            assert len(re.findall(r"error [0-9a-f]{8}\nTraceback", app.log)) == traces, app.log


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with started(tmp_path_factory.mktemp("controls")) as started_app:
        yield started_app


@pytest.fixture(autouse=True)
def _nothing_else_changes(app: App) -> Iterator[None]:
    picture, written = app.picture(), app.written()
    memory = app.process.memory_info().rss
    yield
    assert app.process.is_running()
    assert app.picture() == picture
    assert app.written() == written
    assert app.process.memory_info().rss < memory + MEMORY


# --- The endpoints ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", QUICK)
def test_an_endpoint_gives_a_result_or_says_what_it_was_sent_that_is_wrong(app: App, endpoint: str) -> None:
    parameters = app.get("gradio_api/info")["named_endpoints"][f"/{endpoint}"]["parameters"]
    usual = {each["parameter_name"]: each.get("parameter_default") for each in parameters}
    usual |= {"photo": app.photo, **QUICK[endpoint]}
    names = st.sampled_from(list(usual))

    @tried(60)
    @given(
        route=st.sampled_from(["call", "call/v2"]),
        changed=st.dictionaries(names, VALUES, max_size=2),
        missing=seldom(st.sets(names, min_size=1, max_size=1)),
        extra=seldom(st.dictionaries(WORDS, VALUES, min_size=1, max_size=1)),
    )
    def send(route: str, changed: Json, missing: set[str] | None, extra: Json | None) -> None:
        values = {name: value for name, value in {**usual, **changed}.items() if name not in (missing or ())}
        in_order = [*values.values(), *(extra or {}).values()]
        body = {**(extra or {}), **values} if route == "call/v2" else {"data": in_order}
        answer = app.call(f"{route}/{endpoint}", body)
        app.check(answer)
        assert not (isinstance(answer, str) and UNFORESEEN.search(answer)), answer

    send()


@tried(30)
@given(endpoint=st.sampled_from(list(QUICK)), photo=FILES)
def test_whatever_is_sent_as_a_photo_is_one_or_is_refused(app: App, endpoint: str, photo: Json) -> None:
    app.check(app.call(f"call/v2/{endpoint}", {"photo": photo}))


def test_a_photo_that_is_missing_is_asked_for(app: App) -> None:
    for endpoint, quick in QUICK.items():
        assert "photo" in app.call(f"call/v2/{endpoint}", quick)


def test_a_parameter_that_there_is_not_is_named(app: App) -> None:
    for endpoint in QUICK:
        assert "tint" in app.call(f"call/v2/{endpoint}", {"photo": app.photo, "tint": 1})


@pytest.mark.parametrize("route", ["call/degrade", "call/v2/degrade", "run/degrade", "queue/join", "cancel"])
def test_what_is_no_call_is_refused(app: App, route: str) -> None:
    for body in NO_CALLS:
        check_sentence(app.call(route, body))


@pytest.mark.parametrize("route", ["call/nothing", "call/v2/nothing", "run/nothing", "call/%00", "call/restore_1"])
def test_an_endpoint_that_there_is_not_is_refused(app: App, route: str) -> None:
    check_sentence(app.call(route, {"data": []}))


# --- The page's own functions -----------------------------------------------------------------------------------------


def test_every_function_of_the_page_gives_a_result_or_one_sentence(app: App) -> None:
    assert len(app.functions) > 30
    for function in app.functions.values():
        app.check(app.join(function.id, function.usual))
        _send_anything(app, function)


def _send_anything(app: App, function: Function) -> None:
    places = st.integers(0, max(len(function.usual) - 1, 0))

    @tried(2 * len(function.usual) + 2)
    @given(
        changed=st.dictionaries(places, VALUES | FILES, min_size=1, max_size=3),
        missing=seldom(st.just(1)),
        extra=seldom(st.lists(VALUES, min_size=1, max_size=1)),
    )
    def send(changed: dict[int, Any], missing: int | None, extra: list[Any] | None) -> None:
        data = [changed.get(place, value) for place, value in enumerate(function.usual)]
        app.check(app.join(function.id, data[missing or 0 :] + (extra or [])))

    send()


@tried(20)
@given(
    more=st.dictionaries(st.sampled_from(["event_data", "trigger_id", "batched", "event_id", "simple_format"]), VALUES)
)
def test_what_comes_with_the_data_changes_nothing(app: App, more: Json) -> None:
    app.check(app.join(app.functions["upscale"].id, [app.photo, 2, "bicubic", None], **more))


# --- The tools --------------------------------------------------------------------------------------------------------


def test_a_tool_gives_a_result_or_says_nothing_of_this_machine(app: App) -> None:
    usual = {name: {"photo": DATA_URL, **quick} for name, quick in QUICK.items()}
    assert not app.use("restore", usual["restore"])

    @tried(40)
    @given(
        tool=st.sampled_from(list(QUICK)),
        changed=st.dictionaries(st.sampled_from(list(PARAMETERS)) | WORDS, VALUES | FILES, min_size=1, max_size=2),
    )
    def use(tool: str, changed: Json) -> None:
        refusal = app.use(tool, {**usual[tool], **changed})
        assert not refusal or not any(each in refusal for each in HOST), refusal

    use()
