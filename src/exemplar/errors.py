"""What ends a command early."""


class Fixable(Exception):
    """An error that a person can fix: it names what was expected, what was found and what to do."""
