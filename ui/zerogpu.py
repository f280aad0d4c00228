"""ZeroGPU: a Space whose GPU is lent for one call at a time, to a forked process that alone may use CUDA.

Anywhere else nothing here has an effect.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from restoration.errors import RestorationError

if TYPE_CHECKING:
    from restoration import Restorer

IS_LENT = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
"""Is this ZeroGPU? Asked as the package `spaces` asks."""
SECONDS = 30
"""How long a call may take; a visitor who has fewer left today is refused, so no more than the longest needs."""

if IS_LENT:
    import spaces  # puts a stand-in in CUDA's place, so it must come before anything that uses CUDA


def lent(restorer: Restorer) -> Callable[..., Any]:
    """``call(task, *args, **kwargs)``, which is ``task(restorer, *args, **kwargs)`` where there is a GPU for it.

    On ZeroGPU the task, its arguments and its result are pickled; the restorer is the one that was forked.
    """

    def call(task: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return task(restorer, *args, **kwargs)

    if not IS_LENT:
        return call

    @spaces.GPU(duration=SECONDS)
    def outcome(task: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return call(task, *args, **kwargs), None
        except RestorationError as error:  # raised there, all but the name of its class would be lost
            return None, (type(error), error.code, error.fields)

    def call_there(task: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        result, failure = outcome(task, *args, **kwargs)
        if failure:
            kind, code, fields = failure
            raise kind(code, **fields)
        return result

    return call_there
