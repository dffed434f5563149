#!/usr/bin/env python3
"""Floe's peer connection with that of a browser, in namespaces `left` (Floe) and `right` (the browser).

    pc_browser.py chromium|firefox [--show-hosts] [--only PATTERN]... [--not PATTERN]... [--list] [--times N] [--short]
                  [--note TEXT] [--server URL --user NAME --credential WORD] [--ca FILE]
                  [--trust HOST:PORT=CERTIFICATE.pem]

PC_PEER is the path of pc_peer. Each scenario below makes a new pair of peer connections; the programs stay. Prints a
line for each scenario, and what was said in one that failed, or with FLOE_TRANSCRIPT=1 in each.
"""
import argparse
import fnmatch
import functools
import os
import re
import shlex
import sys
import time

from pc_peers import (Failure, Link, Program, Refusal, check, connected, content_hash, print_transcript, same,
                      transcript)

HERE = os.path.dirname(os.path.abspath(__file__))
SCENARIOS = []


class Pair:
    """Two connections, Floe's and the browser's, and what is between them."""

    def __init__(self, world, trickle=True, edit=None, floe=None, browser=None):
        self.floe = world.floe.connection({**world.servers, **(floe or {}), "floe": {**world.floe_options,
                                                                                     **(floe or {}).get("floe", {})}})
        self.browser = world.browser.connection({**world.servers, **(browser or {})})
        self.link = Link(self.floe, self.browser, trickle, edit)
        world.pairs.append(self)

    def other(self, one):
        return self.browser if one is self.floe else self.floe

    def both(self):
        return self.floe, self.browser

    def open(self, offerer, label="chat", **init):
        """Connects with one channel of the offerer; returns its number on Floe's side and on the browser's."""
        answerer = self.other(offerer)
        mine = offerer.channel(label, **init)
        self.link.negotiate(offerer)
        theirs = answerer.ever("datachannel", label=label)["channel"]
        offerer.ever("open", channel=mine)
        answerer.ever("open", channel=theirs)
        connected(*self.both())
        for one in self.both():  # Chromium says `open` before, and does not take messages until then
            one.ever("sctptransport.statechange", state="connected")
        return (mine, theirs) if offerer is self.floe else (theirs, mine)

    def close(self):
        self.link.all_given()
        for one in self.both():
            one.close()


def scenario(title, needs_server=False, **choices):
    """Registers a scenario: once, or for each value of each choice. Those that need a server are all that is run with
    one."""
    def register(run):
        cases = [{}]
        for name, values in choices.items():
            cases = [{**case, name: value} for case in cases for value in values]
        for case in cases:
            SCENARIOS.append((title.format(**case), needs_server, functools.partial(run, **case)))
        return run
    return register


def chosen(pair, who):
    return pair.floe if who == "Floe" else pair.browser


BOTH = ("Floe", "browser")


# --- order of events --------------------------------------------------------------------------------------------------

def states(connection, event):
    return [one["state"] for one in connection.all(event)]


def in_order(connection, *steps):
    """Each step, an event and fields, comes after the one before it."""
    events = connection.all()
    at = -1
    for event, fields in steps:
        found = [i for i, one in enumerate(events) if connection.is_such(one, event, fields)]
        check(found, f"{connection}: there is no {event} {fields}")
        check(found[0] > at, f"{connection}: {event} {fields} comes too early")
        at = found[0]


def check_order(connection, is_offerer, is_opener, channel):
    offer = "have-local-offer" if is_offerer else "have-remote-offer"
    same(states(connection, "signalingstatechange"), [offer, "stable"], f"{connection}: signalingstatechange")
    same(states(connection, "icegatheringstatechange"), ["gathering", "complete"], f"{connection}: gathering")
    same(states(connection, "connectionstatechange"), ["connecting", "connected"], f"{connection}: connection")
    ice = states(connection, "iceconnectionstatechange")
    check(ice in (["checking", "connected"], ["checking", "connected", "completed"]), f"{connection}: {ice}")
    connection.ever("sctptransport.statechange", state="connected")
    in_order(connection, ("signalingstatechange", {"state": "stable" if not is_offerer else offer}),
             ("icegatheringstatechange", {"state": "gathering"}), ("icecandidate", {}),
             ("icegatheringstatechange", {"state": "complete"}), ("icecandidate", {"candidate": None}))
    ice = [("iceconnectionstatechange", {"state": "checking"}), ("iceconnectionstatechange", {"state": "connected"})]
    opened = [] if is_opener else [("datachannel", {"channel": channel})]
    opened.append(("open", {"channel": channel}))
    in_order(connection, *ice, ("dtlstransport.statechange", {"state": "connected"}), *opened)
    if connection.program.name == "floe":  # the browsers' tasks for these are not in the order of their causes
        in_order(connection, ("signalingstatechange", {"state": "stable"}), *ice,
                 ("connectionstatechange", {"state": "connected"}),
                 ("sctptransport.statechange", {"state": "connected"}), *opened)


