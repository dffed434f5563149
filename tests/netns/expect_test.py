#!/usr/bin/env python3
"""What expect.py must not let pass."""
import json
import tempfile
import unittest
from pathlib import Path

import expect

HOST = {"type": "icecandidate", "t_ms": 1.0, "candidate": "candidate:1", "candidateType": "host", "address": "192.0.2.2",
        "port": 1, "protocol": "udp", "relatedAddress": None, "relatedPort": None, "url": None, "relayProtocol": None}
DETAIL = {"cause": "udp_timeout", "phase": "binding", "transport": "udp", "family": 4, "serverAddress": "192.0.2.1:3478",
          "localAddress": "192.0.2.2:1"}
ERROR = {"type": "icecandidateerror", "t_ms": 2.0, "address": "192.0.2.2", "port": 1, "url": "stun:192.0.2.1",
         "errorCode": 701, "errorText": "udp_timeout: no answer", "detail": DETAIL}
ATTEMPT = {"outcome": "error", "errorCode": 701, "errorText": "udp_timeout: no answer", "detail": DETAIL}
OUTPUT = [
    {"type": "icegatheringstatechange", "t_ms": 0.0, "state": "gathering"},
    HOST,
    ERROR,
    {"type": "icecandidate", "t_ms": 5000.0, "candidate": ""},
    {"type": "icegatheringstatechange", "t_ms": 5000.0, "state": "complete"},
    {"type": "report", "t_ms": 5000.0, "verdict": "failed", "servers": [
        {"url": "stun:192.0.2.1", "verdict": "failed", "cause": "udp_timeout", "attempts": [ATTEMPT], "relayTests": []}]},
]
EXPECTED = """
exit 4
within 7000
gathering
host udp 192.0.2.2
error 701 udp_timeout stun:192.0.2.1 192.0.2.2 binding udp 4 serverAddress=192.0.2.1:* icmp=-
end
complete
report failed
server failed udp_timeout stun:192.0.2.1
  attempt error 701 udp_timeout udp 192.0.2.2 192.0.2.1:3478
"""


def judge(output=None, expected=EXPECTED, status="4", err=""):
    with tempfile.TemporaryDirectory() as name:
        case = Path(name)
        lines = [json.dumps(o) + "\n" for o in (OUTPUT if output is None else output)]
        (case / "out").write_text("".join(lines))
        (case / "expect").write_text(expected)
        (case / "status").write_text(status)
        (case / "err").write_text(err)
        expect.check_case(case, [])


def changed(index, **members):
    """The output with some members of one line changed."""
    return [dict(o, **members) if i == index else o for i, o in enumerate(OUTPUT)]


class ExpectTest(unittest.TestCase):
    def fails(self, **arguments):
        with self.assertRaises(expect.Mismatch):
            judge(**arguments)

    def test_what_is_expected_passes(self):
        judge()

    def test_lines(self):
        self.fails(output=OUTPUT[:2] + OUTPUT[3:])  # one is missing
        self.fails(output=OUTPUT + OUTPUT[-1:])  # one too many
        self.fails(output=OUTPUT[:3] + [OUTPUT[4], OUTPUT[3], OUTPUT[5]])  # another order
        self.fails(output=[])

    def test_fields(self):
        for wrong in ("700 udp_timeout", "701 tcp_timeout", "701 udp_time"):
            self.fails(expected=EXPECTED.replace("error 701 udp_timeout", "error " + wrong, 1))
        self.fails(expected=EXPECTED.replace("192.0.2.2 binding", "- binding"))
        self.fails(expected=EXPECTED.replace("serverAddress=192.0.2.1:*", "serverAddress=192.0.2.9:*"))
        self.fails(expected=EXPECTED.replace("icmp=-", "icmp=3/3"))
        self.fails(expected=EXPECTED.replace("icmp=-", "phase=-"))
        self.fails(expected=EXPECTED.replace("within 7000", "within 4000"))

    def test_status(self):
        self.fails(status="0")
        self.fails(err="a warning")
        self.fails(expected=EXPECTED.replace("exit 4", ""))

    def test_any_order(self):
        pair = "host udp 192.0.2.2\n" + EXPECTED.split("\n")[5]
        judge(expected=EXPECTED.replace(pair, "{\n" + "\n".join(reversed(pair.split("\n"))) + "\n}"))
        self.fails(expected=EXPECTED.replace(pair, "{\n" + pair))
        self.fails(expected=EXPECTED.replace(pair, "{\n" + pair.split("\n")[1] + "\n" + pair.split("\n")[1] + "\n}"))

    def test_rules(self):
        self.fails(output=changed(2, port=None))
        self.fails(output=changed(2, port=0))
        self.fails(output=changed(2, errorText="no answer"))
        self.fails(output=changed(2, t_ms=0.5))
        self.fails(output=changed(1, address="192.0.2.3"), expected=EXPECTED.replace("host udp 192.0.2.2", "host udp *"))
        self.fails(output=changed(2, errorText="udp_timeout: floe-secret"))
        twice = OUTPUT[:3] + OUTPUT[2:]
        error = EXPECTED.split("\n")[5] + "\n"
        self.fails(output=twice, expected=EXPECTED.replace(error, error + error))


if __name__ == "__main__":
    unittest.main()
