"""Finds and creates the collections of models, their indexes and their validators."""
