"""Nobody gets in who does not belong, and nobody gets out what is a secret: a test per risk."""
