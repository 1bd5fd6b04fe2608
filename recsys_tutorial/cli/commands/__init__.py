"""One file a command: ``arguments`` says what it takes, ``run`` what it does."""
