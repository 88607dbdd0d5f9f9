"""SQLite tables and the content-addressed store: results and evidence leaves live in one database."""
