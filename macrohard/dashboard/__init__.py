"""The dashboard: a factory on a live page, with its knobs. Bound to this machine unless a token guards it."""
