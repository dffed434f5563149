"""Numbered messages both ways, each acknowledged with the SHA-256 of what arrived; the same as exchange.c.

A message is "1", a number of 4 bytes (big-endian) and a content that follows from the number; its acknowledgement is
"2", the number, and the SHA-256 of the content. Both begin with an ASCII digit, so that nobody takes them for STUN,
TURN or RTP (RFC 7983). What is lost is sent again.
"""
import hashlib
import struct
import time

TICK = 0.02  # seconds between looks at what is due
AGAIN = 0.2  # seconds until a message without an answer is sent again
WINDOW = 16  # messages without an answer
MAX_CONTENT = 1100


def content(number):
    length = 1 + number * 97 % MAX_CONTENT
    return bytes((number * 31 + i * 7 + (i >> 8) * 13) & 0xFF for i in range(length))


class Exchange:
    def __init__(self):
        self.goal = 0
        self.told = 0
        self.open = {}  # number -> when it was sent last
        self.next = 0
        self.received = set()
        self.is_wrong = False
        self.strangers = 0

    def begin(self, count):
        self.goal += count

    def is_done(self):
        return (not self.is_wrong and not self.open and self.next == self.goal
                and self.received >= set(range(self.goal)))

    def fact(self):
        """The line to print now, or None."""
        if self.told == self.goal or not (self.is_wrong or self.is_done()):
            return None
        self.told = self.goal
        return "data wrong" if self.is_wrong else f"data ok {self.goal}"

    def due(self):
        """The messages to send now."""
        now = time.monotonic()
        while self.next < self.goal and len(self.open) < WINDOW:
            self.open[self.next] = 0.0
            self.next += 1
        late = [number for number, sent in self.open.items() if now - sent >= AGAIN]
        for number in late:
            self.open[number] = now
        return [b"1" + struct.pack(">I", number) + content(number) for number in late]

    def take(self, data):
        """Takes what came; returns what to answer."""
        if len(data) < 5 or data[:1] not in b"12":
            self.strangers += 1
            return []
        (number,) = struct.unpack(">I", data[1:5])
        if data[:1] == b"2":
            if data[5:] != hashlib.sha256(content(number)).digest():
                self.is_wrong = True
            self.open.pop(number, None)
            return []
        if data[5:] != content(number):
            self.is_wrong = True
        self.received.add(number)
        return [b"2" + data[1:5] + hashlib.sha256(data[5:]).digest()]
