"""The outside world behind ports; the rooms in here are strangers to each other."""
