// @roamhq/wrtc (libwebrtc) behind the few calls that peers of the tests and benchmarks have in common.
import { createRequire } from 'node:module';

const { RTCPeerConnection } = createRequire(`${process.env.FLOE_NPM}/`)('@roamhq/wrtc');

class Channel {
  constructor(channel) {
    this.channel = channel;
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => this.onmessage?.(typeof data === 'string' ? data : Buffer.from(data));
    channel.onopen = () => this.onopen?.();
    channel.onclose = () => this.onclose?.();
    channel.onbufferedamountlow = () => this.onlow?.();
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
  constructor({ iceServers = [], iceTransportPolicy = 'all' }) {
    this.pc = new RTCPeerConnection({ iceServers, iceTransportPolicy });
    this.pc.ondatachannel = ({ channel }) => this.onchannel?.(new Channel(channel));
    this.pc.onicecandidate = ({ candidate }) => this.oncandidate?.(candidate === null ? null : candidate.toJSON());
    this.pc.onconnectionstatechange = () => this.onstate?.(this.pc.connectionState);
    this.pc.onicegatheringstatechange = () => this.ongathering?.(this.pc.iceGatheringState);
  }

  get gatheringState() { return this.pc.iceGatheringState; }

  createChannel(label, init) { return new Channel(this.pc.createDataChannel(label, init)); }

  async describe(type) {
    await this.pc.setLocalDescription(await (type === 'offer' ? this.pc.createOffer() : this.pc.createAnswer()));
    return { type, sdp: this.pc.localDescription.sdp };
  }

  // With all candidates.
  async complete() {
    await new Promise((resolve) => {
      const look = () => { if (this.pc.iceGatheringState === 'complete') resolve(); };
      this.pc.addEventListener('icegatheringstatechange', look);
      look();
    });
    return { type: this.pc.localDescription.type, sdp: this.pc.localDescription.sdp };
  }

  async take(description) { await this.pc.setRemoteDescription(description); }
  async addCandidate(candidate) { await this.pc.addIceCandidate(candidate); }
  async close() { this.pc.close(); }
}
