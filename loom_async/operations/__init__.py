"""Calls of the driver: where a call goes, its transaction, and commands that are retried."""
