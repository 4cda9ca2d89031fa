"""The experiments: one module, or one folder, for the claims of each lesson, named as the lesson."""
