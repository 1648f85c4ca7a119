"""How the values of each Python type are stored."""
