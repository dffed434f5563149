"""A peer of bench/data_channel.py: aiortc (Debian package python3-aiortc).

    data_channel_aiortc.py offer|answer flood|ping SIZE
    data_channel_aiortc.py many PAIRS

See bench/data_channel.py for the lines that it speaks.
"""
import asyncio
import gc
import os
import sys
import time

from aiortc import RTCPeerConnection, RTCSessionDescription

HIGH = 1 << 20
LOW = 1 << 18


def say(line):
    print(line, flush=True)


class Lines:
    def __init__(self):
        self.reader = asyncio.StreamReader()

    async def open(self):
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(self.reader), sys.stdin)

    async def next(self):
        return (await self.reader.readline()).decode().rstrip("\n")

    async def description(self, kind):
        await self.next()  # "sdp"
        sdp = []
        while (line := await self.next()) != ".":
            sdp.append(line + "\r\n")
        return RTCSessionDescription(type=kind, sdp="".join(sdp))


def tell_description(pc):
    say("sdp\n" + pc.localDescription.sdp.replace("\r", "").rstrip() + "\n.")


class Sender:
    def __init__(self, channel, kind, size):
        self.channel = channel
        self.data = bytes(size)
        self.took = []
        channel.on("open", self.flood if kind == "flood" else self.ping)

    def flood(self):
        say("open")
        self.channel.bufferedAmountLowThreshold = LOW
        self.channel.on("bufferedamountlow", self.fill)
        self.fill()

    def fill(self):
        while self.channel.bufferedAmount < HIGH:
            self.channel.send(self.data)

    def ping(self):
        say("open")
        self.channel.on("message", self.pong)
        self.next()

    def next(self):
        self.sent = time.perf_counter()
        self.channel.send(self.data)

    def pong(self, _):
        self.took.append((time.perf_counter() - self.sent) * 1e6)
        self.next()

    def tell(self):
        took, self.took = sorted(self.took), []
        if took:
            at = [took[int((len(took) - 1) * share)] for share in (0.5, 0.99, 1)]
            say(f"times {len(took)} " + " ".join(f"{one:.1f}" for one in at))
        else:
            say("times 0 nan nan nan")


class Receiver:
    def __init__(self, kind):
        self.kind = kind
        self.n = self.bytes = 0

    def take(self, channel):
        self.channel = channel
        channel.on("message", self.message)

    def message(self, data):
        if self.n == 0:
            say("first")
        self.n += 1
        self.bytes += len(data)
        if self.kind == "ping":
            self.channel.send(data)


async def meet(role, kind, size):
    lines = Lines()
    await lines.open()
    pc = RTCPeerConnection()
    side = None
    if role == "offer":
        side = Sender(pc.createDataChannel("bench"), kind, size)
        await pc.setLocalDescription(await pc.createOffer())
        tell_description(pc)
        await pc.setRemoteDescription(await lines.description("answer"))
    else:
        side = Receiver(kind)
        pc.on("datachannel", side.take)
        await pc.setRemoteDescription(await lines.description("offer"))
        await pc.setLocalDescription(await pc.createAnswer())
        tell_description(pc)
    while (line := await lines.next()) not in ("quit", ""):
        if line == "count":
            say(f"count {side.n} {side.bytes}")
        elif line == "times":
            side.tell()
    os._exit(0)


def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


async def connect_pair(keep):
    a, b = RTCPeerConnection(), RTCPeerConnection()
    loop = asyncio.get_running_loop()
    opened, arrived = loop.create_future(), loop.create_future()
    channel = a.createDataChannel("bench")
    channel.on("open", lambda: opened.set_result(None))
    b.on("datachannel", arrived.set_result)
    await a.setLocalDescription(await a.createOffer())
    await b.setRemoteDescription(a.localDescription)
    await b.setLocalDescription(await b.createAnswer())
    await a.setRemoteDescription(b.localDescription)
    keep += [a, b, channel, await arrived]
    await opened


async def many(pairs):
    keep = []
    await connect_pair([])  # what is there once only
    gc.collect()
    before = rss()
    for _ in range(pairs):
        await connect_pair(keep)
    gc.collect()
    say(f"memory {(rss() - before) / (2 * pairs):.0f} -")
    os._exit(0)


def main():
    if sys.argv[1] == "many":
        asyncio.run(many(int(sys.argv[2])))
    else:
        asyncio.run(meet(sys.argv[1], sys.argv[2], int(sys.argv[3])))


if __name__ == "__main__":
    main()
