"""What a server counts, in the form that Prometheus reads; a registry of its own for each server."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from trimtab.serve.models.account import Account
from trimtab.serve.models.engine import Engine

FORM = CONTENT_TYPE_LATEST
# Seconds: of a tiny model's token, up to the longest request.
BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)


class Counts:
    """Counts of one server. Labels are routes, names of served models and rules, never what a client made up."""

    def __init__(self, engine: Engine) -> None:
        self.registry = own = CollectorRegistry()
        self._requests = Counter(
            "trimtab_requests", "Requests that ended.", ["route", "model", "status"], registry=own
        )
        self._refusals = Counter("trimtab_refusals", "Requests refused, by reason.", ["reason"], registry=own)
        self._tokens = Counter("trimtab_tokens", "Tokens read and drawn.", ["model", "kind"], registry=own)
        self._rules = Counter(
            "trimtab_rules_fired", "Answers that a rule changed.", ["model", "rule"], registry=own
        )
        self._first = Histogram(
            "trimtab_first_token_seconds", "Until the first token.", ["model"], registry=own, buckets=BOUNDS
        )
        self._total = Histogram(
            "trimtab_request_seconds", "Until the end.", ["route", "model"], registry=own, buckets=BOUNDS
        )
        self._lost = Counter("trimtab_answers_not_kept", "Answers that the store did not take.", registry=own)
        rows = Gauge("trimtab_rows", "Answers in the batch, and waiting for it.", ["state"], registry=own)
        rows.labels("running").set_function(lambda: engine.running)
        rows.labels("waiting").set_function(lambda: engine.waiting)

    def ended(self, account: Account) -> None:
        """Count a request."""
        model = account.model
        self._requests.labels(account.route, model, str(account.status)).inc()
        self._total.labels(account.route, model).observe(account.seconds)
        if account.status >= 400:
            self._refusals.labels(account.code or str(account.status)).inc()
        if account.answers:
            for kind, count in zip(("prompt", "answer"), account.tokens, strict=True):
                self._tokens.labels(model, kind).inc(count)
        if account.first is not None:
            self._first.labels(model).observe(account.first)
        for rule in account.rules:
            self._rules.labels(model, rule).inc()

    def lost(self, answers: int) -> None:
        """Count answers that were given and could not be kept."""
        self._lost.inc(answers)

    def text(self) -> bytes:
        """All of them."""
        return generate_latest(self.registry)
