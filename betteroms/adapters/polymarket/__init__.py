"""Polymarket over HTTP: their JSON, their spelling, their errors, turned into ours."""
