"""plotting of segtutor."""
