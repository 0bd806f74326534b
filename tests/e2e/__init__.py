"""The whole service over HTTP, as its users meet it."""
