"""LibraryService: individuals measured, promoted, reused and followed."""
