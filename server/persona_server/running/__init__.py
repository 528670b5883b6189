"""The service as a whole: composed of its rooms as the settings say, started, watched and ended."""
