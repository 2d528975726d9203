"""All that differs between kinds of problem: target, training, outcomes, metrics, and words."""
