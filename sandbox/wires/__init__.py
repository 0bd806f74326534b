"""The providers' own wires, one module each, with what each accepts and how it refuses."""
