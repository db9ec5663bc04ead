"""The files of a version: one small file for each way they are written, and what becomes series of them."""
