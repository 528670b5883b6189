"""PersonaService, and the ways by which personas get into a group."""
