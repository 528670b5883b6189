"""Groups compared, by what their individuals answer to one question: each counts once.

Everything here is a function of counts, shares or pairs of answers.

* ``steps``, ``distance_law``: how far two distributions are apart, and how far by chance alone
* ``shares``, ``moments``: what a summary shows, with its intervals
* ``targets``: a group against a target, or against another group
* ``pairs``: the same individuals in two selections, or a persona and its person
* ``fidelity``: a persona against the human it stands for
"""
