"""Pretrain g, fine-tune h ∘ g, carry weights on: the verbs of the course, and their checkpoints."""
