"""What knows the driver. Nothing else imports it; everything else is the same for every engine.

Another engine brings, under the same names:

- `database`: `Database`, which `open_database` opens. A connection for each thread; `write`, one
  transaction at a time per process and in the order of asking; `snapshot`, reads that all see one
  moment; `migrating`, the transaction in which one starter changes the schema; `close_all`.
- `folder`: where the data is, that it is private, and that one server at a time has it.
- `errors`: which of the driver's errors mean that the database is not available now, and which
  that it can't be used at all.
- `statements`: how a compiled statement is executed: bytes come back as `bytes`, a statement is
  prepared once, and `run` returns how many rows were changed.
- `dialect`: the few words in which the SQL differs. Every other statement is Peewee's own, compiled
  for the engine, with a named parameter wherever a call binds a value.
- `history`: which migrations were applied. The migrations are text for one engine, so another has
  a folder of its own. They make the guards too, the triggers by which the database itself refuses
  to change what must not change.

Then an entry in tests/conformance/conftest.py, with a probe in tests/support, holds it to what
storage promises.
"""
