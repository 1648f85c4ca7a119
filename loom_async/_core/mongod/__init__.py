"""What the embedded server needs besides a client: binary, data directory, guard process."""
