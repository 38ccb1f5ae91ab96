"""The log of a server: a line of JSON for each request, to the standard error or to a file; never content."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from trimtab.errors import UserError


class Log:
    """Where lines go; each is written whole, so that several servers may share a file."""

    def __init__(self, path: str = "") -> None:
        """Open it; no path: the standard error.

        Raises:
            UserError: the file cannot be written.
        """
        self._file = -1
        if path:
            try:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            except OSError as error:
                raise UserError(f"{path}: cannot be written: {error.strerror}", "name another file") from None

    def write(self, content: dict[str, Any]) -> None:
        """Add a line."""
        line = json.dumps(content, ensure_ascii=False) + "\n"
        try:
            if self._file >= 0:
                os.write(self._file, line.encode("utf-8", "replace"))
            else:
                sys.stderr.write(line)
                sys.stderr.flush()
        except OSError:
            # A full disk or a closed terminal is no reason to answer nobody.
            return

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
