"""Words in, words out, an exit code; no decisions."""
