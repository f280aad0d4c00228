"""Real photos for every test: the examples that the repository ships, and the shared ones where they are at hand."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# No test reaches out, and none finds what its user has downloaded; both are read when libraries are imported.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="restoration-lab-tests-")

import pytest

from restoration import Photo, image

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "assets" / "examples"
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
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("needs the photos and weights in ../shared, which a user's clone has not")
    return SHARED
