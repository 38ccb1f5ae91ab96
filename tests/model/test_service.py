"""Addresses and keys: what is understood, and what is never repeated."""

from __future__ import annotations

import pytest

from trimtab.errors import ModelError
from trimtab.model.service import Address, Options, Spent, address, key

URL = "https://api.example.org/v1"


@pytest.mark.parametrize(
    ("name", "model", "url"),
    [
        (f"openai:small@{URL}", "small", URL),
        (f"openai:small@{URL}/", "small", URL),
        (f"openai:small@{URL}/chat/completions", "small", URL),
        (f"openai:maker/small@2026-01@{URL}", "maker/small@2026-01", URL),
        ("openai:/models/a.gguf@http://localhost:8080/v1", "/models/a.gguf", "http://localhost:8080/v1"),
    ],
)
def test_a_name_is_a_model_and_an_address(name: str, model: str, url: str) -> None:
    found = address(name)
    assert found == Address(model, url)
    assert address(found.name) == found


@pytest.mark.parametrize(
    "name",
    [
        "openai:small",
        "openai:@https://a.example/v1",
        "openai:small@ftp://a.example/v1",
        "openai:small@https://",
        "openai:small@https://a.example:port/v1",
        "openai:small@https://a.example/v 1",
    ],
)
def test_half_a_name_is_refused_with_the_form(name: str) -> None:
    with pytest.raises(ModelError) as caught:
        address(name)
    assert "openai:<model>@<base_url>" in caught.value.hint


@pytest.mark.parametrize("secret", ["user:hunter2@", ""])
def test_what_must_not_be_recorded_is_refused_and_not_repeated(secret: str) -> None:
    name = f"openai:small@https://{secret}a.example/v1" + ("" if secret else "?key=hunter2")
    with pytest.raises(ModelError) as caught:
        address(name)
    assert "hunter2" not in caught.value.message + caught.value.hint
    assert "service.key" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://a.example/v1", True),
        ("http://localhost:1/v1", True),
        ("http://127.0.0.9/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://10.0.0.5:8000/v1", False),
        ("http://localhost.a.example/v1", False),
    ],
)
def test_the_usual_key_goes_only_where_nobody_reads_it(
    url: str, private: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-usual")
    monkeypatch.setenv("MY_KEY", "sk-mine\n")
    where = Address("small", url)
    assert where.private == private
    assert key(where, "") == ("sk-usual" if private else "")
    assert key(where, "MY_KEY") == "sk-mine"


def test_no_usual_key_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert key(Address("small", URL), "") == ""


def test_a_key_in_the_place_of_its_variable_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError) as caught:
        key(Address("small", URL), "SECRET123456")
    assert "SECRET" not in caught.value.message + caught.value.hint
    monkeypatch.setenv("MY_KEY", "sk-one sk-two")
    with pytest.raises(ModelError, match="MY_KEY") as caught:
        key(Address("small", URL), "MY_KEY")
    assert "sk-one" not in caught.value.message


def test_prices_are_by_the_million() -> None:
    assert Options(price_prompt=2.0, price_answer=8.0).price(500_000, 250_000) == pytest.approx(3.0)


def test_counts_add_up() -> None:
    spent = Spent()
    spent.add(requests=2, repeats=1)
    spent.add(requests=1)
    assert spent.counts()["requests"] == 3
    assert spent.counts()["repeats"] == 1
