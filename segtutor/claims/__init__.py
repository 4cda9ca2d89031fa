"""claims of segtutor."""
