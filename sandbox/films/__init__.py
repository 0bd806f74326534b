"""The films of the sandbox: drawn, rendered, and handed out."""
