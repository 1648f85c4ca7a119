"""The parts of the embedded server that need no client: binary, data directory, guard process."""
