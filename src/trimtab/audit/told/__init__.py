"""Whether answers tell the facts of their prompts, where prompts are lists of facts: `name[Aromi], area[riverside]`."""
