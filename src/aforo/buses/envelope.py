"""What SNS wraps around a message on its way into a queue, unless the subscription says raw delivery."""

from __future__ import annotations

import msgspec


class Envelope(msgspec.Struct):
    """The members by which an envelope is told from what we send, and the message in it."""

    Type: str
    TopicArn: str
    Message: str


_DECODER = msgspec.json.Decoder(Envelope)


def unwrapped(text: str) -> str:
    """The message as it was published, whether it lies in an envelope or not."""
    if '"TopicArn"' not in text:
        return text
    try:
        found = _DECODER.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    return found.Message if found.Type == "Notification" else text
