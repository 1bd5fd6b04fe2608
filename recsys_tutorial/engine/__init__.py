"""What a training is made of: losses, samplers, optimiser, settings, several processes, ridge."""
