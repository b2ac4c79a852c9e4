"""What goes wrong at the venue, by script or by chance that a seed decides, and where it strikes."""
