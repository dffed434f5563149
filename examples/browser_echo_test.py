#!/usr/bin/env python3
"""The page of browser_echo in a headless Chromium, used as a visitor would, and what it shows.

    browser_echo_test.py PROGRAM PAGE INTEROP-FOLDER [SCREENSHOT.png]
"""
import base64
import subprocess
import sys

program, page, interop = sys.argv[1:4]
sys.path.insert(0, interop)
from chromium_peer import Browser  # noqa: E402

VISIT = """(async () => {
  const until = async (what, is) => {
    for (let i = 0; i < 600 && !is(); i++) await new Promise((go) => setTimeout(go, 50));
    if (!is()) throw new Error('not ' + what + ': ' + document.body.innerText);
  };
  await until('loaded', () => document.readyState === 'complete');
  const log = document.getElementById('log');
  await until('connected', () => document.getElementById('state').textContent === 'connected');
  await until('open', () => !document.getElementById('send').disabled);
  for (const text of ['hello', 'gr\\u00fc\\u00df Gott']) {
    document.getElementById('text').value = text;
    document.getElementById('form').requestSubmit();
    await until('echoed ' + text, () => log.textContent.includes('C says: ' + text));
  }
  pc.close();  // as leaving the page does
  return log.textContent;
})()"""
EXPECTED = "page says: hello\nC says: hello\npage says: grüß Gott\nC says: grüß Gott\n"


def main():
    server = subprocess.Popen([program, "0", page], stdout=subprocess.PIPE, text=True)
    browser = None
    try:
        url = server.stdout.readline().strip()
        browser = Browser(show_hosts=True)
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        browser.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.call("Page.navigate", url=url)
        result = browser.call("Runtime.evaluate", expression=VISIT, awaitPromise=True, returnByValue=True)
        seen = result["result"].get("value")
        assert seen == EXPECTED, f"the page shows {seen!r}, {result}"
        if len(sys.argv) > 4:
            picture = browser.call("Page.captureScreenshot")["data"]
            with open(sys.argv[4], "wb") as file:
                file.write(base64.b64decode(picture))
        browser.close()
        browser = None
        said = []
        while "the page has gone\n" not in said:
            line = server.stdout.readline()
            assert line, f"the program said only {said}"
            said.append(line)
        assert 'channel "echo"\n' in said and "connection connected\n" in said, said
    finally:
        if browser is not None:
            browser.close()
        server.kill()
        server.wait()


main()
