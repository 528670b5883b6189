"""SimulationService, and what is counted in simulations and of questions."""
