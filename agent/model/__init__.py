"""The nouns: frozen values that every other package speaks in. No behaviour that decides."""
