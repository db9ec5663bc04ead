"""Access logs of web servers, plain or gzip: each line that can be read is a row, named by its own bytes."""

from aforo.events.readers.access_log.reading import read

__all__ = ["read"]
