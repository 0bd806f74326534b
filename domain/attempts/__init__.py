"""How attempts end, what follows from that, and where a take goes next."""
