"""The HTTP front door, asked over a real socket."""
