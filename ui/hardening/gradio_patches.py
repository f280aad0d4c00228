"""What Gradio 6.31 gets wrong in ways that a stranger could use, put right when this is imported, and by `guard`.

Each says what Gradio would have to do itself for it to be needless.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any, cast

import httpx
import safehttpx
from fastapi import HTTPException
from gradio import mcp, processing_utils
from gradio.block_function import BlockFunction
from gradio.blocks import Blocks
from gradio.mcp import GradioMCPServer
from gradio.queueing import Event, Queue
from gradio.route_utils import Request
from gradio.server_messages import EventMessage
from gradio.state_holder import SessionState
from gradio.utils import get_upload_folder
from gradio_client import utils as client_utils
from gradio_client.utils import is_file_obj_with_meta

from restoration.errors import ControlError
from restoration.image import MAX_BYTES

from ..errors import as_user_errors

PATIENCE = 30
"""Seconds that another host may take to send a photo."""


def guard(demo: Blocks) -> None:
    """Have what fails outside our own functions, in Gradio's reading of what was sent, told in a sentence too.

    Needless once its errors repeat neither what was sent nor where this machine keeps its files.
    """
    process = demo.process_api

    async def told(*args: Any, **options: Any) -> Any:
        request = options.get("request")
        with as_user_errors(request if isinstance(request, Request) else None):
            return await process(*args, **options)

    demo.process_api = told  # type: ignore[method-assign]


def _tool_arguments(server: GradioMCPServer, value: dict[str, Any], positions: list[list[str | int]]) -> Any:
    """A tool's arguments, the objects among them (recipes) as text.

    They go through a client in this very process, which takes any object that looks like a file for a file of its own:
    it would read whatever file of this machine a stranger names. Photos as data URLs it keeps where the folder for
    temporary files was when Gradio was imported. Needless once tools call functions without that client, and
    `mcp.DEFAULT_TEMP_DIR` follows GRADIO_TEMP_DIR.
    """
    mcp.DEFAULT_TEMP_DIR = get_upload_folder()
    texts = {name: json.dumps(each) if isinstance(each, dict | list) else each for name, each in value.items()}
    return _arguments(server, texts, positions)


def _tool_results(server: GradioMCPServer, data: Any, root_url: str) -> list[Any]:
    """What a tool gives: pictures, and the report as JSON.

    Gradio takes several results for one where the client wants no progress, and writes them as text, in Python.
    Needless once it unpacks them with progress and without it, and writes JSON.
    """
    results = data[0] if len(data) == 1 else data
    told = [each if is_file_obj_with_meta(each) else json.dumps(each) for each in results if each is not None]
    contents: list[Any] = _results(server, told, root_url)
    return contents


def _send_message(queue: Queue, event: Event, message: EventMessage) -> None:
    """Without the KeyError for an event that nobody listens to, which would end the queue for everybody.

    Needless once Gradio's queue outlives an error in one event, or drops such messages.
    """
    if event.session_hash in queue.pending_messages_per_session:
        _send(queue, event, message)


def _begin_session(session: SessionState, blocks: Blocks) -> None:
    """Without a copy of the whole page's configuration: 0.3 MB and 20 ms for each call of a program. It is for deep
    links, which this app has not (see `request_filter`). Needless once Gradio copies it for these alone.
    """
    _begin(session, SimpleNamespace(default_config=blocks.default_config, blocks={}))


async def _process_events(queue: Queue, events: list[Event], *rest: Any) -> None:
    """Forgetting the sessions of programs' calls, which have the calls' own names, so that nobody comes back to them;
    and their messages, once they have been fetched. Needless once Gradio forgets them itself.
    """
    try:
        await _process(queue, events, *rest)
    finally:
        for event in events:
            if event.session_hash == event._id:
                queue.blocks.state_holder.session_data.pop(event._id, None)
                queue.blocks.state_holder.time_last_used.pop(event._id, None)
        for session, waiting in list(queue.pending_event_ids_session.items()):
            if not waiting and len(session) == 32:  # as an event's name has, and no browser's session
                del queue.pending_event_ids_session[session]
                queue.pending_messages_per_session.pop(session, None)


def _named_arguments(*given: Any) -> Any:
    """With a sentence for missing and unknown parameters. Needless once they are no TypeError there."""
    try:
        return _construct(*given)
    except TypeError as error:
        raise HTTPException(422, str(ControlError("inputs_odd", reason=error))) from error


def _validate_inputs(blocks: Blocks, function: BlockFunction, inputs: list[Any]) -> None:
    """With a sentence for too few values. Needless once Gradio's does not repeat all that was sent."""
    if len(inputs) < len(function.inputs):
        raise ControlError("inputs_missing", wanted=len(function.inputs), given=len(inputs))


class _Bounded(httpx.AsyncByteStream):
    """The body of another host's answer, until it is too long or takes too long."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self.stream = stream
        self.left, self.until = MAX_BYTES, time.monotonic() + PATIENCE

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self.stream:
            self.left -= len(chunk)
            if self.left < 0 or time.monotonic() > self.until:
                raise httpx.ReadError("too much, or too slow")
            yield chunk

    async def aclose(self) -> None:
        await self.stream.aclose()


async def _fetch(transport: safehttpx.AsyncSecureTransport, request: httpx.Request) -> httpx.Response:
    """A photo at a web address, which Gradio reads into memory whole: bounded, and not packed, as a bomb would be.

    Needless once safehttpx has a limit of bytes, after unpacking, and of seconds.
    """
    request.headers["Accept-Encoding"] = "identity"
    response: httpx.Response = await _handle(transport, request)
    if response.headers.get("content-encoding", "identity") != "identity":
        raise httpx.DecodingError("packed, though it was asked not to be")
    response.stream = _Bounded(cast(httpx.AsyncByteStream, response.stream))
    return response


def _replace(owner: Any, name: str, ours: Callable[..., Any]) -> Callable[..., Any]:
    """Put ``ours`` in the place of a function of a class or a module, which is returned."""
    method: Callable[..., Any] = getattr(owner, name)
    setattr(owner, name, ours)
    return method


processing_utils.PUBLIC_HOSTNAME_WHITELIST.clear()  # hosts whose answers would not be bounded
_replace(Blocks, "validate_inputs", _validate_inputs)
_construct = _replace(client_utils, "construct_args", _named_arguments)
_handle = _replace(safehttpx.AsyncSecureTransport, "handle_async_request", _fetch)
_arguments = _replace(GradioMCPServer, "convert_strings_to_filedata", _tool_arguments)
_results = _replace(GradioMCPServer, "postprocess_output_data", _tool_results)
_send = _replace(Queue, "send_message", _send_message)
_begin = _replace(SessionState, "__init__", _begin_session)
_process = _replace(Queue, "process_events", _process_events)
