"""The panels: each draws one side of a run as HTML, a pinned run beside it in dashed lines."""