# --- connecting ---------------------------------------------------------------------------------------------------------

def is_named(candidate):
    return ".local " in (candidate or {}).get("candidate", "")


def host_candidates(connection):
    candidates = [one["candidate"] for one in connection.all("icecandidate")]
    return [one for one in candidates if one and " typ host" in one["candidate"]]


@scenario("{offerer} offers, {how}, Floe's hosts are {hosts}", offerer=BOTH, how=("trickle", "all at once"),
          hosts=("shown", "hidden"))
def connects(world, offerer, how, hosts):
    pair = Pair(world, trickle=how == "trickle", floe={"floe": {"mdnsHideHosts": hosts == "hidden"}})
    offers = chosen(pair, offerer)
    floe, browser = pair.open(offers)
    for one, number in ((pair.floe, floe), (pair.browser, browser)):
        check_order(one, one is offers, one is offers, number)
    exchange(pair, floe, browser, size=1200)
    for one, are_named in ((pair.floe, hosts == "hidden"), (pair.browser, not world.shows_hosts)):
        found = host_candidates(one)
        check(found, f"{one} has host candidates")
        same({is_named(candidate) for candidate in found}, {are_named}, f"names of {one}")
    same(pair.floe.state()["canTrickleIceCandidates"], True, "canTrickleIceCandidates of Floe")


# --- channels -----------------------------------------------------------------------------------------------------------

OPTIONS = (
    ("plain", {}),
    ("Grüße, 世界 🦆", {"protocol": "чат.v1"}),
    ("", {}),
    ("unordered", {"ordered": False}),
    ("sent once", {"ordered": False, "maxRetransmits": 0}),
    ("some times", {"maxRetransmits": 7}),
    ("not for long", {"maxPacketLifeTime": 1500}),
    ("neither", {"ordered": False, "maxPacketLifeTime": 250, "protocol": "x"}),
)
DEFAULTS = {"ordered": True, "maxRetransmits": None, "maxPacketLifeTime": None, "protocol": "", "negotiated": False}


@scenario("channel options, {offerer} offers", offerer=BOTH)
def options_arrive(world, offerer):
    pair = Pair(world)
    makers = [(one, label, init, one.channel(label, **init)) for one in pair.both() for label, init in OPTIONS]
    numbers = [one.channel("agreed", negotiated=True, id=100, ordered=False, protocol="p") for one in pair.both()]
    pair.link.negotiate(chosen(pair, offerer))
    for maker, label, init, number in makers:
        taker = pair.other(maker)
        told = taker.ever("datachannel", label=label)
        expected = {"label": label, **DEFAULTS, **init}
        same({name: told[name] for name in expected}, expected, f"what {taker} is told of {label!r}")
        same(told["bufferedAmount"], 0, f"{taker}: bufferedAmount before anything was sent")
        maker.ever("open", channel=number)
        mine, theirs = (one.order("channel", channel=n) for one, n in ((maker, number), (taker, told["channel"])))
        same(mine["id"], theirs["id"], f"id of {label!r}")
        is_client = maker.order("state")["dtls"].get("isClient")
        if is_client is not None:
            same(mine["id"] % 2, 0 if is_client else 1, f"{maker}: even ids are the DTLS client's")
        maker.order("send", channel=number, text=label)
        taker.ever("message", channel=told["channel"], text=label, binary=False)
    for one, number in zip(pair.both(), numbers):
        one.ever("open", channel=number)
        same(one.order("channel", channel=number)["id"], 100, f"{one}: id")
        check(not one.all("datachannel", label="agreed"), f"{one} was told of a negotiated channel")
    for one, number in zip(pair.both(), numbers):
        one.order("send", channel=number, size=100, seed=5)
    for one, number in zip(pair.both(), numbers):
        one.ever("message", channel=number, sha256=content_hash(100, 5))


