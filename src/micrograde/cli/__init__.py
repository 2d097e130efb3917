"""The shell's side: entry points, help, and what a command finds around it when it begins."""
