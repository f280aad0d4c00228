"""The notebook: executed as its reader does, from top to bottom in a copy of the project, and as it is committed."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import nbformat
import numpy as np
import pytest
from gradio_client import Client, handle_file
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from PIL import Image

from notebooks.run import NOTEBOOK, executed
from restoration import Degradation, Photo, Restorer, image
from restoration.degradations import CONTROLS
from tests.conftest import EXAMPLES, ROOT

pytestmark = pytest.mark.slow

SIZES = {
    "photo": (272, 296),
    "damage": (272, 296),
    "restore": (800, 584),
    "enlarge": (1048, 552),
    "whole": (1048, 552),
    "samples": (800, 584),
    "robustness": (896, 896),
}
"""The pictures that it shows, by the cell's id."""
REPOSITORY = re.compile(r'^REPOSITORY = "(.*)"$', re.M)
"""The line that gets the project's address when it is published."""


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def code(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """The cells of code by their id."""
    return {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}


def pictures(notebook: NotebookNode) -> dict[str, Photo]:
    """What it shows, by the cell's id."""
    return {
        name: Photo(np.array(Image.open(io.BytesIO(base64.b64decode(output.data["image/jpeg"])))))
        for name, cell in code(notebook).items()
        for output in cell.outputs
        if "image/jpeg" in output.get("data", {})
    }


def panel(sheet: Photo, row: int, column: int) -> Photo:
    """The photo of 128x128 that a sheet shows at twice its size."""
    top, left = 8 + row * (256 + 32), 8 + column * (256 + 8)
    return Photo(sheet.pixels[top : top + 256 : 2, left : left + 256 : 2].copy())


def difference(photo: Photo, other: Photo) -> float:
    """The mean of the pixels' differences, in grey levels."""
    return float(np.abs(photo.pixels.astype(float) - other.pixels).mean())


def measures(notebook: NotebookNode) -> dict[str, list[float]]:
    """The table: by row, the numbers of its cells, each value followed by its change where there is one."""
    (output,) = code(notebook)["measure"].outputs
    rows = re.findall(r"<th>(\S.*?)</th>\s*((?:<td>.*?</td>\s*)+)", output.data["text/html"])
    return {name: [float(number) for number in re.findall(r"[-+]?\d+\.\d+", cells)] for name, cells in rows}


# --- Executed ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ran:
    """The notebook with its outputs, and what its app did while the kernel lived."""

    notebook: NotebookNode
    url: str
    answer: Photo
    """coffee.jpg, restored by the CNN."""
    alive: list[Path]
    """The app's private folders then."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a user has: the files that git knows, or is about to."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs git's list of the project's files")
    folder = tmp_path_factory.mktemp("copy") / "project"
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in set(listed.split("\0")):
        if (ROOT / name).is_file():  # git lists a file that was deleted until that is committed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """No share link, and nothing from the network: pip finds that all is there."""
    own = {"GRADIO_TEMP_DIR": str(tmp_path_factory.mktemp("gradio")), "PIP_NO_INDEX": "1"}
    return {name: value for name, value in os.environ.items() if name != "COLAB_RELEASE_TAG"} | own


@pytest.fixture(scope="module")
def ran(copy: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Ran:
    notebook = read(copy / "notebooks" / NOTEBOOK.name)
    with executed(notebook, copy / "notebooks", env=environment):
        shown = json.dumps(code(notebook)["app"].outputs)
        url = re.findall(r"http://127\.0\.0\.1:\d+", shown)[0]
        client = Client(url, verbose=False, download_files=tmp_path_factory.mktemp("answers"))
        path, _, _ = client.predict(handle_file(EXAMPLES / "coffee.jpg"), model="cnn", api_name="/restore")
        answer = image.load(path, reduce_to=None)
        alive = list(Path(environment["GRADIO_TEMP_DIR"]).glob("restoration-lab-*"))
    return Ran(notebook, url, answer, alive)


def test_it_says_where_it_runs(ran: Ran, restorer: Restorer) -> None:
    (output,) = code(ran.notebook)["device"].outputs
    assert re.fullmatch(r"The networks run on .+\.\n", output.text)


def test_its_pictures_are_there(ran: Ran) -> None:
    assert {name: (photo.width, photo.height) for name, photo in pictures(ran.notebook).items()} == SIZES


def test_its_three_models_restore(ran: Ran, photo: Photo, restorer: Restorer) -> None:
    shown = pictures(ran.notebook)
    degraded = Degradation(grayscale=True, gaussian=0.06, lines=2, jpeg=60).apply(photo, 1)
    models = {name: restorer.restore(degraded, name).photo for name in ("vae", "gan", "cnn")}
    assert difference(panel(shown["damage"], 0, 0), degraded) < 4  # JPEG's
    assert difference(panel(shown["restore"], 0, 0), photo) < 4
    for column, result in enumerate(models.values()):
        drawn = panel(shown["restore"], 1, column)
        assert difference(drawn, result) < 6  # JPEG's, the more the more colourful
        assert difference(drawn, degraded) > 12


def test_its_draws_differ(ran: Ran) -> None:
    shown = pictures(ran.notebook)["samples"]
    draws = [panel(shown, place // 3, place % 3) for place in range(5)]
    assert min(difference(draw, other) for draw in draws for other in draws if other is not draw) > 1
    where = panel(shown, 1, 2).pixels
    assert where.std() > 4
    assert np.ptp(where.astype(int), axis=2).max() < 4  # a map in grey


def test_each_model_improves_the_luminance(ran: Ran) -> None:
    table = measures(ran.notebook)
    assert list(table) == ["degraded input", "VAE", "GAN", "CNN"]
    degraded, *models = table.values()
    for luminance, gain, *_ in models:
        assert gain > 1
        assert luminance - degraded[0] == pytest.approx(gain, abs=0.011)


def test_it_says_which_engine_enlarged(ran: Ran) -> None:
    said = [output.text for output in code(ran.notebook)["enlarge"].outputs if output.get("name") == "stdout"]
    assert said == ["The engine fast enlarged it: Real-ESRGAN x4.\n"]  # the tests reach no network


def test_its_plot_has_a_line_for_each(ran: Ran) -> None:
    pixels = pictures(ran.notebook)["robustness"].pixels.reshape(-1, 3).astype(int)
    for colour in ((31, 119, 180), (255, 127, 14), (44, 160, 44)):  # matplotlib's first three
        assert (np.abs(pixels - colour).max(1) < 40).sum() > 1000


def test_its_app_answers_while_the_kernel_lives(ran: Ran, restorer: Restorer) -> None:
    asked = image.load(EXAMPLES / "coffee.jpg", reduce_to=None)
    assert difference(ran.answer, restorer.restore_whole(asked, "cnn").photo) < 1
    assert len(ran.alive) == 1
    with pytest.raises(httpx.ConnectError):
        httpx.get(ran.url)
    assert not ran.alive[0].exists()


def test_what_is_committed_is_what_it_shows(ran: Ran) -> None:
    """If not, `make notebook`."""
    committed = read(NOTEBOOK)
    shown, kept = pictures(ran.notebook), pictures(committed)
    assert kept.keys() == shown.keys()
    for name in kept.keys() - {"enlarge"}:  # whose engine depends on the network
        assert difference(kept[name], shown[name]) < 2, name
    now, then = measures(ran.notebook), measures(committed)
    assert then.keys() == now.keys()
    for name, numbers in now.items():
        assert then[name] == pytest.approx(numbers, abs=0.1)


# --- Setup ------------------------------------------------------------------------------------------------------------


def test_alone_it_clones_the_project(copy: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """In a kernel like Colab's, which has begun to import an older Pillow than the one that pip installs."""
    git = ["git", "-c", "user.name=Nobody", "-c", "user.email=nobody@example.com"]
    for step in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "A copy"]):
        subprocess.run([*git, *step], cwd=copy, check=True)
    notebook = read(NOTEBOOK)
    setup, device = code(notebook)["setup"], code(notebook)["device"]
    setup.source = REPOSITORY.sub(f'REPOSITORY = "{copy.as_uri()}"', setup.source)
    colab = new_code_cell('import PIL\n\nPIL.__version__ = "11.3.0"')
    check = new_code_cell("import restoration\nfrom restoration import image\n\nprint(restoration.__file__)")
    restarted = new_code_cell('os.chdir("..")')
    notebook.cells = [colab, setup, device, restarted, setup, setup, check]  # the clone that is there is found again
    with executed(notebook, tmp_path, env=environment):
        pass
    assert "The networks run on" in device.outputs[0].text
    assert check.outputs[-1].text.strip() == str(tmp_path / "restoration-lab" / "restoration" / "__init__.py")
    assert [path.name for path in tmp_path.iterdir()] == ["restoration-lab"]


