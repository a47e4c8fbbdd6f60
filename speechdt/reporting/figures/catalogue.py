"""What figures are written as; by itself, so that the catalogue knows it without matplotlib."""

FORMATS = ("pdf", "svg", "png")
"""What every figure is written as."""
