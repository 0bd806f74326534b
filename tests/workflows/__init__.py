"""The workflow on a real Temporal server: its signals, its history, its replays."""
