#!/usr/bin/env python3
"""Peer connections of Floe with those of others: werift, node-datachannel, aiortc, GStreamer.

    pc_stacks.py STACK [--itself] [--relay ADDRESS] [SCENARIO...]

STACK is a name of STACKS. With --itself two of its kind meet, which tells its faults from Floe's. With --relay both sides
use nothing but relays of coturn there. In the environment: PC_PEER, FLOE_NPM, and FLOE_ETC as netns/lib.sh has it.
"""
import argparse
import os
import sys
import time
import traceback

from pc_peers import Failure, Link, Program, check, connected, content_hash, print_transcript, same, transcript

HERE = os.path.dirname(os.path.abspath(__file__))
KIB = 1024
PLACES = ("left", "right")
ALL_OPTIONS = ("label", "protocol", "ordered", "maxRetransmits", "maxPacketLifeTime")


class Stack:
    """A program, and what it does otherwise than W3C and the RFCs say; `--itself` shows it."""

    def __init__(self, command, largest=256 * KIB, trickles=True, tells=ALL_OPTIONS, empty=True, says=None, leaves="close",
                 is_racy=False):
        self.command = command
        self.largest = largest  # bytes of a message that it takes
        self.trickles = trickles  # gives its candidates one by one
        self.tells = tells  # which options of the peer's channels it tells, and tells right
        self.empty = empty  # sends empty messages, and tells them from empty texts
        self.says = says or dict  # what its announcement of a channel with these options says
        self.leaves = leaves  # how Floe learns that it has closed the connection
        self.is_racy = is_racy  # gives up when DTLS begins before it has stored the answer that it is given


def python(name):
    return ["/usr/bin/python3", "-B", os.path.join(HERE, name)]


def node(name):
    return ["node", os.path.join(HERE, "npm", "pc.mjs"), name]


def in_ascii(init):
    """It announces so many bytes of a text as this has characters."""
    return {name: value.encode()[:len(value)].decode() if isinstance(value, str) else value
            for name, value in init.items()}


def without_both(init):
    """It also forgets that a channel is not ordered when that has a limit."""
    is_limited = "maxRetransmits" in init or "maxPacketLifeTime" in init
    return in_ascii({**init, "ordered": True} if is_limited else init)


STACKS = {
    "floe": Stack([os.environ.get("PC_PEER", "")]),
    "aiortc": Stack(python("aiortc_pc.py"), largest=64 * KIB, trickles=False, says=in_ascii),
    "gstreamer": Stack(python("gst_pc.py"), largest=64 * KIB, empty=False, leaves="consent"),
    "werift": Stack(node("werift"), tells=("label", "protocol", "maxRetransmits", "maxPacketLifeTime"), empty=False,
                    says=without_both, leaves="consent"),
    "node_datachannel": Stack(node("node_datachannel"), tells=("label", "protocol"), is_racy=True),
}


class Meeting:
    """One connection of each side, and their first channel. `a` offers."""

    def __init__(self, test, a, b, trickle=None, label="first", **init):
        trickle = test.trickles if trickle is None else trickle
        self.a, self.b = a.connection(test.config), b.connection(test.config)
        is_agreed = init.get("negotiated")
        self.on_a = self.a.channel(label, **init)
        self.on_b = self.b.channel(label, **init) if is_agreed else None
        self.link = Link(self.a, self.b, trickle=trickle, edit=test.hold if test.holds(self.a) else None)
        self.link.negotiate()
        if not is_agreed:
            self.on_b = self.b.ever("datachannel", label=label)["channel"]
        self.a.ever("open", channel=self.on_a)
        self.b.ever("open", channel=self.on_b)

    def close(self):
        self.a.close()
        self.b.close()

    def both_ways(self):
        return ((self.a, self.on_a, self.b, self.on_b), (self.b, self.on_b, self.a, self.on_a))


