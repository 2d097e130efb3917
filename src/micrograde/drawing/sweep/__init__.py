"""Pictures of a sweep, by matplotlib."""
