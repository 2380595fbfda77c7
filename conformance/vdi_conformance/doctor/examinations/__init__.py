"""What is examined, one module for each subject; a function examines one thing, and its docstring says what."""
