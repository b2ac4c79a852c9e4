"""Performance as ratios to floors measured in the same run; outside the test run."""
