"""What the outcomes say of the brief: comparisons, lines, the decision."""
