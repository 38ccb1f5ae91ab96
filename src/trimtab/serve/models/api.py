"""The interface that clients of OpenAI's speak: models, chat completions, completions, embeddings."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse

from trimtab.records import Message
from trimtab.serve.models import answering
from trimtab.serve.models.account import Account, account_of
from trimtab.serve.models.answering import Said
from trimtab.serve.models.schema import Asking, Chat, Completion, Embedding, Refusal
from trimtab.serve.models.serving import Serving
from trimtab.serve.models.stacks import Served

router = APIRouter(prefix="/v1")
# Seconds between two looks at whether a client that waits for a whole answer is still there.
LOOK = 0.25
# OpenAI has one role for instructions under two names.
ROLES = {"developer": "system"}


def serving_of(request: Request) -> Serving:
    """What the application serves."""
    found: Serving = request.app.state.serving
    return found


@router.get("/models")
def models(request: Request) -> dict[str, Any]:
    """Every model that may be asked for."""
    serving = serving_of(request)
    found = serving.open_to(account_of(request).key)
    return {"object": "list", "data": [_listed(one, serving.started) for one in found.values()]}


@router.get("/models/{name:path}")
def model(request: Request, name: str) -> dict[str, Any]:
    """One of them."""
    serving = serving_of(request)
    return _listed(serving.find(name, account_of(request).key), serving.started)


@router.post("/chat/completions", response_model=None)
async def chat(request: Request, asked: Chat) -> JSONResponse | StreamingResponse:
    """Answer a conversation."""
    messages = [Message(ROLES.get(t.role, t.role), t.said) for t in asked.messages]  # type: ignore[arg-type]
    serving, account = serving_of(request), account_of(request)
    served = await serving.sought(asked.model, account.key)
    account.model = asked.model
    if asked.logprobs and not served.streams:
        raise Refusal(400, f"{asked.model} edits its answers, whose tokens are then others", param="logprobs")
    begun = serving.begin(served, asked, messages, asked.most, account=account)
    if asked.stream:
        return _streamed(serving, begun, asked, account, _chunk)
    answers = await _unless_gone(request, serving.answered(begun))
    await serving.keep(begun, account, dict(enumerate(answers)))
    choices = [
        {
            "index": number,
            "message": {"role": "assistant", "content": said.text, "refusal": None},
            "logprobs": _logprobs(said.logprobs) if asked.logprobs else None,
            "finish_reason": said.finish,
            "trimtab": _of_answer(said),
        }
        for number, said in enumerate(answers)
    ]
    return JSONResponse(_body(serving, begun, "chat.completion", choices, _usage(begun, answers)))


@router.post("/completions", response_model=None)
async def completions(request: Request, asked: Completion) -> JSONResponse | StreamingResponse:
    """Go on with a text, outside of any conversation."""
    serving, account = serving_of(request), account_of(request)
    served = await serving.sought(asked.model, account.key)
    account.model = asked.model
    if not served.bare:
        raise Refusal(
            400,
            f"{asked.model} changes conversations or answers; ask it in /v1/chat/completions",
            param="model",
        )
    begun = serving.begin(served, asked, [], asked.most, text=asked.said, account=account)
    if asked.stream:
        return _streamed(serving, begun, asked, account, _text_chunk)
    answers = await _unless_gone(request, serving.answered(begun))
    await serving.keep(begun, account, dict(enumerate(answers)))
    choices = [
        {
            "index": number,
            "text": said.text,
            "logprobs": _text_logprobs(said.logprobs) if asked.logprobs is not None else None,
            "finish_reason": said.finish,
            "trimtab": _of_answer(said),
        }
        for number, said in enumerate(answers)
    ]
    return JSONResponse(_body(serving, begun, "text_completion", choices, _usage(begun, answers)))


@router.post("/embeddings")
async def embeddings(request: Request, asked: Embedding) -> dict[str, Any]:
    """Sentence vectors of length 1."""
    account = account_of(request)
    found = await asyncio.to_thread(serving_of(request).vectors, asked.model, asked.texts, account.key)
    account.model = asked.model
    data = [
        {"object": "embedding", "index": number, "embedding": _written(vector, asked.encoding_format)}
        for number, vector in enumerate(found.vectors)
    ]
    usage = {"prompt_tokens": found.tokens, "total_tokens": found.tokens}
    return {"object": "list", "model": asked.model, "data": data, "usage": usage}


def _written(vector: np.ndarray, form: str) -> Any:
    values = np.asarray(vector, dtype="<f4")
    return base64.b64encode(values.tobytes()).decode("ascii") if form == "base64" else values.tolist()


def _listed(one: Served, started: float) -> dict[str, Any]:
    about = {
        "stack": one.stack.hash,
        "verdict": one.outcome or None,
        "run": one.run or None,
        **_of_profile(one),
    }
    return {
        "id": one.name,
        "object": "model",
        "created": int(started),
        "owned_by": "trimtab",
        "trimtab": about,
    }


def _of_profile(one: Served) -> dict[str, Any]:
    """What a profile changed of what was judged, and the stack that its choice fell on."""
    changed = {"changed": list(one.changed)} if one.changed else {}
    return changed | ({"arm": one.arm} if one.arm else {})


def _of_answer(said: Said) -> dict[str, Any]:
    return {"confidence": said.confidence, "rules": list(said.fired), "ai_generated": True}


def _body(
    serving: Serving, begun: answering.Request, kind: str, choices: Sequence[Any], usage: Any
) -> dict[str, Any]:
    about = {
        "stack": begun.served.stack.hash,
        "verdict": begun.served.outcome or None,
        "as_measured": begun.measured,
        **_of_profile(begun.served),
        "ai_generated": True,
        **({"watermark": begun.mark} if begun.mark else {}),
    }
    head = {
        "id": begun.named,
        "object": kind,
        "created": int(time.time()),
        "model": begun.served.name,
    }
    return head | {
        "choices": choices,
        "usage": usage,
        "system_fingerprint": serving.fingerprint,
        "trimtab": about,
    }


def _usage(begun: answering.Request, answers: Sequence[Said]) -> dict[str, int]:
    spent = sum(said.spent for said in answers)
    return {"prompt_tokens": begun.prompt, "completion_tokens": spent, "total_tokens": begun.prompt + spent}


def _logprobs(drawn: Sequence[tuple[str, float]]) -> dict[str, Any]:
    content = [
        {"token": token, "logprob": value, "bytes": list(token.encode()), "top_logprobs": []}
        for token, value in drawn
    ]
    return {"content": content, "refusal": None}


def _text_logprobs(drawn: Sequence[tuple[str, float]]) -> dict[str, Any]:
    offsets = [sum(len(token) for token, _ in drawn[:number]) for number in range(len(drawn))]
    tokens, values = [token for token, _ in drawn], [value for _, value in drawn]
    return {"tokens": tokens, "token_logprobs": values, "top_logprobs": None, "text_offset": offsets}


async def _unless_gone(request: Request, answers: Coroutine[Any, Any, list[Said]]) -> list[Said]:
    """The answers, which are dropped when the client leaves meanwhile."""
    task = asyncio.ensure_future(answers)
    try:
        while not task.done():
            await asyncio.wait([task], timeout=LOOK)
            if not task.done() and await request.is_disconnected():
                raise Refusal(499, "the client has left")
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _chunk(
    number: int, delta: str, *, first: bool, said: Said, fresh: Sequence[tuple[str, float]]
) -> dict[str, Any]:
    content: dict[str, Any] = ({"role": "assistant"} if first else {}) | {"content": delta}
    return {"index": number, "delta": content, "logprobs": _logprobs(fresh) if fresh else None}


def _text_chunk(
    number: int, delta: str, *, first: bool, said: Said, fresh: Sequence[tuple[str, float]]
) -> dict[str, Any]:
    return {"index": number, "text": delta, "logprobs": _text_logprobs(fresh) if fresh else None}


def _streamed(
    serving: Serving, begun: answering.Request, asked: Asking, account: Account, form: Any
) -> StreamingResponse:
    """Answers piece by piece, as server-sent events; what goes wrong after the first is said in one of them."""
    kind = "chat.completion.chunk" if isinstance(asked, Chat) else "text_completion"
    wanted = bool(getattr(asked, "logprobs", None))
    counted = asked.stream_options is not None and asked.stream_options.include_usage

    async def events() -> AsyncIterator[str]:
        sent: dict[int, str] = {}
        told: dict[int, int] = {}
        last: dict[int, Said] = {}
        try:
            async for number, said in serving.growing(begun, logprobs=wanted):
                delta = said.text[len(sent.get(number, "")) :]
                if delta or said.finish or number not in sent:
                    fresh = said.logprobs[told.get(number, 0) :]
                    choice = form(number, delta, first=number not in sent, said=said, fresh=fresh)
                    choice |= {"finish_reason": said.finish or None}
                    if said.finish:
                        choice["trimtab"] = _of_answer(said)
                        # Whoever reads that it is finished can say something of it.
                        await serving.keep(begun, account, {number: said})
                    sent[number], told[number], last[number] = said.text, len(said.logprobs), said
                    yield _event(_body(serving, begun, kind, [choice], None))
            if counted:
                yield _event(_body(serving, begun, kind, [], _usage(begun, list(last.values()))))
        except Refusal as refusal:
            account.code = refusal.code
            yield _event(refusal.content)
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream", headers={"cache-control": "no-cache"})


def _event(content: dict[str, Any]) -> str:
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n"
