"""A PostgreSQL server of the tests' own, from the binaries that the system has."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from trimtab.review.store import Store

PASSWORD = "seldom-guessed"
FAST = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c shared_buffers=32MB"


def binaries() -> Path | None:
    """The folder of initdb and pg_ctl, the newest; Debian puts them on no search path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    elsewhere = shutil.which("initdb")
    if not found and elsewhere is None:
        return None
    return (found[-1] if found else Path(str(elsewhere)).resolve()).parent


@dataclass
class Server:
    """A running server: `database` makes an empty one, or one as a store is when it was just opened."""

    folder: Path
    port: int
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def address(self, name: str) -> str:
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self.port}/{name}"

    def run(self, statement: str) -> None:
        engine = create_engine(
            self.address("postgres").replace("://", "+pg8000://"), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    @contextlib.contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        name = f"store_{next(self.numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
        yield self.address(name)
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def make_template(self) -> None:
        self.run("CREATE DATABASE opened TEMPLATE template0 ENCODING 'UTF8'")
        Store.open(self.address("opened")).close()


@contextlib.contextmanager
def running(folder: Path, settings: str = FAST) -> Iterator[Server]:
    """A server that ends with the context. It refuses to run as root, so that root runs it as its own user."""
    found = binaries()
    assert found is not None
    who: dict[str, Any] = {}
    if os.getuid() == 0:
        owner = pwd.getpwnam("postgres")
        who = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    secret, data = folder / "password", folder / "data"
    secret.write_text(PASSWORD, encoding="utf-8")
    secret.chmod(0o644)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def call(*command: str) -> None:
        done = subprocess.run(command, capture_output=True, cwd=folder, check=False, text=True, **who)
        assert done.returncode == 0, done.stderr + done.stdout

    begin = ["-D", str(data), "-U", "postgres", "-A", "scram-sha-256", "--pwfile", str(secret)]
    call(str(found / "initdb"), *begin, "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 {settings}"
    control = [str(found / "pg_ctl"), "-D", str(data), "-s", "-w"]
    call(*control, "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield Server(folder, port)
    finally:
        call(*control, "-m", "immediate", "stop")


@contextlib.contextmanager
def temporary(settings: str = FAST) -> Iterator[Server]:
    """The same in a folder that its user can reach, and that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder, running(Path(folder), settings) as server:
        yield server
