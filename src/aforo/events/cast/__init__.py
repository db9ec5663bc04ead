"""From what came to typed Arrow arrays, one file for each form in which columns come."""
