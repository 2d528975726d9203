"""What ends a command early."""


class Mendable(Exception):
    """What a person can mend: names what was expected, what was found and the next command."""
