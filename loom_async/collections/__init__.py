"""The collection of a model: found, created, its indexes and its validator."""
