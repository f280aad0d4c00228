"""What of a request reaches Gradio, and what of Gradio's own failures reaches whoever asked."""

from __future__ import annotations

import logging
import re
import shutil
from http import HTTPStatus
from uuid import uuid4

from gradio.route_utils import FnIndexInferError
from gradio.utils import get_upload_folder
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..texts import text

logger = logging.getLogger(__name__)
MAX_UPLOAD = 500_000_000
"""Bytes of all files of one upload, archives of photos among them."""
MAX_BODY = 32_000_000
"""Bytes of any other request, such as a call with a photo as a data URL."""
UPLOADS = "/gradio_api/upload"
CALLS = ("/gradio_api/call/", "/gradio_api/run/", "/gradio_api/api/", "/gradio_api/queue/join")
MISUNDERSTOOD = "This is no request that is understood here; see /gradio_api/info."
CLOSED = re.compile(
    r"(/gradio_api)?/"
    r"(process_recording|proxy=|file[=/]\w+:|component_server|custom_component|deep_link|dev/|vibe-|stream/)"
)
"""Recordings that go through ffmpeg; other hosts' files, fetched for whoever asks; what is for Gradio's developers."""


class RequestFilter:
    """ASGI middleware: no more bytes than a request may have, no door that this app has no use for, and no traceback.

    A refusal is JSON with one sentence as ``detail``, as Gradio's are.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope = {**scope, "headers": [each for each in scope["headers"] if not _is_odd_range(*each)]}
        path = scope["path"].removeprefix(scope.get("root_path", ""))  # as Gradio finds its doors, with it or without
        most = MAX_UPLOAD if path.rstrip("/") == UPLOADS else MAX_BODY
        received, has_begun = 0, False

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:  # more than was declared, or without a word
                raise HTTPException(*_too_large(most))
            return message

        async def marked(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                message["headers"] = [*message.get("headers", []), (b"x-content-type-options", b"nosniff")]
            await send(message)

        refusal = _refusal(scope, path, most)
        if not refusal:
            try:
                await self.app(scope, counted, marked)
                scope["app"].api_info = None  # kept, it would tell all the address by which one visitor says he came
            except ClientDisconnect:  # in the middle of an upload: nobody waits for an answer
                return
            except Exception as error:
                if not has_begun:
                    refusal = _failure(path, error)
                elif isinstance(error.__cause__, HTTPException):  # an event that there is not, told in its stream
                    await send({"type": "http.response.body", "body": b""})
                else:
                    raise
        if refusal:
            status, sentence = refusal
            await JSONResponse({"detail": sentence}, status)(scope, receive, marked)


async def misunderstood(request: Request, error: Exception) -> JSONResponse:
    """The answer to a request of another form than Gradio wants; FastAPI's own would send all of it back."""
    return JSONResponse({"detail": MISUNDERSTOOD}, HTTPStatus.UNPROCESSABLE_ENTITY)


def _failure(path: str, error: Exception) -> tuple[int, str]:
    """What a failure of Gradio's own is to whoever asked; the log has what nobody foresaw."""
    if path.startswith(CALLS) and isinstance(error, FnIndexInferError | KeyError | IndexError):
        return HTTPStatus.NOT_FOUND, "There is no such function; see /gradio_api/info for those there are."
    if path.startswith(UPLOADS) and isinstance(error, TypeError | AttributeError):  # a file that is none
        return HTTPStatus.UNPROCESSABLE_ENTITY, MISUNDERSTOOD
    trace = uuid4().hex[:8]
    logger.error("error %s", trace, exc_info=error)
    return HTTPStatus.INTERNAL_SERVER_ERROR, text("internal", french=False, id=trace)


def _is_odd_range(name: bytes, value: bytes) -> bool:
    """Does the header ask for several parts of a file, or for none that there is? Without it, the whole is sent."""
    return name == b"range" and not re.fullmatch(rb"bytes=\d+-\d*", value)


def _refusal(scope: Scope, path: str, most: int) -> tuple[int, str] | None:
    """Why a request goes no further, as far as it shows before its body."""
    length = dict(scope["headers"]).get(b"content-length", b"0")
    declared = int(length) if length.isdigit() else 0
    if CLOSED.match(path):
        return HTTPStatus.NOT_FOUND, "There is nothing here; see /gradio_api/info for what there is."
    if declared > most:
        return _too_large(most)
    if most == MAX_UPLOAD and declared > shutil.disk_usage(get_upload_folder()).free:
        return HTTPStatus.INSUFFICIENT_STORAGE, text("disk_full", french=False)
    return None


def _too_large(most: int) -> tuple[int, str]:
    return (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"A request may have {most // 10**6} MB here; send less, and photos as uploads.",
    )
