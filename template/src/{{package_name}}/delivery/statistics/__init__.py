"""How sure a figure is. It imports no other room."""
