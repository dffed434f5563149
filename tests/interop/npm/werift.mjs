// werift behind the few calls that peers of the tests and benchmarks have in common.
import { createRequire } from 'node:module';

const { RTCPeerConnection } = createRequire(`${process.env.FLOE_NPM}/`)('werift');

class Channel {
  constructor(channel) {
    this.channel = channel;
    channel.onMessage.subscribe((data) => this.onmessage?.(data));
    channel.stateChanged.subscribe((state) => {
      if (state === 'open') this.onopen?.();
      if (state === 'closed') this.onclose?.();
    });
    channel.bufferedAmountLow.subscribe(() => this.onlow?.());
  }

  get isOpen() { return this.channel.readyState === 'open'; }
  get buffered() { return this.channel.bufferedAmount; }
  set threshold(bytes) { this.channel.bufferedAmountLowThreshold = bytes; }

  describe() {
    const { label, protocol, ordered, negotiated, id, maxRetransmits, maxPacketLifeTime } = this.channel;
    return { label, protocol, ordered, negotiated, id, maxRetransmits, maxPacketLifeTime };
  }

  send(data) { this.channel.send(data); }
  close() { this.channel.close(); }
}

export default class Peer {
  constructor({ iceServers = [], iceTransportPolicy = 'all', maxMessageSize = 262144 }) {
    this.pc = new RTCPeerConnection({ iceServers, iceTransportPolicy, maxMessageSize });
    this.pc.onDataChannel.subscribe((channel) => this.onchannel?.(new Channel(channel)));
    this.pc.onIceCandidate.subscribe((candidate) => {
      this.oncandidate?.(candidate === undefined ? null : candidate.toJSON?.() ?? candidate);
    });
    this.pc.connectionStateChange.subscribe((state) => this.onstate?.(state));
    this.pc.iceGatheringStateChange.subscribe((state) => this.ongathering?.(state));
  }

  get gatheringState() { return this.pc.iceGatheringState; }

  createChannel(label, init) { return new Channel(this.pc.createDataChannel(label, init)); }

  async describe(type) {
    await this.pc.setLocalDescription(await (type === 'offer' ? this.pc.createOffer() : this.pc.createAnswer()));
    return { type, sdp: this.pc.localDescription.sdp };
  }

  // With all candidates.
  async complete() {
    if (this.pc.iceGatheringState !== 'complete') {
      await this.pc.iceGatheringStateChange.watch((state) => state === 'complete');
    }
    return { type: this.pc.localDescription.type, sdp: this.pc.localDescription.sdp };
  }

  async take(description) { await this.pc.setRemoteDescription(description); }
  async addCandidate(candidate) { await this.pc.addIceCandidate(candidate); }
  async close() { await this.pc.close(); }
}
