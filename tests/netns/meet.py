#!/usr/bin/env python3
"""Lets two ICE peers meet: starts them, carries the lines of signalling between them, and checks what they say.

    meet.py TITLE <SCENARIO

A peer is a program that speaks lines. What both understand is handed from the one to the other:

    lite | ufrag TEXT | pwd TEXT | candidate:... | end

Everything else that it prints is a fact, such as "state connected", "pair host host udp ... ..." or "data ok 100"; what
it is told otherwise is an order, such as "data 100" or "quit" (tests/interop/README.md has them all). The scenario is a
list of steps; WHO is a, b or both, and `*` in a PATTERN stands for anything:

    a NAMESPACE[@VARIANT] COMMAND...    starts a peer there (`-`: here); b likewise
    within SECONDS                      what each of the next steps may take (20)
    await WHO PATTERN                   until the peer prints such a fact, after those awaited before
    latest WHO PATTERN                  until the latest fact with the same first word is such a one
    never WHO PATTERN                   fails at the end when the peer has ever printed such a fact
    pause SECONDS                       lets them talk for so long
    tell WHO ORDER                      hands an order to the peer
    run COMMAND                         runs a command of the shell
    keep WHO PATTERN                    from now on does not hand over lines of signalling that are such
    status WHO NUMBER                   the exit status to expect (0)

Both are told to quit at the end, and have to. Exit status: 0, or 1 after a transcript of everything that was said.
"""
import fnmatch
import os
import selectors
import shlex
import subprocess
import sys
import time

SIGNALS = ("lite", "ufrag ", "pwd ", "candidate:", "end")
QUIT_SECONDS = 15
# Runs a command in a namespace with the /etc of the test, as `become` of lib.sh does.
BECOME = """
for file in "$0"/*; do
  [ ! -e "/etc/${file##*/}" ] || mount --bind "$file" "/etc/${file##*/}" || exit 125
done
exec "$@"
"""


class Mismatch(Exception):
    pass


