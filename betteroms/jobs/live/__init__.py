"""What only live trading does besides: before the first order leaves, and after the venue spoke."""
