"""What is declared: streams with their measures and rollups, metrics over them, and tenants."""
