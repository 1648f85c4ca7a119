"""Clients, the blocks that choose one, and the embedded server."""
