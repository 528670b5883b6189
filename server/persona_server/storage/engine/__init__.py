"""What knows the drivers. Nothing else imports them; everything else is the same for every engine.

- `database`: what a database is to the rest of storage, and which engine opens it.
- `sqlite`: one file through apsw, a connection for each thread kept open, and one fair lock before
  its writers.
- `postgresql`: a database through psycopg, connections that threads borrow, a turn for each tenant
  before its writers, and the tenant's row among all servers.
- `statements`: statements compiled once, from Peewee's query builder.
- `dialect`: the few words in which the SQL differs, each with both forms (`words`). Every other
  statement is Peewee's own, with a named parameter wherever a call binds a value.
- `errors`: which of the drivers' errors mean that the database is not available now, and which
  that it can't be used at all.
- `history`: which migrations were applied. They are text for one engine, so each has a folder of
  its own. They make the guards too, the triggers by which the database itself refuses to change
  what must not change.
- `folder`: where an SQLite file is, that it is private, and that one server at a time has it.

tests/conformance holds both engines to what storage promises.
"""
