"""training of segtutor."""
