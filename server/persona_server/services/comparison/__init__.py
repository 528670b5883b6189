"""ComparisonService: what groups of individuals answered."""
