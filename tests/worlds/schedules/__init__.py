"""Random schedules of writes, cancellations and failures, judged by an oracle.

`documents` has the models and the random edits; `oracle` tracks the possible states of a document
with one writer, and `shares` those of a document with several writers; `workers` make the calls;
`episodes` run workers while faults occur, and check what is stored in the end.
"""
