#!/usr/bin/env python3
"""Peer connections of GStreamer's webrtcbin (Debian packages gstreamer1.0-plugins-bad, gstreamer1.0-nice,
gir1.2-gst-plugins-bad-1.0, python3-gi), driven by the same JSON as pc_peer.c: see README.md."""
import hashlib
import json
import os
import re
import sys
import threading
import time

import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

from pc_peers import content  # noqa: E402

MAX_TEXT = 1024  # longer messages are told by their hash alone
saying = threading.Lock()  # signals come from several threads


def say(**fact):
    with saying:
        print(json.dumps(fact), flush=True)


def server_url(url, one):
    """webrtcbin's form of a URL: turn://user:word@host:port."""
    scheme, _, place = url.partition(":")
    if scheme == "stun":
        return "stun-server", f"stun://{place if ':' in place else place + ':3478'}"
    return "turn-server", f"{scheme}://{one['username']}:{one['credential']}@{place if ':' in place else place + ':3478'}"


class Connection:
    def __init__(self, peer, name, config):
        self.peer = peer
        self.name = name
        self.offers = True
        self.pipeline = Gst.Pipeline.new(None)
        self.bin = Gst.ElementFactory.make("webrtcbin", None)
        self.bin.set_property("bundle-policy", "max-bundle")
        self.bin.set_property("ice-transport-policy", config.get("iceTransportPolicy", "all"))
        for one in config.get("iceServers", []):
            for url in [one["urls"]] if isinstance(one["urls"], str) else one["urls"]:
                self.bin.set_property(*server_url(url, one))
        self.pipeline.add(self.bin)
        self.bin.connect("notify::connection-state", lambda *_: self.tell_state("connection"))
        self.bin.connect("notify::ice-gathering-state", lambda *_: self.tell_state("ice-gathering"))
        self.bin.connect("on-ice-candidate", self.tell_candidate)
        self.bin.connect("on-data-channel", lambda _, channel: self.take_channel(channel))
        self.pipeline.set_state(Gst.State.PLAYING)

    def tell(self, event, **fields):
        say(event=event, pc=self.name, t=time.monotonic() * 1e3, **fields)

    def state_of(self, which):
        return self.bin.get_property(which + "-state").value_nick

    def tell_state(self, which):
        self.tell(which.replace("-", "") + "statechange", state=self.state_of(which))

    def tell_candidate(self, _, index, text):
        """webrtcbin tells less than W3C wants."""
        sdp = self.bin.get_property("local-description").sdp.as_text()
        quote = lambda name: re.search(f"^a={name}:(.*?)\r?$", sdp, re.MULTILINE)[1]
        self.tell("icecandidate", candidate={"candidate": text, "sdpMLineIndex": index, "sdpMid": quote("mid"),
                                             "usernameFragment": quote("ice-ufrag")})

    # --- channels

    def take_channel(self, channel):
        number = self.watch(channel)
        self.tell("datachannel", **self.fact(number))
        self.look(number)

    def look(self, number):
        """It may have opened before anybody listened."""
        if self.peer.channels[number].get_property("ready-state") == GstWebRTC.WebRTCDataChannelState.OPEN:
            self.tell_open(number)

    def watch(self, channel):
        with self.peer.lock:
            number = len(self.peer.channels)
            self.peer.channels.append(channel)
        channel.connect("on-open", lambda _: self.tell_open(number))
        channel.connect("on-close", lambda _: self.tell("close", channel=number))
        channel.connect("on-message-data", lambda _, data: self.message(number, data and data.get_data() or b"", True))
        channel.connect("on-message-string", lambda _, text: self.message(number, (text or "").encode(), False))
        return number

    def tell_open(self, number):
        with self.peer.lock:
            is_new = number not in self.peer.opened
            self.peer.opened.add(number)
        if is_new:
            self.tell("open", channel=number)

    def message(self, number, data, binary):
        text = {"text": data.decode()} if not binary and len(data) <= MAX_TEXT else {}
        self.tell("message", channel=number, size=len(data), binary=binary, sha256=hashlib.sha256(data).hexdigest(), **text)

    def fact(self, number):
        get = self.peer.channels[number].get_property
        limit = lambda name: None if get(name) < 0 else get(name)
        return {"channel": number, "label": get("label"), "protocol": get("protocol") or "", "ordered": get("ordered"),
                "maxPacketLifeTime": limit("max-packet-lifetime"), "maxRetransmits": limit("max-retransmits"),
                "negotiated": get("negotiated"), "id": limit("id")}

    # --- orders

    def create_channel(self, label="", init=None, **_):
        options = Gst.Structure.new_empty("options")
        names = {"ordered": "ordered", "maxPacketLifeTime": "max-packet-lifetime", "maxRetransmits": "max-retransmits",
                 "protocol": "protocol", "negotiated": "negotiated", "id": "id"}
        for name, value in (init or {}).items():
            options.set_value(names[name], value)
        channel = self.bin.emit("create-data-channel", label, options if init else None)
        number = self.watch(channel)
        self.look(number)
        return self.fact(number)

    def set_local(self, **_):
        kind = "offer" if self.offers else "answer"
        promise = Gst.Promise.new()
        self.bin.emit("create-" + kind, None, promise)
        promise.wait()
        reply = promise.get_reply()
        made = reply.get_value(kind)
        promise = Gst.Promise.new()
        self.bin.emit("set-local-description", made, promise)
        promise.wait()
        return {"type": kind, "sdp": made.sdp.as_text()}

    def local(self, **_):
        description = self.bin.get_property("local-description")
        return {"type": description.type.value_nick, "sdp": description.sdp.as_text()}

    def set_remote(self, type, sdp, **_):
        self.offers = type != "offer"
        _, message = GstSdp.SDPMessage.new_from_text(sdp)
        kind = GstWebRTC.WebRTCSDPType.ANSWER if type == "answer" else GstWebRTC.WebRTCSDPType.OFFER
        promise = Gst.Promise.new()
        self.bin.emit("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(kind, message), promise)
        promise.wait()

    def add_candidate(self, candidate, **_):
        if candidate and candidate["candidate"]:
            self.bin.emit("add-ice-candidate", candidate.get("sdpMLineIndex") or 0, candidate["candidate"])

    def send(self, channel, text=None, size=0, seed=0, count=1, binary=True, **_):
        to = self.peer.channels[channel]
        if text is not None:
            to.emit("send-string", text)
            count = 0
        for i in range(count):
            while to.get_property("buffered-amount") > 1 << 20:
                time.sleep(0.002)
            made = content(size, seed + i, binary)
            if binary:
                to.emit("send-data", GLib.Bytes.new(made))
            else:
                to.emit("send-string", made.decode())
        return {"bufferedAmount": to.get_property("buffered-amount")}

    def channel(self, channel, **_):
        return self.fact(channel)

    def close_channel(self, channel, **_):
        self.peer.channels[channel].emit("close")

    def state(self, **_):
        return {"iceGatheringState": self.state_of("ice-gathering")}

    def close(self, **_):
        del self.peer.connections[self.name]
        self.pipeline.set_state(Gst.State.NULL)


class Peer:
    ORDERS = ("create_channel", "set_local", "local", "set_remote", "add_candidate", "send", "channel", "close_channel",
              "state", "close")

    def __init__(self):
        self.connections = {}
        self.channels = []
        self.opened = set()
        self.lock = threading.Lock()

    def obey(self, id, do, pc="pc", **fields):
        try:
            if do == "new":
                self.connections[pc] = Connection(self, pc, fields.get("config") or {})
                result = None
            elif do in self.ORDERS:
                result = getattr(self.connections[pc], do)(**fields)
            else:
                raise ValueError("no such order")
            say(id=id, ok=result)
        except Exception as error:  # whatever it is, whoever gave the order wants to know
            say(id=id, error=type(error).__name__, message=str(error))

    def run(self):
        for line in sys.stdin:
            order = json.loads(line)
            if order["do"] == "quit":
                break
            self.obey(**order)
        sys.stdout.flush()
        os._exit(0)  # threads of the library may go on


Gst.init(None)
Peer().run()
