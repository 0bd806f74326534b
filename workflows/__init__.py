"""The workflows: wiring only. They know `domain`, and name activities."""
