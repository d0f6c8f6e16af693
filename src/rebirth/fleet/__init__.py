"""Many castles, checks, rehearsals and drills as durable jobs: several workers share them, and none is lost with a worker.

An engine (DBOS, `engine.py`) holds who does what. What was done is in each job's own account (`account.py`), and in the journal
of its castle: where both disagree, these are right.
"""
