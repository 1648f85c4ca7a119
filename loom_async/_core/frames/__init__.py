"""Frames to documents: rows are read, validated by the model and encoded, a chunk at a time."""
