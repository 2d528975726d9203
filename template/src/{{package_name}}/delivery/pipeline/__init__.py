"""The stages of `dvc.yaml` and what they call; `problem.py` is all that differs by problem."""
