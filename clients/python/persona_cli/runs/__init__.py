"""Long work that can break off and go on: imports and recordings."""
