"""The two slowest loops of the hot path in C: JSON to columns, columns to the bytes of COPY.

Assumptions: none about who installs. The loops are compiled with the package where there is a C compiler, or come in a
wheel; without them numpy does the same, two to three times as slowly.

Invariants: with and without them the results are the same, byte for byte, and so are the errors, because the loops
have none: what they do not take is left to the usual way as a whole. Property tests hold the two against each other.
Nothing here knows Python's objects; memory is the caller's, and its sizes are given with it.
"""
