"""Frames to documents: rows are read, checked by the model and encoded, a chunk at a time."""
