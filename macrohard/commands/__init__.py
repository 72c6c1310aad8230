"""The commands: one module per group, each a thin skin over one function of the package."""
