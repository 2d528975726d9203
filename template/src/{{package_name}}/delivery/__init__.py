"""What the template brings: everything between the team's three files and a delivered model."""
