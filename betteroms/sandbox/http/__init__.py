"""What the venue answers over HTTP."""
