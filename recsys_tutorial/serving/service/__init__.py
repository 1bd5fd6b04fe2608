"""Recommendations over HTTP: ``recsys-tutorial serve DIR`` (the extra ``serve``).

``served`` holds the model and replaces it · ``messages`` says what goes in and out · ``limits`` keeps big and slow
bodies out · ``app`` joins them · ``run`` listens.
"""
