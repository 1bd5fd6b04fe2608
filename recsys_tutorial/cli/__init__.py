"""The command line: its words, and one function for each command."""
