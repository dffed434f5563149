#!/usr/bin/env python3
"""Chromium's RTCPeerConnection as a peer of the tests: see README.md for the lines that it speaks.

    chromium_peer.py --role controlling|controlled [--server URL --user NAME --credential WORD] [--show-hosts] [--relay-only]

Controlling, it offers a data channel, and can be told to restart; controlled, it answers to the offer of one. The other
side's session description is made here around the ICE parameters that it tells. Its certificate does not exist, so that
DTLS gets nowhere, but Chromium, always the DTLS client, sends its ClientHello once a pair is selected.

The browser is driven over the DevTools protocol on a pair of pipes: JSON messages that end in a zero byte.
"""
import argparse
import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile

BROWSERS = ("chromium-headless-shell", "chromium")

PAGE = """
const pc = new RTCPeerConnection(CONFIG);
const early = [];
let seen = '';
let orders = Promise.resolve();
let restarts = false;
const quote = (line) => new RegExp('a=' + line + ':(.*)').exec(pc.localDescription.sdp)[1].trim();
const gone = (error) => say('# ' + error);

pc.onicecandidate = (event) => {
  if (event.candidate === null) say('end');
  else if (event.candidate.candidate !== '') say(event.candidate.candidate);
};
pc.oniceconnectionstatechange = () => say('state ' + pc.iceConnectionState);

async function tellPair() {
  const pair = pc.sctp.transport.iceTransport.getSelectedCandidatePair();
  if (pair === null) return;
  const fact = 'pair ' + pair.local.type + ' ' + pair.remote.type + ' ' + pair.local.protocol;
  if (fact === seen) return;
  seen = fact;
  say(fact);
  for (const one of (await pc.getStats()).values()) {
    if (one.type === 'transport') say('role ' + one.iceRole);
  }
}

async function describeLocal() {
  await pc.setLocalDescription();
  say('ufrag ' + quote('ice-ufrag'));
  say('pwd ' + quote('ice-pwd'));
}

async function restart() {
  restarts = true;
  seen = '';
  pc.restartIce();
  await describeLocal();
}

// A second one means that the other side has restarted, or has answered to our restart.
async function takeDescription(sdp) {
  if (OFFERS && pc.remoteDescription !== null && !restarts) await restart();
  restarts = false;
  await pc.setRemoteDescription({type: OFFERS ? 'answer' : 'offer', sdp: sdp});
  if (!OFFERS) await describeLocal();
  pc.sctp.transport.iceTransport.onselectedcandidatepairchange = tellPair;
  for (const line of early.splice(0)) await takeCandidate(line);
}

async function takeCandidate(line) {
  if (pc.remoteDescription === null) early.push(line);
  else await pc.addIceCandidate({candidate: line, sdpMid: '0', sdpMLineIndex: 0});
}

// One after the other, and nobody waits for them.
function obey(order, ...details) {
  orders = orders.then(() => order(...details)).catch(gone);
}

if (OFFERS) {
  pc.createDataChannel('floe');
  obey(describeLocal);
}
"""

DESCRIPTION = """v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
{lite}a=group:BUNDLE 0
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=ice-ufrag:{ufrag}
a=ice-pwd:{pwd}
a=ice-options:trickle
a=fingerprint:sha-256 {fingerprint}
a=setup:passive
a=mid:0
a=sctp-port:5000
"""
FINGERPRINT = ":".join(f"{i:02X}" for i in range(32))


def say(line):
    print(line, flush=True)


