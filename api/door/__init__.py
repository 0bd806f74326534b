"""Who may come in: keys, sessions, tickets and links, and how fast somebody may go."""
