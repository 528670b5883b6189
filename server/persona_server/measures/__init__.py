"""Pure measures of answers: reliability, contradictions, attitude shift, and matching.

Everything here is a function of its arguments: no storage, no clock, no random numbers. The
formulas are in the docstrings; docs/measures.md says what they are for and how good they are.

* ``answers``: questions, canonical answers, disagreement
* ``populations``, ``histogram``: others' answers, at a cost that their number leaves alone
* ``agreement``, ``bound``, ``contradictions``, ``policy``, ``reliability``: GetReliability
* ``points``, ``trend``, ``shift``: GetAttitudeTimeline
* ``matching``: MatchLibraryPersonas
* ``student_t``: the only distribution that is needed
"""
