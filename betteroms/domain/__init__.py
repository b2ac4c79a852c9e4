"""What things are and what follows from what; standard library only, no clock, no chance, no I/O."""
