"""Imports run one way, and the light commands do not wait for torch."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.conftest import ROOT

LAYERS = [
    {"restoration.files"},
    {"restoration.errors"},
    {"restoration.types", "restoration.report"},
    {"restoration.metadata", "restoration.machine", "restoration.blind_test", "restoration.colour"},
    {"restoration.image", "restoration.degradations", "restoration.network", "restoration.contact_sheet"},
    {"restoration.device", "restoration.metrics", "restoration.tiling", "restoration.weights"},
    {"restoration.models", "restoration.scratches", "restoration.upscale", "restoration.whole_photo"},
    {"restoration.loaded_networks"},
    {"restoration.restorer", "restoration.recipe"},
    {"restoration.pipeline"},
    {"restoration.robustness", "restoration.onnx_export", "restoration.batch"},
    {"restoration", "restoration.cli"},
    {"restoration.__main__"},
    {"train", "ui"},
    {"deploy", "app"},
    {"benchmarks"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def unit(module: str) -> str | None:
    """The layered unit that a module belongs to; None for modules that are not ours."""
    parts = module.split(".")
    if parts[0] == "restoration":
        return ".".join(parts[:2])
    return parts[0] if parts[0] in LEVEL else None


def sources() -> list[Path]:
    return [
        ROOT / "app.py",
        *(
            p
            for folder in ("restoration", "train", "ui", "benchmarks", "deploy")
            for p in (ROOT / folder).rglob("*.py")
        ),
    ]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> set[str]:
    """Every module that a file imports, inside functions too, relative names resolved."""
    found: set[str] = set()
    package = module_name(path).split(".") if path.name == "__init__.py" else module_name(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{module}.{alias.name}"
                is_module = (ROOT / full.replace(".", "/")).is_dir() or (
                    ROOT / f"{full.replace('.', '/')}.py"
                ).is_file()
                found.add(full if is_module else module)
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    own = unit(module_name(path))
    assert own in LEVEL, f"{own} has no place in LAYERS"
    for module in imported(path):
        other = unit(module)
        if other and other != own and own != "restoration":
            assert LEVEL[other] < LEVEL[own], f"{path} imports {module}"


def test_the_rooms_are_drawn_as_they_are() -> None:
    """Line by line, in CONTRIBUTING.md."""
    drawn = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("    restoration/ ")[2]
    lines = [re.split("  +", line.strip())[0].split() for line in drawn.splitlines()[1:] if line.startswith("      ")]
    rooms = [
        {name.removeprefix("restoration.") for name in layer if name.startswith("restoration.")} - {"__main__"}
        for layer in LAYERS
    ]
    assert [set(line) for line in lines] == list(filter(None, rooms))


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_borders(path: Path) -> None:
    roots = {module.split(".")[0] for module in imported(path)}
    if path.relative_to(ROOT).parts[0] not in ("ui", "app.py"):
        assert "gradio" not in roots
    if path.parent.name != "upscale" and path.name != "upscale.py":
        assert not roots & {"realesrgan", "basicsr", "spandrel"}


def test_what_is_imported_is_declared() -> None:
    """Nothing is there only because another package happens to need it, but for what Gradio is made of."""
    gradios = {"fastapi", "gradio_client", "httpx", "mcp", "safehttpx", "starlette"}
    asked_for_where_needed = {"bm3d", "kagglehub", "openvino", "packaging"}
    declared = set(re.findall(r'^ +"([\w.-]+)', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE))
    names = {re.sub("[-_.]+", "-", name.lower()) for name in declared}
    distributions = packages_distributions()
    for path in [*sources(), *(ROOT / "tests").rglob("*.py")]:
        for root in {module.partition(".")[0] for module in imported(path)} - gradios - asked_for_where_needed:
            if root in sys.stdlib_module_names or (ROOT / root).is_dir() or (ROOT / f"{root}.py").is_file():
                continue
            packages = distributions.get(root, [root])
            assert names & {re.sub("[-_.]+", "-", each.lower()) for each in packages}, f"{path} imports {root}"


@pytest.mark.parametrize(
    "code", ["import restoration", "import restoration.__main__", "from restoration import Degradation, image"]
)
def test_nothing_heavy_is_imported(code: str) -> None:
    check = (
        f"import sys; {code}; print([m for m in ('torch', 'gradio', 'skimage', 'cv2', 'basicsr') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, cwd=ROOT).stdout == "[]\n"


@pytest.mark.parametrize("arguments", [["--help"], ["restore", "--help"], ["models"]])
def test_light_commands_do_not_import_torch(arguments: list[str]) -> None:
    run = [sys.executable, "-X", "importtime", "-m", "restoration", *arguments]
    done = subprocess.run(run, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0
    assert "restoration.weights" in done.stderr
    assert not [
        line for line in done.stderr.splitlines() if line.split("|")[-1].strip() in ("torch", "skimage", "gradio")
    ]
