"""JSON-RPC: transport, endpoint pool, limits, error classification, answer validation, log parsing.

Assumptions: providers lie, lag, limit and fail; nothing they say is believed before it was held against the question
and against its neighbours.

Invariants: every request has a timeout and a bounded number of tries; a linked read (header and logs, batch) is answered
by one endpoint; no URL beyond host and port leaves this package; message texts are read in ``classify`` only.
"""
