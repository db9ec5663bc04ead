"""What is asked of a tenant's streams, how it is planned, and the answer with its proof."""
