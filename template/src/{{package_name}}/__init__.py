"""The team writes contract, features and model; `delivery` makes them a delivered model."""
