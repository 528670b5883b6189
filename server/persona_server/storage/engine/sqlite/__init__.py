"""SQLite through apsw: one file, which one server at a time has."""
