"""Pictures over HTTP: uploaded, or fetched from an address."""
