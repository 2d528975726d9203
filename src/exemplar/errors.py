"""What ends a command early."""


class Fixable(Exception):
    """What a person can fix: names what was expected, what was found and the next command."""
