// client - one connection that comes back by itself, and what goes over it.
//
//   idle -> connecting -> open -> waiting -> connecting ...
//                     \______________/ any -> closed -> connecting ...
//
// Every connection has a number, its turn. What belongs to an earlier one (a late event of a socket, a
// promise, a timer) finds another number and does nothing. Listeners may do anything, close()
// included, so they are told last, when all is in its place.
import { ControllerImpl, type Link, type Waiter } from './controller.js';
import { Deadlines } from './deadlines.js';
import { type Envelope, decode, encode, toJson } from './envelope.js';
import { ServerError, XSocketsError } from './errors.js';
import { XSocketsEvent } from './event.js';
import { fold, isGuid } from './names.js';
import { Outbox, type Outgoing, full } from './outbox.js';
import { localStore, platformOf } from './platform.js';
import type {
  Bytes, CallOptions, ClientOptions, ClientState, CloseReason, Controller, ErrorCode, EventTargetLike, Loss, Message,
  Platform, PublishOptions, Store, WebSocketConstructor, WebSocketLike,
} from './types.js';

const OPEN = 1, CLOSED = 3; // readyState
const STABLE = 10_000; // a connection that lived so long was a good one
const GOODBYE = 2_000; // for the server to answer a close frame

// 1008 is "refused", but also what the daemon says to a client that did not read or said nothing
// for too long, as a page does that was frozen. That one is welcome again.
const WELCOME_AGAIN = ['the peer does not read', 'nothing came for too long'];

const CODES: Record<CloseReason, ErrorCode> = {
  closed: 'closed', refused: 'refused', unauthorized: 'unauthorized', exhausted: 'failed', failed: 'failed',
};

interface Call extends Outgoing, Waiter<Message | undefined> {
  readonly controller: string;
  sent: boolean;
}

interface Opening extends Waiter<XSocketsClient> {
  promise: Promise<XSocketsClient>;
}

export class XSocketsClient extends EventTarget {
  readonly url: string;
  readonly #options: ClientOptions;
  readonly #platform: Platform;
  readonly #deadlines: Deadlines;
  readonly #store: Store | undefined;
  readonly #outbox: Outbox;
  readonly #outboxBytes: number;
  readonly #controllers = new Map<string, ControllerImpl>();
  readonly #link: Link;

  #state: ClientState = 'idle';
  #turn = 0;
  #socket: WebSocketLike | undefined;
  #gone: Promise<void> = Promise.resolve(); // the sockets that were dropped
  #cancel: (() => void) | undefined; // connecting: its end; open: the heartbeat; waiting: the next attempt
  #opening: Opening | undefined; // open() has promised it
  #listening: (() => void) | undefined; // stops listening to the page

  #attempt = 0; // failed in a row
  #openedAt = 0;
  #lostAt: number | undefined; // from here on something may have been missed
  #heardAt = 0;
  #pinged = false; // and heard nothing since

  #id: string | undefined;
  #lastN = 0;
  readonly #calls = new Map<number, Call>(); // by N

  constructor(url: string | URL, options: ClientOptions = {}) {
    super();
    this.url = String(url);
    addressOf(this.url);
    this.#options = options;
    this.#platform = platformOf(options.platform);
    this.#deadlines = new Deadlines(this.#platform);
    this.#store = options.store === false ? undefined : options.store ?? localStore();
    const { messages = 1000, bytes = 1 << 20 } = options.outbox ?? {};
    this.#outbox = new Outbox({ messages, bytes });
    this.#outboxBytes = bytes;
    this.#link = this.#linked();
  }

  get state(): ClientState {
    return this.#state;
  }

  get persistentId(): string | undefined {
    return this.#id;
  }

  get waiting(): number {
    return this.#outbox.size;
  }