@scenario("a channel is added later, {offerer} offers", offerer=BOTH)
def added_later(world, offerer):
    pair = Pair(world)
    pair.open(chosen(pair, offerer))
    for one in pair.both():
        number = one.channel("later", protocol="l")
        one.ever("open", channel=number)
        told = pair.other(one).wait("datachannel", label="later")
        same(told["protocol"], "l", "protocol")
        one.order("send", channel=number, text="at once")
        pair.other(one).wait("message", channel=told["channel"], text="at once")
    check(not pair.floe.all("negotiationneeded")[1:], "Floe: a later channel needs no negotiation")


# --- messages -----------------------------------------------------------------------------------------------------------

def exchange(pair, floe, browser, size, seed=1, binary=True):
    """One message each way."""
    for one in pair.both():
        one.mark()
    for one, number in ((pair.floe, floe), (pair.browser, browser)):
        one.order("send", channel=number, size=size, seed=seed, binary=binary)
    for one, number in ((pair.floe, floe), (pair.browser, browser)):
        got = one.wait("message", channel=number)
        same((got["size"], got["binary"]), (size, binary), f"{one}: size and kind of the message")
        same(got["sha256"], content_hash(size, seed, binary), f"{one}: content of {size} bytes")


SIZES = (0, 1, 1200, 16384, 65536, 262144)


@scenario("messages of 0 to 262144 bytes, {offerer} offers", offerer=BOTH)
def sizes(world, offerer):
    pair = Pair(world)
    floe, browser = pair.open(chosen(pair, offerer))
    for size in SIZES[:5] if world.options.short else SIZES:
        for binary in (True, False):
            exchange(pair, floe, browser, size, seed=size % 1000 + 3, binary=binary)
    # What is larger than the other side takes is refused here, and the channel stays.
    limit = pair.floe.state()["sctp"]["maxMessageSize"]
    if limit is not None and limit < 1 << 24:
        pair.floe.refused("TypeError", "send", channel=floe, size=limit + 1, seed=0)
    same(pair.browser.state()["sctp"]["maxMessageSize"], 262144, "maxMessageSize of the browser")
    pair.browser.refused("TypeError", "send", channel=browser, size=262145, seed=0)
    exchange(pair, floe, browser, 10)


def check_numbered(one, number, count, size, first):
    got = one.count(count, "message", channel=number)
    same([event["sha256"] for event in got], [content_hash(size, first + i) for i in range(count)],
         f"{one}: the messages in their order")


@scenario("1000 messages in order, both ways at once")
def many(world):
    pair = Pair(world)
    floe, browser = pair.open(pair.floe)
    orders = [(one, one.start("send", channel=number, size=700, seed=10, count=1000))
              for one, number in ((pair.floe, floe), (pair.browser, browser))]
    for one, order in orders:
        one.finish(order)
    check_numbered(pair.browser, browser, 1000, 700, 10)
    check_numbered(pair.floe, floe, 1000, 700, 10)


@scenario("1000 messages unordered, none is lost")
def many_unordered(world):
    pair = Pair(world)
    floe, browser = pair.open(pair.browser, ordered=False)
    for one, number in ((pair.floe, floe), (pair.browser, browser)):
        one.start("send", channel=number, size=300, seed=20, count=1000)
    expected = sorted(content_hash(300, 20 + i) for i in range(1000))
    for one, number in ((pair.floe, floe), (pair.browser, browser)):
        got = one.count(1000, "message", channel=number)
        same(sorted(event["sha256"] for event in got), expected, f"{one}: the messages")


@scenario("bufferedamountlow, {who} sends", who=BOTH)
def low(world, who):
    pair = Pair(world)
    numbers = dict(zip(BOTH, pair.open(pair.floe)))
    sender = chosen(pair, who)
    number = numbers[who]
    sender.order("threshold", channel=number, bytes=65536)
    sender.order("send", channel=number, size=65536, seed=0, count=60)
    pair.other(sender).count(60, "message")
    event = sender.wait("bufferedamountlow", channel=number)
    check(event, "bufferedamountlow")
    same(sender.order("channel", channel=number)["bufferedAmount"], 0, "bufferedAmount in the end")
    same(sender.order("channel", channel=number)["bufferedAmountLowThreshold"], 65536, "the threshold")


