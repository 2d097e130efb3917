"""The base of all other rooms: errors, bounds, text for terminals, files. It imports no other room."""
