"""Aforo turns streams of product events into metrics that carry their proof."""

__version__ = "0.1.0"
