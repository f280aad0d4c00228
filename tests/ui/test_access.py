"""What a stranger can reach: his own files and results, and nothing else of the machine or of the other visitors."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import http.server
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID, uuid4

import gradio as gr
import httpx
import huggingface_hub
import pytest
import safehttpx
from PIL import Image

from restoration import Restorer
from tests.conftest import EXAMPLES, ROOT
from tests.ui.test_controls import DATA_URL, FILE, PATIENCE, UNFORESEEN, App, Function, check_sentence, started
from ui.api import endpoints
from ui.context import AppContext
from ui.hardening import cleanup

COFFEE = (EXAMPLES / "coffee.jpg").read_bytes()
SECRET = b"nobody may read this"


@contextmanager
def listening(address: str = "127.0.0.1", location: str = "") -> Iterator[tuple[int, list[str]]]:
    """A server that sends whoever comes on to ``location``: its port, and what was asked."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked.append(f"{self.command} {self.path}")
            self.send_response(302 if location else 200)
            self.send_header("Location", location)
            self.end_headers()

        do_GET = do_POST = do_HEAD = do_CONNECT = answer

        def log_message(self, *_: Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

    with Server((address, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], asked
        server.shutdown()


@pytest.fixture(scope="module")
def proxy() -> Iterator[tuple[int, list[str]]]:
    """Through which the app would ask anything of the world."""
    with listening() as server:
        yield server


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, proxy: tuple[int, list[str]]) -> Iterator[App]:
    """With secrets around it, and links to them in its cache."""
    folder = tmp_path_factory.mktemp("access")
    (folder / "cache").mkdir()
    for name in ("secret.txt", "cache/secret.txt"):
        (folder / name).write_bytes(SECRET)
    Image.open(EXAMPLES / "coffee.jpg").save(folder / "secret.png")
    environment = {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1", "SECRET": SECRET.decode()}
    for scheme in ("http", "https", "all"):
        for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
            environment[name] = f"http://127.0.0.1:{proxy[0]}"
    with started(folder, **environment) as app:
        for name in ("secret.txt", "secret.png"):
            (app.cache / f"link-{name}").symlink_to(folder / name)
        (app.cache / "folder").symlink_to(folder)
        yield app
    huggingface_hub.close_session()  # of this process: one that was opened meanwhile would keep the proxy


@pytest.fixture(autouse=True)
def _nothing_is_copied_into_the_cache(app: App) -> Iterator[None]:
    """From where it could be fetched."""
    yield
    others = [path.read_bytes() for path in (app.folder / "secret.png", ROOT / "README.md", Path("/etc/passwd"))]
    for path in app.cache.rglob("*"):
        if path.is_file() and not path.is_symlink():
            contents = path.read_bytes()
            assert SECRET not in contents, path
            assert contents not in others, path


def fetch(app: App, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    """The answer to ``path`` as it stands, which a client would tidy up."""
    connection = http.client.HTTPConnection(urlsplit(app.url).netloc, timeout=PATIENCE)
    connection.request("GET", f"/{path}", headers=headers)
    response = connection.getresponse()
    try:
        return response, response.read()
    finally:
        connection.close()


def test_nobody_is_sent_elsewhere_by_what_somebody_asked_before(app: App) -> None:
    """The first test here, as what is made for the first who asks may be kept for the others."""
    for path in ("gradio_api/info", "gradio_api/openapi.json", "config", ""):
        for header in ("Host", "X-Forwarded-Host"):
            app.client.get(path, headers={header: "elsewhere.example"})
        assert "elsewhere.example" not in app.client.get(path).text, path


def test_nothing_is_told_to_anybody_else(app: App, proxy: tuple[int, list[str]]) -> None:
    """Neither at the start, nor by the page, nor by a run; before the tests in which addresses are asked for."""
    page = app.client.get("").text
    assert not re.search(r"""(src|<link[^>]+href)=["']?(https?:)?//(?!127)""", page)
    config = app.get("config")
    assert config["analytics_enabled"] is False
    for function in config["dependencies"]:
        if function["backend_fn"] and any(event == "load" for _, event in function["targets"]):
            assert isinstance(app.join(function["id"], []), list)
    assert isinstance(app.call("call/v2/restore", {"photo": app.photo, "model": "gan"}), list)
    assert not proxy[1]


# --- Files by their addresses -----------------------------------------------------------------------------------------

REFUSED = (400, 403, 404, 413, 422)
DOORS = ("gradio_api/file=", "gradio_api/file/", "file=", "static/", "assets/", "svelte/", "")


def secrets(app: App) -> dict[Path, bytes]:
    """Files that are not the visitors', and what would tell that they were read."""
    beside = [app.folder / "secret.txt", app.folder / "cache" / "secret.txt", Path("/proc/self/environ")]
    linked = [app.cache / "link-secret.txt", app.cache / "folder" / "secret.txt"]
    repository = [ROOT / name for name in ("README.md", "app.py", "weights/manifest.json")]
    known = (*repository, Path("/etc/passwd"), app.folder / "log")
    return {**dict.fromkeys((*beside, *linked), SECRET), **{path: path.read_bytes()[:30] for path in known}}


def spellings(path: Path, app: App) -> list[str]:
    """The ways to name ``path`` in an address."""
    plain = str(path)
    up = f"{app.cache}/{'../' * len(app.cache.parts)}{plain[1:]}"
    found = [
        *(plain, up, up.removeprefix(f"{app.cache}/"), up.replace("/", "\\"), up.replace("..", "%2e%2e")),
        *(up.replace("..", "%252e%252e"), up.replace("/", "%5c"), quote(up.replace("..", "\u2025"))),
        *(quote(plain, ""), quote(quote(plain, ""), ""), plain.replace("/", "\\"), quote(plain.replace("/", "\uff0f"))),
        *(f"/{plain}", f"\\\\{plain}", f"\\{plain}", f"file://{plain}", f"file:{plain}", f"/proc/self/root{plain}"),
        *(f"{plain}{end}" for end in (".", "/", "%00", "%00.png", "%20", "?.png", "%23.png", "%0a")),
    ]
    if path.is_relative_to(ROOT):
        inside = str(path.relative_to(ROOT))
        found += [inside, f"./{inside}", f"../{ROOT.name}/{inside}", f"/proc/self/cwd/{inside}", f"~/../{plain}"]
    return found


def test_an_address_reads_no_file_but_the_visitors_own(app: App) -> None:
    own = app.upload("own.jpg", COFFEE)
    assert fetch(app, f"gradio_api/file={own}")[1] == COFFEE
    for path, mark in secrets(app).items():
        for name in spellings(path, app):
            for door in DOORS:
                response, body = fetch(app, door + name)
                assert response.status in REFUSED, (door + name, response.status)
                assert mark not in body, door + name


def test_no_address_lists_a_folder(app: App) -> None:
    own = Path(app.upload("own.jpg", COFFEE)).parent
    for folder in (own, app.cache, app.folder, ROOT, Path("/")):
        for end in ("", "/", "/.", "/*"):
            response, body = fetch(app, f"gradio_api/file={folder}{end}")
            assert response.status == 403
            assert b"own.jpg" not in body
    for door in ("static", "assets", "svelte"):
        assert fetch(app, f"{door}/")[0].status in REFUSED


def test_nobody_sees_who_came_and_what_was_run(app: App) -> None:
    for path in ("monitoring", "monitoring/summary", "monitoring/key"):
        assert fetch(app, path)[0].status == 403
    for path in ("runs", "run-history/records", "run-history/buckets"):
        assert fetch(app, f"gradio_api/{path}")[0].status == 404


def test_a_part_of_a_file_that_cannot_be_told_is_no_failure(app: App) -> None:
    own = app.upload("own.jpg", COFFEE)
    for part in ("=1-2-3", "=0-0,2-3", "=9-2", "=-", "=99999999-", "=a-b", "", "=0-99999999999"):
        assert fetch(app, f"gradio_api/file={own}", Range=f"bytes{part}")[0].status in (200, 206, 400, 416), part


@pytest.mark.parametrize("name", ["page.html", "page.svg", "page.xhtml", "page"])
def test_an_uploaded_page_does_not_run_as_one_of_the_apps(app: App, name: str) -> None:
    response, _ = fetch(app, f"gradio_api/file={app.upload(name, b'<script>alert(1)</script>')}")
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["X-Content-Type-Options"] == "nosniff"


# --- Uploads ----------------------------------------------------------------------------------------------------------


def part(disposition: bytes, contents: bytes = COFFEE) -> bytes:
    return b"--x\r\nContent-Disposition: form-data; " + disposition + b"\r\n\r\n" + contents + b"\r\n--x--\r\n"


def upload(app: App, body: bytes, query: str = "") -> httpx.Response:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    return app.client.post(f"gradio_api/upload{query}", content=body, headers=headers)


@pytest.mark.parametrize(
    "name",
    [
        b"../../x", b"..", b".", b"/", b"", b"/etc/passwd", b"..\\..\\x", b"C:\\x", b"a\x00b.jpg", b"\x00", b"CON.jpg",
        b"a" * 3000 + b".jpg", b"a." + b"b" * 3000, b"\xff\xfe.jpg", b"%2e%2e%2fx", b"~", b"-rf", b".htaccess",
        b"a/b/../../c", "\u202e\u2025/x.jpg".encode(), b"\xed\xa0\x80.jpg", b"link-secret.txt", b"a\\\"b.jpg",
        b"*?<>|", b" .. ",
    ],
)  # fmt: skip
def test_an_upload_cannot_leave_its_folder(app: App, name: bytes) -> None:
    before = app.written()
    response = upload(app, part(b'name="files"; filename="' + name + b'"'))
    assert response.status_code in (200, *REFUSED)
    for path in map(Path, response.json() if response.is_success else []):
        assert re.fullmatch("[0-9a-f]{64}", path.parent.name)
        assert path.parent.parent == app.cache
        assert path.resolve() == path
        assert path.read_bytes() == COFFEE
    assert app.written() == before


@pytest.mark.parametrize(
    ("body", "query"),
    [
        (b"", ""), (b"--x--\r\n", ""), (b"garbage", ""), (b"--x\r\n" + b"A" * 20_000, ""), (part(b'name="files"'), ""),
        (part(b'name="files"'), "?upload_id=a"), (part(b'filename="a.jpg"'), ""), (part(b'name="x"; filename="a"'), ""),
        (part(b'name="files"; filename="a"')[:99], ""), (part(b'name="files"; filename="a"') * 3, "?upload_id=%00"),
    ],
)  # fmt: skip
def test_an_upload_that_is_none_is_refused(app: App, body: bytes, query: str) -> None:
    assert upload(app, body, query).status_code in (200, *REFUSED)


def test_what_visitors_send_and_make_lies_where_it_is_deleted_within_an_hour(app: App) -> None:
    before = app.written()
    made = app.call("call/v2/degrade", {"photo": app.photo})
    assert isinstance(made, list)
    assert not app.use("degrade", {"photo": DATA_URL})
    assert app.cache in Path(made[0]["path"]).parents
    assert app.cache in Path(app.upload("a.jpg", COFFEE)).parents
    assert app.written() == before
    assert cleanup.AGE + 2 * cleanup.ROUND < 3600


# --- Photos that are somebody else's files ----------------------------------------------------------------------------

KNOWN = ("Traceback", "site-packages")
"""What may not be told even to who has named a folder of this machine."""


def disguises(path: str, app: App) -> list[Any]:
    """What a client may send in place of an upload, to have ``path`` opened."""
    bare = {"path": path, "meta": FILE}
    return [
        bare, {"path": path}, {**bare, "is_stream": True}, {**bare, "url": "http://127.0.0.1/"},
        {**bare, "path": None, "url": path}, path, [path], [bare],
        *({**bare, "path": each + path} for each in ("file://", "/gradio_api/file=", f"{app.url}/gradio_api/file=")),
    ]  # fmt: skip


def others_photos(app: App) -> list[str]:
    secret = app.folder / "secret.png"
    up = "../" * len(app.cache.parts)
    beside = [f"{app.cache}/{name}" for name in ("link-secret.png", "folder/secret.png", f"{up}{str(secret)[1:]}")]
    return [str(secret), *beside, "assets/examples/coffee.jpg", "~/a.png", "/dev/zero"]


@pytest.mark.parametrize("endpoint", ["degrade", "upscale"])
def test_an_endpoint_opens_no_photo_that_was_not_sent(app: App, endpoint: str) -> None:
    assert isinstance(app.call(f"call/v2/{endpoint}", {"photo": app.photo}), list)
    for path in others_photos(app):
        for photo in disguises(path, app):
            check_sentence(app.call(f"call/v2/{endpoint}", {"photo": photo}), KNOWN)


def send(app: App, function: Function, place: int, sent: Any) -> list[Any] | str:
    """What a function of the page answers where one of its inputs is ``sent``."""
    return app.join(function.id, [*function.usual[:place], sent, *function.usual[place + 1 :]])


def test_the_page_opens_no_file_that_was_not_sent(app: App) -> None:
    for function in app.functions.values():
        for place, kind in enumerate(function.kinds):
            for path in others_photos(app)[:2] if kind in ("image", "file", "uploadbutton") else ():
                for sent in disguises(path, app)[:3]:
                    check_sentence(send(app, function, place, [sent] if kind == "file" else sent), KNOWN)


def test_what_takes_no_file_opens_none(app: App) -> None:
    inputs = {kind: (each, place) for each in app.functions.values() for place, kind in enumerate(each.kinds)}
    assert {"api", "code", "radio", "slider", "html"} <= set(inputs)
    for function, place in inputs.values():
        for sent in disguises(str(app.folder / "secret.txt"), app)[:4]:
            if not isinstance(answer := send(app, function, place, sent), list):
                check_sentence(answer, KNOWN)


def test_a_tool_opens_no_file_of_this_machine(app: App) -> None:
    """Gradio hands the arguments to a client that runs here, to which every file is its own."""
    assert not app.use("degrade", {"photo": DATA_URL})
    for path in (*others_photos(app), str(app.folder / "secret.txt"), "/etc/passwd"):
        file = {"path": path, "meta": FILE}
        for photo in (path, f"file://{path}", f"{app.url}/gradio_api/file={path}", f"data:{path}", file, [file]):
            assert app.use("degrade", {"photo": photo})
        for recipe in (file, {"schema": file}, {"schema": 3, "models": file, "versions": {"torch": file}}):
            assert app.use("restore", {"photo": DATA_URL, "recipe": recipe})
            assert app.use("restore", {"photo": DATA_URL, "recipe": json.dumps(recipe)})
        assert app.use("degrade", {"photo": DATA_URL, "damage": file})


# --- Addresses that the app would ask ---------------------------------------------------------------------------------

HERE = (
    "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "0.0.0.0", "127.1", "127.0.1", "2130706433", "0x7f000001",
    "0177.0.0.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "hf.co@127.0.0.1", "a:b@localhost", "127.0.0.1%2f",
    "\uff11\uff12\uff17.0.0.1", "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",
)  # fmt: skip
"""Names of this machine, some of which only some programs take for one."""


def ask(app: App, address: str) -> None:
    """Send ``address`` as a photo by every way, which must be refused."""
    file = {"path": address, "meta": FILE}
    for photo in (file, {**file, "is_stream": True}, {**file, "path": None, "url": address}):
        check_sentence(app.call("call/v2/degrade", {"photo": photo}))
    check_sentence(app.call("call/v2/restore", {"photo": app.photo, "recipe": file}))
    check_sentence(send(app, app.functions["restore_1"], app.functions["restore_1"].kinds.index("image"), file))
    assert app.use("degrade", {"photo": address})


def test_no_address_of_this_machine_is_asked(app: App) -> None:
    with listening() as (port, asked):
        assert app.client.get(f"http://127.0.0.1:{port}/").is_success
        asked.clear()
        for host in HERE:
            ask(app, f"http://{host}:{port}/a.jpg")
        ask(app, f"https://127.0.0.1:{port}/a.jpg")
        assert not asked


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")
def test_no_address_of_this_machine_is_asked_over_ipv6(app: App) -> None:
    with listening("::1") as (port, asked):
        for host in ("[::1]", "[0:0:0:0:0:0:0:1]", "localhost"):
            ask(app, f"http://{host}:{port}/a.jpg")
        assert not asked


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd", "ftp://127.0.0.1/a", "gopher://127.0.0.1:80/_GET", "//127.0.0.1/a", "http:/127.0.0.1/a",
        "http://", "http://[", "http://a:b:c/", "http://127.0.0.1:99999/", "data:image/png;base64,AAAA",
        "\\\\host\\share", "http://169.254.169.254/latest/", "http://metadata.invalid/", "http://10.0.0.1:9/",
        "http://[fe80::1]/",
    ],
)  # fmt: skip
def test_what_is_no_public_address_is_refused(app: App, address: str) -> None:
    file = {"path": address, "meta": FILE}
    check_sentence(app.call("call/v2/degrade", {"photo": file}))
    assert app.use("degrade", {"photo": address})


def test_a_public_address_cannot_send_the_app_on_to_this_machine(
    restorer: Restorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which address is public is all that is changed here."""
    with gr.Blocks() as demo:
        endpoints(AppContext(restorer))
    (photo,) = [function.inputs[0] for function in demo.fns.values() if function.api_name == "degrade"]
    monkeypatch.setattr(safehttpx, "is_public_ip", lambda address: address == "127.0.0.2")
    with listening() as (inside, asked), listening("127.0.0.2", f"http://127.0.0.1:{inside}/b.jpg") as (outside, first):
        address = f"http://127.0.0.2:{outside}/a.jpg"
        fetched = photo.async_move_resource_to_block_cache(address)
        assert asyncio.run(fetched) == address  # which is then told to be none
        assert first == ["GET /a.jpg"]
        assert not asked


# --- Two visitors -----------------------------------------------------------------------------------------------------


def test_names_of_results_cannot_be_guessed(app: App) -> None:
    folders = set()
    for _ in range(2):
        results = app.call("call/v2/degrade", {"photo": app.photo, "seed": 3})
        assert isinstance(results, list)
        assert app.client.get(results[0]["url"]).is_success
        assert Path(results[0]["path"]).parent == Path(results[1]["path"]).parent
        folders.add(Path(results[0]["path"]).parent.name)
    assert len(folders) == 2
    assert {UUID(name).version for name in folders} == {4}  # nothing but chance


def test_the_name_of_an_upload_does_not_follow_from_its_contents(app: App) -> None:
    folder = Path(app.upload("a.jpg", COFFEE)).parent.name
    assert folder not in [hashlib.new(kind, COFFEE).hexdigest() for kind in ("sha256", "sha3_256", "blake2s")]


def test_another_visitor_gets_nothing_of_a_run_and_cannot_stop_it(app: App) -> None:
    sweep = {"photo": app.photo, "steps": 6}
    event = app.client.post("gradio_api/call/v2/sweep", json=sweep).json()["event_id"]
    assert UUID(event).version == 4
    for guess in (uuid4().hex, event[:-1], event.upper(), "*", "", "%", "null", "../" + event):
        for path in (f"queue/data?session_hash={guess}", f"call/sweep/{quote(guess, '')}"):
            _, body = fetch(app, f"gradio_api/{path}")
            assert b"complete" not in body
            assert b"strip.png" not in body
        cancel = {"session_hash": guess, "fn_index": app.functions["sweep"].id, "event_id": guess}
        assert app.client.post("gradio_api/cancel", json=cancel).is_success
        assert app.client.post("gradio_api/reset", json={"event_id": guess}).is_success
    results = app.answer_of("call/v2/sweep", event)
    assert isinstance(results, list)
    assert app.client.get(results[0]["url"]).is_success


def test_another_visitor_does_not_see_what_the_page_remembers(app: App) -> None:
    restore, write, own = app.functions["restore_1"], app.functions["write"], uuid4().hex
    assert isinstance(app.join(restore.id, restore.usual, session_hash=own), list)
    assert '"models"' in app.join(write.id, [None], session_hash=own)[0]
    for session in (uuid4().hex, own[:-1], own.upper()):
        assert app.join(write.id, [None], session_hash=session) == ["", ""]


# --- Errors -----------------------------------------------------------------------------------------------------------


def test_a_failure_that_nobody_foresaw_is_told_by_an_id_and_logged_under_it(app: App) -> None:
    """Results cannot be written: their folder is a file for a while."""
    example = app.functions["try_example"].id, ["rocket", "damaged"]
    aside = app.cache.with_name("aside")
    app.cache.rename(aside)
    try:
        app.cache.write_bytes(b"")
        told = app.join(*example)
    finally:
        app.cache.unlink()
        aside.rename(app.cache)
    check_sentence(told)
    found = UNFORESEEN.search(str(told))
    assert found, told
    _, _, logged = app.log.partition(f"error {found[1]}\nTraceback")
    assert "NotADirectoryError" in logged.split("\nerror ")[0]
    assert isinstance(app.join(*example), list)


def test_what_gradio_cannot_read_is_told_by_an_id_too(app: App) -> None:
    """Outside our own functions: a photo that is no file at all."""
    told = send(app, app.functions["arrive"], app.functions["arrive"].kinds.index("image"), "no photo")
    check_sentence(told)
    found = UNFORESEEN.search(str(told))
    assert found, told
    assert f"error {found[1]}\nTraceback" in app.log


def test_no_page_tells_where_the_app_lies(app: App) -> None:
    """But for the folder of the visitors' files, without which nobody could name his own."""
    for path in ("", "config", "gradio_api/info", "gradio_api/openapi.json", "openapi.json", "theme.css", "nothing"):
        told = app.client.get(path).text.replace(str(app.cache), "")
        for folder in (ROOT, app.folder, Path.home(), "site-packages"):
            assert str(folder) not in told, path
