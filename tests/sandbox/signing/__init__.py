"""The signatures of the sandbox's venue, and who its members are."""
