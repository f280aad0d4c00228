"""Weights, recipes, reports and archives as a stranger would make them: what they say is a sentence, and never more.

Weights are tried in processes of their own, so that a crash, a hang and a vast allocation are seen.
"""

from __future__ import annotations

import base64
import faulthandler
import hashlib
import io
import json
import logging
import os
import pickle
import random
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from restoration import (
    ControlError,
    Photo,
    PhotoError,
    Recipe,
    RestorationError,
    Restorer,
    Upscaling,
    WeightsError,
    archive,
    image,
    pipeline,
    upscale,
    weights,
)
from restoration.__main__ import app
from restoration.recipe import SCHEMA
from tests import original
from tests.conftest import EXAMPLES, ROOT
from tests.corpus.damage import cuts, flips
from tests.corpus.headers import HEADERS, header_of, safetensors_file
from tests.corpus.pickles import CODE, MISUSE, in_sequence, in_zip, number, repacked, state_dict, storage, tensor, text

pytestmark = pytest.mark.hostile

VAE = "vae.safetensors"
FAST = upscale.ENGINES["fast"].weights
GENERAL = upscale.ENGINES["general"].weights
MEGABYTES = 200
"""What a file of a few may take."""
CPU_SECONDS = 15


# --- A process that tries weights -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """``how`` is ran, refused (by `WeightsError`), raised (anything else) or died. ``acts`` are warnings, and what no
    weights file may do: start a process, connect, write, or have a file opened whose path says outside.
    """

    how: str
    says: str
    acts: list[str]
    megabytes: int = 0


Trial = Callable[[Path], Outcome]
_acts: list[str] = []


def serve() -> None:
    """Answer each path on standard input with a line of JSON. Every file is tried in a fork, within limits."""
    faulthandler.enable()
    torch.set_num_threads(1)  # others would not outlive the fork
    for name in (VAE, FAST):
        _use(weights.FOLDER / name)  # what is imported at first use is not the files' doing
    warnings.simplefilter("always")
    logging.captureWarnings(True)
    logging.getLogger().addHandler(_Listener())
    sys.addaudithook(_watch)
    for line in sys.stdin:
        if not (child := os.fork()):
            _try_out(Path(line[:-1]))
        _, status = os.waitpid(child, 0)
        if status:
            print(json.dumps({"how": "died", "says": signal.Signals(os.WTERMSIG(status)).name, "acts": []}), flush=True)


class _Listener(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _acts.append(record.getMessage())


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    doings = ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect", "pickle.find_class")
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if event in doings or writes or (event == "open" and "outside" in str(arguments[0])):
        _acts.append(f"{event}: {arguments}")


def _try_out(path: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_taken(0) + 2**31,) * 2)  # to spare this machine
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    _acts.clear()
    before = _taken(1)
    try:
        _use(path)
        how, says = "ran", ""
    except WeightsError as error:
        how, says = "refused", str(error)
    except BaseException as error:
        how, says = "raised", repr(error)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"how": how, "says": says, "acts": _acts, "megabytes": (peak - before) >> 20}), flush=True)
    os._exit(0)


def _taken(which: int) -> int:
    """Bytes of this process: addresses (0), or memory (1)."""
    return int(Path("/proc/self/statm").read_text().split()[which]) * resource.getpagesize()


def _use(path: Path) -> None:
    """Do with the user's own file what it is for."""
    restorer, photo = Restorer("cpu", [path]), image.load(EXAMPLES / "astronaut.jpg")
    if weights.own([path]):
        restorer.restore(photo, restorer.model)
    else:
        restorer.upscale(Photo(photo.pixels[:16, :16]), engine="fast")


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    code = "from tests.test_hostile_weights import serve; serve()"
    server = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin
    assert server.stdout

    def ask(path: Path) -> Outcome:
        assert server.stdin
        assert server.stdout
        server.stdin.write(f"{path}\n")
        server.stdin.flush()
        return Outcome(**json.loads(server.stdout.readline()))

    yield ask
    server.stdin.close()
    assert server.wait(20) == 0


def refused(outcome: Outcome, path: Path) -> str:
    """What the refusal says: one sentence that names the file, and not that memory was short."""
    assert (outcome.how, outcome.acts, outcome.megabytes < MEGABYTES) == ("refused", [], True), outcome
    assert path.name in outcome.says
    assert outcome.says.isprintable()
    assert outcome.says.endswith(".")
    assert len(outcome.says) < 1500
    assert "memory" not in outcome.says
    return outcome.says


