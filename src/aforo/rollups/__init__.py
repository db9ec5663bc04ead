"""Rollups are the truth about events, made again wherever events have changed."""
