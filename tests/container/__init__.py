"""The container of a generated repository: what goes in, what it needs, how it is deployed."""
