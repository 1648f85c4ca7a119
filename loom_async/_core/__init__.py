"""Everything that thinks and nothing that waits: no await, no client, no thread."""
