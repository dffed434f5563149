#!/usr/bin/env python3
"""What meet.py must not let pass, with peers that are a line of sh."""
import shlex
import unittest

import meet

# Tells its name as its ufrag, and then what it hears as a fact.
PEER = ('echo "ufrag $0"; echo state new; while read -r line; do case $line in quit) exit 0;; die) exit 3;; '
        'say*) echo "${line#say }";; *) echo "heard $line";; esac; done')


def talk(steps, peer=PEER):
    peers = "".join(f"{name} - sh -c {shlex.quote(peer)} {name}\n" for name in ("a", "b"))
    meet.play(meet.Meeting(), peers + "within 0.5\n" + steps)


class MeetTest(unittest.TestCase):
    def fails(self, steps, peer=PEER):
        with self.assertRaises(meet.Mismatch):
            talk(steps, peer)

    def test_signalling(self):
        talk("await a heard ufrag b\nawait b heard ufrag a")
        talk("tell a say candidate:1\nawait b heard candidate:1\nnever a heard candidate*")
        talk("keep a candidate:1\ntell a say candidate:1\ntell a say end\nawait b heard end\nnever b heard candidate:1")
        self.fails("await a heard ufrag a")

    def test_await_goes_on(self):
        talk("tell both say x\ntell both say y\nawait both x\nawait both y")
        self.fails("tell both say x\ntell both say y\nawait both y\nawait both x")
        self.fails("tell a say x\nawait a x\nawait a x")
        self.fails("tell a say x\nawait both x")

    def test_latest(self):
        talk("tell a say state old\ntell a say other\nlatest a state old")
        self.fails("tell a say state old\nawait a state old\nlatest a state new")
        self.fails("latest a pair *")

    def test_never(self):
        self.fails("never both state failed*\ntell b say state failed here\nawait b state failed*")
        talk("never both state failed\ntell b say state failed here\nawait b state failed*")

    def test_endings(self):
        self.fails("tell a die")
        talk("status a 3\ntell a die")
        self.fails("status a 3")
        self.fails("await a more", peer="echo state new")

    def test_run(self):
        talk("run true")
        self.fails("run false")
        self.fails("nothing of the kind")
        self.fails("forget a")


if __name__ == "__main__":
    unittest.main()
