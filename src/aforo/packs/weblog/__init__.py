"""Requests from the access logs of web servers."""

PACK = "weblog"
STREAM = "requests"