class Peer:
    """One program, what it has said, and how far that was looked at."""

    def __init__(self, name, place, command, meeting):
        namespace, _, variant = place.partition("@")
        etc = os.path.join(os.environ.get("FLOE_ETC", "/nonexistent"), variant or namespace)
        self.name = name
        self.meeting = meeting
        self.facts = []
        self.cursor = 0
        self.kept = []
        self.never = []
        self.status = 0
        there = [] if place == "-" else ["ip", "netns", "exec", namespace, "sh", "-c", BECOME, etc]
        self.process = subprocess.Popen(
            [*there, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.partial = {self.process.stdout: b"", self.process.stderr: b""}

    def tell(self, line):
        self.meeting.note(self, "<", line)
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # its exit status says more

    def read(self, stream):
        """Takes what has come on one of the two streams; false at its end."""
        data = os.read(stream.fileno(), 65536)
        *lines, self.partial[stream] = (self.partial[stream] + data).split(b"\n")
        for line in lines:
            text = line.decode("utf-8", "replace")
            self.meeting.note(self, ">" if stream is self.process.stdout else "!", text)
            if stream is self.process.stdout:
                self.take(text)
        return bool(data)

    def take(self, line):
        if not line.startswith(SIGNALS):
            self.facts.append(line)
        elif not any(fnmatch.fnmatchcase(line, pattern) for pattern in self.kept):
            self.meeting.hand_over(self, line)

    def has_said(self, pattern):
        while self.cursor < len(self.facts):
            self.cursor += 1
            if fnmatch.fnmatchcase(self.facts[self.cursor - 1], pattern):
                return True
        return False

    def says(self, pattern):
        word = pattern.split()[0]
        facts = [fact for fact in self.facts if fact.split()[:1] == [word]]
        return bool(facts) and fnmatch.fnmatchcase(facts[-1], pattern)


class Meeting:
    def __init__(self):
        self.started = time.monotonic()
        self.transcript = []
        self.peers = {}
        self.waiting = []  # signalling for a peer that is not there yet
        self.seconds = 20.0
        self.selector = selectors.DefaultSelector()

    def note(self, peer, mark, line):
        self.transcript.append(f"{time.monotonic() - self.started:8.3f} {peer.name} {mark} {line}")

    def who(self, name):
        names = ("a", "b") if name == "both" else (name,)
        if not all(one in self.peers for one in names):
            raise Mismatch(f"there is no peer {name}")
        return [self.peers[one] for one in names]

    def hand_over(self, sender, line):
        other = self.peers.get("b" if sender.name == "a" else "a")
        if other is None:
            self.waiting.append(line)
        else:
            other.tell(line)

    def start(self, name, place, command):
        peer = Peer(name, place, command, self)
        self.peers[name] = peer
        for stream in peer.partial:
            self.selector.register(stream, selectors.EVENT_READ, peer)
        waiting, self.waiting = self.waiting, []
        for line in waiting:
            peer.tell(line)

    def pump(self, until):
        """Lets the peers talk until there is something new, or it is late."""
        for key, _ in self.selector.select(max(0.0, until - time.monotonic())):
            if not key.data.read(key.fileobj):
                self.selector.unregister(key.fileobj)

    def wait(self, peer, what, is_so):
        until = time.monotonic() + self.seconds
        while not is_so():
            if time.monotonic() >= until:
                raise Mismatch(f"{peer.name} {what}")
            if not any(key.data is peer for key in self.selector.get_map().values()):
                raise Mismatch(f"{peer.name} has ended with {peer.process.wait(1)}, and {what}")
            self.pump(until)

    def step(self, line):
        word, _, rest = line.partition(" ")
        first, _, more = rest.strip().partition(" ")
        more = more.strip()
        if word in ("a", "b"):
            self.start(word, first, shlex.split(more))
        elif word == "within":
            self.seconds = float(first)
        elif word == "pause":
            until = time.monotonic() + float(first)
            while time.monotonic() < until and self.selector.get_map():
                self.pump(until)
        elif word == "await":
            for peer in self.who(first):
                self.wait(peer, f"does not say \"{more}\"", lambda peer=peer: peer.has_said(more))
        elif word == "latest":
            for peer in self.who(first):
                self.wait(peer, f"does not say at last \"{more}\"", lambda peer=peer: peer.says(more))
        elif word == "tell":
            for peer in self.who(first):
                peer.tell(more)
        elif word == "run":
            subprocess.run(rest, shell=True, check=True)
        else:
            self.prepare(word, first, more)

    def prepare(self, word, first, more):
        for peer in self.who(first):
            if word == "never":
                peer.never.append(more)
            elif word == "keep":
                peer.kept.append(more)
            elif word == "status":
                peer.status = int(more)
            else:
                raise Mismatch(f"no such step: {word}")

    def end(self):
        for peer in self.peers.values():
            peer.tell("quit")
        until = time.monotonic() + QUIT_SECONDS
        while self.selector.get_map() and time.monotonic() < until:
            self.pump(until)
        for peer in self.peers.values():
            try:
                status = peer.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                raise Mismatch(f"{peer.name} does not quit") from None
            if status != peer.status:
                raise Mismatch(f"{peer.name} exits with {status}, not {peer.status}")
            for pattern in peer.never:
                if any(fnmatch.fnmatchcase(fact, pattern) for fact in peer.facts):
                    raise Mismatch(f"{peer.name} says \"{pattern}\"")

    def kill(self):
        for peer in self.peers.values():
            peer.process.kill()
            peer.process.wait()
        until = time.monotonic() + 1
        while self.selector.get_map() and time.monotonic() < until:  # what they said last
            self.pump(until)

    def close(self):
        for peer in self.peers.values():
            for stream in (peer.process.stdin, *peer.partial):
                try:
                    stream.close()
                except BrokenPipeError:
                    pass  # it has ended, and was told something after that
        self.selector.close()


def play(meeting, scenario):
    """Takes all steps, and ends; what is wrong is raised with the step."""
    line = ""
    try:
        for line in map(str.strip, scenario.splitlines()):
            if line and not line.startswith("#"):
                meeting.step(line)
        line = "the end"
        meeting.end()
    except (Mismatch, subprocess.CalledProcessError) as wrong:
        meeting.kill()
        raise Mismatch(f"at: {line}\n  {wrong}") from None
    finally:
        meeting.close()


def main():
    title = sys.argv[1]
    meeting = Meeting()
    try:
        play(meeting, sys.stdin.read())
    except Mismatch as wrong:
        print(f"FAILED  {title}\n  {wrong}")
        print("".join(f"    {said}\n" for said in meeting.transcript), end="")
        return 1
    print(f"ok      {title} ({time.monotonic() - meeting.started:.1f} s)")
    if os.environ.get("FLOE_TRANSCRIPT"):
        print("".join(f"    {said}\n" for said in meeting.transcript), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
