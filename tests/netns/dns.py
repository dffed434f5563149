#!/usr/bin/env python3
"""Name servers that misbehave.

    dns.py ADDRESS=BEHAVIOUR[,V4,V6]...

Each ADDRESS answers on port 53, over UDP and TCP. V4 and V6 are the addresses that every name has.

    good         answers A and AAAA
    servfail, refused, notimp, formerr
                 answers every question with this code
    a-servfail   SERVFAIL for A, an answer for AAAA; also aaaa-servfail, aaaa-refused, aaaa-nxdomain
    silent       never answers; a-silent, aaaa-silent: not to that type
    truncated    over UDP only says that the answer does not fit
    garbage      answers with bytes that are no DNS message
    closed       nothing listens (so that a line of a test can name it)
"""
import socket
import socketserver
import struct
import sys
import threading

CODES = {"formerr": 1, "servfail": 2, "nxdomain": 3, "notimp": 4, "refused": 5}
A, AAAA = 1, 28


def question_end(query):
    at = 12
    while query[at] != 0:
        at += 1 + query[at]
    return at + 5


def respond(behaviour, addresses, query, is_tcp):
    """The answer to a query, or None."""
    end = question_end(query)
    kind = struct.unpack("!H", query[end - 4:end - 2])[0]
    only, dash, what = behaviour.partition("-")
    if dash:
        behaviour = what if kind == {"a": A, "aaaa": AAAA}[only] else "good"
    if behaviour == "silent":
        return None
    if behaviour == "garbage":
        return b"this is no DNS message"
    flags, records = 0x8180 | CODES.get(behaviour, 0), b""
    count = 0
    if behaviour == "truncated" and not is_tcp:
        flags |= 0x0200
    elif behaviour in ("good", "truncated"):
        family = {A: socket.AF_INET, AAAA: socket.AF_INET6}.get(kind)
        for address in addresses:
            if family is not None and (":" in address) == (kind == AAAA):
                data = socket.inet_pton(family, address)
                records += struct.pack("!HHHIH", 0xc00c, kind, 1, 60, len(data)) + data
                count += 1
    return query[:2] + struct.pack("!HHHHH", flags, 1, count, 0, 0) + query[12:end] + records


class Udp(socketserver.BaseRequestHandler):
    def handle(self):
        query, sock = self.request
        answer = respond(self.server.behaviour, self.server.addresses, query, False)
        if answer is not None:
            sock.sendto(answer, self.client_address)


class Tcp(socketserver.StreamRequestHandler):
    def handle(self):
        while len(head := self.rfile.read(2)) == 2:
            answer = respond(self.server.behaviour, self.server.addresses, self.rfile.read(*struct.unpack("!H", head)), True)
            if answer is not None:
                self.wfile.write(struct.pack("!H", len(answer)) + answer)


class UdpServer(socketserver.ThreadingUDPServer):
    daemon_threads = True


class TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def main():
    for spec in sys.argv[1:]:
        where, _, rest = spec.partition("=")
        behaviour, *addresses = rest.split(",")
        if behaviour == "closed":
            continue
        for kind, handler in ((UdpServer, Udp), (TcpServer, Tcp)):
            kind.address_family = socket.AF_INET6 if ":" in where else socket.AF_INET
            server = kind((where, 53), handler)
            server.behaviour, server.addresses = behaviour, addresses
            threading.Thread(target=server.serve_forever, daemon=True).start()
    print("all name servers are ready", flush=True)
    threading.Event().wait()


main()
