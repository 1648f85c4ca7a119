"""The sync twin of `loom_async`; generated from it."""
