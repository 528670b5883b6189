"""Tables that are written: CSV, Parquet and JSON lines of personas and of answers."""
