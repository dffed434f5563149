#!/usr/bin/env python3
"""Peer connections of aiortc (Debian package python3-aiortc), driven by the same JSON as pc_peer.c: see README.md."""
import asyncio
import hashlib
import json
import os
import sys
import time

import aiortc
from aiortc.sdp import candidate_from_sdp

from pc_peers import content

MAX_TEXT = 1024  # longer messages are told by their hash alone


def say(**fact):
    print(json.dumps(fact), flush=True)


class Connection:
    def __init__(self, peer, name, config):
        servers = [aiortc.RTCIceServer(urls=one["urls"], username=one.get("username"), credential=one.get("credential"))
                   for one in config.get("iceServers", [])]
        self.peer = peer
        self.name = name
        self.offers = True
        self.pc = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=servers))
        self.pc.on("connectionstatechange", lambda: self.tell("connectionstatechange", state=self.pc.connectionState))
        self.pc.on("icegatheringstatechange",
                   lambda: self.tell("icegatheringstatechange", state=self.pc.iceGatheringState))
        self.pc.on("datachannel", self.take_channel)

    def tell(self, event, **fields):
        say(event=event, pc=self.name, t=time.monotonic() * 1e3, **fields)

    def take_channel(self, channel):
        self.watch(channel)
        self.tell("datachannel", **self.fact(channel))
        self.tell("open", channel=self.peer.channels.index(channel))  # it is, when aiortc tells of it

    def watch(self, channel):
        number = len(self.peer.channels)
        self.peer.channels.append(channel)
        channel.on("open", lambda: self.tell("open", channel=number))
        channel.on("close", lambda: self.tell("close", channel=number))
        channel.on("message", lambda data: self.message(number, data))

    def message(self, number, data):
        taken = data.encode() if isinstance(data, str) else data
        fact = {"text": data} if isinstance(data, str) and len(taken) <= MAX_TEXT else {}
        self.tell("message", channel=number, size=len(taken), binary=not isinstance(data, str),
                  sha256=hashlib.sha256(taken).hexdigest(), **fact)

    def fact(self, channel):
        names = ("label", "protocol", "ordered", "maxPacketLifeTime", "maxRetransmits", "negotiated", "id", "readyState",
                 "bufferedAmount")
        return {"channel": self.peer.channels.index(channel), **{name: getattr(channel, name) for name in names}}

    # --- orders

    async def create_channel(self, label="", init=None, **_):
        channel = self.pc.createDataChannel(label, **(init or {}))
        self.watch(channel)
        return self.fact(channel)

    async def set_local(self, **_):
        description = await (self.pc.createOffer() if self.offers else self.pc.createAnswer())
        await self.pc.setLocalDescription(description)
        return await self.local()

    async def local(self, **_):
        return {"type": self.pc.localDescription.type, "sdp": self.pc.localDescription.sdp}

    async def set_remote(self, type, sdp, **_):
        self.offers = type != "offer"
        await self.pc.setRemoteDescription(aiortc.RTCSessionDescription(type=type, sdp=sdp))

    async def add_candidate(self, candidate, **_):
        text = candidate and candidate["candidate"]
        if not text:
            return  # aiortc 1.4 has no end of candidates
        one = candidate_from_sdp(text[len("candidate:"):])
        one.sdpMid = candidate.get("sdpMid")
        one.sdpMLineIndex = candidate.get("sdpMLineIndex")
        await self.pc.addIceCandidate(one)

    async def send(self, channel, text=None, size=0, seed=0, count=1, binary=True, **_):
        to = self.peer.channels[channel]
        if text is not None:
            to.send(text)
            count = 0
        for i in range(count):
            while to.bufferedAmount > 1 << 20:
                await asyncio.sleep(0.002)
            made = content(size, seed + i, binary)
            to.send(made if binary else made.decode())
        return {"bufferedAmount": to.bufferedAmount}

    async def channel(self, channel, **_):
        return self.fact(self.peer.channels[channel])

    async def close_channel(self, channel, **_):
        self.peer.channels[channel].close()

    async def state(self, **_):
        return {"iceGatheringState": self.pc.iceGatheringState}

    async def close(self, **_):
        del self.peer.connections[self.name]
        await self.pc.close()


class Peer:
    ORDERS = ("create_channel", "set_local", "local", "set_remote", "add_candidate", "send", "channel", "close_channel",
              "state", "close")

    def __init__(self):
        self.connections = {}
        self.channels = []
        self.tasks = set()

    async def obey(self, id, do, pc="pc", **fields):
        try:
            if do == "new":
                self.connections[pc] = Connection(self, pc, fields.get("config") or {})
                result = None
            elif do in self.ORDERS:
                result = await getattr(self.connections[pc], do)(**fields)
            else:
                raise ValueError("no such order")
            say(id=id, ok=result)
        except Exception as error:  # whatever it is, whoever gave the order wants to know
            say(id=id, error=type(error).__name__, message=str(error))

    async def run(self):
        lines = asyncio.StreamReader(limit=1 << 24)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            order = json.loads(line)
            if order["do"] == "quit":
                break
            task = asyncio.ensure_future(self.obey(**order))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        sys.stdout.flush()
        os._exit(0)  # tasks of the library may go on


asyncio.run(Peer().run())
