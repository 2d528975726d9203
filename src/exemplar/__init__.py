"""The toolkit that a lead runs beside the template."""
