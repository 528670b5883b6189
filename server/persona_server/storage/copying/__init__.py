"""A database copied into another one, of whichever engine, and the copy held against it.

- `places`: the two databases, opened, each held alone, and refused where they can't be copied.
- `tables`: whole rows of every table, in the order of its key, parents before their children.
- `progress`: how far the copy is, in a table of the target that goes with its end.
- `copier`: the copy itself, chunk by chunk, and the comparison at its end.
"""
