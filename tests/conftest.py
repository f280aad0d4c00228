"""Real photos for every test: the examples that the repository ships, and the shared ones where they are at hand."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

# No test reaches out, and none finds what its user has downloaded; both are read when libraries are imported.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="restoration-lab-tests-")

import pytest

from restoration import Photo, image
from tests.hub import Hub

if TYPE_CHECKING:
    from restoration import Restorer

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "assets" / "examples"
GOLDEN = ROOT / "tests" / "golden"
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def photo() -> Photo:
    """A portrait in colour, 128x128."""
    return image.fit(image.load(EXAMPLES / "astronaut.jpg"))


@pytest.fixture(scope="session")
def photos() -> list[Photo]:
    """The twelve examples, 128x128."""
    return [image.fit(image.load(path)) for path in sorted(EXAMPLES.glob("*.jpg"))]


@pytest.fixture(scope="session")
def restorer() -> Restorer:
    """One for every test that only restores and enlarges: each network is loaded once."""
    from restoration import Restorer

    return Restorer("cpu")


@pytest.fixture(scope="session", autouse=True)
def _published(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The app's results lie where pytest clears away."""
    os.environ["GRADIO_TEMP_DIR"] = str(tmp_path_factory.mktemp("published"))


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A Hugging Face Hub of our own, with nothing on it."""
    with Hub() as running:
        yield running


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("needs the photos and weights in ../shared, which a user's clone has not")
    return SHARED
