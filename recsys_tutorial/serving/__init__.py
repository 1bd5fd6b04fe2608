"""A trained model at work: recommend, search a large catalogue, export, answer over HTTP."""
