"""Books and markets from files, as the venue would answer."""
