from __future__ import annotations

import random
import string

import pytest

from trimtab.audit.checks import secrets

LETTERS = string.ascii_letters + string.digits


def drawn(length: int, signs: str = LETTERS) -> str:
    """Signs drawn at random, so that no key stands in this file."""
    return "".join(random.Random(length).choices(signs, k=length))


@pytest.mark.parametrize(
    ("before", "secret", "after", "kind"),
    [
        ("key ", "AKIA" + drawn(16, "ABCDEFGH234567"), ".", "aws_access_key"),
        ("", "ghp_" + drawn(36), " is it", "github_token"),
        ("", "github_pat_" + drawn(60), "", "github_token"),
        ("", "glpat-" + drawn(20), "", "gitlab_token"),
        ("", "xoxb-" + drawn(30), "", "slack_token"),
        ("https://", "hooks.slack.com/services/" + drawn(44), "", "slack_webhook"),
        ("(", "AIza" + drawn(35), ")", "google_api_key"),
        ("", "sk_live_" + drawn(24), "", "stripe_key"),
        ("", "sk-proj-" + drawn(48), "", "openai_key"),
        ("", "sk-ant-api03-" + drawn(60), "", "anthropic_key"),
        ("", "hf_" + drawn(34), "", "huggingface_token"),
        ("", "npm_" + drawn(36), "", "npm_token"),
        ("", "SG." + drawn(22) + "." + drawn(43), "", "sendgrid_key"),
        ("", f"eyJ{drawn(20)}.eyJ{drawn(50)}.{drawn(43)}", "", "jwt"),
        ("postgres://bob:", "s3cr" + drawn(6), "@db.local/x", "password_in_url"),
        ('api_key = "', drawn(32), '"', "key"),
        ("CLIENT_SECRET=", drawn(40), "", "key"),
        ('{"authToken": "', drawn(24), '"}', "key"),
        ("Authorization: Bearer ", drawn(40), "", "bearer_token"),
        ("The password is ", "hunter22x", ".", "password"),
        ("password: '", "correct horse"[:7], "'", "password"),
        (
            "",
            f"-----BEGIN OPENSSH PRIVATE KEY-----\n{drawn(70)}\n-----END OPENSSH PRIVATE KEY-----",
            "\n",
            "private_key",
        ),
    ],
)
def test_a_secret_is_found_and_masked(before: str, secret: str, after: str, kind: str) -> None:
    text = before + secret + after
    assert secrets.found(text) == [(len(before), len(before) + len(secret), kind)]
    assert secrets.masked(text) == f"{before}[{kind}]{after}"


@pytest.mark.parametrize(
    "text",
    [
        'api_key = "YOUR_API_KEY_GOES_IN_HERE"',
        "api_key = os.environ['API_KEY_FOR_SERVICE1']",
        "password: must hold at least eight characters",
        "The secret: honesty. The token is expired.",
        "token = tokenizer.encode",
        "https://example.org:8080/a@b",
        "postgres://user:${PASSWORD}@host/db",
        "sk-learn is a library; task-management-and-planning-for-everybody-at-home",
        "primary key: customer_identifier_of_the_table",
        "The key: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1",
        "-----BEGIN PUBLIC KEY-----",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    ],
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert secrets.found(text) == []
    assert secrets.masked(text) == text


def test_entropy_in_bits() -> None:
    assert secrets.entropy("") == 0
    assert secrets.entropy("aaaa") == 0
    assert secrets.entropy("abcd") == pytest.approx(2)
    assert secrets.entropy("aabc") == pytest.approx(1.5)