# --- Damage -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file of each kind."""
    folder = tmp_path_factory.mktemp("sound")
    found = {"fast": weights.FOLDER / FAST, "ours": Path(shutil.copy(weights.FOLDER / VAE, folder / "own.safetensors"))}
    found["original"] = original.save(folder, "gan")["gan"]
    found["before 1.6"], found["Real-ESRGAN"] = folder / "gan_old.pth", folder / "mine.pth"
    torch.save({"gen_state_dict": original.state("gan")}, found["before 1.6"], _use_new_zipfile_serialization=False)
    torch.save({"params": {"body.0.weight": torch.ones(64, 3, 3, 3)}}, found["Real-ESRGAN"])
    return found


@pytest.mark.parametrize("kind", ["ours", "fast", "original", "before 1.6", "Real-ESRGAN"])
def test_damage_is_refused_or_in_the_numbers_only(
    trial: Trial, sound: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    """The user's own file, which no SHA-256 guards."""
    own, contents = tmp_path / sound[kind].name, sound[kind].read_bytes()
    own.write_bytes(contents)
    assert (trial(own).how == "ran") == (kind != "Real-ESRGAN")  # which is for nothing here under this name
    for cut in cuts(contents):
        own.write_bytes(cut)
        refused(trial(own), own)
    for flipped in flips(contents, 16):
        own.write_bytes(flipped)
        outcome = trial(own)
        if outcome.how != "ran" or outcome.acts or kind == "Real-ESRGAN":
            refused(outcome, own)


@pytest.mark.parametrize("name", [VAE, FAST, GENERAL])
def test_a_released_file_is_whole_or_refused(
    sound: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    source = sound["Real-ESRGAN"] if name == GENERAL else weights.FOLDER / name
    contents = source.read_bytes()
    entry = replace(weights.manifest()[name], sha256=hashlib.sha256(contents).hexdigest())
    monkeypatch.setattr(weights, "manifest", lambda: {name: entry})
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    released = tmp_path / name
    released.write_bytes(contents)
    assert weights.load(name).path == released
    for damaged in [*cuts(contents), *flips(contents, 20)]:
        released.write_bytes(damaged)
        mend = "replace it by a copy of https://" if entry.url else "restore it with `git checkout weights`"
        with pytest.raises(WeightsError, match=rf"is damaged \(its SHA-256 is not the manifest's\); {mend}"):
            weights.load(name)


# --- Safetensors that claim -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", HEADERS)
def test_a_header_is_not_believed(trial: Trial, tmp_path: Path, claim: str) -> None:
    own = tmp_path / "own.safetensors"
    own.write_bytes(HEADERS[claim])
    refused(trial(own), own)


@pytest.mark.parametrize(
    ("name", "config"),
    [
        (VAE, "[" * 200_000),
        (VAE, '{"widths": [32, 64, 128, 20000], "latent": 32}'),
        (VAE, '{"widths": [1000, 1000, 1000, 1000], "latent": 1000}'),
        (VAE, '{"widths": [32, 64, 128, 192], "latent": 10000000}'),
        (VAE, '{"widths": [0, 0, 0, 0], "latent": 0}'),
        (VAE, '{"widths": "32", "latent": 32}'),
        (VAE, '{"widths": {"a": 1}, "latent": 1e400}'),
        (VAE, "[1]"),
        (VAE, "NaN"),
        (VAE, json.dumps({"widths": [1] * 100_000, "latent": 1})),
        ("gan.safetensors", '{"widths": [32, 64, 128, 160], "blocks": 4096}'),
        ("gan.safetensors", '{"widths": [32, 64, 128, 160], "blocks": 1000000000}'),
        (FAST, '["num_block"]'),
        (FAST, '{"num_in_ch": 3, "num_out_ch": 3, "num_block": 1000000000}'),
        (FAST, '{"num_in_ch": 3, "num_out_ch": 3, "num_feat": 64, "num_conv": 16, "upscale": 4, "act_type": "none"}'),
    ],
)
def test_a_config_is_not_believed(trial: Trial, tmp_path: Path, name: str, config: str) -> None:
    """It may ask for no more than the file holds."""
    own = with_config(tmp_path / "own.safetensors", name, config)
    refused(trial(own), own)


def with_config(path: Path, name: str, config: str) -> Path:
    """A released file whose header says another config."""
    header, body = header_of(weights.FOLDER / name)
    header["__metadata__"] = {"model": weights.manifest()[name].model, "config": config}
    path.write_bytes(safetensors_file(header, body))
    return path


def test_an_engine_that_enlarges_less_than_it_says(trial: Trial, tmp_path: Path) -> None:
    """A sound network of another factor under the name of one that enlarges four times."""
    entry, tensors = weights.manifest()[FAST], dict(weights.load(FAST).tensors)
    tensors = {key: tensor[:12].clone() if len(tensor) == 48 else tensor for key, tensor in tensors.items()}
    metadata = {"model": entry.model, "config": json.dumps({**entry.config, "upscale": 2})}
    own = tmp_path / "own.safetensors"
    safetensors.torch.save_file(tensors, own, metadata)
    refused(trial(own), own)


@pytest.mark.parametrize("dtype", ["F4", "F8_E4M3", "F8_E5M2FNUZ", "F8_E8M0", "C64"])
def test_numbers_of_strange_kinds(trial: Trial, tmp_path: Path, dtype: str) -> None:
    """In as many bytes as the network's own."""
    header, body = header_of(weights.FOLDER / VAE)
    key = next(key for key in header if key != "__metadata__")
    start, end = header[key]["data_offsets"]
    bits = {"F4": 4, "C64": 64}.get(dtype, 8)
    header[key] |= {"dtype": dtype, "shape": [(end - start) * 8 // bits]}
    own = tmp_path / "own.safetensors"
    own.write_bytes(safetensors_file(header, body))
    refused(trial(own), own)


@pytest.mark.parametrize("key", ["detail.encoders.1.0.weight", "detail.encoders.3.1.running_mean"])
@pytest.mark.parametrize("dtype", [torch.complex64, torch.int64, torch.bool, torch.uint8])
def test_numbers_of_another_kind(trial: Trial, tmp_path: Path, dtype: torch.dtype, key: str) -> None:
    """As many as the network has: torch would take them, and leave half of each out."""
    tensors, own = dict(weights.load(VAE).tensors), tmp_path / "own.safetensors"
    safetensors.torch.save_file({**tensors, key: tensors[key].to(dtype)}, own, {"model": "vae", "config": "null"})
    refused(trial(own), own)


def test_numbers_too_large_to_reckon_with_make_no_picture(tmp_path: Path, photo: Photo) -> None:
    """Finite, and one flipped bit away: clamped and rounded, what comes of them would be black."""
    tensors = {key: tensor.clone() for key, tensor in weights.load(VAE).tensors.items()}
    tensors["detail.decoders.0.0.weight"].view(-1)[0] = 1e38
    own = tmp_path / "own.safetensors"
    safetensors.torch.save_file(tensors, own, {"model": "vae", "config": "null"})
    for use in (Restorer.restore, Restorer.samples):
        with pytest.raises(RestorationError):
            use(Restorer("cpu", [own]), photo)


# --- Pickles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("old", [False, True], ids=["zip", "before 1.6"])
@pytest.mark.parametrize("code", CODE)
def test_code_is_refused_unexecuted(trial: Trial, tmp_path: Path, code: str, old: bool) -> None:
    own = tmp_path / "gan_best.pth"
    own.write_bytes((in_sequence if old else in_zip)(CODE[code]))
    assert "never code" in refused(trial(own), own)
    assert not (ROOT / "executed").exists()


@pytest.mark.parametrize("misuse", MISUSE)
def test_allowed_names_cannot_be_misused(trial: Trial, tmp_path: Path, misuse: str) -> None:
    own = tmp_path / "gan_best.pth"
    own.write_bytes(in_zip(MISUSE[misuse]))
    says = refused(trial(own), own)
    assert misuse != "too few tensors" or "another network" in says


@pytest.mark.parametrize("key", [b"N", number(5), text("more")])
def test_no_keys_but_the_networks_are_converted(tmp_path: Path, key: bytes) -> None:
    own = tmp_path / "gan_best.pth"
    own.write_bytes(in_zip(state_dict(tensor(), more=key + tensor() + b"s")))
    result = CliRunner().invoke(app, ["convert", str(own), "-o", str(tmp_path / "out.safetensors")])
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1), result.exception
    assert not (tmp_path / "out.safetensors").exists()


# --- Checkpoints that are archives ------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2**27, 1], ids=["as it says", "more than it says"])
def test_a_bomb_is_not_unpacked(trial: Trial, tmp_path: Path, count: int) -> None:
    """A storage of half a gigabyte in half a megabyte."""
    own = tmp_path / "gan_best.pth"
    pickled = in_zip(state_dict(tensor(1, held=storage(count))))
    own.write_bytes(repacked(pickled, {"archive/data/0": bytes(2**29)}, zipfile.ZIP_DEFLATED))
    assert own.stat().st_size < 2**20
    refused(trial(own), own)


def test_archives_in_checkpoints(trial: Trial, sound: dict[str, Path], tmp_path: Path) -> None:
    own, contents = tmp_path / "gan_best.pth", sound["original"].read_bytes()
    root = zipfile.ZipFile(sound["original"]).namelist()[0].partition("/")[0]
    nested = io.BytesIO()
    with zipfile.ZipFile(nested, "w") as opened:
        opened.writestr("gan_best.pth", contents)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as old:
        for name in ("storages", "tensors", "pickle", "../outside"):
            info = tarfile.TarInfo(name)
            info.size = 4
            old.addfile(info, io.BytesIO(pickle.dumps(0)[:4]))
    escaping = in_zip(state_dict(tensor())).replace(b"archive/", b"../../../")
    script = repacked(contents, {f"{root}/constants.pkl": b"\x80\x02)."})
    for hostile in (
        nested.getvalue(),
        tar.getvalue(),
        escaping,
        script,
        repacked(contents, {f"{root}/data.pkl": contents}),
    ):
        own.write_bytes(hostile)
        refused(trial(own), own)
    assert [path.name for path in tmp_path.iterdir()] == ["gan_best.pth"]


# --- The manifest -----------------------------------------------------------------------------------------------------


@pytest.fixture
def change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Changes what the manifest of a copy of weights/, without the VAE's, says of the VAE."""
    folder = tmp_path / "weights"
    shutil.copytree(weights.FOLDER, folder)
    shutil.move(folder / VAE, tmp_path / "outside.safetensors")
    contents = json.loads((folder / "manifest.json").read_text())
    monkeypatch.setattr(weights, "FOLDER", folder)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_ASSETS_CACHE", str(tmp_path / "cache"))

    def write(name: str, **entry: Any) -> None:
        files = {name: {**contents["files"][VAE], **entry}}
        (folder / "manifest.json").write_text(json.dumps({"hub": {}, "files": files}))
        weights._manifest.cache_clear()

    yield write
    weights._manifest.cache_clear()


@pytest.mark.parametrize(
    "name",
    ["../outside.safetensors", "{outside}", "..", "", "a/../../outside.safetensors", "..\\outside.safetensors", "a\0b"],
)
@pytest.mark.parametrize("place", ["name", "also"])
def test_names_in_the_manifest_stay_in_its_folder(
    change: Callable[..., None], tmp_path: Path, name: str, place: str
) -> None:
    name = name.format(outside=tmp_path / "outside.safetensors")
    sha256 = hashlib.sha256((tmp_path / "outside.safetensors").read_bytes()).hexdigest()
    if place == "name":
        change(name)
    else:
        change(VAE, also={name: sha256})
    with pytest.raises(WeightsError, match="is no name of a file"):
        weights.load(name if place == "name" else VAE)


@pytest.mark.parametrize(
    "entry",
    [
        {"url": "file://{outside}"},
        {"url": "{outside}"},
        {"url": "http://[::1"},
        {"url": "http://127.0.0.1:9/\n"},
        {"url": 5},
        {"sha256": "../../outside", "url": "http://127.0.0.1:9/"},
        {"sha256": None},
        {"also": ["a"]},
        {"also": {"a": 1}},
    ],
)
def test_a_manifest_of_nonsense_is_refused(change: Callable[..., None], tmp_path: Path, entry: dict[str, Any]) -> None:
    outside = tmp_path / "outside.safetensors"
    values = {key: value.format(outside=outside) if isinstance(value, str) else value for key, value in entry.items()}
    change(VAE, **values)
    with pytest.raises(WeightsError, match="restore it with `git checkout weights`"):
        weights.load(VAE)
    assert not list((tmp_path / "cache").rglob("*.safetensors"))


def test_a_nested_manifest_is_refused(change: Callable[..., None]) -> None:
    change(VAE)
    (weights.FOLDER / "manifest.json").write_text('{"files":' + "[" * 200_000)
    weights._manifest.cache_clear()
    with pytest.raises(WeightsError, match="restore it with `git checkout weights`"):
        weights.manifest()


# --- Recipes ----------------------------------------------------------------------------------------------------------

WHOLE: dict[str, Any] = Recipe(
    degradation=None, seed=3, models={"cnn": "0" * 64}, upscaling=Upscaling(scale=4, engine="fast", weights={"a": "b"})
).to_json() | {"degradation": {"gaussian": 0.1, "blur": 3, "grayscale": True}}
NASTY: list[Any] = [
    *(None, True, -1, 0, 10**400, float("nan"), float("inf"), 1e-320, "", "\0", "\ud800", "\x1b[2J\n", "../../etc/x"),
    *("x" * 10**5, [], [[[]]], {}, {"": None}, {"\ud800\n": 3}, {"x" * 10**5: 1}, ["vae"] * 1000),
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(NASTY),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=9) | st.sampled_from([*WHOLE, *WHOLE["upscaling"]]), inner, max_size=4)
    ),
    max_leaves=8,
)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A recipe in which one to three values, names or whole parts are others."""
    recipe = json.loads(json.dumps(WHOLE))
    for _ in range(draw(st.integers(1, 3))):
        parts = [recipe, *(part for part in recipe.values() if isinstance(part, dict))]
        part = draw(st.sampled_from(parts))
        key = draw(st.sampled_from([*part, "new", "\0", "vae"]))
        part[key] = draw(values)
    return recipe


def recipe_or_refusal(make: Callable[[], Recipe]) -> Recipe | None:
    """A recipe, or None where it is refused in one sentence that can be printed anywhere."""
    try:
        return make()
    except ControlError as error:
        says = str(error)
    assert (says.isprintable(), len(says) < 1000) == (True, True), says[:1000]
    return None


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(values | mutated())
def test_anything_is_a_recipe_or_refused(restorer: Restorer, written: Any) -> None:
    """And what is one resolves, or says why it does not."""
    if recipe := recipe_or_refusal(lambda: Recipe.from_json(written)):
        again = Recipe.from_text(json.dumps(recipe.to_json()))
        assert json.dumps(again.to_json()) == json.dumps(recipe.to_json())
        try:
            says = str(recipe.mismatch(pipeline.resolve(restorer, recipe)))
        except RestorationError as error:
            says = str(error)
        assert (says.isprintable(), len(says) < 1000) == (True, True), says[:1000]


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=50) | st.binary(max_size=50).map(lambda raw: raw.decode("latin1")), st.integers(0, 10**6))
def test_any_text_is_a_recipe_or_refused(text: str, at: int) -> None:
    link, whole = Recipe(models={"vae": None}).to_link(), json.dumps(WHOLE)
    for damaged in (text, link[: at % len(link)] + text, link[: at % len(link)] + text + link[at % len(link) :]):
        recipe_or_refusal(lambda each=damaged: Recipe.from_link(each))  # type: ignore[misc]
    for damaged in (text, whole[: at % len(whole)] + text + whole[at % len(whole) :]):
        recipe_or_refusal(lambda each=damaged: Recipe.from_text(each))  # type: ignore[misc]


@pytest.mark.parametrize(
    "text",
    ["[" * 60_000, '{"schema": ' * 9000, '{"schema": 3, "seed": ' + "9" * 5000 + "}", "NaN", "\ufeff{}", "\ud800"],
    ids=["lists", "objects", "digits", "no number", "byte order mark", "surrogate"],
)
def test_texts_that_trip_parsers(tmp_path: Path, text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    (tmp_path / "recipe.json").write_bytes(raw)
    link = base64.urlsafe_b64encode(zlib.compress(raw)).decode()
    assert recipe_or_refusal(lambda: Recipe.from_text(text)) is None
    assert recipe_or_refusal(lambda: Recipe.from_link(link)) is None
    assert recipe_or_refusal(lambda: Recipe.read(tmp_path / "recipe.json")) is None


@pytest.mark.parametrize("schema", [SCHEMA + 1, 999, "4", None])
def test_a_recipe_of_the_future_says_what_is_read(tmp_path: Path, schema: Any) -> None:
    recipe = {**WHOLE, "schema": schema, "a field of then": [1]}
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    for make in (lambda: Recipe.from_json(recipe), lambda: Recipe.read(tmp_path / "recipe.json")):
        with pytest.raises(
            ControlError, match=rf"has schema {schema!r}, but this program reads {SCHEMA}; make it anew"
        ):
            make()


def replay(recipe: dict[str, Any], folder: Path) -> tuple[int, str]:
    """The exit status and what stands on the standard error."""
    (folder / "recipe.json").write_text(json.dumps({**WHOLE, "degradation": None, "upscaling": None, **recipe}))
    command = ["replay", folder / "recipe.json", EXAMPLES / "coffee.jpg", "-o", folder / "out" / "sub"]
    result = CliRunner().invoke(app, [str(part) for part in command])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stderr


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ({"models": {"../../etc/passwd": None}}, "no model called '../../etc/passwd'"),
        ({"models": {"../../recipe": None, "vae": None}}, "no model called '../../recipe'"),
        ({"models": {"a\0b": None, "vae": None}}, "no model called"),
        ({"models": {"\ud800": None, "vae": None}}, "no model called"),
        ({"models": {"n" * 5000: None, "vae": None}}, "no model called"),
        ({"models": {f"m{number}": None for number in range(20_000)}}, "no model called 'm0'"),
        ({"upscaling": {"scale": 10**4000, "engine": "fast"}}, "scale must be 2 or 4"),
        ({"upscaling": {"scale": 4, "engine": "../fast", "tile": 16}}, "no engine called"),
        ({"upscaling": {"scale": 4, "engine": "fast", "tile": 10**30}}, "A tile must be"),
        ({"upscaling": {"scale": 4, "engine": "general", "denoise": float("nan")}}, "from 0 to 1, not nan"),
        ({"fit": None}, "no fit called None"),
        ({"size": "../own"}, "size is own or 128"),
        ({"size": 10**4000}, "size is own or 128"),
        ({"look": {"colour": "../keep"}}, "no colour called"),
        ({"look": {"tone": float("nan")}}, "from 0 to 1, not nan"),
        ({"look": {"sample": 10**30}}, "sample must be"),
    ],
)
def test_a_hostile_recipe_is_wrong_usage(tmp_path: Path, recipe: dict[str, Any], says: str) -> None:
    status, error = replay(recipe, tmp_path)
    assert (status, error.count("\n"), says in error, len(error) < 1000) == (2, 1, True, True), error[:300]
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.json"]


@pytest.mark.parametrize(
    "recipe",
    [
        {"versions": {f"library{number}": "1" for number in range(100_000)}},
        {"versions": {"torch\n\x1b[2J": "\x1b[2J"}},
        {"models": {"cnn": "\x1b[2J\n"}},
        {
            "upscaling": {
                "scale": 4,
                "engine": "bicubic",
                "tile": 16,
                "weights": {"../../etc/passwd": "0", "/dev/zero": ""},
            }
        },
        {"seed": 10**4000, "degradation": {"gaussian": 0.1, "blur": 3.0, "lines": 2.0, "jpeg": 50.0}},
    ],
)
def test_a_strange_recipe_runs_and_its_note_is_a_sentence(tmp_path: Path, recipe: dict[str, Any]) -> None:
    status, note = replay(recipe, tmp_path)
    assert status == 0
    assert note.rstrip("\n").isprintable()
    assert len(note) < 1000
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["sub"]


# --- Reports ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Two photos, and a folder for results that has a stranger's report in it."""
    for folder in ("in", "out"):
        (tmp_path / folder).mkdir()
    for name in ("coffee", "rocket"):
        shutil.copy(EXAMPLES / f"{name}.jpg", tmp_path / "in")
    return tmp_path / "in", tmp_path / "out"


