"""The champion behind an HTTP address; no stage imports this room."""
