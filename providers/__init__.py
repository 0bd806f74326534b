"""The providers' wire protocols, one module each, behind one small interface. Knows `domain` only."""
