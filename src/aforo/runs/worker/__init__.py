"""The built-in worker: takes requests from a queue, computes, and tells how it goes."""
