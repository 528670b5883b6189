"""The worked study: simulated consumers of known reliability, measured, promoted and reused."""
