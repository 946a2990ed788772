"""What the checks of all API groups are made of."""
