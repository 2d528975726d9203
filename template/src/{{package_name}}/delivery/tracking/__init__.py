"""What MLflow is told; the only room that imports it."""
