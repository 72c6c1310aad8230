"""The workforce: one module per role, rules for one desk. It knows no watts and no files."""
