"""Recommendations over HTTP: ``recsys-tutorial serve DIR`` (the extra ``serve``).

``live_model`` holds the model and replaces it · ``messages`` says what goes in and out · ``limits`` keeps big and slow
bodies out · ``page.html`` is for people · ``app`` joins them · ``run`` listens.
"""
