"""A model file in YAML to a Model, or every fault in it with its line."""

from aforo.model.reading.file import LARGEST_FILE_BYTES, read_file, read_model

__all__ = ["LARGEST_FILE_BYTES", "read_file", "read_model"]
