"""Transactions without their I/O: their state, and the objects that they restore."""
