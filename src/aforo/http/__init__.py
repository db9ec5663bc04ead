"""The server: routes and middleware as plain lists, one file for each resource."""
