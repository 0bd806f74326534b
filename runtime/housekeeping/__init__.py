"""What keeps the house in order by itself: the reconciler's rounds, erasing, and letting go of what is old."""
