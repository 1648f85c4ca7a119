"""Random schedules of writes, cancellations and failures, judged by an oracle.

`documents` has the models and the random edits; `oracle` keeps what may be stored of one
document; `shares` does so where several writers have a document in common; `workers` make the
calls; `episodes` run workers while something fails, and judge what is stored in the end.
"""
