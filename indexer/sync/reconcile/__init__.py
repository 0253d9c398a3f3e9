"""State that events do not carry: view functions read at a final block, stored, and compared with what was folded.

* ``calls``: questions to contracts, together in a multicall or a batch, never more a second than configured
* ``answers``: what their bytes mean; None for what is no answer
* ``checks``: which rows are compared with which function
* ``read``: the shape of a read; ``reads``, ``settings``: what is stored because only calls can tell it
* ``books``: the SQL: rows to ask about, answers, results
* ``runner``: one pass, and the task that makes one every so often

It has a connection and a pace of its own, takes no lock that a commit waits for longer than one row's update, and never changes
a row that events made.
"""