  controller<C>(name: string): Controller<C> {
    const key = fold(name);
    let found = this.#controllers.get(key);
    if (!found) {
      found = new ControllerImpl(key, this.#link);
      this.#controllers.set(key, found);
      if (this.#state === 'open') void found.restore();
    }
    return found as unknown as Controller<C>;
  }

  // ---- starting and ending ----

  open(): Promise<XSocketsClient> {
    if (this.#state === 'open') return Promise.resolve(this);
    if (!this.#opening) {
      const opening = {} as Opening;
      opening.promise = new Promise((resolve, reject) => Object.assign(opening, { resolve, reject }));
      opening.promise.catch(() => {}); // events tell the same
      this.#opening = opening;
    }
    const { promise } = this.#opening;
    if (this.#state === 'idle' || this.#state === 'closed') {
      this.#attempt = 0;
      this.#listening = this.#listenToPage();
      void this.#connect();
    }
    return promise;
  }

  close(): Promise<void> {
    if (this.#state !== 'closed') this.#end('closed', { code: 1000, reason: '', error: undefined });
    return this.#gone;
  }

  retry(): void {
    if (this.#state === 'waiting') void this.#connect();
    else if (this.#state === 'open' && !this.#pinged) this.#ping();
  }

  // ---- a connection comes about ----

  async #connect(): Promise<void> {
    const turn = ++this.#turn;
    const limit = this.#options.connectTimeout ?? 10_000;
    const late = (): void => this.#lost(lossOf(new XSocketsError('timeout', `No answer within ${limit} ms`)));
    this.#wake(limit || Infinity, late);
    this.#enter('connecting');
    if (turn !== this.#turn) return;
    let url: string;
    try {
      url = await this.#address();
    } catch (error) {
      if (turn === this.#turn) this.#lost(lossOf(error));
      return;
    }
    if (turn !== this.#turn) return;
    try {
      this.#socket = this.#dial(url, turn);
    } catch (error) {
      this.#end('failed', lossOf(error));
    }
  }

  /** The URL with its parameters, the persistent id among them. */
  async #address(): Promise<string> {
    const { parameters } = this.#options;
    const all = typeof parameters === 'function' ? await parameters() : parameters;
    const url = addressOf(this.url);
    const pairs = Object.entries(all ?? {}).filter(([, value]) => value !== undefined);
    const given = [...pairs.map(([name]) => name), ...url.searchParams.keys()];
    if (!given.some((name) => fold(name) === 'persistentid')) {
      const id = await this.#storedId();
      if (id) pairs.push(['persistentid', id]);
    }
    const query = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value!)}`);
    if (query.length > 0) url.search += (url.search ? '&' : '') + query.join('&');
    return url.href;
  }

  async #storedId(): Promise<string | undefined> {
    if (!this.#id && this.#store) {
      try {
        const id = await this.#store.get(this.url);
        if (isGuid(id)) this.#id = id;
      } catch (error) {
        this.#raise(toError(error));
      }
    }
    return this.#store && this.#id;
  }

  #dial(url: string, turn: number): WebSocketLike {
    const WebSocket = this.#options.WebSocket
      ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
    if (!WebSocket) throw new Error('There is no WebSocket here: give one with options.WebSocket');
    const socket = new WebSocket(url, ['XSocketsNET']);
    const mine = <E>(run: (event: E) => void) => (event: E) => { if (turn === this.#turn) run(event); };
    let error: Error | undefined;
    socket.binaryType = 'arraybuffer';
    socket.onopen = mine(() => this.#hello());
    socket.onmessage = mine((event: { data: unknown }) => this.#receive(event.data));
    socket.onerror = mine((event: { error?: unknown }) => { if (event.error) error = toError(event.error); });
    socket.onclose = mine((event: { code?: number; reason?: string }) =>
      this.#lost({ code: event.code ?? 1006, reason: event.reason ?? '', error }));
    return socket;
  }

  /** The server says nothing before we do. Its pong shows that it serves us. */
  #hello(): void {
    this.#link.mention('', '7', 'null');
  }

  #opened(): void {
    const turn = this.#turn;
    const now = this.#platform.now();
    const away = this.#lostAt === undefined ? undefined : now - this.#lostAt;
    this.#openedAt = now;
    this.#state = 'open';
    this.#watch();
    const restored = Promise.all([...this.#controllers.values()].map((controller) => controller.restore()));
    for (let first; (first = this.#outbox.first) && this.#write(first);) this.#outbox.delete(first);
    if (turn !== this.#turn) return;
    this.#opening?.resolve(this);
    this.#opening = undefined;
    this.#changed('connecting');
    if (turn === this.#turn) this.#emit('open', { reconnected: away !== undefined });
    if (away === undefined) return;
    void restored.then(() => {
      if (turn !== this.#turn) return;
      this.#lostAt = undefined;
      this.#emit('gap', { away });
    });
  }

  // ---- and ends ----

  #lost(loss: Loss, wait?: number): void {
    const now = this.#platform.now();
    if (this.#state === 'open') {
      this.#lostAt ??= now;
      if (now - this.#openedAt >= STABLE) this.#attempt = 0;
    }
    const refused = loss.code === 1008 && !WELCOME_AGAIN.includes(loss.reason);
    const before = this.#turn;
    const delay = refused ? undefined : wait ?? this.#delay(loss);
    if (before !== this.#turn) return;
    if (delay === undefined) return this.#end(refused ? 'refused' : 'exhausted', loss);
    const closed = this.#detach(lostBy(loss));
    const attempt = ++this.#attempt;
    const turn = this.#turn;
    if (delay < Infinity) this.#wake(delay, () => void this.#connect());
    const previous = this.#state;
    this.#state = 'waiting';
    for (const controller of closed) controller.tellLost();
    if (turn === this.#turn) this.#changed(previous);
    if (turn === this.#turn) this.#emit('reconnecting', { ...loss, attempt, delay });
  }

  /** Full jitter: clients that were lost together do not come back together. undefined: enough. */
  #delay(loss: Loss): number | undefined {
    const { reconnect = {} } = this.#options;
    if (reconnect === false || this.#attempt >= (reconnect.attempts ?? Infinity)) return undefined;
    const { base = 1_000, cap = 30_000, decide } = reconnect;
    try {
      const decided = decide?.(loss, this.#attempt);
      if (decided === false) return undefined;
      if (typeof decided === 'number' && !Number.isNaN(decided)) return Math.max(decided, 0);
    } catch (error) {
      this.#raise(toError(error));
    }
    return this.#platform.random() * Math.min(cap, base * 2 ** Math.min(this.#attempt, 99)); // 0 * Infinity is no time
  }

  #end(why: CloseReason, loss: Loss): void {
    const error = new XSocketsError(CODES[why],
      why === 'closed' ? 'The client is closed' : sentenceOf(why, loss), loss.error);
    // Whether the server got what was sent, only a lost connection leaves open.
    const closed = this.#detach(why === 'exhausted' ? lostBy(loss) : error);
    const previous = this.#state;
    this.#state = 'closed';
    this.#lostAt = undefined;
    this.#listening?.();
    this.#listening = undefined;
    this.#outbox.drop();
    for (const call of [...this.#calls.values()]) call.reject(error);
    this.#opening?.reject(error);
    this.#opening = undefined;
    const turn = this.#turn;
    for (const controller of this.#controllers.values()) controller.ended(error, why === 'closed');
    for (const controller of closed) controller.tellLost();
    if (turn === this.#turn) this.#changed(previous);
    if (turn === this.#turn) this.#emit('close', { ...loss, why });
  }

  /** Leaves the connection, if there is one; requests that were sent reject with the error. Gives the
   * controllers that were open. */
  #detach(error: Error): ControllerImpl[] {
    this.#turn++;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#pinged = false;
    if (this.#socket) this.#gone = Promise.all([this.#gone, this.#drop(this.#socket)]).then(() => {});
    this.#socket = undefined;
    for (const call of [...this.#calls.values()]) if (call.sent) call.reject(error);
    return [...this.#controllers.values()].filter((controller) => controller.lost());
  }

  /** Says goodbye. A server that does not answer is not waited for. */
  #drop(socket: WebSocketLike & { terminate?: () => void }): Promise<void> {
    return new Promise((resolve) => {
      if (socket.readyState === CLOSED) return resolve();
      const cancel = this.#deadlines.in(GOODBYE, () => {
        socket.terminate?.();
        resolve();
      });
      // A handler stays for errors: in Node, one that nobody listens to ends the program.
      socket.onopen = socket.onmessage = socket.onerror = () => {};
      socket.onclose = () => {
        cancel();
        resolve();
      };
      try {
        socket.close(1000);
      } catch {
        socket.terminate?.();
      }
    });
  }

  // ---- is the server still there? ----

  /** The one thing this client waits for. */
  #wake(ms: number, run: () => void): void {
    this.#cancel?.();
    this.#cancel = this.#deadlines.in(ms, run);
  }

  #watch(): void {
    const { heartbeat = {} } = this.#options;
    this.#cancel?.();
    this.#cancel = undefined;
    if (heartbeat === false) return;
    const silent = this.#platform.now() - Math.max(this.#heardAt, this.#openedAt);
    const left = (heartbeat.interval ?? 30_000) - silent;
    if (left <= 0) this.#ping();
    else this.#wake(left, () => this.#watch());
  }

  #ping(): void {
    const { heartbeat } = this.#options;
    const limit = (heartbeat || {}).timeout ?? 10_000;
    this.#pinged = true;
    this.#link.mention('', '7', 'null');
    if (!this.#pinged) return; // it was lost over this
    this.#wake(limit, () => this.#lost(lossOf(new XSocketsError('timeout', `No sign of life within ${limit} ms`))));
  }

  /** A page that comes back from the background or from sleep does not wait for timers. */
  #listenToPage(): () => void {
    const { window, document } = this.#platform;
    const retry = (): void => this.retry();
    const all: [EventTargetLike | undefined, string, (event: { persisted?: boolean }) => void][] = [
      [window, 'online', retry],
      // It may be a mistake, and this machine's own server is there all the same: ask.
      [window, 'offline', () => { if (this.#state === 'open') this.retry(); }],
      [window, 'pageshow', retry],
      // A page with an open connection is not kept for the way back.
      [window, 'pagehide', (event) => { if (event.persisted) this.#suspend(); }],
      [document, 'visibilitychange', () => { if (document?.visibilityState === 'visible') this.retry(); }],
    ];
    for (const [target, type, listener] of all) target?.addEventListener(type, listener);
    return () => { for (const [target, type, listener] of all) target?.removeEventListener(type, listener); };
  }

  #suspend(): void {
    if (this.#state === 'closed' || this.#state === 'idle') return;
    this.#lost({ code: 1000, reason: 'the page is put aside', error: undefined }, Infinity);
  }

  // ---- what comes ----

  #receive(payload: unknown): void {
    this.#heardAt = this.#platform.now();
    if (this.#pinged) {
      this.#pinged = false;
      this.#watch();
    }
    let envelope: Envelope;
    try {
      envelope = decode(payload);
    } catch (error) {
      return this.#garbage(error);
    }
    const C = fold(envelope.C), T = fold(envelope.T);
    const call = this.#calls.get(envelope.N ?? 0);
    const controller = this.#controllers.get(C);
    if (T === '0') return this.#unauthorized(envelope.D);
    if (T === '4') return this.#error(C, envelope, call);
    if (T === '7') return this.#pong(envelope);
    if (T === '8' && this.#state === 'connecting') return this.#opened();
    if (T === '8' || T === '9') return call?.resolve(undefined);
    let message: Message;
    try {
      message = { controller: C, topic: T, data: JSON.parse(envelope.D), bytes: envelope.bytes };
    } catch (error) {
      return call ? call.reject(garbage(error)) : this.#garbage(error, C, T);
    }
    if (T === '2') this.#introduced(controller, message.data);
    // With a number it answers our own.
    if (T === '3' && envelope.N === undefined) controller?.closed();
    if (call) return call.resolve(message);
    // An answer that came too late, or twice, is nothing that somebody said.
    if (envelope.N !== undefined) return;
    // Numbers and s1 to s4 are the server's own words. One that this client does not know is for a
    // later one.
    if (/^(\d\d?|s[1-4])$/.test(T)) return;
    if (T.startsWith('__')) return controller?.confirmed(T.slice(2));
    this.#emit('message', message);
    controller?.deliver(message);
  }

  /** Not for a server that asks and asks and does not read. */
  #pong({ C, D }: Envelope): void {
    if (this.#socket!.bufferedAmount <= this.#outboxBytes) this.#link.mention(C, '8', toJson(parsed(D || 'null')));
  }

  #introduced(controller: ControllerImpl | undefined, data: { CI?: unknown; PI?: unknown } | null): void {
    const { CI, PI } = Object(data) as { CI?: unknown; PI?: unknown };
    if (isGuid(PI) && PI !== this.#id) {
      this.#id = PI;
      void this.#keepId(PI);
    }
    controller?.opened(typeof CI === 'string' ? CI : undefined);
  }

  async #keepId(id: string): Promise<void> {
    try {
      await this.#store?.set(this.url, id);
    } catch (error) {
      this.#raise(toError(error));
    }
  }

  #error(C: string, { D, N }: Envelope, call: Call | undefined): void {
    const said = parsed(D);
    const { Message: sentence } = Object(said) as { Message?: unknown };
    const error = new ServerError(C, typeof sentence === 'string' ? sentence : String(D), said);
    if (call) call.reject(error);
    else if (N === undefined) this.#raise(error, C || undefined);
  }

  #unauthorized(D: string): void {
    const said = parsed(D);
    this.#end('unauthorized', { code: 1008, reason: typeof said === 'string' ? said : D, error: undefined });
  }

  #garbage(error: unknown, controller?: string, topic?: string): void {
    this.#raise(garbage(error), controller, topic);
  }

  // ---- what goes ----

  #linked(): Link {
    const client = this;
    return {
      get open() { return client.#state === 'open'; },
      ask: (C, T, json, options = {}, written) =>
        client.#ask(C, T, json, options, (call) => client.#post(call), written),
      direct: (C, T, json) => client.#ask(C, T, json, { timeout: 0 }, (call) => {
        if (!client.#write(call)) throw new XSocketsError('lost', 'The connection was lost');
      }),
      tell: (C, T, json, options) => client.#tell(C, T, json, options),
      mention: (C, T, json) => void client.#write({ controller: C, payload: encode(C, T, json), written() {} }),
      wait: (options, begin) => client.#wait(options, begin),
      forget: (C, error) => client.#forget(C, error),
      raise: (error, controller, topic) => client.#raise(error, controller, topic),
    };
  }

  #ask(C: string, T: string, json: string, options: CallOptions & { bytes?: Bytes }, send: (call: Call) => void,
    written?: () => void): Promise<Message | undefined> {
    return this.#wait(options, (waiter) => {
      const n = ++this.#lastN;
      const call: Call = {
        ...waiter,
        controller: C,
        payload: encode(C, T, json, n, options.bytes),
        sent: false,
        written() {
          call.sent = true;
          written?.();
        },
      };
      this.#calls.set(n, call);
      try {
        send(call);
      } catch (error) {
        waiter.reject(error);
      }
      return () => {
        this.#calls.delete(n);
        this.#outbox.delete(call);
      };
    });
  }

  #tell(C: string, T: string, json: string, { bytes, signal }: PublishOptions = {}): void {
    if (signal?.aborted) return;
    const take = (): void => this.#outbox.delete(out);
    const over = (): void => signal?.removeEventListener('abort', take);
    const out: Outgoing = { controller: C, payload: encode(C, T, json, undefined, bytes), written: over, dropped: over };
    signal?.addEventListener('abort', take, { once: true });
    try {
      this.#post(out);
    } catch (error) {
      over();
      throw error;
    }
  }

  #post(out: Outgoing): void {
    if (this.#state === 'open') {
      if (this.#socket!.bufferedAmount > this.#outboxBytes) throw full();
      if (this.#outbox.size === 0 && this.#write(out)) return;
    }
    if (this.#state === 'closed') throw new XSocketsError('closed', 'The client is closed');
    this.#outbox.add(out);
  }

  /** False if there is nothing to write to: then it was not written. */
  #write(out: Outgoing): boolean {
    if (this.#socket?.readyState !== OPEN) return false;
    try {
      this.#socket.send(out.payload);
    } catch (error) {
      this.#lost(lossOf(error));
      return false;
    }
    out.written();
    return true;
  }

  #forget(controller: string, error: Error): void {
    for (const call of [...this.#calls.values()]) if (call.controller === controller) call.reject(error);
    this.#outbox.drop(controller);
  }

  #wait<T>({ timeout = this.#options.timeout ?? 30_000, signal }: CallOptions, begin: (waiter: Waiter<T>) => () => void):
    Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#state === 'closed') return reject(new XSocketsError('closed', 'The client is closed'));
      let settled = false;
      let end: (() => void) | undefined;
      const settle = (how: () => void): void => {
        settled = true;
        cancel?.();
        signal?.removeEventListener('abort', aborted);
        end?.();
        how();
      };
      const waiter: Waiter<T> = {
        resolve: (value) => settle(() => resolve(value)),
        reject: (error) => settle(() => reject(error)),
      };
      const aborted = (): void => waiter.reject(signal!.reason);
      const late = (): void => waiter.reject(new XSocketsError('timeout', `No answer within ${timeout} ms`));
      const cancel = timeout > 0 && timeout < Infinity ? this.#deadlines.in(timeout, late) : undefined;
      signal?.addEventListener('abort', aborted);
      try {
        end = begin(waiter);
      } catch (error) {
        waiter.reject(error);
      }
      if (settled) end?.();
    });
  }

  // ---- what is told ----

  #enter(state: ClientState): void {
    const previous = this.#state;
    this.#state = state;
    this.#changed(previous);
  }

  #changed(previous: ClientState): void {
    if (previous !== this.#state) this.#emit('statechange', { state: this.#state, previous });
  }

  #raise(error: Error, controller?: string, topic?: string): void {
    this.#emit('error', { error, controller, topic });
  }

  #emit(type: string, detail: unknown): void {
    this.dispatchEvent(new XSocketsEvent(type, detail));
  }
}

/** ws or wss, also for the http or https of a page's own address. */
function addressOf(text: string): URL {
  const url = new URL(text);
  url.protocol = url.protocol.replace(/^http/, 'ws');
  if (!/^wss?:$/.test(url.protocol)) throw new TypeError(`Not the URL of a WebSocket: ${text}`);
  url.hash = '';
  return url;
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function lossOf(error: unknown): Loss {
  return { code: 1006, reason: '', error: toError(error) };
}

function lostBy({ error }: Loss): XSocketsError {
  return new XSocketsError('lost', 'The connection was lost before the answer came', error);
}

function sentenceOf(why: CloseReason, { code, reason, error }: Loss): string {
  const what = { refused: 'The server refused', unauthorized: 'Authentication failed' }[why as string] ?? 'No connection';
  return `${what}: ${reason || error?.message || `closed with ${code}`}`;
}

function garbage(error: unknown): XSocketsError {
  return new XSocketsError('protocol', `The server sent what is no message: ${toError(error).message}`, error);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
