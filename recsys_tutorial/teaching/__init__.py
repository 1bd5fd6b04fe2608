"""What only the notebooks use: identities of the mathematics, plots, panels, exercises."""
