"""What a commit hook or `check` asks."""
