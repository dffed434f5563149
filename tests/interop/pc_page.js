// A browser's peer connections, driven by the same JSON as pc_peer.c: see README.md. Orders are fetched from the server
// that the page came from, and what is to be said is posted there (browser.py).
'use strict';

const MAX_TEXT = 1024; // longer messages are told by their hash alone
const HIGH_WATER = 1 << 20;

const connections = new Map();
const channels = [];

// --- saying ---------------------------------------------------------------------------------------------------------

let lines = [];
let said = 0;
let isPosting = false;

// Requests get lost now and then: what is asked and said has numbers, so that it can be repeated.
async function request(path, options) {
  for (;;) {
    try {
      const response = await fetch(path, options);
      return await response.text();
    } catch (error) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

// Takes objects and promises of objects; what is said first comes first.
function say(line) {
  lines.push(line);
  if (!isPosting) post();
}

async function post() {
  isPosting = true;
  while (lines.length > 0) {
    const some = lines;
    lines = [];
    await request('/say', {method: 'POST', body: JSON.stringify({first: said, lines: await Promise.all(some)})});
    said += some.length;
  }
  isPosting = false;
}

function tell(name, event, fields) {
  const common = {event, pc: name, t: performance.now()};
  if (fields instanceof Promise) {
    say(fields.then((more) => ({...common, ...more})));
  } else {
    say({...common, ...fields});
  }
}

// --- facts ----------------------------------------------------------------------------------------------------------

const numberOf = (channel) => channels.indexOf(channel);

function channelFact(channel) {
  const names = ['label', 'protocol', 'ordered', 'maxPacketLifeTime', 'maxRetransmits', 'negotiated', 'id', 'readyState',
                 'bufferedAmount', 'bufferedAmountLowThreshold'];
  return {channel: numberOf(channel), ...Object.fromEntries(names.map((name) => [name, channel[name]]))};
}

async function hash(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function messageFact(channel, data) {
  const isText = typeof data === 'string';
  const bytes = isText ? new TextEncoder().encode(data) : new Uint8Array(data);
  const fact = {channel: numberOf(channel), size: bytes.length, binary: !isText, sha256: await hash(bytes)};
  if (isText && bytes.length <= MAX_TEXT) fact.text = data;
  return fact;
}

function errorFact(error) {
  return {errorDetail: error.errorDetail, message: error.message, sctpCauseCode: error.sctpCauseCode,
          receivedAlert: error.receivedAlert, sentAlert: error.sentAlert};
}

const candidateFact = (candidate) => candidate &&
    {candidate: candidate.candidate, type: candidate.type, protocol: candidate.protocol, address: candidate.address};

const descriptionFact = (description) => description && {type: description.type, sdp: description.sdp};

function transportFacts(pc) {
  const sctp = pc.sctp;
  if (!sctp) return {ice: null, dtls: null, sctp: null};
  const dtls = sctp.transport;
  const ice = dtls.iceTransport;
  const pair = ice.getSelectedCandidatePair?.();
  return {
    ice: {role: ice.role, state: ice.state, gatheringState: ice.gatheringState,
          local: candidateFact(pair?.local), remote: candidateFact(pair?.remote)},
    dtls: {state: dtls.state, remoteCertificates: dtls.getRemoteCertificates?.().length},
    sctp: {state: sctp.state, maxMessageSize: sctp.maxMessageSize, maxChannels: sctp.maxChannels},
  };
}

function stateFact({pc, name}) {
  const names = ['signalingState', 'iceGatheringState', 'iceConnectionState', 'connectionState', 'canTrickleIceCandidates'];
  return {
    ...Object.fromEntries(names.map((one) => [one, pc[one]])),
    ...transportFacts(pc),
    localDescription: descriptionFact(pc.localDescription),
    remoteDescription: descriptionFact(pc.remoteDescription),
    channels: channels.filter((channel) => channel.of === name).map(channelFact),
  };
}

// --- events ---------------------------------------------------------------------------------------------------------

function watchChannel(on, channel) {
  if (channels.includes(channel)) return;
  channels.push(channel);
  channel.of = on.name;
  channel.binaryType = 'arraybuffer';
  for (const event of ['open', 'closing', 'close', 'bufferedamountlow']) {
    channel.addEventListener(event, () => tell(on.name, event, {channel: numberOf(channel)}));
  }
  channel.addEventListener('message', (event) => tell(on.name, 'message', messageFact(channel, event.data)));
  channel.addEventListener('error', (event) => tell(on.name, 'error', {channel: numberOf(channel), ...errorFact(event.error)}));
}

// The transports are there once a description was set.
function watchTransports(on) {
  const watch = (transport, word) => {
    if (!transport || on.watched.has(transport)) return;
    on.watched.add(transport);
    transport.addEventListener('statechange', () => tell(on.name, word + '.statechange', {state: transport.state}));
    transport.addEventListener('error', (event) => tell(on.name, word + '.error', errorFact(event.error)));
  };
  watch(on.pc.sctp, 'sctptransport');
  watch(on.pc.sctp?.transport, 'dtlstransport');
  watch(on.pc.sctp?.transport?.iceTransport, 'icetransport');
}

function watchConnection(on) {
  const {pc, name} = on;
  for (const state of ['signaling', 'iceGathering', 'iceConnection', 'connection']) {
    const event = state.toLowerCase() + 'statechange';
    pc.addEventListener(event, () => tell(name, event, {state: pc[state + 'State']}));
  }
  pc.addEventListener('icecandidate', (event) => tell(name, 'icecandidate', {candidate: event.candidate}));
  pc.addEventListener('icecandidateerror', ({address, port, url, errorCode, errorText}) =>
    tell(name, 'icecandidateerror', {address, port, url, errorCode, errorText}));
  pc.addEventListener('negotiationneeded', () => tell(name, 'negotiationneeded', {}));
  pc.addEventListener('datachannel', (event) => {
    watchChannel(on, event.channel);
    tell(name, 'datachannel', channelFact(event.channel));
  });
}

// --- orders ---------------------------------------------------------------------------------------------------------

// Byte `i` of message `seed`, as in pc_peer.c.
function makeContent({size, seed, binary = true}) {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    const value = seed * 31 + i * 7 + (i >> 8) * 13;
    bytes[i] = binary ? value & 255 : 97 + value % 26;
  }
  return binary ? bytes : new TextDecoder().decode(bytes);
}

async function roomIn(channel) {
  while (channel.bufferedAmount > HIGH_WATER && channel.readyState === 'open') {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function sendAll(channel, order) {
  if (order.text !== undefined) channel.send(order.text);
  for (let i = 0; order.text === undefined && i < (order.count ?? 1); i++) {
    if (channel.bufferedAmount > HIGH_WATER) await roomIn(channel);
    channel.send(makeContent({...order, seed: order.seed + i}));
  }
  return {bufferedAmount: channel.bufferedAmount};
}

function makeConnection({pc: name = 'pc', config}) {
  const on = {name, pc: new RTCPeerConnection(config), watched: new Set()};
  connections.set(name, on);
  watchConnection(on);
}

async function setLocal(on, {type, sdp}) {
  const done = on.pc.setLocalDescription(type === undefined ? undefined : {type, sdp});
  watchTransports(on);
  await done;
  watchTransports(on);
  return descriptionFact(on.pc.localDescription);
}

async function setRemote(on, {type, sdp}) {
  await on.pc.setRemoteDescription({type, sdp});
  watchTransports(on);
}

function createChannel(on, {label = '', init}) {
  const channel = on.pc.createDataChannel(label, init);
  watchChannel(on, channel);
  return channelFact(channel);
}

const ORDERS = {
  set_configuration: (on, {config}) => on.pc.setConfiguration(config),
  create_channel: createChannel,
  create_offer: async (on, {iceRestart}) => descriptionFact(await on.pc.createOffer({iceRestart})),
  create_answer: async (on) => descriptionFact(await on.pc.createAnswer()),
  set_local: setLocal,
  set_remote: setRemote,
  local: (on) => descriptionFact(on.pc.localDescription),
  add_candidate: (on, {candidate}) => on.pc.addIceCandidate(candidate),
  restart_ice: (on) => on.pc.restartIce(),
  add_transceiver: (on, {kind, init}) => void on.pc.addTransceiver(kind, init),
  send: (on, order) => sendAll(channels[order.channel], order),
  threshold: (on, {channel, bytes}) => void (channels[channel].bufferedAmountLowThreshold = bytes),
  channel: (on, {channel}) => channelFact(channels[channel]),
  close_channel: (on, {channel}) => channels[channel].close(),
  state: stateFact,
  stats: async (on) => [...(await on.pc.getStats()).values()],
  close: (on) => {
    on.pc.close();
    connections.delete(on.name);
  },
};

async function obey(order) {
  if (order.do === 'new') return makeConnection(order);
  if (order.do === 'browser') return navigator.userAgent;
  const on = connections.get(order.pc ?? 'pc');
  if (!on) throw new DOMException('no such peer connection', 'NotFoundError');
  if (!(order.do in ORDERS)) throw new TypeError('no such order');
  return ORDERS[order.do](on, order);
}

function answer(order) {
  obey(order).then((ok) => say({id: order.id, ok: ok ?? null}),
                   (error) => say({id: order.id, error: error.name, message: error.message,
                                   errorDetail: error.errorDetail, line: error.sdpLineNumber}));
}

async function run() {
  say({event: 'ready'});
  for (let taken = 0;;) {
    const orders = JSON.parse(await request('/orders?' + taken));
    taken += orders.length;
    orders.forEach(answer);
  }
}

addEventListener('error', (event) => say({event: 'uncaught', message: event.message}));
addEventListener('unhandledrejection', (event) => say({event: 'uncaught', message: String(event.reason)}));
run();
