"""The contract: what every way into Rollcall must do alike, told once and run over every lane.

A lane (lanes/) is one way in: the routes, the hot path, a batch, an import, the Atomic API. A rule is a test function under
`@rule(words)`, or a row of a table in a test file; it runs over every lane that can say its words. exemptions.py lists
what a lane cannot say (CANNOT) and where lanes disagree today (DIFFERENCES), each with the reason and a proof.
"""
