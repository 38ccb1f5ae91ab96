"""The recipe: everything a user decides, in one strict file.

Each option is described once, in its field below; help, documentation and errors are made from these texts.
Only `pipeline` and the command line see a recipe; everything else receives plain values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from trimtab import strict
from trimtab.candidates import Augmentation, Candidates, Rung
from trimtab.errors import RecipeError
from trimtab.strict import Section

# Options of metrics that name a file or folder.
FILES = ("file", "classifier", "model")


class Split(Section):
    """How the examples are shared out, by content hash, whole groups together."""

    tune: float = Field(0.5, gt=0, lt=1, description="share that adjustments are fitted on")
    select: float = Field(
        0.2, gt=0, lt=1, description="share that chooses between candidates, and that reports show"
    )
    confirm: float = Field(0.3, gt=0, lt=1, description="sealed share that the verdict is read from")

    @model_validator(mode="after")
    def _whole(self) -> Split:
        total = self.tune + self.select + self.confirm
        if abs(total - 1) > 1e-9:
            raise ValueError(f"tune, select and confirm must add up to 1; they add up to {total:g}")
        return self


class Data(Section):
    """Where the examples come from."""

    examples: str = Field(description="jsonl, csv or parquet file, or hub:<dataset>[:<split>]")
    documents: str = Field(
        "",
        description="for the rung context: a folder of .txt and .md files, or a file of rows with text, title, source",
    )
    columns: dict[str, str] = Field(
        {}, description="names of the columns, where they are not the usual ones: prompt: question"
    )
    split: Split = Field(Split(), description="shares of tune, select and confirm")
    instruction: str = Field(
        "", description="text put before each prompt that is a bare text, as every stack sees it"
    )
    max_tokens: int = Field(
        1024, ge=16, le=131072, description="longest row in tokens; longer rows lose their end"
    )


class Goal(Section):
    """What shall improve, and by how much."""

    metric: str = Field(description="exactly one primary metric: a name, or file.py:function")
    min_gain: float = Field(
        0.0, ge=0, description="smallest gain worth having over the base model, in the metric's unit"
    )
    expected_gain: float | None = Field(
        None, gt=0, description="gain that plan computes power for; above min_gain"
    )
    options: dict[str, Any] = Field({}, description="settings of the metric, such as a word list")

    @model_validator(mode="after")
    def _above(self) -> Goal:
        if self.expected_gain is not None and self.expected_gain <= self.min_gain:
            raise ValueError(
                f"expected_gain ({self.expected_gain:g}) must be above min_gain ({self.min_gain:g})"
            )
        return self


class SamplingOptions(Section):
    """How the base model and every candidate answer."""

    max_new_tokens: int = Field(128, ge=1, le=8192, description="longest answer in tokens")
    temperature: float = Field(0.0, ge=0, le=5, description="0 is greedy")
    top_k: int = Field(0, ge=0, description="keep the k most likely tokens; 0 keeps all")
    top_p: float = Field(1.0, gt=0, le=1, description="keep the smallest set of tokens with this probability")
    min_p: float = Field(
        0.0, ge=0, lt=1, description="drop tokens below this share of the likeliest one's probability"
    )
    repetition_penalty: float = Field(1.0, gt=0, description="above 1 discourages tokens already seen")
    stop: tuple[str, ...] = Field((), description="texts that end an answer")
    seeds: int = Field(1, ge=1, le=64, description="answers drawn for each item; averaged within the item")


class Guard(Section):
    """Something that must be shown not to have become worse."""

    suite: str = Field(
        description="a built-in suite, a file of examples, or facts-kept / target (the target's own answers)"
    )
    metric: str = Field(description="metric of the guard: a name, or file.py:function")
    margin: float = Field(gt=0, description="largest loss that still counts as held, in the metric's unit")
    max_new_tokens: int | None = Field(
        None,
        ge=1,
        le=8192,
        description="longest answer in tokens for this suite, instead of sampling.max_new_tokens",
    )
    options: dict[str, Any] = Field({}, description="settings of the metric")


class Training(Section):
    """How adapters and layers are trained, unless a candidate says otherwise."""

    epochs: float = Field(2.0, gt=0, le=100, description="passes over tune; augmented rows add none")
    batch_size: int = Field(8, ge=1, le=4096, description="rows in one update")
    micro_tokens: int = Field(
        512, ge=16, description="tokens computed at once; fewer need less memory, the update stays the same"
    )
    learning_rate: float = Field(5e-4, gt=0, le=1, description="peak learning rate")
    schedule: Literal["constant", "linear", "cosine", "step", "exponential"] = Field(
        "linear", description="course of the learning rate after warm-up"
    )
    warmup: float = Field(
        0.03, ge=0, lt=1, description="share of the updates that the learning rate rises over"
    )
    weight_decay: float = Field(0.0, ge=0, le=1, description="decoupled weight decay (AdamW)")
    clip: float = Field(1.0, gt=0, description="largest gradient norm")
    patience: int = Field(
        0, ge=0, description="evaluations on select without improvement before stopping; 0 is off"
    )
    replay: float = Field(
        0.0,
        ge=0,
        le=0.9,
        description="against forgetting: share of an update's rows that the base model wrote itself; 0 is off",
    )
    kl: float = Field(
        0.0,
        ge=0,
        le=1000,
        description="against forgetting: weight of KL(base || tuned) on each trained token; 0 is off",
    )
    counterfactual: bool = Field(
        False,
        description="against bias: learn each row that names a group of people with its groups swapped as well",
    )
    balance: float = Field(
        0.0,
        ge=0,
        le=1000,
        description="against bias: weight of the squared gap in likelihood between a row and itself with groups "
        "swapped; above 0 it turns counterfactual on",
    )


class Budget(Section):
    """What the run may cost."""

    minutes: float = Field(
        30.0,
        gt=0,
        description="wall-clock time that plan and the choice of candidates keep to; a further rung that would "
        "pass it is skipped",
    )


class Service(Section):
    """How a model behind an OpenAI-compatible service is asked; each distinct question is paid for once."""

    key: str = Field(
        "",
        pattern=r"^([A-Z_][A-Z0-9_]*)?$",
        max_length=64,
        description="environment variable that holds the API key, never the key; OPENAI_API_KEY when not given",
    )
    at_once: int = Field(4, ge=1, le=256, description="requests under way at once")
    per_minute: float = Field(0.0, ge=0, description="most requests a minute; 0 is no limit")
    seconds: float = Field(120.0, gt=0, le=3600, description="longest wait for one answer, in seconds")
    tries: int = Field(6, ge=1, le=20, description="times that a request is sent before the run stops")
    price_prompt: float = Field(
        0.0, ge=0, description="price of a million tokens of prompts, in any one currency"
    )
    price_answer: float = Field(0.0, ge=0, description="price of a million tokens of answers, in the same")


class Review(Section):
    """Human judgement."""

    required: bool = Field(False, description="keep the verdict inconclusive until people have judged")
    role: Literal["goal", "guard"] = Field(
        "guard",
        description="guard: people must not prefer the base model by more than margin, beside the goal; goal: people "
        "must prefer the adjusted model by more than min_gain, and the goal's metric only chooses what they see",
    )
    margin: float = Field(
        0.05, gt=0, lt=0.5, description="guard: how far below one half the win rate may lie"
    )
    min_gain: float = Field(
        0.0, ge=0, lt=0.5, description="goal: how far above one half the win rate must lie"
    )
    items: int = Field(
        0, ge=0, le=100_000, description="items of confirm that are shown, at random; 0 is all of them"
    )
    per_item: int = Field(2, ge=1, le=100, description="people who judge each item")
    question: str = Field(
        "Which answer is better?", min_length=1, max_length=300, description="what people are asked of a pair"
    )


class Disclosure(Section):
    """What tells machines that answers were generated."""

    watermark: Literal["", "green-list", "synthid"] = Field(
        "",
        description="a mark in the answers of every candidate, which is measured with it against the base model "
        "without; synthid needs sampling.temperature above 0; none when not given",
    )
    bias: float = Field(2.0, gt=0, le=20, description="green-list: added to the logits of green tokens")
    share: float = Field(
        0.25, ge=0.05, le=0.95, description="green-list: share of the vocabulary that is green"
    )
    key: str = Field(
        "",
        pattern=r"^([A-Z_][A-Z0-9_]*)?$",
        max_length=64,
        description="environment variable that holds the secret, at least 16 characters, never the secret; a new one "
        "is drawn for the run when not given",
    )


class Round(Section):
    """What a round takes over from the one before it."""

    folder: str = Field("", description="folder that `trimtab tune --from RUN` wrote for this round")
    corrections: Literal["instead", "beside"] = Field(
        "instead", description="learn what people wrote instead of a row's own answers, or beside them"
    )
    confirm: Literal["kept", "fresh"] = Field(
        "kept", description="kept: items that nobody saw stay sealed, with their looks; fresh: new rows alone"
    )


class Recipe(Section):
    """recipe.yaml: model, data, goal, guards and ladder."""

    model: str = Field(
        "smollm2-135m-instruct",
        description="embedded default, Hub id, folder, file.gguf, or openai:<model>@<base_url>",
    )
    service: Service = Field(Service(), description="how a model behind a service is asked")
    data: Data = Field(description="the examples and how they are split")
    goal: Goal = Field(description="the metric to improve")
    sampling: SamplingOptions = Field(SamplingOptions(), description="how every stack answers")
    guards: tuple[Guard, ...] = Field((), description="what must not get worse")
    guidelines: str = Field("", description="file of content rules, such as guidelines.yaml")
    ladder: dict[Rung, float] = Field(
        {"adapter": 1.0}, description="rungs, cheapest first, with their share of the error rate"
    )
    combined: float = Field(
        0.5,
        ge=0,
        description="share of the error rate kept for a last rung: the best of prompt, context, decoding and "
        "postprocess joined with the best change of the network, where no rung alone passes; 0 tries none",
    )
    candidates: Candidates = Field(Candidates(), description="settings tried on each rung")
    augment: tuple[Augmentation, ...] = Field(
        (),
        max_length=16,
        description="rows made of tune in addition, for adapters and layers; each candidate is "
        "trained without them too, with as many updates, and the two are compared on select",
    )
    training: Training = Field(Training(), description="how adapters and layers are trained")
    budget: Budget = Field(Budget(), description="time that the run may take")
    review: Review = Field(Review(), description="whether people must judge")
    disclosure: Disclosure = Field(
        Disclosure(), description="how machines can tell that answers were generated"
    )
    round: Round = Field(Round(), description="what is taken over from the round before")
    seed: int = Field(0, ge=0, lt=2**31, description="seed of everything random")

    @property
    def weights(self) -> dict[str, float]:
        """Share of the error rate of each rung, in the ladder's order."""
        return {str(rung): weight for rung, weight in self.ladder.items()}

    @field_validator("ladder", mode="before")
    @classmethod
    def _weights(cls, value: Any) -> Any:
        return dict.fromkeys(value, 1.0) if isinstance(value, list) else value

    @field_validator("ladder")
    @classmethod
    def _positive(cls, value: dict[Rung, float]) -> dict[Rung, float]:
        if not value or any(weight <= 0 for weight in value.values()):
            raise ValueError("at least one rung, every weight above 0")
        return value

    @model_validator(mode="after")
    def _augmented(self) -> Recipe:
        trained = (*self.candidates.adapter, *self.candidates.layers)
        if not self.augment and any(one.augment for one in trained):
            raise ValueError(
                "candidates: augment is true, and the section augment, which says how, is missing"
            )
        return self


