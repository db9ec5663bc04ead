"""What pages tell of their visitors, the summary of it, and a site that is made up."""