# --- closing ------------------------------------------------------------------------------------------------------------

@scenario("a channel is closed, {closer} closes, {offerer} offers", closer=BOTH, offerer=BOTH)
def channel_closes(world, closer, offerer):
    pair = Pair(world)
    numbers = dict(zip(BOTH, pair.open(chosen(pair, offerer))))
    stays = chosen(pair, offerer).channel("stays")
    at_other = pair.other(chosen(pair, offerer)).ever("datachannel", label="stays")["channel"]
    one = chosen(pair, closer)
    other = pair.other(one)
    mine = numbers[closer]
    theirs = numbers[BOTH[1 - BOTH.index(closer)]]
    one.order("send", channel=mine, size=5000 if world.options.short else 100000, seed=9, count=5)
    first_id = one.order("channel", channel=mine)["id"]
    one.order("close_channel", channel=mine)
    other.ever("close", channel=theirs)
    one.ever("close", channel=mine)
    same(len(other.all("message", channel=theirs)), 5, "messages sent before the end")
    same(len(one.all("closing", channel=mine)), 0, f"{one}: `closing` of what it has closed itself")
    # Firefox leaves `closing` out when the stream is closed in both directions by the time it would tell it.
    if world.options.browser == "firefox" and other is pair.browser and not other.all("closing", channel=theirs):
        other.ever("close", channel=theirs)
    else:
        in_order(other, ("closing", {"channel": theirs}), ("close", {"channel": theirs}))
    for connection, number in ((one, mine), (other, theirs)):
        same(connection.order("channel", channel=number)["readyState"], "closed", f"{connection}: readyState")
        check(not connection.all("error"), f"{connection}: no error")
    if one is pair.floe:  # Firefox says nothing
        one.refused("InvalidStateError", "send", channel=mine, text="too late")
    # The others go on, and the stream can be used again.
    again = one.channel("again")
    one.ever("open", channel=again)
    if one is pair.floe and closer == offerer:
        same(one.order("channel", channel=again)["id"], first_id, f"{one}: id of the next channel")
    exchange(pair, *((stays, at_other) if offerer == "Floe" else (at_other, stays)), size=5000)


@scenario("pc.close() of {closer} is seen", closer=BOTH)
def connection_closes(world, closer):
    pair = Pair(world)
    numbers = dict(zip(BOTH, pair.open(pair.floe)))
    one = chosen(pair, closer)
    other = pair.other(one)
    one.close()
    if other is pair.browser:
        other.ever("close", channel=numbers["browser"])
        return
    other.ever("close", channel=numbers["Floe"])
    other.ever("dtlstransport.statechange", state="closed")
    state = other.state()
    same(state["channels"][0]["readyState"], "closed", "readyState")
    if world.options.browser == "firefox" and "causeCode" not in state["sctp"]:
        return  # its ABORT came after its close_notify, or not at all: the end is in order all the same
    same((state["sctp"]["cause"], state["sctp"]["causeCode"]), ("sctp_abort", 12), "why")  # User-Initiated Abort


# --- renegotiation ------------------------------------------------------------------------------------------------------

def ufrags(description):
    return set(re.findall(r"a=ice-ufrag:(\S+)", description["sdp"]))


@scenario("{who} restarts ICE, {offerer} has offered", who=BOTH, offerer=BOTH)
def restarts(world, who, offerer):
    pair = Pair(world)
    floe, browser = pair.open(chosen(pair, offerer))
    before = [ufrags(one.order("local")) for one in pair.both()]
    for one in pair.both():
        one.mark()
    count = 20 if world.options.short else 200
    orders = [(one, one.start("send", channel=number, size=16000, seed=40, count=count))
              for one, number in ((pair.floe, floe), (pair.browser, browser))]
    restarter = chosen(pair, who)
    restarter.order("restart_ice")
    restarter.ever("negotiationneeded")
    pair.link.negotiate(restarter)
    for one, order in orders:
        one.finish(order)
    check_numbered(pair.floe, floe, count, 16000, 40)
    check_numbered(pair.browser, browser, count, 16000, 40)
    for one, old in zip(pair.both(), before):
        check(not ufrags(one.order("local")) & old, f"{one}: another ufrag than {old}")
        same(one.state()["connectionState"], "connected", f"{one}: connectionState")
    pair.floe.ever("icegatheringstatechange", state="complete")
    exchange(pair, floe, browser, size=2000, seed=77)


