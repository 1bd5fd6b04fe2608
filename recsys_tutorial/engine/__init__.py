"""What a training step is made of: losses, samplers, optimiser, several processes; ridge in closed form."""
