"""Behaviour: what users did, how it is read, stored, split and handed out in batches."""
