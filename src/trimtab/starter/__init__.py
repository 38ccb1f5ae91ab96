"""What `init` and `demo` write: a folder with a recipe that runs as it is."""

from trimtab.starter.choices import as_yaml
from trimtab.starter.decision import Decision
from trimtab.starter.folders import Beside, Started, demo_recipe, from_file, from_nothing, with_minutes

__all__ = [
    "Beside",
    "Decision",
    "Started",
    "as_yaml",
    "demo_recipe",
    "from_file",
    "from_nothing",
    "with_minutes",
]
