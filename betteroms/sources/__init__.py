"""Things that wish: each turns its world into intents; pure."""
