#!/usr/bin/env python3
"""aioice (Debian package python3-aioice) as a peer of the tests: see README.md for the lines that it speaks.

    aioice_peer.py --role controlling|controlled [--server stun:ADDRESS[:PORT]|turn:ADDRESS[:PORT]]
"""
import argparse
import asyncio
import sys

import aioice

import exchange


class Peer:
    def __init__(self, options):
        servers = {}
        for url in options.server:
            scheme, _, place = url.partition(":")
            host, _, port = place.partition(":")
            servers[scheme + "_server"] = (host, int(port or 3478))
        self.connection = aioice.Connection(
            ice_controlling=options.role == "controlling", turn_username=options.user,
            turn_password=options.credential, use_ipv6=not options.no_ipv6, **servers)
        self.exchange = exchange.Exchange()
        self.remote_pwd = None
        self.remote_lite = False
        self.has_connected = False
        self.tasks = set()

    def say(self, line):
        print(line, flush=True)

    def spawn(self, coroutine):
        task = asyncio.ensure_future(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def gather(self):
        await self.connection.gather_candidates()
        self.say(f"ufrag {self.connection.local_username}")
        self.say(f"pwd {self.connection.local_password}")
        for candidate in self.connection.local_candidates:
            self.say("candidate:" + candidate.to_sdp())
        self.say("end")

    async def connect(self):
        self.connection.remote_password = self.remote_pwd
        self.connection.remote_is_lite = self.remote_lite
        try:
            await self.connection.connect()
        except ConnectionError:
            self.say("state failed")
            return
        pair = self.connection._nominated[1]  # the library has no public name for it
        self.has_connected = True
        self.say("state connected")
        self.say(f"pair {pair.local_candidate.type} {pair.remote_candidate.type} udp")
        self.say("role " + ("controlling" if self.connection.ice_controlling else "controlled"))
        self.spawn(self.exchange_data())
        while True:
            try:
                data = await self.connection.recv()
            except ConnectionError:
                self.say("state disconnected")
                return
            await self.send_all(self.exchange.take(data))

    async def send_all(self, messages):
        for message in messages:
            try:
                await self.connection.send(message)
            except ConnectionError:
                return

    async def exchange_data(self):
        while True:
            await self.send_all(self.exchange.due())
            fact = self.exchange.fact()
            if fact:
                self.say(fact)
            await asyncio.sleep(exchange.TICK)

    async def take(self, line):
        word, _, rest = line.partition(" ")
        if word == "lite":
            self.remote_lite = True
        elif word == "ufrag":
            self.connection.remote_username = rest
        elif word == "pwd":
            self.remote_pwd = rest
            self.spawn(self.connect())
        elif line.startswith("candidate:"):
            candidate = aioice.Candidate.from_sdp(line[len("candidate:"):])
            await self.connection.add_remote_candidate(candidate)
        elif word == "end":
            await self.connection.add_remote_candidate(None)
        elif word == "data":
            self.exchange.begin(int(rest))
        else:
            raise ValueError(f"no such order: {line}")

    async def run(self):
        await self.gather()
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while True:
            line = (await lines.readline()).decode().rstrip("\n")
            if line in ("quit", ""):
                break
            await self.take(line)
        for task in self.tasks:
            task.cancel()
        await self.connection.close()
        return 0 if self.has_connected and self.exchange.is_done() else 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--role", choices=("controlling", "controlled"), required=True)
    parser.add_argument("--server", action="append", default=[])
    parser.add_argument("--user")
    parser.add_argument("--credential")
    parser.add_argument("--no-ipv6", action="store_true")
    sys.exit(asyncio.run(Peer(parser.parse_args()).run()))


if __name__ == "__main__":
    main()
