"""exercises of segtutor."""
