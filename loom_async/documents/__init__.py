"""Documents as objects: one, many, found by id, reloaded and deleted."""
