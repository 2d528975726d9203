"""The team files of a table with three classes and an action for two of them."""
