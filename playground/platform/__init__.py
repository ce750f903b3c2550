"""Stand-ins for the platforms' servers: the same addresses, rules and error codes, with state in memory."""
