"""Engines keep events and rollups; the rooms above see only the protocol of `engine`."""
