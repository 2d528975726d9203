"""A team's own table becomes drafts of its files; a team that has adopted may delete this room."""
