// node-datachannel (libdatachannel) behind the few calls that peers of the tests and benchmarks have in common.
import { createRequire } from 'node:module';

const rtc = createRequire(`${process.env.FLOE_NPM}/`)('node-datachannel');

class Channel {
  constructor(channel) {
    this.channel = channel;
    this.isClosed = false;
    channel.onMessage((data) => this.onmessage?.(typeof data === 'string' ? data : Buffer.from(data)));
    channel.onOpen(() => this.onopen?.());
    channel.onClosed(() => {
      if (!this.isClosed) this.onclose?.();
      this.isClosed = true;
    });
    channel.onBufferedAmountLow(() => this.onlow?.());
  }

  get isOpen() { return this.channel.isOpen(); }
  get buffered() { return this.channel.bufferedAmount(); }
  set threshold(bytes) { this.channel.setBufferedAmountLowThreshold(bytes); }

  // The library tells neither the reliability nor whether it was negotiated.
  describe() {
    return { label: this.channel.getLabel(), protocol: this.channel.getProtocol(), id: this.channel.getId() };
  }

  send(data) {
    if (typeof data === 'string') this.channel.sendMessage(data);
    else this.channel.sendMessageBinary(data);
  }

  close() { this.channel.close(); }
}

// As a URL with the credentials in it.
function serverOf({ urls, username, credential }) {
  const [scheme, place] = [urls.slice(0, urls.indexOf(':') + 1), urls.slice(urls.indexOf(':') + 1)];
  return username === undefined ? urls : `${scheme}${username}:${credential}@${place}`;
}

export default class Peer {
  constructor({ iceServers = [], iceTransportPolicy = 'all', maxMessageSize = 262144 }) {
    this.pc = new rtc.PeerConnection('floe', {
      iceServers: iceServers.map(serverOf), iceTransportPolicy, maxMessageSize, disableAutoNegotiation: true });
    this.pc.onDataChannel((channel) => this.onchannel?.(new Channel(channel)));
    this.pc.onLocalCandidate((candidate, sdpMid) => {
      const usernameFragment = /^a=ice-ufrag:(\S+)/m.exec(this.pc.localDescription().sdp)[1];
      this.oncandidate?.({ candidate: candidate.replace(/^a=/, ''), sdpMid, sdpMLineIndex: 0, usernameFragment });
    });
    this.pc.onStateChange((state) => this.onstate?.(state));
    this.gathered = new Promise((resolve) => {
      this.pc.onGatheringStateChange((state) => {
        if (state === 'complete') this.oncandidate?.(null);
        this.ongathering?.(state);
        if (state === 'complete') resolve();
      });
    });
  }

  get gatheringState() { return this.pc.gatheringState(); }

  createChannel(label, { ordered = true, ...rest } = {}) {
    return new Channel(this.pc.createDataChannel(label, { unordered: !ordered, ...rest }));
  }

  async describe(type) {
    this.pc.setLocalDescription(type);
    return this.pc.localDescription();
  }

  // With all candidates.
  async complete() {
    await this.gathered;
    return this.pc.localDescription();
  }

  async take({ type, sdp }) { this.pc.setRemoteDescription(sdp, type); }

  async addCandidate(candidate) {
    if (candidate !== null && candidate.candidate !== '') {
      this.pc.addRemoteCandidate(candidate.candidate, candidate.sdpMid ?? '0');
    }
  }

  async close() {
    this.pc.close();
  }
}
