"""What a video costs: prices, estimates before, bills after, and the entries of the books."""
