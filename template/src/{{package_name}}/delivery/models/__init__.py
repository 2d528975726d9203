"""A model as a folder: how it is kept, read safely, put in charge and made to score."""