def exchange(test, meeting, size, seed, binary):
    """A message each way."""
    for one, from_channel, other, to_channel in meeting.both_ways():
        if size == 0 and not (test.stack_of(one).empty and test.stack_of(other).empty):
            continue
        one.order("send", channel=from_channel, size=size, seed=seed, binary=binary)
        message = other.wait("message", channel=to_channel)
        same((message["size"], message["binary"], message["sha256"]), (size, binary, content_hash(size, seed, binary)),
             f"message from {one} to {other}")


# --- scenarios: each with the two programs, the one that offers first ---------------------------------------------------


def connects(test, a, b):
    """Descriptions that hold all candidates, and where both can, candidates one by one."""
    for trickle in (False, True) if test.trickles else (False,):
        meeting = Meeting(test, a, b, trickle=trickle)
        connected(meeting.a, meeting.b)
        exchange(test, meeting, 100, 7, True)
        meeting.link.all_given()
        meeting.close()


def messages(test, a, b):
    """Of 0 bytes to 256 KiB, text and binary; and many, in their order."""
    meeting = Meeting(test, a, b)
    largest = min(test.stack_of(meeting.a).largest, test.stack_of(meeting.b).largest)
    for size in (0, 1, 2, 100, 1199, 1200, 1201, 4095, 16 * KIB, 64 * KIB - 1, 64 * KIB, 256 * KIB):
        if size > largest:
            continue
        for binary in (True, False):
            exchange(test, meeting, size, size + 1, binary)
    for one, from_channel, other, to_channel in meeting.both_ways():
        one.order("send", channel=from_channel, size=500, seed=1000, count=300)
        for i in range(300):
            message = other.wait("message", channel=to_channel)
            same(message["sha256"], content_hash(500, 1000 + i), f"message {i} of many from {one}")
    meeting.close()


OPTIONS = (
    {"ordered": False},
    {"ordered": True, "protocol": "a protocol"},
    {"ordered": True, "maxRetransmits": 3},
    {"ordered": False, "maxRetransmits": 0},
    {"ordered": True, "maxPacketLifeTime": 500},
    {"ordered": False, "maxPacketLifeTime": 2000, "protocol": "\u00fcml\u00e4ut"},
)


def options(test, a, b):
    """Channels with options, made by either side, as the other sees them."""
    meeting = Meeting(test, a, b)
    for one, other in ((meeting.a, meeting.b), (meeting.b, meeting.a)):
        for number, init in enumerate(OPTIONS):
            label = f"{one} to {number}"
            mine = one.channel(label, **init)
            told = other.ever("datachannel", label=label)
            one.ever("open", channel=mine)
            other.ever("open", channel=told["channel"])
            wanted = {"label": label, "protocol": "", "maxRetransmits": None, "maxPacketLifeTime": None,
                      **test.stack_of(one).says(init)}
            for name in test.stack_of(other).tells:
                same(told.get(name), wanted[name], f"{name} of channel {number} at {other}")
            one.order("send", channel=mine, text=label)
            other.wait("message", channel=told["channel"], text=label)
            other.order("send", channel=told["channel"], size=1000, seed=number)
            one.wait("message", channel=mine, sha256=content_hash(1000, number))
    meeting.close()


def negotiated(test, a, b):
    """A channel that both sides make with the same id."""
    meeting = Meeting(test, a, b, negotiated=True, id=6)
    exchange(test, meeting, 2000, 3, True)
    exchange(test, meeting, 2000, 3, False)
    for one in (meeting.a, meeting.b):
        same(one.all("datachannel"), [], f"channels announced to {one}")
    meeting.close()


def closes(test, a, b):
    """Channels closed by either side, with a message before, and one that is made afterwards."""
    meeting = Meeting(test, a, b)
    for one, other in ((meeting.a, meeting.b), (meeting.b, meeting.a)):
        for is_maker in (True, False):
            label = f"closed by {one}, {'its own' if is_maker else 'the other one'}"
            maker, taker = (one, other) if is_maker else (other, one)
            made = maker.channel(label)
            taken = taker.ever("datachannel", label=label)["channel"]
            maker.ever("open", channel=made)
            taker.ever("open", channel=taken)
            here, there = (made, taken) if is_maker else (taken, made)
            one.order("send", channel=here, size=40000, seed=5)
            other.ever("message", channel=there, sha256=content_hash(40000, 5))
            one.order("close_channel", channel=here)
            other.ever("close", channel=there)
            one.ever("close", channel=here)
            exchange(test, meeting, 10, 9, True)  # and by then werift is ready to take the stream again
    meeting.close()


