"""All code without await, clients or threads: models, queries, codecs, settings and errors."""
