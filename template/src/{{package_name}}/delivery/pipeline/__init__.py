"""The stages of `dvc.yaml`, one module each, and nothing else."""
