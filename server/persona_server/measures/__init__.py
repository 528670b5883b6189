"""Pure measures of answers: reliability, contradictions, attitude shift, groups, and matching.

Everything here is a function of its arguments: no storage, no clock, no random numbers. The
formulas are in the docstrings; docs/measures.md says what they are for and how good they are.

* ``answers``, ``answering``: questions, canonical answers, how far they are apart
* ``populations``: others' answers, at a cost that their number leaves alone
* ``individual``, ``contradictions``: GetReliability, GetAttitudeTimeline
* ``comparison``: SummarizeResponses, CompareResponses, MeasureFidelity
* ``matching``: MatchLibraryPersonas
* ``special``, ``student_t``: the distributions that these need
"""
