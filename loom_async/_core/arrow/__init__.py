"""MongoDB's documents as Arrow tables; needs pyarrow and pymongoarrow."""
