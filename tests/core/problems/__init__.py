"""Problems, from the third incident to the review."""
