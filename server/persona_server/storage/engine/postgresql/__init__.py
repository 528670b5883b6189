"""PostgreSQL through psycopg: a pool of connections, and rows that hold writers apart."""
