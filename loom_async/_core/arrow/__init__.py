"""Raw batches to Arrow tables and frames; all but `mismatches` needs pyarrow and pymongoarrow."""
