"""A sequence classifier that the user names: the probability of one of its labels."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from trimtab.errors import MetricError
from trimtab.measure.contract import optional
from trimtab.records import Example


class Classifier:
    """A classifier from a folder or the Hub, loaded at the first answer; safetensors only, no remote code."""

    def __init__(self, source: str, label: str) -> None:
        self.source = source
        self.label = label

    @cached_property
    def _loaded(self) -> tuple[Any, Any, int]:
        transformers = optional("transformers", extra="local")
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(self.source)
            network = transformers.AutoModelForSequenceClassification.from_pretrained(
                self.source, use_safetensors=True, trust_remote_code=False
            ).eval()
        except (OSError, ValueError) as error:
            raise MetricError(
                f"classifier {self.source}: {error}", "name a folder or a Hub model with safetensors weights"
            ) from None
        labels = {str(name).lower(): int(index) for index, name in network.config.id2label.items()}
        if self.label.lower() not in labels:
            raise MetricError(
                f"classifier {self.source}: no label {self.label!r}", f"its labels: {', '.join(labels)}"
            )
        return tokenizer, network, labels[self.label.lower()]

    def score(self, example: Example, text: str) -> float:
        """Probability of the label for an answer, which is cut at the classifier's longest input.

        One label or several independent ones: sigmoid; else softmax over the labels.
        """
        tokenizer, network, index = self._loaded
        torch = optional("torch", extra="local")
        limit = min(tokenizer.model_max_length, network.config.max_position_embeddings)
        batch = tokenizer(text, return_tensors="pt", truncation=True, max_length=limit)
        with torch.inference_mode():
            logits = network(**batch).logits[0].float()
        separate = network.config.problem_type == "multi_label_classification" or len(logits) == 1
        return float((logits.sigmoid() if separate else logits.softmax(-1))[index])
