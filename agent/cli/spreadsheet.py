"""Cells for spreadsheets: what one would take for a formula is made text."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def cell(value: object) -> str:
    """A value as a cell of a CSV file; nothing for None, a list as words."""
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(cell(item) for item in value)
    text = str(value)
    is_text = isinstance(value, str)
    return f"'{text}" if is_text and text.startswith(FORMULA_STARTS) else text