def sections(description):
    return re.findall(r"^m=(\w+) (\d+)", description["sdp"], re.M)


@scenario("an offer of audio, video and data, data is made {when}", when=("last", "first"))
def media(world, when):
    pair = Pair(world)
    number = pair.browser.channel("data") if when == "first" else None
    for kind in ("audio", "video"):
        pair.browser.order("add_transceiver", kind=kind)
    number = pair.browser.channel("data") if when == "last" else number
    offer, answer = pair.link.negotiate(pair.browser)
    kinds = [kind for kind, _ in sections(offer)]
    same(sorted(kinds), ["application", "audio", "video"], "sections of the offer")
    same([kind for kind, _ in sections(answer)], kinds, "sections of the answer")
    same({kind: port != "0" for kind, port in sections(answer)},
         {"audio": False, "video": False, "application": True}, "what is accepted")
    told = pair.floe.ever("datachannel", label="data")
    pair.browser.ever("open", channel=number)
    connected(*pair.both())
    exchange(pair, told["channel"], number, size=3000)


@scenario("the browser adds audio later, and Floe a channel")
def media_later(world):
    pair = Pair(world)
    floe, browser = pair.open(pair.floe)
    for kind in ("audio", "video"):
        pair.browser.mark()
        pair.browser.order("add_transceiver", kind=kind)
        pair.browser.wait("negotiationneeded")
        _, answer = pair.link.negotiate(pair.browser)
        same({port for name, port in sections(answer) if name != "application"}, {"0"}, "ports of media")
        exchange(pair, floe, browser, size=3000)
    number = pair.floe.channel("after")
    pair.floe.ever("open", channel=number)
    # And Floe can offer with the rejected sections in it.
    offer, answer = pair.link.negotiate(pair.floe)
    same([kind for kind, _ in sections(offer)], [kind for kind, _ in sections(answer)], "sections")
    exchange(pair, floe, browser, size=500)
    # Firefox is `connecting` for a moment with each section that is refused.
    same(states(pair.floe, "connectionstatechange"), ["connecting", "connected"], "Floe: connection")
    same(pair.browser.state()["connectionState"], "connected", "the browser: connection")


@scenario("both offer at once, {polite} is polite", polite=BOTH)
def glare(world, polite):
    pair = Pair(world)
    kind = chosen(pair, polite)
    rude = pair.other(kind)
    numbers = {one: one.channel("of " + one.program.name) for one in pair.both()}
    for one in pair.both():
        one.ever("negotiationneeded")
    offers = {one: one.order("set_local") for one in pair.both()}
    # The impolite one ignores what it gets now; the polite one rolls its own offer back.
    pair.link.hand_over(rude, kind, offers[rude])
    pair.link.hand_over(kind, rude, kind.order("set_local"))
    for one in pair.both():
        one.ever("open", channel=numbers[one])
        other = pair.other(one)
        told = other.ever("datachannel", label="of " + one.program.name)
        one.order("send", channel=numbers[one], text="hello")
        other.ever("message", channel=told["channel"], text="hello")
    same(states(rude, "signalingstatechange"), ["have-local-offer", "stable"], f"{rude}: signaling")
    check(states(kind, "signalingstatechange") in (
        ["have-local-offer", "stable", "have-remote-offer", "stable"], ["have-local-offer", "have-remote-offer", "stable"]),
          f"{kind}: {states(kind, 'signalingstatechange')}")


# --- statistics -----------------------------------------------------------------------------------------------------------

