"""How a model takes charge, how it is taken back, and the record of both."""
