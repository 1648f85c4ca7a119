"""Collections as they are declared: indexes, validators and time series."""
