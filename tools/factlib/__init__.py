"""What ``tools/facts.py`` is made of: rows come in, definitions measure them, a book of facts goes out."""
