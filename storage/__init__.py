"""The database (schema, migrations, repositories) and the signal history in Parquet."""
