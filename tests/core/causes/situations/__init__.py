"""Ten situations made by hand, with the explanation that an operator gets."""