def test_alone_and_without_an_address_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = REPOSITORY.sub('REPOSITORY = ""', code(read(NOTEBOOK))["setup"].source)
    with pytest.raises(SystemExit, match="write the project's address into REPOSITORY"):
        exec(source, {})


def test_without_pytorch_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(NOTEBOOK.parent)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"pip install -r requirements\.txt"):
        exec(code(read(NOTEBOOK))["setup"].source, {})


def test_colab_gets_all_but_what_it_has() -> None:
    def lines(name: str) -> list[str]:
        text = re.sub(r" *#.*| *;.*", "", (ROOT / name).read_text(encoding="utf-8"))
        return [line for line in text.splitlines() if line]

    not_there = re.compile(r"(torch|torchvision|basicsr|realesrgan)\b")
    assert lines("requirements-colab.txt") == [line for line in lines("requirements.txt") if not not_there.match(line)]


# --- As committed -----------------------------------------------------------------------------------------------------


def test_it_is_committed_with_its_outputs_and_nothing_of_a_machine() -> None:
    notebook = read(NOTEBOOK)
    nbformat.validate(notebook)
    assert NOTEBOOK.stat().st_size < 700_000
    cells = code(notebook)
    assert [cell.execution_count for cell in cells.values()] == list(range(1, len(cells) + 1))
    assert [name for name, cell in cells.items() if not cell.outputs] == ["setup", "app"]
    assert not any(cell.metadata for cell in notebook.cells)
    assert notebook.metadata.keys() == {"accelerator", "colab", "kernelspec", "language_info"}
    assert notebook.metadata.language_info == {"name": "python"}
    outputs = [output for cell in cells.values() for output in cell.outputs]
    assert {output.output_type for output in outputs} == {"stream", "execute_result"}
    text = json.dumps([{**output, "data": {**output.get("data", {}), "image/jpeg": ""}} for output in outputs])
    text += "".join(cell.source for cell in notebook.cells)
    assert not re.search(r"/(home|root|tmp|work|Users|usr|opt|content)/|[A-Z]:\\|127\.0\.0\.1|localhost|stderr", text)


def test_it_names_one_address_at_most() -> None:
    """That of the project, once it is published."""
    sources = "\n".join(cell.source for cell in read(NOTEBOOK).cells)
    (address,) = REPOSITORY.findall(sources)
    assert re.findall(r'\w+://[^"\s]+', sources) == [address] * bool(address)


def test_its_forms_offer_what_there_is() -> None:
    sources = "\n".join(cell.source for cell in code(read(NOTEBOOK)).values())
    fields = dict(re.findall(r"^([A-Z]+) = .*# @param (.+)$", sources, re.M))
    assert fields.keys() == {"EXAMPLE", "UPLOAD", "GAUSSIAN", "LINES", "BLUR", "JPEG", "SEED", "MODEL"}
    for name in json.loads(fields["EXAMPLE"]):
        assert (EXAMPLES / f"{name}.jpg").is_file()
    for name in ("GAUSSIAN", "LINES", "BLUR", "JPEG"):
        control = CONTROLS[name.lower()]
        slider = {"type": "slider", "min": control.low, "max": control.high, "step": control.step}
        assert json.loads(fields[name]) == slider
