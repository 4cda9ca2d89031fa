"""models of segtutor."""
