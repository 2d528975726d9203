"""The champion behind an HTTP address."""
