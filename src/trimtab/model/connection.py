"""Requests to an OpenAI-compatible service: paced, sent again where that can help, bounded in time and in size."""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import httpx2

from trimtab.errors import ModelError
from trimtab.model.service import KEY, Address, Options, Spent

# Bytes of one response; an answer of 8192 tokens with their log-probabilities has below one million.
LIMIT = 16 * 2**20
# Seconds: to reach the service; before the first repeat and at most before a later one; that a service may ask for.
CONNECT = 10.0
FIRST, LONGEST = 0.5, 60.0
PATIENCE = 600.0
BUSY = (408, 425, 429)
NEVER = (501, 505)
TOLD = 200
SHORTEST_KEY = 8
Got = TypeVar("Got")


class Refused(ModelError):
    """The service does not take a request as it is, or not at this address; `told` is what it says of it."""

    def __init__(self, message: str, hint: str, told: str) -> None:
        super().__init__(message, hint)
        self.told = told


class Stopped(Exception):
    """Nobody waits for the answer any more."""


class _Again(Exception):
    """It may work another time, after so many seconds where the service says so."""

    def __init__(self, why: str, after: float | None = None) -> None:
        super().__init__(why)
        self.after = after


class Pace:
    """When the next request may be sent, for all threads together."""

    def __init__(self, per_minute: float) -> None:
        self._gap = 60 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def turn(self) -> float:
        """Take the next turn; the seconds until it comes."""
        with self._lock:
            now = time.monotonic()
            at = max(now, self._next)
            self._next = at + self._gap
            return at - now

    def hold(self, seconds: float) -> None:
        """Let nobody take a turn for so long."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


class Connection:
    """A service that can be asked.

    `key` is written nowhere: not into errors, nor into what is read from the service should it repeat it.
    """

    def __init__(self, address: Address, options: Options, key: str, spent: Spent) -> None:
        self.address = address
        self.options = options
        self.spent = spent
        self._key = key
        self._pace = Pace(options.per_minute)

    @contextlib.contextmanager
    def opened(self) -> Iterator[Line]:
        """Connections to the service for as long as the context lasts."""
        options = self.options
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        with httpx2.Client(
            headers=headers,
            timeout=httpx2.Timeout(options.seconds, connect=min(CONNECT, options.seconds)),
            limits=httpx2.Limits(max_connections=options.at_once),
            # A redirect could lead the key elsewhere.
            follow_redirects=False,
        ) as client:
            yield Line(self, client)

    def turn(self) -> float:
        """Take the next turn to send; the seconds until it comes."""
        return self._pace.turn()

    def hold(self, seconds: float) -> None:
        """Let all wait that have not taken their turn."""
        self._pace.hold(seconds)

    def unauthorised(self, status: int) -> ModelError:
        """The error of a service that refuses the key. What it says is not shown: it may repeat parts of the key."""
        variable = self.options.key or KEY
        what = f"refuses the key in {variable}" if self._key else "asks for a key, and none was sent"
        hint = f"export {variable}, or name another variable in service.key"
        if not self._key and not self.options.key and not self.address.private:
            hint = f"name the variable in service.key: over plain http, {KEY} is not sent unasked"
        return ModelError(f"{self.address.name}: the service {what} (status {status})", hint)

    def without_key(self, content: bytes) -> bytes:
        """What was received, less the key."""
        return content.replace(self._key.encode(), b"[key]") if len(self._key) >= SHORTEST_KEY else content


class Line:
    """An open connection. After `stop` nothing is sent any more, and nothing waits for its turn."""

    def __init__(self, connection: Connection, client: httpx2.Client) -> None:
        self._connection = connection
        self._client = client
        self._ended = threading.Event()

    def stop(self) -> None:
        """Send nothing more; what is under way may come to its end."""
        self._ended.set()

    def send(
        self,
        method: str,
        path: str,
        read: Callable[[dict[str, Any]], Got],
        body: Any = None,
        *,
        tries: int = 0,
    ) -> Got:
        """Send a request until the service answers with a JSON object that can be read.

        Args:
            path: after the address, such as /models.
            read: makes of the object what is wanted; a ValueError says what it lacks, and it is asked for again.
            tries: times to send it; as the options say when 0.

        Raises:
            ModelError: the key is refused, the address is wrong, the response is too large, or no try succeeded.
            Refused: the service does not take the request as it is.
            Stopped: the line was stopped before an answer came.
        """
        connection = self._connection
        most = tries or connection.options.tries
        for sent in range(1, most + 1):
            self._wait(connection.turn())
            connection.spent.add(requests=1, repeats=int(sent > 1))
            try:
                return read(self._once(method, path, body))
            except ValueError as problem:
                why, after = str(problem), None
            except _Again as problem:
                why, after = str(problem), problem.after
            if (after or 0.0) > PATIENCE:
                why += f", and asks to wait for {after:.0f} s"
                break
            if sent < most:
                self._rest(sent, after)
        raise ModelError(
            f"{connection.address.name}: no answer after {sent} {'try' if sent == 1 else 'tries'}; the last: {why}",
            "answers received so far are kept: give the same command again when the service is back, or see "
            "service.tries, service.seconds and service.per_minute",
        )

    def _rest(self, sent: int, after: float | None) -> None:
        # Spread, so that those who were refused together do not come back together.
        if after is None:
            self._wait(random.uniform(0.5, 1.0) * min(LONGEST, FIRST * 2 ** (sent - 1)))
        else:
            self._connection.hold(after)
            self._wait(after + random.uniform(0.0, 0.1 * after))

    def _wait(self, seconds: float) -> None:
        if self._ended.wait(seconds) if seconds > 0 else self._ended.is_set():
            raise Stopped

    def _once(self, method: str, path: str, body: Any) -> dict[str, Any]:
        connection, limit = self._connection, self._connection.options.seconds
        try:
            with self._client.stream(method, connection.address.base_url + path, json=body) as response:
                content = _read(response, connection.address.name, limit)
        except httpx2.TimeoutException:
            raise _Again(f"nothing came within {limit:g} s") from None
        except httpx2.RequestError as error:
            raise _Again(f"the connection failed ({type(error).__name__})") from None
        content = connection.without_key(content)
        if response.status_code == httpx2.codes.OK:
            return _object(content)
        raise self._problem(response, _told(content))

    def _problem(self, response: httpx2.Response, told: str) -> Exception:
        """What to do about a status other than 200."""
        connection, status = self._connection, response.status_code
        said = f"status {status}{f': {told}' if told else ''}"
        if status in (401, 403):
            return connection.unauthorised(status)
        spent_out = "insufficient_quota" in told
        if (status in BUSY or status >= 500) and status not in NEVER and not spent_out:
            return _Again(said, _after(response.headers.get("Retry-After", "")))
        message = f"{connection.address.name}: {said}"
        if response.is_redirect:
            return ModelError(message, "it redirects: name the address that it leads to")
        if status in (400, 413, 422):
            return Refused(message, "change what it names, or leave it out of the recipe", told)
        return Refused(message, "check the model's name and the address in the recipe", told)


def _read(response: httpx2.Response, name: str, seconds: float) -> bytes:
    """The body, as far as it stays within its bounds in bytes and in time."""
    content = bytearray()
    ends = time.monotonic() + seconds
    for piece in response.iter_bytes():
        content += piece
        if len(content) > LIMIT:
            raise ModelError(
                f"{name}: a response of more than {LIMIT // 2**20} MiB",
                "check that the address is that of a chat service; ask for fewer tokens",
            )
        if time.monotonic() > ends:
            raise _Again(f"the response took longer than {seconds:g} s")
    return bytes(content)


def _object(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _Again("a response that is not a JSON object")
    return value


def _told(content: bytes) -> str:
    """What an error response says, with its code if it has one, in one short line that any terminal can show."""
    text = content.decode("utf-8", "replace")
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(text)
        found = value.get("error", value) if isinstance(value, dict) else value
        if isinstance(found, dict):
            parts = [found.get(name) for name in ("message", "detail", "code", "param")]
            found = "; ".join(part if isinstance(part, str) else json.dumps(part) for part in parts if part)
        text = found if isinstance(found, str) else text
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(line.split())[:TOLD]


def _after(header: str) -> float | None:
    """Seconds of a Retry-After header, which holds them or a date (RFC 9110, section 10.2.3)."""
    with contextlib.suppress(ValueError):
        return max(0.0, float(header))
    with contextlib.suppress(ValueError, TypeError):
        at = email.utils.parsedate_to_datetime(header)
        return max(0.0, (at - datetime.datetime.now(datetime.UTC)).total_seconds())
    return None
