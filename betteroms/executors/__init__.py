"""Things that carry orders out: each turns orders into events, and none writes."""
