"""datasets of segtutor."""
