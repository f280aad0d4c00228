"""The library's errors as a visitor reads them: in French too, and without the folders of this machine."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import gradio as gr
from gradio.exceptions import InvalidPathError

from restoration.errors import ControlError, RestorationError, sentences

from .texts import is_french, text

logger = logging.getLogger(__name__)

_FOLDERS = re.compile(r"(?<![\w:/.])/(?:[^/\s'\"]+/)+")


def sentence(error: RestorationError, french: bool) -> str:
    """What ``error`` says, in French where there is French for it. Of each path only the last part is shown, also of
    one that a library's ``reason`` quotes.
    """
    template = sentences("fr" if french and error.code in sentences("fr") else "en")[error.code]
    shown = {name: value.name if isinstance(value, Path) else value for name, value in error.fields.items()}
    if "reason" in shown:
        shown["reason"] = _FOLDERS.sub("", str(shown["reason"]))
    return template.format(**shown)


def not_sent() -> ControlError:
    """The refusal of what is no file that the visitor sent."""
    return ControlError("photo_not_sent")


@contextmanager
def as_user_errors(request: gr.Request | None) -> Iterator[None]:
    """What goes wrong inside is shown to the visitor in one sentence of theirs; only what nobody foresaw is logged."""
    french = is_french(request)
    try:
        yield
    except gr.Error as error:
        if error.print_exception:  # Gradio's own, of a value that its component cannot have, which it repeats whole
            raise refuse("value_unknown", request) from error
        raise
    except RestorationError as error:
        raise gr.Error(sentence(error, french), print_exception=False) from error
    except InvalidPathError as error:
        raise gr.Error(sentence(not_sent(), french), print_exception=False) from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise refuse("disk_full", request) from error
        trace = uuid4().hex[:8]
        logger.exception("error %s", trace)
        raise gr.Error(text("internal", french, id=trace), print_exception=False) from error


def refuse(key: str, request: gr.Request | None) -> gr.Error:
    """The error that says ``key`` of `texts`."""
    return gr.Error(text(key, is_french(request)), print_exception=False)
