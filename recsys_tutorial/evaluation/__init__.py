"""A number under its protocol: models by name, ranked, with intervals; what g's space looks like."""
