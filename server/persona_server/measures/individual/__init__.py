"""One individual measured: how reliably it answers, and whether its attitude has changed.

* ``crowds``: what all individuals answered to a question in a simulation, and what agrees by chance
* ``terms``, ``interval``, ``shortfall``: agreement with oneself, its interval, and what would do
* ``styles``, ``outlying``: answers that follow their form, simulations that stand apart
* ``policy``, ``reliability``, ``explanation``: the rules, all of it together, and in words
* ``points``, ``change``, ``trend``, ``shift``: answers over time
"""
