// A peer of bench/data_channel.py under Node.js: node_datachannel, werift or wrtc.
//
//   node data_channel.mjs STACK offer|answer flood|ping SIZE
//   node data_channel.mjs STACK many PAIRS
//
// See bench/data_channel.py for the lines that it speaks. FLOE_NPM is the folder where the packages are installed.
import { createInterface } from 'node:readline';

const [stack, role, ...rest] = process.argv.slice(2);
const { default: Peer } = await import(`../../tests/interop/npm/${stack}.mjs`);
const HIGH = 1 << 20;
const LOW = 1 << 18;
const say = (line) => process.stdout.write(`${line}\n`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function readDescription(type) {
  const sdp = [];
  await lines.next(); // "sdp"
  for (let line = await lines.next(); line.value !== '.'; line = await lines.next()) sdp.push(`${line.value}\r\n`);
  return { type, sdp: sdp.join('') };
}

function tellDescription({ sdp }) {
  say(`sdp\n${sdp.replaceAll('\r', '').trimEnd()}\n.`);
}

function flood(channel, size) {
  const data = Buffer.alloc(size, 1);
  const fill = () => { while (channel.buffered < HIGH) channel.send(data); };
  channel.threshold = LOW;
  channel.onlow = fill;
  setInterval(fill, 10); // not every package tells each time
  fill();
}

// One after the other; `time` ends it.
function ping(channel, size) {
  const data = Buffer.alloc(size, 1);
  const took = [];
  let sent = 0n;
  const next = () => {
    sent = process.hrtime.bigint();
    channel.send(data);
  };
  channel.onmessage = () => {
    took.push(Number(process.hrtime.bigint() - sent) / 1e3);
    next();
  };
  next();
  return () => {
    const sorted = took.splice(0).sort((a, b) => a - b);
    const at = (share) => (sorted[Math.floor((sorted.length - 1) * share)] ?? NaN).toFixed(1);
    say(`times ${sorted.length} ${at(0.5)} ${at(0.99)} ${at(1)}`);
  };
}

async function meet(kind, size) {
  const peer = new Peer({});
  let n = 0;
  let bytes = 0;
  let tellTimes = () => {};
  if (role === 'offer') {
    const channel = peer.createChannel('bench');
    channel.onopen = () => {
      say('open');
      if (kind === 'flood') flood(channel, size);
      else tellTimes = ping(channel, size);
    };
    await peer.describe('offer');
    tellDescription(await peer.complete());
    await peer.take(await readDescription('answer'));
  } else {
    peer.onchannel = (channel) => {
      peer.channel = channel; // so that it is not collected
      channel.onmessage = (data) => {
        if (n === 0) say('first');
        n++;
        bytes += data.length;
        if (kind === 'ping') channel.send(data);
      };
    };
    await peer.take(await readDescription('offer'));
    await peer.describe('answer');
    tellDescription(await peer.complete());
  }
  for (let line = await lines.next(); !line.done && line.value !== 'quit'; line = await lines.next()) {
    if (line.value === 'count') say(`count ${n} ${bytes}`);
    if (line.value === 'times') tellTimes();
  }
  process.exit(0);
}

const rss = () => process.memoryUsage().rss;

async function connectPair(keep) {
  const [a, b] = [new Peer({}), new Peer({})];
  const channel = a.createChannel('bench');
  keep.push(a, b, channel);
  const both = Promise.all([
    new Promise((resolve) => { channel.onopen = resolve; }),
    new Promise((resolve) => { b.onchannel = (other) => { keep.push(other); resolve(); }; }),
  ]);
  await a.describe('offer');
  await b.take(await a.complete());
  await b.describe('answer');
  await a.take(await b.complete());
  await both;
}

async function many(pairs) {
  const keep = [];
  await connectPair([]); // what is there once only
  globalThis.gc?.();
  const before = rss();
  for (let i = 0; i < pairs; i++) await connectPair(keep);
  globalThis.gc?.();
  say(`memory ${((rss() - before) / (2 * pairs)).toFixed(0)} -`);
  process.exit(0);
}

if (role === 'many') await many(Number(rest[0]));
else await meet(rest[0], Number(rest[1]));
