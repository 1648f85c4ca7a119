"""Models without I/O: declarations, fields, codecs, loading, change tracking and write plans."""
