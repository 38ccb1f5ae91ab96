"""What clients send, in OpenAI's form, with limits; and how a refusal is said in it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# Characters of one message, messages of a conversation, answers to one request.
LONGEST, TURNS, MOST = 100_000, 256, 16
Text = Annotated[str, StringConstraints(max_length=LONGEST)]
Stops = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=100)]], Field(max_length=4)]


class Part(BaseModel):
    """A piece of a message; only text is read."""

    type: Literal["text"]
    text: Text


class Turn(BaseModel):
    """One message of a conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Text | Annotated[list[Part], Field(min_length=1, max_length=64)]

    @property
    def said(self) -> str:
        """Its text."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content)


class StreamOptions(BaseModel):
    """What a stream ends with."""

    include_usage: bool = False


class Asking(BaseModel):
    """What a request for answers says beside its prompt; what is not given is as the model was measured."""

    model_config = ConfigDict(extra="ignore")

    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    n: int = Field(1, ge=1, le=MOST)
    stream: bool = False
    stream_options: StreamOptions | None = None
    seed: int | None = Field(None, ge=0, lt=2**63)
    stop: Annotated[str, StringConstraints(min_length=1, max_length=100)] | Stops | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    presence_penalty: Literal[0] | None = None
    frequency_penalty: Literal[0] | None = None

    @property
    def stops(self) -> tuple[str, ...] | None:
        """Texts that end an answer; None where nothing was said of them."""
        if self.stop is None:
            return None
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)


class Chat(Asking):
    """A request to /v1/chat/completions."""

    messages: Annotated[list[Turn], Field(min_length=1, max_length=TURNS)]
    max_tokens: int | None = Field(None, ge=1, le=100_000)
    max_completion_tokens: int | None = Field(None, ge=1, le=100_000)
    logprobs: bool = False
    top_logprobs: Literal[0] | None = None

    @property
    def most(self) -> int | None:
        """Most tokens of an answer."""
        return self.max_completion_tokens or self.max_tokens


class Completion(Asking):
    """A request to /v1/completions: a text to go on with, without a conversation."""

    prompt: Text | Annotated[list[Text], Field(min_length=1, max_length=1)]
    max_tokens: int | None = Field(None, ge=1, le=100_000)
    logprobs: Literal[0, 1] | None = None

    @property
    def said(self) -> str:
        """The text."""
        return self.prompt if isinstance(self.prompt, str) else self.prompt[0]

    @property
    def most(self) -> int | None:
        """Most tokens of an answer."""
        return self.max_tokens


class Embedding(BaseModel):
    """A request to /v1/embeddings."""

    model_config = ConfigDict(extra="ignore")

    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    input: Text | Annotated[list[Text], Field(min_length=1, max_length=256)]
    encoding_format: Literal["float", "base64"] = "float"

    @property
    def texts(self) -> list[str]:
        """What is to be embedded."""
        return [self.input] if isinstance(self.input, str) else self.input


class Feedback(BaseModel):
    """A request to /v1/feedback: what a user says of an answer of theirs; at least one of the last four."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, StringConstraints(min_length=1, max_length=50)]
    index: int = Field(0, ge=0, lt=MOST)
    thumb: Literal[-1, 1] | None = None
    rating: int | None = Field(None, ge=1, le=5)
    correction: Annotated[str, StringConstraints(max_length=20_000)] = ""
    reason: Annotated[str, StringConstraints(max_length=20_000)] = ""


class Refusal(Exception):
    """A request that is not answered, with its HTTP status and OpenAI's words for it."""

    def __init__(self, status: int, message: str, *, code: str = "", param: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param

    @property
    def content(self) -> dict[str, Any]:
        """The body of the response."""
        kind = {401: "authentication_error", 403: "permission_error", 404: "not_found_error"}.get(
            self.status, "invalid_request_error" if self.status < 500 else "server_error"
        )
        if self.status == 429:
            kind = "rate_limit_error"
        about = {
            "message": self.message,
            "type": kind,
            "param": self.param or None,
            "code": self.code or None,
        }
        return {"error": about}