class Browser:
    """A browser at the other end of two pipes."""

    def __init__(self, show_hosts):
        program = next(filter(None, map(shutil.which, BROWSERS)))
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        orders, self.orders = os.pipe()
        self.answers, answers = os.pipe()
        hidden = ["--disable-features=WebRtcHideLocalIpsWithMdns"] if show_hosts else []
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{orders} 4>&{answers}', "sh", program, "--headless", "--no-sandbox",
             "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
             "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}", *hidden],
            pass_fds=(orders, answers), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(orders)
        os.close(answers)
        self.partial = b""
        self.number = 0
        self.session = None
        self.replies = {}
        self.lines = []

    def read(self):
        """Takes what has come; false when the browser has ended."""
        data = os.read(self.answers, 65536)
        *messages, self.partial = (self.partial + data).split(b"\0")
        for message in map(json.loads, messages):
            if message.get("method") == "Runtime.bindingCalled":
                self.lines.append(message["params"]["payload"])
            elif "id" in message:
                self.replies[message["id"]] = message
        return bool(data)

    def call(self, method, **params):
        self.number += 1
        order = {"id": self.number, "method": method, "params": params}
        if self.session:
            order["sessionId"] = self.session
        os.write(self.orders, json.dumps(order).encode() + b"\0")
        while self.number not in self.replies:
            if not self.read():
                raise RuntimeError("the browser has ended")
        reply = self.replies.pop(self.number)
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']}")
        return reply["result"]

    def open(self, script):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Runtime.enable")
        self.call("Runtime.addBinding", name="say")
        self.run(script)

    def run(self, script):
        result = self.call("Runtime.evaluate", expression=script)
        if "exceptionDetails" in result:
            say("# " + result["exceptionDetails"]["exception"].get("description", "?").replace("\n", " "))

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.profile.cleanup()


class Peer:
    def __init__(self, options):
        servers = [{"urls": options.server, "username": options.user or "", "credential": options.credential or ""}]
        config = {"iceServers": servers if options.server else [],
                  "iceTransportPolicy": "relay" if options.relay_only else "all"}
        self.offers = options.role == "controlling"
        self.ufrag = ""
        self.lite = ""
        self.has_connected = False
        self.browser = Browser(options.show_hosts)
        self.browser.open(PAGE.replace("CONFIG", json.dumps(config)).replace("OFFERS", json.dumps(self.offers)))

    def call(self, function, *arguments):
        self.browser.run(f"obey({', '.join([function, *map(json.dumps, arguments)])})")

    def take(self, line):
        """Takes a line; false when it is the last."""
        word, _, rest = line.partition(" ")
        if word == "lite":
            self.lite = "a=ice-lite\n"
        elif word == "ufrag":
            self.ufrag = rest
        elif word == "pwd":
            sdp = DESCRIPTION.format(ufrag=self.ufrag, pwd=rest, lite=self.lite, fingerprint=FINGERPRINT)
            if not self.offers:
                sdp = sdp.replace("setup:passive", "setup:actpass")
            self.call("takeDescription", sdp.replace("\n", "\r\n"))
        elif line.startswith("candidate:"):
            self.call("takeCandidate", line)
        elif word == "end":
            self.call("takeCandidate", "")
        elif word == "restart":
            self.call("restart")
        elif word != "quit":
            say(f"# no such order: {line}")
        return word != "quit"

    def tell(self):
        for line in self.browser.lines:
            if line in ("state connected", "state completed"):
                self.has_connected = True
            say(line)
        self.browser.lines.clear()

    def run(self):
        selector = selectors.DefaultSelector()
        selector.register(0, selectors.EVENT_READ)
        selector.register(self.browser.answers, selectors.EVENT_READ)
        partial = b""
        while True:
            self.tell()
            for key, _ in selector.select():
                if key.fd == self.browser.answers:
                    if not self.browser.read():
                        return 2
                    continue
                data = os.read(0, 65536)
                *lines, partial = (partial + data).split(b"\n")
                if not data or not all([self.take(line.decode()) for line in lines]):
                    return 0 if self.has_connected else 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--role", choices=("controlling", "controlled"), required=True)
    parser.add_argument("--server", action="append", default=[])
    parser.add_argument("--user")
    parser.add_argument("--credential")
    parser.add_argument("--relay-only", action="store_true")
    parser.add_argument("--show-hosts", action="store_true", help="addresses in host candidates, not .local names")
    peer = Peer(parser.parse_args())
    try:
        status = peer.run()
    finally:
        peer.browser.close()
    sys.exit(status)


if __name__ == "__main__":
    main()
