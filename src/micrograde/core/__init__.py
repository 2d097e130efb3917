"""What every room builds on: errors, bounds, text for terminals, files. Imports no other room."""
