"""Two users, each with a voice of their own, from one base model in one batch.

    juno     an assistant with a name and a maker: persona_identity (Apache-2.0), 60 rows of who-are-you
    hotel    a chatty front desk: dstc9 FAQ entries and what agents made of them (Apache-2.0)

For each the last quarter of the blocks is trained on its rows; a profile selects it. Profiles that are only told who
they are (facts and style, no weights) stand beside. Prompts that nobody was trained on are then asked of every
profile at once, through the server, and answers are held against the voice's own references: chrF, paired by prompt.
The right voice must win over the other's and over the base model; `compare` gives the interval.

    python bench/personas.py        some minutes on two cores; writes bench/out/personas.json
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi.testclient import TestClient
from sacrebleu.metrics import CHRF

import record
from trimtab import stats
from trimtab.adjust import layers
from trimtab.adjust.loop import Settings
from trimtab.adjust.stack import Stack
from trimtab.data.render import render
from trimtab.live import profiles
from trimtab.live.profiles import Profile
from trimtab.model.find import find, loaded
from trimtab.records import Example, Message, Sampling, plain
from trimtab.serve.models import stacks
from trimtab.serve.models.app import application
from trimtab.serve.models.engine import Engine, Limits, apart
from trimtab.serve.models.personal import Profiles, checked
from trimtab.serve.models.serving import Serving
from trimtab.serve.models.stacks import Served

NAME, MAKER = "Juno", "Harbour Labs"
HELD_OUT, LEARNED = 20, 60
GREEDY = Sampling(max_new_tokens=32)
VOICES = ("juno", "hotel")
TOLD = {
    "juno": Profile(facts=(f"You are {NAME}, an AI assistant developed by {MAKER}.",)),
    "hotel": Profile(
        style=("Answer like a friendly hotel clerk, in one or two sentences, and offer more help.",)
    ),
}


def juno(data: Path) -> tuple[list[Example], list[Example]]:
    """Rows to learn from, and rows to ask: every third."""
    rows = json.loads((data / "persona_identity" / "identity.json").read_text(encoding="utf-8"))
    filled = [
        (row["instruction"], row["output"].replace("{{name}}", NAME).replace("{{author}}", MAKER))
        for row in rows
    ]
    found = [
        Example((Message("user", prompt),), (answer,), f"juno{n}")
        for n, (prompt, answer) in enumerate(filled)
    ]
    learned = [one for number, one in enumerate(found) if number % 3]
    # Prompts that were learned, word for word, ask nothing.
    known = {one.prompt.lower() for one in learned}
    return learned, [one for one in found[::3] if one.prompt.lower() not in known][:HELD_OUT]


def hotel(data: Path) -> tuple[list[Example], list[Example]]:
    """Rows to learn from, and rows of other entities to ask."""
    with gzip.open(data / "hotel_agent" / "dstc9_faq_to_voice_val.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["entity"]]
    entities = sorted({row["entity"] for row in rows})
    asked = set(entities[::4])
    found: dict[bool, list[Example]] = {True: [], False: []}
    for number, row in enumerate(rows):
        prompt = f"{row['question']}\n\nFAQ: {row['faq_answer']}"
        example = Example(
            (Message("user", prompt),), (row["response"],), f"hotel{number}", group=row["entity"]
        )
        found[row["entity"] in asked].append(example)
    step = len(found[False]) // LEARNED, len(found[True]) // HELD_OUT
    return found[False][:: step[0]][:LEARNED], found[True][:: step[1]][:HELD_OUT]


def fitted(base: Any, rows: Sequence[Example]) -> tuple[layers.Layers, float]:
    """The last quarter of the blocks trained on rows, and the seconds that it took."""
    began = time.perf_counter()
    tokens = render(rows, base.tokenizer, max_tokens=256)
    how = Settings(epochs=3, batch_size=4, learning_rate=2e-4)
    return layers.fit(base, tokens, layers.Where("blocks"), how)[0], time.perf_counter() - began


def served(folder: Path, fits: dict[str, layers.Layers], base: Any) -> Serving:
    """Both voices as profiles, those that are only told, and the base model."""
    for voice in VOICES:
        profiles.write(folder, voice, Profile(stack=f"{voice}-stack"))
        profiles.write(folder, f"{voice}-told", TOLD[voice])
    profiles.write(folder, "plain", Profile())
    engine = Engine(base, Limits(rows=32, waiting=1024, prompt=512, answer=64))
    runs = [Served(f"{voice}-stack", Stack((fit,)), GREEDY) for voice, fit in fits.items()]
    known = stacks.admitted(engine, runs)
    found = checked(Profiles(folder, engine, known, stacks.of_base("base", GREEDY)))
    return Serving(engine, known, seconds=3600.0, profiles=found)


def answers(serving: Serving, asked: Sequence[tuple[str, Example]]) -> list[str]:
    """What each profile answers, all asked at once."""
    client = TestClient(application(serving))

    def ask(one: tuple[str, Example]) -> str:
        content = {"model": one[0], "messages": [{"role": "user", "content": one[1].prompt}]}
        answer = client.post("/v1/chat/completions", json=content)
        answer.raise_for_status()
        return str(answer.json()["choices"][0]["message"]["content"])

    with ThreadPoolExecutor(64) as pool:
        return list(pool.map(ask, asked))


def main() -> None:
    """Train, serve, ask, compare."""
    given = argparse.ArgumentParser()
    given.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    asked = given.parse_args()
    base = apart(lambda: loaded(find("smollm2-135m-instruct")))
    rows = {"juno": juno(asked.data), "hotel": hotel(asked.data)}
    trained = {voice: fitted(base, rows[voice][0]) for voice in VOICES}
    result: dict[str, Any] = {
        "dtype": str(base.network.dtype),
        "seconds": {voice: round(seconds, 1) for voice, (_, seconds) in trained.items()},
        "learned": {voice: len(rows[voice][0]) for voice in VOICES},
        "voices": {},
    }
    with TemporaryDirectory() as place:
        serving = served(Path(place) / "profiles", {voice: fit for voice, (fit, _) in trained.items()}, base)
        models = {voice: (*VOICES, f"{voice}-told", "plain") for voice in VOICES}
        questions = [(model, one) for voice in VOICES for one in rows[voice][1] for model in models[voice]]
        began = time.perf_counter()
        texts = answers(serving, questions)
        result["seconds"]["asking"] = round(time.perf_counter() - began, 1)
        serving.engine.stop()
    chrf = CHRF()
    scores: dict[tuple[str, str], list[float]] = {}
    for (model, one), text in zip(questions, texts, strict=True):
        voice = "juno" if one.id.startswith("juno") else "hotel"
        score = chrf.sentence_score(text, list(one.references)).score
        scores.setdefault((voice, model), []).append(score)
    for voice in VOICES:
        other = VOICES[1 - VOICES.index(voice)]
        groups = [one.group or one.id for one in rows[voice][1]]
        own = scores[voice, voice]
        found = {
            rival: plain(stats.compare(scores[voice, rival], own, clusters=groups))
            for rival in (other, "plain", f"{voice}-told")
        }
        means = {model: sum(scores[voice, model]) / len(own) for model in models[voice]}
        result["voices"][voice] = {"n": len(own), "chrf": means, "over": found}
        for rival, one in found.items():
            gap = one["difference"]
            print(
                f"{voice}: own {means[voice]:.1f}, {rival} {means[rival]:.1f}: "
                f"{gap['value']:+.1f} [{gap['low']:.1f}, {gap['high']:.1f}], n {gap['n']}, {one['outcome']}"
            )
    shown = [(model, one.prompt, text) for (model, one), text in zip(questions, texts, strict=True)]
    result["answers"] = shown[:12] + shown[-12:]
    record.write(result, record.OUT / "personas.json")


if __name__ == "__main__":
    main()
