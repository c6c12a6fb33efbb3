"""What commands and actions do, as far as rules ask."""