def load(path: Path | str) -> Recipe:
    """Read a recipe; paths in it become absolute, relative to the recipe's own folder.

    Raises:
        RecipeError: the file is missing, not YAML, or has any problem; all problems are named at once.
    """
    path = Path(path)
    content = strict.read(path, "recipe", RecipeError, "write one with: trimtab init")
    recipe = parse(content, name=str(path))
    return _anchored(recipe, path.resolve().parent)


def parse(content: dict[str, Any], *, name: str = "recipe") -> Recipe:
    """Check a mapping against the schema.

    Raises:
        RecipeError: with one line for each problem; an unknown key is answered with the nearest known one.
    """
    return strict.validate(
        Recipe,
        content,
        name=name,
        error=RecipeError,
        page="docs/recipe.md",
        hidden=("service", "service.key", "disclosure.key"),
    )


def _anchored(recipe: Recipe, folder: Path) -> Recipe:
    """Resolve the paths of a recipe against the folder that it stands in."""

    def anchor(text: str) -> str:
        return str(folder / text) if not Path(text).is_absolute() and (folder / text).exists() else text

    def code(text: str) -> str:
        name, colon, function = text.partition(":")
        return f"{anchor(name)}:{function}" if colon and name.endswith(".py") else text

    def suite(text: str) -> str:
        return anchor(text) if (folder / text).is_file() else text

    def options(given: dict[str, Any]) -> dict[str, Any]:
        return {key: anchor(value) if key in FILES else value for key, value in given.items()}

    candidates = recipe.candidates
    steering = tuple(one.model_copy(update={"pairs": suite(one.pairs)}) for one in candidates.steering)
    data, rules, taken = recipe.data, recipe.guidelines, recipe.round.folder
    if not data.examples.startswith("hub:") and not Path(data.examples).is_absolute():
        data = data.model_copy(update={"examples": str(folder / data.examples)})
    if data.documents and not data.documents.startswith("hub:"):
        data = data.model_copy(update={"documents": str(folder / data.documents)})
    return recipe.model_copy(
        update={
            "model": anchor(recipe.model),
            "data": data,
            "candidates": candidates.model_copy(update={"steering": steering}),
            "guidelines": str(folder / rules) if rules else "",
            "round": recipe.round.model_copy(update={"folder": str(folder / taken) if taken else ""}),
            "augment": tuple(
                how.model_copy(update={"wordnet": anchor(how.wordnet) if how.wordnet else ""})
                for how in recipe.augment
            ),
            "goal": recipe.goal.model_copy(
                update={"metric": code(recipe.goal.metric), "options": options(recipe.goal.options)}
            ),
            "guards": tuple(
                guard.model_copy(
                    update={
                        "suite": suite(guard.suite),
                        "metric": code(guard.metric),
                        "options": options(guard.options),
                    }
                )
                for guard in recipe.guards
            ),
        }
    )
