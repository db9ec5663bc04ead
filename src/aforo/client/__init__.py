"""The Python client: speaks to a server over HTTP and imports nothing of the rest."""

from aforo.client.connection import Connection, NoAnswer, Problem
from aforo.client.event import BY_STREAM
from aforo.client.receipt import Refused
from aforo.client.sender import QueueFull, Sender
from aforo.client.tally import Statistics

__all__ = [
    "BY_STREAM",
    "Connection",
    "NoAnswer",
    "Problem",
    "QueueFull",
    "Refused",
    "Sender",
    "Statistics",
]
