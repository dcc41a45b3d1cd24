"""The environment's own schemas and question templates, one module a schema."""
