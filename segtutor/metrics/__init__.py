"""metrics of segtutor."""
