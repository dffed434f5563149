"""Peer connections of several programs, driven from one place.

A `Program` is pc_peer, browser.py or another that speaks the JSON lines of README.md; a `Connection` is one peer
connection of it. `Link` carries signalling between two connections: descriptions on order, candidates by itself.

    floe, browser = Program("floe", "left", [PC_PEER]), Program("chromium", "right", ["browser.py", "chromium"])
    a, b = floe.connection(), browser.connection()
    channel = a.channel("chat")
    Link(a, b).negotiate()
    a.wait("open", channel=channel)

Nothing sleeps: what is waited for are events and replies, each until a deadline after which the test has failed. All
that was said is in `transcript`.
"""
import fnmatch
import hashlib
import json
import os
import subprocess
import threading
import time

SECONDS = float(os.environ.get("FLOE_PATIENCE", "30"))  # until what is waited for has failed to come
QUIT_SECONDS = 15

# Runs a command in a namespace with the /etc of the test, as `become` of netns/lib.sh does.
BECOME = """
for file in "$0"/*; do
  [ ! -e "/etc/${file##*/}" ] || mount --bind "$file" "/etc/${file##*/}" || exit 125
done
exec "$@"
"""

started = time.monotonic()
transcript = []


class Failure(Exception):
    """The test has failed."""


class Refusal(Exception):
    """An order was refused: `name` is that of W3C's exception."""

    def __init__(self, reply):
        super().__init__(f"{reply['error']}: {reply.get('path') or ''} {reply.get('message') or ''}")
        self.name = reply["error"]
        self.reply = reply


def note(name, mark, line):
    transcript.append(f"{time.monotonic() - started:8.3f} {name} {mark} {line}")


def check(condition, *what):
    if not condition:
        raise Failure(" ".join(str(one) for one in what))


def same(found, expected, what):
    check(found == expected, f"{what}: {found!r}, expected {expected!r}")


def content(size, seed, binary=True):
    """A message as pc_peer and the page make it."""
    values = (seed * 31 + i * 7 + (i >> 8) * 13 for i in range(size))
    return bytes(value & 255 for value in values) if binary else bytes(97 + value % 26 for value in values)


def content_hash(size, seed, binary=True):
    return hashlib.sha256(content(size, seed, binary)).hexdigest()


