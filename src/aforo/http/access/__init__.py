"""Who may ask: what shows who sends a request, what that opens, how often, and from which pages."""