def degrade(source: Path, out: Path, *results: str) -> list[str]:
    """Run with a report that claims such ``results`` of an earlier run; the files that lie there afterwards."""
    if results:
        entry = {"input": "x.jpg", "input_sha256": "0", "outputs": dict(enumerate(results)), "recipe": {}}
        (out / "report.jsonl").write_text(json.dumps(entry) + "\n")
    result = CliRunner().invoke(app, ["degrade", str(source), "-o", str(out)])
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert (result.exit_code, result.stderr) == (0, "")
    return sorted(path.name for path in out.iterdir())


MADE = ["coffee.png", "coffee_truth.png", "report.jsonl", "rocket.png", "rocket_truth.png"]


def test_a_report_decides_on_nothing_outside_its_folder(places: tuple[Path, Path]) -> None:
    """Neither hides photos by calling them results, nor has anything there overwritten."""
    source, out = places
    before = {path: path.read_bytes() for path in source.iterdir()}
    claims = ["../in/coffee.jpg", str(source / "rocket.jpg"), "../in/../in/rocket.jpg", "/etc/passwd", "..", "/"]
    assert degrade(source, out, *claims) == MADE
    assert {path: path.read_bytes() for path in source.iterdir()} == before


@pytest.mark.parametrize("claim", ["a\0b", "\ud800", "a/" * 5000, "", "\n", "~", "C:\\a.png"])
def test_a_report_of_strange_names(places: tuple[Path, Path], claim: str) -> None:
    source, out = places
    entry = {"input": claim, "input_sha256": "0", "outputs": {"degraded": claim}, "recipe": {}}
    (out / "report.jsonl").write_text(json.dumps(entry) + "\n")
    result = CliRunner().invoke(app, ["degrade", str(source), "-o", str(out)])
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert (result.exit_code, sorted(path.name for path in out.iterdir())) in ((0, MADE), (2, ["report.jsonl"]))


