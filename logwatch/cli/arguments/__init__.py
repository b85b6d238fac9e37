"""What each command takes: one file per command, which imports its work when it runs."""