def leaves(test, a, b):
    """A side closes its connection; Floe's channel closes, or at least it is told that nobody is there."""
    for is_offerer in (True, False):
        meeting = Meeting(test, a, b)
        exchange(test, meeting, 10, 2, True)
        gone, left = (meeting.a, meeting.b) if is_offerer else (meeting.b, meeting.a)
        channel = meeting.on_b if is_offerer else meeting.on_a
        gone.close()
        if left.program.name == "floe" and test.stack_of(gone).leaves == "consent":
            left.wait("connectionstatechange", state="disconnected", cause="consent_lost")
        elif left.program.name == "floe":  # some of the others do not look
            left.ever("close", channel=channel)
        meeting.close()


SCENARIOS = {one.__name__: one for one in (connects, messages, options, negotiated, closes, leaves)}


class Test:
    def __init__(self, arguments):
        mine = STACKS[arguments.stack]
        ours = mine if arguments.itself else STACKS["floe"]
        names = (arguments.stack + " (left)", arguments.stack) if arguments.itself else ("floe", arguments.stack)
        self.stacks = {names[0]: ours, names[1]: mine}
        self.names = names
        self.trickles = mine.trickles and ours.trickles
        self.config = {}
        if arguments.relay:
            server = {"urls": f"turn:{arguments.relay}:3478", "username": "floe", "credential": "floe-secret"}
            self.config = {"iceServers": [server], "iceTransportPolicy": "relay"}
        places = PLACES if os.environ.get("FLOE_ETC") else (None, None)
        self.programs = [Program(name, place, self.stacks[name].command) for name, place in zip(names, places)]

    def holds(self, connection):
        return self.stack_of(connection).is_racy and not self.config  # relays need candidates, and are slow enough

    def hold(self, connection, description):
        """An offer without candidates: those of the answer are used first, and by then it is stored."""
        if description["type"] != "offer":
            return description
        lines = description["sdp"].splitlines(keepends=True)
        return {**description, "sdp": "".join(line for line in lines if not line.startswith("a=candidate:"))}

    def stack_of(self, connection):
        return self.stacks[connection.program.name]

    def run(self, name, offers):
        """One scenario; `offers` is the number of the side that does. Returns whether it went well."""
        first, second = self.programs[offers], self.programs[1 - offers]
        title = f"{name}, {first.name} offers"
        began = time.monotonic()
        del transcript[:]
        try:
            SCENARIOS[name](self, first, second)
        except Exception as wrong:
            print(f"FAILED  {title}\n  {wrong!r}")
            if not isinstance(wrong, Failure):
                traceback.print_exc(file=sys.stdout)
            print_transcript()
            return False
        if os.environ.get("FLOE_TRANSCRIPT"):
            print_transcript()
        print(f"ok      {title} ({time.monotonic() - began:.1f} s)", flush=True)
        return True

    def end(self):
        for program in self.programs:
            try:
                program.quit()
            except Failure as failure:
                print(f"FAILED  {failure}")
                return False
        return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("stack", choices=STACKS)
    parser.add_argument("--itself", action="store_true")
    parser.add_argument("--relay")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO")
    arguments = parser.parse_intermixed_args()
    went_well = True
    for name in arguments.scenarios or SCENARIOS:
        for offers in (0, 1):
            test = Test(arguments)
            went_well = test.run(name, offers) and went_well
            went_well = test.end() and went_well
            for program in test.programs:
                program.kill()
    check(went_well, "not as expected")


if __name__ == "__main__":
    try:
        main()
    except Failure:
        sys.exit(1)
