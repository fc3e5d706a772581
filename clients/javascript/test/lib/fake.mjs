// fake - a world for one client: a clock that the test moves, sockets that it answers, dice that it throws.
import assert from 'node:assert/strict';
import { Client } from 'xsockets';

/** Everything that promises had to do is done. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

export class Clock {
  time = 5000;
  timers = new Map();
  last = 0;
  platform = {
    now: () => this.time,
    setTimeout: (run, ms) => {
      this.timers.set(++this.last, { at: this.time + ms, run });
      return this.last;
    },
    clearTimeout: (id) => this.timers.delete(id),
  };

  /** Time passes and every timer comes in its order. */
  async pass(ms) {
    const end = this.time + ms;
    await settled();
    for (;;) {
      const [id, next] = [...this.timers].sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
      if (!next || next.at > end) break;
      this.time = Math.max(this.time, next.at);
      this.timers.delete(id);
      next.run();
      await settled();
    }
    this.time = end;
    await settled();
  }

  /** Time passes until the next timer. */
  next() {
    assert.ok(this.timers.size > 0, 'there is nothing to wait for');
    return this.pass(Math.min(...[...this.timers.values()].map(({ at }) => at)) - this.time);
  }

  /** The machine stands still: time passes, no timer comes. */
  freeze(ms) {
    this.time += ms;
  }
}

export class Socket {
  readyState = 0;
  bufferedAmount = 0;
  sent = [];
  onopen = this.onmessage = this.onclose = this.onerror = null;

  constructor(url, protocols) {
    this.url = url;
    this.protocols = protocols;
  }

  send(payload) {
    assert.equal(this.readyState, 1, 'written to a socket that is not open');
    this.sent.push(payload);
  }

  close(code, reason) {
    this.closedWith = code;
    this.readyState = Math.max(this.readyState, 2);
  }

  // ---- what the test does as the network and the server ----

  accept() {
    this.readyState = 1;
    this.onopen?.({});
  }

  /** Frames that came since the last look, text ones as objects with D parsed. */
  took() {
    return this.sent.splice(0).map((payload) => {
      if (typeof payload !== 'string') return payload;
      const { D, ...rest } = JSON.parse(payload);
      assert.equal(typeof D, 'string', 'D must be a string');
      return { ...rest, D: JSON.parse(D) };
    });
  }

  raw(data) {
    this.onmessage?.({ data });
  }

  say(C, T, D = null, N) {
    this.raw(JSON.stringify({ C, T, D: JSON.stringify(D), N }));
  }

  /** Answers requests as a server does whose actions all are void. */
  confirm(frames = this.took()) {
    for (const { C, T, D, N } of frames) {
      if (N === undefined) continue;
      if (T === '1') this.say(C, '2', { CI: GUID(9), PI: GUID(1), C }, N);
      else if (T === '5') this.say(C, `__${D.T}`, { T: D.T, C, A: true }, N);
      else this.say(C, '9', null, N);
    }
    return frames;
  }

  refuse({ C, N }, sentence) {
    this.say(C, '4', { ClassName: 'System.Exception', Message: sentence }, N);
  }

  end(code = 1006, reason = '') {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

export const GUID = (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

export class World {
  clock = new Clock();
  sockets = [];
  dice = () => 0.5;
  events = [];

  client(options = {}) {
    const world = this;
    const client = new Client(options.url ?? 'ws://server:4502', {
      WebSocket: class extends Socket {
        constructor(...args) {
          super(...args);
          world.sockets.push(this);
        }
      },
      store: false,
      ...options,
      platform: { ...this.clock.platform, random: () => this.dice(), ...options.platform },
    });
    for (const type of ['open', 'close', 'reconnecting', 'gap', 'statechange', 'error', 'message'])
      client.addEventListener(type, ({ detail }) => this.events.push({ type, ...detail }));
    return client;
  }

  get socket() {
    return this.sockets.at(-1);
  }

  /** What happened since the last look, of these types. */
  told(...types) {
    return this.events.splice(0).filter(({ type }) => types.includes(type));
  }

  /** The connection that is being made comes about. */
  async accept() {
    await settled();
    this.socket.accept();
    assert.deepEqual(this.socket.took(), [{ C: '', T: '7', D: null }]);
    this.socket.say('', '8');
    await settled();
  }

  /** A client that is open, with these controllers open. */
  async opened(options = {}, ...controllers) {
    const client = this.client(options);
    const opening = client.open();
    await this.accept();
    assert.equal(await opening, client);
    const all = controllers.map((name) => client.controller(name));
    this.socket.confirm();
    await settled();
    this.events.length = 0;
    return [client, ...all];
  }

  /** The connection is lost, its time passes, the next one comes about. */
  async again(code, reason) {
    this.socket.end(code, reason);
    await this.dialled();
    await this.accept();
  }

  /** Time passes until the next attempt. */
  async dialled() {
    const before = this.sockets.length;
    while (this.sockets.length === before) await this.clock.next();
  }

  /** After close(): nothing is left behind. */
  async over(client) {
    const gone = client.close();
    for (const socket of this.sockets) socket.end();
    await gone;
    await settled();
    assert.equal(client.state, 'closed');
    assert.equal(this.clock.timers.size, 0, 'timers were left behind');
    assert.equal(client.waiting, 0, 'messages were left behind');
  }
}

/** A promise and how it ended: undefined while it has not. */
export function watch(promise) {
  const watched = { ended: undefined };
  promise.then((value) => { watched.ended = { value }; }, (error) => { watched.ended = { error }; });
  return watched;
}
