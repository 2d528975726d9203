"""Where files, processes and people are met; it imports no other room."""