def test_links_in_the_results_folder_lead_nowhere(places: tuple[Path, Path], tmp_path: Path) -> None:
    """Where a result goes, or the file that it is before it has its name, a stranger may have laid a link."""
    source, out = places
    mine = tmp_path / "mine.png"
    mine.write_bytes(b"mine")
    for name in MADE:
        (out / f".{hashlib.sha256(name.encode()).hexdigest()[:16]}.part").symlink_to(mine)
    assert [name for name in degrade(source, out) if not name.startswith(".")] == MADE
    for name in ("coffee.png", "rocket_truth.png"):
        (out / name).unlink()
        (out / name).symlink_to(mine)
    degrade(source, out)
    assert mine.read_bytes() == b"mine"


# --- Archives ---------------------------------------------------------------------------------------------------------


def test_a_damaged_archive_gives_right_bytes_or_none(tmp_path: Path) -> None:
    """300 cuts and flips, half of the flips where the archive's structure is."""
    contents = {(EXAMPLES / f"{name}.jpg").read_bytes() for name in ("coffee", "rocket", "china")}
    path, place = tmp_path / "photos.zip", tmp_path / "place"
    place.mkdir()
    with zipfile.ZipFile(path, "w") as opened:
        for index, each in enumerate(contents):
            opened.writestr(f"{index}.jpg", each, (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)[index % 2])
    whole, came, refusals = path.read_bytes(), 0, 0
    structure = [at for mark in (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06") for at in _places(whole, mark)]
    draw = random.Random(0)
    for case in range(300):
        at = draw.randrange(len(whole)) if case % 2 else draw.choice(structure) + draw.randrange(22)
        flipped = whole[:at] + bytes([whole[at] ^ 1 << draw.randrange(8)]) + whole[at + 1 :]
        path.write_bytes(flipped[: draw.randrange(len(whole))] if case % 10 == 9 else flipped)
        try:
            for member in archive.members(path):
                try:
                    with archive.extracted(member, place) as file:
                        assert file.stat().st_size <= archive.MAX_MEMBER_BYTES
                        assert file.read_bytes() in contents
                        came += 1
                except PhotoError:
                    refusals += 1
        except PhotoError:
            refusals += 1
        assert list(place.iterdir()) == []
    assert came > 300
    assert refusals > 100


def _places(contents: bytes, mark: bytes) -> Iterator[int]:
    at = -1
    while (at := contents.find(mark, at + 1)) >= 0:
        yield at
