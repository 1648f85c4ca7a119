"""The query half of the core: expressions, their compiler, stages, immutable specs."""
