"""What people read: sections, charts and the page they stand on."""
