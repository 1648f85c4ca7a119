"""The model half of the core: fields, codec, change tracking, metadata."""
