"""How requests leave the house, and where they may go."""
