"""One module per command of ``segtutor``: ``configure(parser)`` declares its arguments, ``run(arguments)`` does it."""