@scenario("getStats of both agree")
def stats(world):
    pair = Pair(world)
    floe, browser = pair.open(pair.floe, label="counted", protocol="p")
    pair.floe.order("send", channel=floe, size=1000, seed=0, count=20)
    pair.browser.order("send", channel=browser, size=3000, seed=0, count=7)
    pair.browser.count(20, "message", channel=browser)
    pair.floe.count(7, "message", channel=floe)
    reports = [one.order("stats") for one in pair.both()]
    of_channel = [[one for one in report if one["type"] == "data-channel"] for report in reports]
    expected = ({"messagesSent": 20, "bytesSent": 20000, "messagesReceived": 7, "bytesReceived": 21000},
                {"messagesSent": 7, "bytesSent": 21000, "messagesReceived": 20, "bytesReceived": 20000})
    for one, found, numbers in zip(pair.both(), of_channel, expected):
        same(len(found), 1, f"{one}: data channels")
        check(found[0]["label"] == "counted" and found[0]["state"] == "open", f"{one}: {found[0]}")
        same({name: found[0].get(name) for name in numbers}, numbers, f"{one}: counts")
    mine = {kind: [one for one in reports[0] if one["type"] == kind] for kind in {one["type"] for one in reports[0]}}
    for kind in ("peer-connection", "transport", "candidate-pair", "local-candidate", "remote-candidate", "certificate"):
        check(mine.get(kind), f"Floe has {kind}")
    transport = mine["transport"][0]
    same((transport["dtlsState"], transport["iceState"] in ("connected", "completed")), ("connected", True), "transport")
    check({one["id"] for one in mine["candidate-pair"]} >= {transport["selectedCandidatePairId"]}, "the pair in use")
    theirs = [one for one in reports[1] if one["type"] == "certificate"]
    same({one["fingerprint"] for one in mine["certificate"]} <= {one["fingerprint"] for one in theirs} or not theirs, True,
         "fingerprints that the browser has seen")


# --- wrong certificates -------------------------------------------------------------------------------------------------

def spoil(description):
    """Another fingerprint: its first byte is changed."""
    def change(found):
        return f"{found.group(1)}{int(found.group(2), 16) ^ 0xFF:02X}"
    return {**description, "sdp": re.sub(r"(a=fingerprint:sha-\d+ )([0-9A-F]{2})", change, description["sdp"])}


@scenario("a wrong fingerprint of {whose}, {offerer} offers", whose=BOTH, offerer=BOTH)
def fingerprints(world, whose, offerer):
    def edit(connection, description):
        return spoil(description) if (connection.program is world.floe) == (whose == "Floe") else description
    pair = Pair(world, edit=edit)
    offers = chosen(pair, offerer)
    number = offers.channel("never")
    pair.link.negotiate(offers)
    failed = pair.floe.ever("connectionstatechange", state="failed")
    same(failed["cause"], "dtls_fingerprint" if whose == "browser" else "dtls_alert", "the cause")
    pair.floe.ever("dtlstransport.statechange", state="failed")
    error = pair.floe.ever("dtlstransport.error")
    same(error["errorDetail"], "fingerprint-failure" if whose == "browser" else "dtls-failure", "errorDetail")
    state = pair.floe.state()
    check(state["iceConnectionState"] in ("connected", "completed"), "ICE is", state["iceConnectionState"])
    same(pair.floe.order("report")["verdict"], failed["cause"], "the verdict")
    pair.browser.ever("connectionstatechange", state="failed")
    check(not offers.all("open", channel=number), "no channel opens")


# --- relays -------------------------------------------------------------------------------------------------------------

@scenario("relays only, {offerer} offers", needs_server=True, offerer=BOTH)
def relayed(world, offerer):
    pair = Pair(world)
    floe, browser = pair.open(chosen(pair, offerer))
    for one in pair.both():
        found = [event["candidate"]["candidate"] for event in one.all("icecandidate")
                 if event["candidate"] and event["candidate"]["candidate"]]
        check(found and all(" typ relay " in candidate for candidate in found), f"{one}: only relays: {found}")
        local = one.state()["ice"].get("local")  # Firefox does not tell
        if local is not None:
            same(local["type"], "relay", f"{one}: the candidate in use")
    for size in (1, 1200, 65536):
        exchange(pair, floe, browser, size)
    transport = world.options.server[0].partition("transport=")[2] or "udp"
    expected = "tls" if world.options.server[0].startswith("turns:") else transport
    same(pair.floe.state()["ice"]["local"]["relayProtocol"], expected, "how Floe speaks to its relay")


# --- refusals -------------------------------------------------------------------------------------------------------------

