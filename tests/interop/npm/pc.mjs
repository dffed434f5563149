// Peer connections of werift, node_datachannel or wrtc, driven by the same JSON as pc_peer.c: see ../README.md.
//
//   node pc.mjs STACK
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';

const { default: Peer } = await import(`./${process.argv[2]}.mjs`);
const MAX_TEXT = 1024; // longer messages are told by their hash alone
const HIGH_WATER = 1 << 20;

const connections = new Map();
const channels = [];

const say = (object) => process.stdout.write(`${JSON.stringify(object)}\n`);
const tell = (on, event, fields) => say({ event, pc: on.name, t: performance.now(), ...fields });
const channelFact = (channel) => ({ channel: channels.indexOf(channel), ...channel.describe() });

function messageFact(channel, data) {
  const isText = typeof data === 'string';
  const bytes = Buffer.from(data);
  const fact = { channel: channels.indexOf(channel), size: bytes.length, binary: !isText,
                 sha256: createHash('sha256').update(bytes).digest('hex') };
  if (isText && bytes.length <= MAX_TEXT) fact.text = data;
  return fact;
}

function watchChannel(on, channel) {
  const number = channels.push(channel) - 1;
  channel.onopen = () => {
    if (!channel.hasOpened) tell(on, 'open', { channel: number });
    channel.hasOpened = true;
  };
  channel.onclose = () => tell(on, 'close', { channel: number });
  channel.onmessage = (data) => tell(on, 'message', messageFact(channel, data));
}

function takeChannel(on, channel) {
  watchChannel(on, channel);
  tell(on, 'datachannel', channelFact(channel));
  if (channel.isOpen) channel.onopen();
}

// Byte `i` of message `seed`, as in pc_peer.c.
function makeContent({ size, seed, binary = true }) {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) {
    const value = seed * 31 + i * 7 + (i >> 8) * 13;
    bytes[i] = binary ? value & 255 : 97 + value % 26;
  }
  return binary ? bytes : bytes.toString();
}

async function sendAll(channel, order) {
  if (order.text !== undefined) channel.send(order.text);
  for (let i = 0; order.text === undefined && i < (order.count ?? 1); i++) {
    while (channel.buffered > HIGH_WATER) await new Promise((resolve) => setTimeout(resolve, 2));
    channel.send(makeContent({ ...order, seed: order.seed + i }));
  }
  return { bufferedAmount: channel.buffered };
}

function makeConnection({ pc: name = 'pc', config }) {
  const peer = new Peer(config ?? {});
  const on = { name, peer, offers: true };
  connections.set(name, on);
  peer.onstate = (state) => tell(on, 'connectionstatechange', { state });
  peer.ongathering = (state) => tell(on, 'icegatheringstatechange', { state });
  peer.oncandidate = (candidate) => tell(on, 'icecandidate', { candidate });
  peer.onchannel = (channel) => takeChannel(on, channel);
}

function createChannel(on, { label = '', init }) {
  const channel = on.peer.createChannel(label, init);
  watchChannel(on, channel);
  return channelFact(channel);
}

async function setRemote(on, { type, sdp }) {
  on.offers = type !== 'offer';
  await on.peer.take({ type, sdp });
}

const ORDERS = {
  create_channel: createChannel,
  set_local: (on) => on.peer.describe(on.offers ? 'offer' : 'answer'),
  set_remote: setRemote,
  local: (on) => on.peer.complete(),
  add_candidate: (on, { candidate }) => on.peer.addCandidate(candidate),
  send: (on, order) => sendAll(channels[order.channel], order),
  channel: (on, { channel }) => channelFact(channels[channel]),
  close_channel: (on, { channel }) => channels[channel].close(),
  state: (on) => ({ iceGatheringState: on.peer.gatheringState }),
  close: async (on) => {
    connections.delete(on.name);
    await on.peer.close();
  },
};

async function obey(order) {
  if (order.do === 'new') return makeConnection(order);
  const on = connections.get(order.pc ?? 'pc');
  if (on === undefined || !(order.do in ORDERS)) throw new TypeError('no such order, or connection');
  return ORDERS[order.do](on, order);
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  if (order.do === 'quit') break;
  obey(order).then((ok) => say({ id: order.id, ok: ok ?? null }),
                   (error) => say({ id: order.id, error: error.name, message: error.message }));
}
process.exit(0); // threads and timers of the packages may go on
