"""What `init` and `demo` write: a folder with a recipe that runs as it is."""

from trimtab.starter.choices import Decision, as_yaml
from trimtab.starter.folders import Started, demo_recipe, from_file, from_nothing

__all__ = ["Decision", "Started", "as_yaml", "demo_recipe", "from_file", "from_nothing"]
