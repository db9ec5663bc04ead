"""Control state in a relational database: who may do what, and who did."""