class Program:
    """A program with peer connections. `place` is a namespace of the test, or None: here."""

    def __init__(self, name, place, command, environment=None):
        self.name = name
        self.changed = threading.Condition()
        self.replies = {}
        self.events = []
        self.on_event = []  # called with each event, from the thread that reads
        self.number = 0
        self.has_ended = False
        self.names = 0
        self.write_lock = threading.Lock()
        etc = os.path.join(os.environ.get("FLOE_ETC", "/nonexistent"), place or "")
        there = [] if place is None else ["ip", "netns", "exec", place, "sh", "-c", BECOME, etc]
        self.process = subprocess.Popen([*there, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env={**os.environ, **(environment or {})})
        for read, stream in ((self.read_line, self.process.stdout), (self.read_error, self.process.stderr)):
            threading.Thread(target=self.read, args=(read, stream), daemon=True).start()

    def read(self, take, stream):
        for line in stream:
            take(line.decode("utf-8", "replace").rstrip("\n"))
        if stream is self.process.stdout:
            with self.changed:
                self.has_ended = True
                self.changed.notify_all()

    def read_error(self, line):
        note(self.name, "!", line)

    def read_line(self, line):
        note(self.name, ">", line)
        fact = json.loads(line)
        with self.changed:
            if "event" in fact:
                self.events.append(fact)
            else:
                self.replies[fact["id"]] = fact
            self.changed.notify_all()
        if "event" in fact:
            for call in list(self.on_event):
                call(fact)

    def start(self, do, **fields):
        """Gives an order; returns its number for `finish`."""
        with self.write_lock:
            self.number += 1
            line = json.dumps({"id": self.number, "do": do, **fields})
            note(self.name, "<", line)
            try:
                self.process.stdin.write(line.encode() + b"\n")
                self.process.stdin.flush()
            except BrokenPipeError:
                pass  # its end is noticed by who waits for it
            return self.number

    def wait_until(self, condition, what, seconds=None):
        """Waits for a true value of `condition`, which is asked whenever something was said, and returns it."""
        deadline = time.monotonic() + (SECONDS if seconds is None else seconds)
        with self.changed:
            while True:
                found = condition()
                if found:
                    return found
                left = deadline - time.monotonic()
                if self.has_ended or left <= 0:
                    raise Failure(f"{self.name} {'has ended' if self.has_ended else 'is waited for'}: {what}")
                self.changed.wait(left)

    def finish(self, number, seconds=None):
        reply = self.wait_until(lambda: self.replies.get(number), f"reply {number}", seconds)
        if "error" in reply:
            raise Refusal(reply)
        return reply["ok"]

    def order(self, do, **fields):
        return self.finish(self.start(do, **fields))

    def connection(self, config=None):
        self.names += 1
        return Connection(self, f"pc{self.names}", config or {})

    def quit(self):
        """Tells it to end, and wants it to end well."""
        self.start("quit")
        try:
            self.process.stdin.close()
            status = self.process.wait(QUIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure(f"{self.name} does not quit") from None
        same(status, 0, f"exit status of {self.name}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Connection:
    """One peer connection. Events are looked at in their order: `wait` goes on after the last one it has found."""

    def __init__(self, program, name, config):
        self.program = program
        self.name = name
        self.first = len(program.events)
        self.cursor = self.first
        self.is_closed = False
        program.order("new", pc=name, config=config)

    def __str__(self):
        return f"{self.program.name}/{self.name}"

    def start(self, do, **fields):
        return self.program.start(do, pc=self.name, **fields)

    def order(self, do, **fields):
        return self.program.order(do, pc=self.name, **fields)

    def finish(self, number):
        return self.program.finish(number)

    def refused(self, name, do, **fields):
        """An order that must be refused, with W3C's exception `name`."""
        try:
            self.order(do, **fields)
        except Refusal as refusal:
            same(refusal.name, name, f"{self}: exception of {do}")
            return refusal.reply
        raise Failure(f"{self} took {do}")

    def channel(self, label, **init):
        return self.order("create_channel", label=label, init=init)["channel"]

    def state(self):
        return self.order("state")

    # --- events

    def all(self, event="*", **fields):
        """All such events so far."""
        with self.program.changed:
            events = self.program.events[self.first:]
        return [one for one in events if self.is_such(one, event, fields)]

    def is_such(self, one, event, fields):
        if one.get("pc") != self.name or not fnmatch.fnmatchcase(one["event"], event):
            return False
        return all(name in one and one[name] == value for name, value in fields.items())

    def next_from(self, start, event, fields):
        for i in range(start, len(self.program.events)):
            if self.is_such(self.program.events[i], event, fields):
                return i
        return None

    def wait(self, event, seconds=None, **fields):
        """The next such event after the last one waited for."""
        def look():
            at = self.next_from(self.cursor, event, fields)
            return None if at is None else (at,)
        (at,) = self.program.wait_until(look, f"{self.name} {event} {fields}", seconds)
        self.cursor = at + 1
        return self.program.events[at]

    def ever(self, event, seconds=None, **fields):
        """Such an event, whenever it came; what `wait` looks at next stays."""
        def look():
            at = self.next_from(self.first, event, fields)
            return None if at is None else (at,)
        (at,) = self.program.wait_until(look, f"{self.name} {event} {fields}", seconds)
        return self.program.events[at]

    def mark(self):
        """From now on `wait` looks at later events only."""
        with self.program.changed:
            self.cursor = len(self.program.events)

    def count(self, number, event, seconds=None, **fields):
        """Waits until there were so many such events; returns them."""
        def look():
            found = [one for one in self.program.events[self.first:] if self.is_such(one, event, fields)]
            return found if len(found) >= number else None
        return self.program.wait_until(look, f"{self.name} {number} times {event} {fields}", seconds)

    def close(self):
        if not self.is_closed:
            self.is_closed = True
            self.order("close")


class Link:
    """Signalling between two connections. Candidates go over as soon as the other has the description that they belong
    to; without `trickle` not at all, and descriptions go when they hold all candidates."""

    def __init__(self, a, b, trickle=True, edit=None):
        self.ends = {a.name + a.program.name: (a, b), b.name + b.program.name: (b, a)}
        self.a, self.b = a, b
        self.trickle = trickle
        self.edit = edit or (lambda connection, description: description)
        self.lock = threading.Lock()
        self.taken = {str(a): "", str(b): ""}  # the descriptions that it has
        self.early = {str(a): [], str(b): []}
        self.given = []
        for one, other in ((a, b), (b, a)):
            one.program.on_event.append(lambda event, one=one, other=other: self.look(one, other, event))

    def look(self, one, other, event):
        if not self.trickle or event.get("pc") != one.name or event["event"] != "icecandidate":
            return
        candidate = event["candidate"]
        if candidate is None or other.is_closed:
            return
        with self.lock:
            if self.belongs(candidate, other):
                self.give(other, candidate)
            else:
                self.early[str(other)].append(candidate)

    def belongs(self, candidate, other):
        taken = self.taken[str(other)].splitlines()
        return ("a=ice-ufrag:" + (candidate.get("usernameFragment") or "") in taken
                and "a=mid:" + (candidate.get("sdpMid") or "") in taken)

    def give(self, other, candidate):
        self.given.append((other, other.start("add_candidate", candidate=candidate)))

    def all_given(self):
        """Each candidate was taken without complaint."""
        for connection, number in self.given:
            connection.finish(number)

    def hand_over(self, one, other, description):
        """Gives a description of `one` to `other`, and then the candidates that have waited for it."""
        description = self.edit(one, description)
        other.order("set_remote", **description)
        with self.lock:
            self.taken[str(other)] = description["sdp"]
            early, self.early[str(other)] = self.early[str(other)], []
            for candidate in early:
                if self.belongs(candidate, other):
                    self.give(other, candidate)
                else:
                    self.early[str(other)].append(candidate)

    def describe(self, one, **description):
        """Sets the local description; returns what the other side is to get."""
        one.mark()
        local = one.order("set_local", **description)
        if self.trickle:
            return local
        if one.state()["iceGatheringState"] != "complete":
            one.wait("icegatheringstatechange", state="complete")
        return one.order("local")

    def negotiate(self, offerer=None):
        """Offer and answer."""
        one = offerer or self.a
        other = self.b if one is self.a else self.a
        offer = self.describe(one)
        self.hand_over(one, other, offer)
        answer = self.describe(other)
        self.hand_over(other, one, answer)
        return offer, answer


def connected(*connections):
    for one in connections:
        one.ever("connectionstatechange", state="connected")


def print_transcript(limit=500):
    for line in transcript:
        print(line if len(line) <= limit else line[:limit] + "...")
