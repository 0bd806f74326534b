"""What may be asked for, what each model can do, and how the one is fitted to the other."""
