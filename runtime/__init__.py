"""What every process of ours needs to exist: settings, logs, the Temporal connection, and the nudges."""