@scenario("what W3C refuses is refused by both alike")
def refusals(world):
    pair = Pair(world)
    candidate = {"candidate": "candidate:1 1 udp 2113937151 192.0.2.9 9 typ host", "sdpMid": "0"}
    for one in pair.both():
        one.refused("InvalidStateError", "add_candidate", candidate=candidate)
        one.refused("InvalidStateError", "create_answer")
        one.refused("TypeError", "create_channel", label="x", init={"maxRetransmits": 1, "maxPacketLifeTime": 1})
        one.refused("TypeError", "create_channel", label="x", init={"negotiated": True})
    pair.open(pair.floe)
    for one in pair.both():
        one.refused("OperationError", "add_candidate", candidate={**candidate, "sdpMid": "nowhere"})
        if one.program.name != "chromium":
            one.refused("OperationError", "add_candidate", candidate={**candidate, "usernameFragment": "nobodys"})
        one.refused("TypeError", "add_candidate", candidate={"candidate": candidate["candidate"]})
        one.refused("InvalidStateError", "set_remote", type="answer", sdp=one.state()["remoteDescription"]["sdp"])


# --- running ------------------------------------------------------------------------------------------------------------

class World:
    """The two programs. They are started again after a scenario that failed."""

    def __init__(self, options):
        self.options = options
        self.shows_hosts = options.show_hosts
        self.pairs = []
        server = {"urls": options.server, "username": options.user, "credential": options.credential}
        self.servers = {"iceServers": [server], "iceTransportPolicy": "relay"} if options.server else {}
        self.floe_options = {"caFile": options.ca} if options.ca else {}
        self.floe = self.browser = None

    def start(self):
        options = self.options
        self.floe = Program("floe", options.left, shlex.split(os.environ["PC_PEER"]))
        command = [sys.executable, "-B", os.path.join(HERE, "browser.py"), options.browser]
        command += ["--show-hosts"] if options.show_hosts else []
        command += [word for one in options.trust for word in ("--trust", one)]
        self.browser = Program(options.browser, options.right, command)
        self.browser.wait_until(lambda: self.browser.events, "ready")

    def programs(self):
        return [one for one in (self.floe, self.browser) if one is not None]

    def run(self, run):
        if self.floe is None:
            self.start()
        run(self)
        for pair in self.pairs:
            pair.close()
        for name in ("uncaught", "gone"):
            check(not [one for one in self.browser.events if one["event"] == name], f"{name} in the page")
        self.pairs = []
        for one in self.programs():
            one.on_event.clear()

    def abandon(self):
        for one in self.programs():
            one.kill()
        self.floe = self.browser = None
        self.pairs = []

    def quit(self):
        for one in self.programs():
            one.quit()


def is_wanted(title, options):
    def is_one(patterns):
        return any(fnmatch.fnmatchcase(title, pattern) for pattern in patterns)
    return (not options.only or is_one(options.only)) and not is_one(options.without)


def run_one(world, title, run):
    began = time.monotonic()
    transcript.clear()
    try:
        world.run(run)
        print(f"ok      {title} ({time.monotonic() - began:.1f} s)", flush=True)
    except (Failure, Refusal, LookupError, TypeError) as failure:
        print(f"FAILED  {title}: {type(failure).__name__}: {failure}", flush=True)
        print_transcript(1500)
        world.abandon()
        return False
    if os.environ.get("FLOE_TRANSCRIPT"):
        print_transcript(5000)
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("browser", choices=("chromium", "firefox"))
    parser.add_argument("--left", default="left")
    parser.add_argument("--right", default="right")
    parser.add_argument("--show-hosts", action="store_true")
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN")
    parser.add_argument("--not", action="append", default=[], metavar="PATTERN", dest="without")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--note", default="", help="is printed behind each title")
    parser.add_argument("--short", action="store_true", help="less data, for bad links")
    parser.add_argument("--times", type=int, default=1, help="how often each is run")
    parser.add_argument("--server", action="append", default=[])
    parser.add_argument("--user", default="")
    parser.add_argument("--credential", default="")
    parser.add_argument("--ca", help="Floe's authority for TLS servers")
    parser.add_argument("--trust", action="append", default=[], help="the browser's, see browser.py")
    options = parser.parse_args()
    wanted = [(title, run) for title, needs_server, run in SCENARIOS
              if needs_server == bool(options.server) and is_wanted(title, options)]
    if options.list:
        print("\n".join(title for title, _ in wanted))
        return 0
    world = World(options)
    results = [run_one(world, title + options.note, run) for title, run in wanted for _ in range(options.times)]
    try:
        world.quit()
    except Failure as failure:
        print(f"FAILED  {failure}")
        results.append(False)
    world.abandon()
    print(f"{sum(results)} of {len(results)} as expected")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
