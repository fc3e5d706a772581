// xsockets, the JavaScript client of xsocketsd. MIT licence.
"use strict";
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

// src/index.ts
var index_exports = {};
__export(index_exports, {
  Client: () => Client,
  ServerError: () => ServerError,
  XSocketsError: () => XSocketsError,
  connect: () => connect
});
module.exports = __toCommonJS(index_exports);

// src/envelope.ts
var LENGTH_SIZE = 8;
function toJson(data) {
  return JSON.stringify(data) ?? "null";
}
function encode(C, T, D, N, bytes) {
  const text = JSON.stringify({ C, T, D, N });
  if (!bytes) return text;
  if (typeof bytes.byteLength !== "number") throw new TypeError("bytes must be an ArrayBuffer or a view of one");
  const header = text.replace(/[\x7f-\uffff]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
  const blob = ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes);
  const payload = new Uint8Array(LENGTH_SIZE + header.length + blob.length);
  new DataView(payload.buffer).setUint32(0, header.length, true);
  for (let i = 0; i < header.length; i++) payload[LENGTH_SIZE + i] = header.charCodeAt(i);
  payload.set(blob, LENGTH_SIZE + header.length);
  return payload;
}
function decode(payload) {
  if (typeof payload === "string") return read(payload, void 0);
  if (ArrayBuffer.isView(payload))
    return split(new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength));
  if (typeof payload?.byteLength === "number")
    return split(new Uint8Array(payload));
  throw new Error("neither text nor bytes");
}
function split(all) {
  if (all.length < LENGTH_SIZE) throw new Error("too short for a binary message");
  const view = new DataView(all.buffer, all.byteOffset);
  const end = LENGTH_SIZE + view.getUint32(0, true);
  if (view.getUint32(4, true) !== 0 || end > all.length) throw new Error("the header is longer than the message");
  return read(new TextDecoder("utf-8", { fatal: true }).decode(all.subarray(LENGTH_SIZE, end)), all.slice(end));
}
function read(text, bytes) {
  const { C, T, D, N } = Object(JSON.parse(text));
  if (typeof C !== "string" || typeof T !== "string") throw new Error("C and T must be strings");
  return { C, T, D: typeof D === "string" ? D : "", N: typeof N === "number" ? N : void 0, bytes };
}

// src/errors.ts
var XSocketsError = class extends Error {
  code;
  constructor(code, message, cause) {
    super(message, cause === void 0 ? void 0 : { cause });
    this.name = "XSocketsError";
    this.code = code;
  }
};
var ServerError = class extends XSocketsError {
  /** '' if the fault belongs to no open controller. */
  controller;
  /** All that the server said. */
  data;
  constructor(controller, message, data) {
    super("server", message);
    this.name = "ServerError";
    this.controller = controller;
    this.data = data;
  }
};
function report(error) {
  const { reportError } = globalThis;
  if (reportError) reportError(error);
  else queueMicrotask(() => {
    throw error;
  });
}

// src/event.ts
var XSocketsEvent = class extends Event {
  detail;
  constructor(type, detail) {
    super(type);
    this.detail = detail;
  }
};

// src/names.ts
function fold(name) {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
function isFilter(topic) {
  return /[+#]/.test(topic);
}
function matches(filter, topic) {
  const wanted = filter.split("/");
  const levels = topic.split("/");
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === "#") return true;
    if (i === levels.length) return false;
    if (wanted[i] !== "+" && wanted[i] !== levels[i]) return false;
    if (i === levels.length - 1 && i === wanted.length - 2 && wanted[i + 1] === "#") return true;
  }
  return wanted.length === levels.length;
}
function isGuid(id) {
  return typeof id === "string" && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id);
}

// src/stream.ts
var DONE = { done: true, value: void 0 };
var Stream = class {
  #limit;
  #overflow;
  #leave;
  // stops listening
  #buffer = [];
  #readers = [];
  #ended = false;
  #error;
  // told to the reader behind the last message
  #dropped = 0;
  constructor(limit, overflow) {
    this.#limit = Math.max(limit, 1);
    this.#overflow = overflow;
  }
  get dropped() {
    return this.#dropped;
  }
  get size() {
    return this.#buffer.length;
  }
  /** `leave` is called once, when the stream ends. */
  begin(leave) {
    if (this.#ended) leave();
    else this.#leave = leave;
  }
  push(message) {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader) return reader.resolve({ done: false, value: message });
    if (this.#buffer.length < this.#limit) return void this.#buffer.push(message);
    this.#dropped++;
    if (this.#overflow === "error") return this.end(new XSocketsError("overflow", "The stream was not read fast enough"));
    if (this.#overflow === "drop-newest") return;
    this.#buffer.shift();
    this.#buffer.push(message);
  }
  /** What waits can still be read. */
  end(error) {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    for (const reader of this.#readers.splice(0)) this.next().then(reader.resolve, reader.reject);
    this.#leave?.();
    this.#leave = void 0;
  }
  close() {
    this.#buffer = [];
    this.end();
    this.#error = void 0;
  }
  next() {
    const message = this.#buffer.shift();
    if (message) return Promise.resolve({ done: false, value: message });
    if (!this.#ended) return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    const error = this.#error;
    this.#error = void 0;
    return error === void 0 ? Promise.resolve(DONE) : Promise.reject(error);
  }
  return() {
    this.close();
    return Promise.resolve(DONE);
  }
  [Symbol.asyncIterator]() {
    return this;
  }
};

// src/controller.ts
var ControllerImpl = class extends EventTarget {
  name;
  #link;
  #state = "closed";
  #id;
  #wanted = true;
  #openers = /* @__PURE__ */ new Set();
  #exact = /* @__PURE__ */ new Map();
  #filters = /* @__PURE__ */ new Map();
  #subscriptions = /* @__PURE__ */ new Map();
  #kept = /* @__PURE__ */ new Map();
  // topic set_x, JSON
  #streams = /* @__PURE__ */ new Set();
  constructor(name, link) {
    super();
    this.name = name;
    this.#link = link;
  }
  get state() {
    return this.#state;
  }
  get id() {
    return this.#id;
  }
  // ---- opening and closing ----
  async open(options = {}) {
    this.#use();
    if (this.#state === "closed" && this.#link.open) void this.#start();
    if (this.#state !== "open") await this.#link.wait(options, among(this.#openers));
  }
  close() {
    if (!this.#wanted) return;
    if (this.#link.open && this.#state !== "closed") this.#link.direct(this.name, "3", "null").catch(() => {
    });
    this.#kept.clear();
    this.#left(new XSocketsError("closed", "The controller was closed"), true, [...this.#subscriptions.values()]);
  }
  /** The server closed it, unasked. */
  closed() {
    if (this.#state !== "closed")
      this.#left(new XSocketsError("closed", "The server closed the controller"), false, []);
  }
  // Subscriptions went with the controller: an unsubscribe would open it again.
  #left(error, quiet, leaving) {
    const was = this.lost();
    this.#wanted = false;
    this.#leaveAll(leaving, error);
    this.#link.forget(this.name, error);
    this.ended(error, quiet);
    if (was) this.#emit("close", { lost: false });
  }
  /** Is used, so it should be open. */
  #use() {
    if (this.#wanted) return;
    this.#wanted = true;
    if (this.#link.open) this.restore();
  }
  /** Says on a new connection what the user wants of this controller. Settles when all of it was
   * answered. */
  restore() {
    if (!this.#wanted) return Promise.resolve();
    const answers = [this.#start()];
    for (const [topic, json] of this.#kept) {
      const refused = (error) => {
        if (!isServerError(error)) return;
        this.#kept.delete(topic);
        this.#link.raise(error, this.name, topic);
      };
      answers.push(this.#link.direct(this.name, topic, json).catch(refused));
    }
    for (const subscribed of this.#subscriptions.values()) answers.push(this.#send(subscribed));
    return Promise.all(answers);
  }
  async #start() {
    this.#state = "opening";
    try {
      await this.#link.direct(this.name, "1", "null");
      if (this.#state === "opening") this.opened(this.#id);
    } catch (error) {
      if (!isServerError(error)) return;
      if (this.#state === "opening") this.#state = "closed";
      if (this.#openers.size === 0) this.#link.raise(error, this.name);
      settle(this.#openers, (waiter) => waiter.reject(error));
    }
  }
  /** The server says that it is open. */
  opened(id) {
    if (!this.#wanted || this.#state === "open" && this.#id === id) return;
    this.#state = "open";
    this.#id = id;
    settle(this.#openers, (waiter) => waiter.resolve());
    this.#emit("open", { id });
  }
  /** The connection is gone. True if it was open. */
  lost() {
    const was = this.#state === "open";
    this.#state = "closed";
    this.#id = void 0;
    for (const subscribed of this.#subscriptions.values()) {
      subscribed.sent = void 0;
      subscribed.confirmed = false;
    }
    return was;
  }
  tellLost() {
    this.#emit("close", { lost: true });
  }
  /** Nobody will come back by itself: whoever waits is told. `quiet`: streams just end. */
  ended(error, quiet) {
    settle(this.#openers, (waiter) => waiter.reject(error));
    for (const { shares } of this.#subscriptions.values())
      for (const share of [...shares]) share.waiter?.reject(error);
    for (const stream of [...this.#streams]) stream.end(quiet ? void 0 : error);
  }
  // ---- saying ----
  async invoke(topic, data, options) {
    return (await this.request(topic, data, options))?.data;
  }
  async request(topic, data, options) {
    const json = toJson(data);
    this.#use();
    return this.#link.ask(this.name, fold(topic), json, options);
  }
  publish(topic, data, options) {
    const json = toJson(data);
    this.#use();
    this.#link.tell(this.name, fold(topic), json, options);
  }
  async set(name, value, options = {}) {
    const topic = "set_" + fold(name);
    const json = toJson(value);
    let before;
    const written = () => {
      before = this.#kept.get(topic);
      if (options.keep ?? before !== void 0) this.#kept.set(topic, json);
      else this.#kept.delete(topic);
    };
    this.#use();
    try {
      await this.#link.ask(this.name, topic, json, options, written);
    } catch (error) {
      if (isServerError(error) && this.#kept.get(topic) === json) {
        if (before === void 0) this.#kept.delete(topic);
        else this.#kept.set(topic, before);
      }
      throw error;
    }
  }
  get(name, options) {
    return this.invoke("get_" + name, void 0, options);
  }
  // ---- listening ----
  on(topic, handler) {
    this.#use();
    return this.#listen(fold(topic), { handler, share: false });
  }
  off(topic, handler) {
    const key = fold(topic);
    for (const listening of this.#listeners(key).get(key) ?? [])
      if (!listening.share && (!handler || listening.handler === handler)) this.#unlisten(key, listening);
  }
  #listeners(topic) {
    return isFilter(topic) ? this.#filters : this.#exact;
  }
  #listen(topic, listening) {
    const listeners = this.#listeners(topic);
    listeners.set(topic, (listeners.get(topic) ?? /* @__PURE__ */ new Set()).add(listening));
    return () => this.#unlisten(topic, listening);
  }
  #unlisten(topic, listening) {
    const listeners = this.#listeners(topic);
    const all = listeners.get(topic);
    all?.delete(listening);
    if (all?.size === 0) listeners.delete(topic);
  }
  deliver(message) {
    const found = [this.#exact.get(message.topic)];
    for (const [filter, all] of this.#filters) if (matches(filter, message.topic)) found.push(all);
    for (const all of found)
      for (const listening of [...all ?? []]) if (all.has(listening)) call(listening.handler, message);
  }
  // ---- subscribing ----
  async subscribe(topic, handler, options = {}) {
    if (options.signal?.aborted) throw options.signal.reason;
    const [subscribed, share] = this.#share(fold(topic), handler);
    await this.#confirmation(subscribed, share, options);
    return { topic: subscribed.topic, unsubscribe: () => this.#leave(subscribed, share) };
  }
  unsubscribe(topic, handler) {
    const subscribed = this.#subscriptions.get(fold(topic));
    if (!subscribed) return;
    for (const share of [...subscribed.shares])
      if (!handler || share.handler === handler) this.#leave(subscribed, share);
  }
  #share(topic, handler) {
    this.#use();
    let subscribed = this.#subscriptions.get(topic);
    if (!subscribed) {
      subscribed = { topic, shares: /* @__PURE__ */ new Set(), sent: void 0, confirmed: false };
      this.#subscriptions.set(topic, subscribed);
    }
    const share = { handler, listening: handler && { handler, share: true }, refused: void 0, waiter: void 0 };
    subscribed.shares.add(share);
    if (share.listening) this.#listen(topic, share.listening);
    if (this.#link.open && !subscribed.sent) void this.#send(subscribed);
    return [subscribed, share];
  }
  async #confirmation(subscribed, share, options) {
    if (subscribed.confirmed) return;
    try {
      await this.#link.wait(options, (waiter) => {
        share.waiter = waiter;
        return () => {
          share.waiter = void 0;
        };
      });
    } catch (error) {
      this.#leave(subscribed, share);
      throw error;
    }
  }
  #send(subscribed) {
    const sent = this.#link.direct(this.name, "5", toJson({ T: subscribed.topic, A: true })).then(
      () => this.#confirmed(subscribed),
      (error) => {
        if (subscribed.sent === sent && isServerError(error)) this.#refused(subscribed, error);
      }
    );
    subscribed.sent = sent;
    return sent;
  }
  /** `__topic` came without the number of a request. */
  confirmed(topic) {
    const subscribed = this.#subscriptions.get(topic);
    if (subscribed) this.#confirmed(subscribed);
  }
  #confirmed(subscribed) {
    subscribed.confirmed = true;
    for (const { waiter } of [...subscribed.shares]) waiter?.resolve();
  }
  #refused(subscribed, error) {
    const shares = [...subscribed.shares];
    subscribed.sent = void 0;
    if (!shares.some(({ waiter }) => waiter)) this.#link.raise(error, this.name, subscribed.topic);
    for (const share of shares) share.refused?.(error);
    this.#leaveAll([subscribed], error);
  }
  #leaveAll(all, error) {
    for (const subscribed of all)
      for (const share of [...subscribed.shares]) this.#leave(subscribed, share, error);
  }
  #leave(subscribed, share, error = new XSocketsError("closed", "Unsubscribed")) {
    const { topic, shares, sent } = subscribed;
    if (!shares.delete(share)) return;
    share.waiter?.reject(error);
    if (share.listening) this.#unlisten(topic, share.listening);
    if (shares.size > 0) return;
    this.#subscriptions.delete(topic);
    subscribed.sent = void 0;
    if (sent && this.#link.open) this.#link.mention(this.name, "6", toJson({ T: topic, A: false }));
  }
  // ---- streams ----
  messages(topic, options = {}) {
    const { buffer = 256, overflow = "drop-oldest", subscribe = true, signal } = options;
    const stream = new Stream(buffer, overflow);
    if (signal?.aborted) {
      stream.close();
      return stream;
    }
    const handler = (_data, message) => stream.push(message);
    const over = () => stream.close();
    const leave = subscribe ? this.#streamed(fold(topic), handler, stream) : this.on(topic, handler);
    signal?.addEventListener("abort", over);
    this.#streams.add(stream);
    stream.begin(() => {
      signal?.removeEventListener("abort", over);
      this.#streams.delete(stream);
      leave();
    });
    return stream;
  }
  #streamed(topic, handler, stream) {
    const [subscribed, share] = this.#share(topic, handler);
    share.refused = (error) => stream.end(error);
    this.#confirmation(subscribed, share, {}).catch((error) => stream.end(error));
    return () => this.#leave(subscribed, share);
  }
  #emit(type, detail) {
    this.dispatchEvent(new XSocketsEvent(type, detail));
  }
};
function isServerError(error) {
  return error instanceof XSocketsError && error.code === "server";
}
function among(waiters) {
  return (waiter) => {
    waiters.add(waiter);
    return () => void waiters.delete(waiter);
  };
}
function settle(waiters, how) {
  const all = [...waiters];
  waiters.clear();
  all.forEach(how);
}
function call(handler, message) {
  try {
    handler(message.data, message);
  } catch (error) {
    report(error);
  }
}

// src/deadlines.ts
var LATE = 1e3;
var GRACE = 50;
var LONGEST = 2147483647;
var Deadlines = class {
  #platform;
  #list = [];
  // by time; cancelled ones stay for a while, but never in front
  #live = 0;
  #timer;
  #due = Infinity;
  // when the timer should come
  #graced = false;
  constructor(platform) {
    this.#platform = platform;
  }
  /** Runs it once, `ms` from now. Gives the function that cancels. */
  in(ms, run) {
    const deadline = { at: this.#platform.now() + ms, run };
    let place = this.#list.length;
    while (place > 0 && this.#list[place - 1].at > deadline.at) place--;
    this.#list.splice(place, 0, deadline);
    this.#live++;
    this.#arm();
    return () => {
      if (!deadline.run) return;
      deadline.run = void 0;
      this.#live--;
      this.#sweep();
      this.#arm();
    };
  }
  #sweep() {
    while (this.#list.length > 0 && !this.#list[0].run) this.#list.shift();
    if (this.#list.length > 2 * this.#live) this.#list = this.#list.filter((deadline) => deadline.run);
  }
  #arm() {
    const due = this.#list[0]?.at ?? Infinity;
    if (due === this.#due) return;
    if (this.#timer !== void 0 && due < Infinity && due > this.#due) return;
    this.#set(due);
  }
  #set(due, grace = 0) {
    if (this.#timer !== void 0) this.#platform.clearTimeout(this.#timer);
    this.#timer = void 0;
    this.#due = due;
    this.#graced = grace > 0;
    if (due === Infinity) return;
    const ms = Math.max(Math.ceil(due - this.#platform.now()), grace);
    this.#timer = this.#platform.setTimeout(() => this.#come(), Math.min(ms, LONGEST));
  }
  #come() {
    const now = this.#platform.now();
    const due = this.#due;
    const late = now - due > LATE && !this.#graced;
    this.#timer = void 0;
    this.#due = Infinity;
    if (late) return this.#set(due, GRACE);
    while (this.#list.length > 0 && this.#list[0].at <= now) {
      const deadline = this.#list[0];
      const { run } = deadline;
      deadline.run = void 0;
      this.#live--;
      this.#sweep();
      run();
    }
    this.#arm();
  }
};

// src/outbox.ts
function sizeOf(payload) {
  return typeof payload === "string" ? new TextEncoder().encode(payload).length : payload.length;
}
var Outbox = class {
  #limit;
  #waiting = /* @__PURE__ */ new Map();
  // in order, with their sizes
  #bytes = 0;
  constructor(limit) {
    this.#limit = limit;
  }
  get size() {
    return this.#waiting.size;
  }
  get first() {
    return this.#waiting.keys().next().value;
  }
  add(out) {
    const size = sizeOf(out.payload);
    if (this.#waiting.size >= this.#limit.messages || this.#bytes + size > this.#limit.bytes) throw full();
    this.#waiting.set(out, size);
    this.#bytes += size;
  }
  delete(out) {
    this.#bytes -= this.#waiting.get(out) ?? 0;
    this.#waiting.delete(out);
  }
  /** Drops what is for one controller, or all. */
  drop(controller) {
    for (const out of [...this.#waiting.keys()]) {
      if (controller !== void 0 && out.controller !== controller) continue;
      this.delete(out);
      out.dropped?.();
    }
  }
};
function full() {
  return new XSocketsError("full", "The outbox is full");
}

// src/platform.ts
var here = () => globalThis;
var usual = {
  now: () => performance.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer),
  random: () => Math.random(),
  get window() {
    return typeof here().addEventListener === "function" ? globalThis : void 0;
  },
  get document() {
    return here().document;
  }
};
function platformOf(given = {}) {
  return Object.create(usual, Object.getOwnPropertyDescriptors(given));
}
function localStore() {
  const attempt = (use) => {
    try {
      const storage = here().window?.localStorage;
      return storage ? use(storage) : void 0;
    } catch {
      return void 0;
    }
  };
  return {
    get: (key) => attempt((storage) => storage.getItem(key)),
    set: (key, id) => attempt((storage) => storage.setItem(key, id))
  };
}

// src/client.ts
var OPEN = 1;
var CLOSED = 3;
var STABLE = 1e4;
var GOODBYE = 2e3;
var WELCOME_AGAIN = ["the peer does not read", "nothing came for too long"];
var CODES = {
  closed: "closed",
  refused: "refused",
  unauthorized: "unauthorized",
  exhausted: "failed",
  failed: "failed"
};
var XSocketsClient = class extends EventTarget {
  url;
  #options;
  #platform;
  #deadlines;
  #store;
  #outbox;
  #outboxBytes;
  #controllers = /* @__PURE__ */ new Map();
  #link;
  #state = "idle";
  #turn = 0;
  #socket;
  #gone = Promise.resolve();
  // the sockets that were dropped
  #cancel;
  // connecting: its end; open: the heartbeat; waiting: the next attempt
  #opening;
  // open() has promised it
  #listening;
  // stops listening to the page
  #attempt = 0;
  // failed in a row
  #openedAt = 0;
  #lostAt;
  // from here on something may have been missed
  #heardAt = 0;
  #pinged = false;
  // and heard nothing since
  #id;
  #lastN = 0;
  #calls = /* @__PURE__ */ new Map();
  // by N
  constructor(url, options = {}) {
    super();
    this.url = String(url);
    addressOf(this.url);
    this.#options = options;
    this.#platform = platformOf(options.platform);
    this.#deadlines = new Deadlines(this.#platform);
    this.#store = options.store === false ? void 0 : options.store ?? localStore();
    const { messages = 1e3, bytes = 1 << 20 } = options.outbox ?? {};
    this.#outbox = new Outbox({ messages, bytes });
    this.#outboxBytes = bytes;
    this.#link = this.#linked();
  }
  get state() {
    return this.#state;
  }
  get persistentId() {
    return this.#id;
  }
  get waiting() {
    return this.#outbox.size;
  }
  controller(name) {
    const key = fold(name);
    let found = this.#controllers.get(key);
    if (!found) {
      found = new ControllerImpl(key, this.#link);
      this.#controllers.set(key, found);
      if (this.#state === "open") void found.restore();
    }
    return found;
  }
  // ---- starting and ending ----
  open() {
    if (this.#state === "open") return Promise.resolve(this);
    if (!this.#opening) {
      const opening = {};
      opening.promise = new Promise((resolve, reject) => Object.assign(opening, { resolve, reject }));
      opening.promise.catch(() => {
      });
      this.#opening = opening;
    }
    const { promise } = this.#opening;
    if (this.#state === "idle" || this.#state === "closed") {
      this.#attempt = 0;
      this.#listening = this.#listenToPage();
      void this.#connect();
    }
    return promise;
  }
  close() {
    if (this.#state !== "closed") this.#end("closed", { code: 1e3, reason: "", error: void 0 });
    return this.#gone;
  }
  retry() {
    if (this.#state === "waiting") void this.#connect();
    else if (this.#state === "open" && !this.#pinged) this.#ping();
  }
  // ---- a connection comes about ----
  async #connect() {
    const turn = ++this.#turn;
    const limit = this.#options.connectTimeout ?? 1e4;
    const late = () => this.#lost(lossOf(new XSocketsError("timeout", `No answer within ${limit} ms`)));
    this.#wake(limit || Infinity, late);
    this.#enter("connecting");
    if (turn !== this.#turn) return;
    let url;
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
      this.#end("failed", lossOf(error));
    }
  }
  /** The URL with its parameters, the persistent id among them. */
  async #address() {
    const { parameters } = this.#options;
    const all = typeof parameters === "function" ? await parameters() : parameters;
    const url = addressOf(this.url);
    const pairs = Object.entries(all ?? {}).filter(([, value]) => value !== void 0);
    const given = [...pairs.map(([name]) => name), ...url.searchParams.keys()];
    if (!given.some((name) => fold(name) === "persistentid")) {
      const id = await this.#storedId();
      if (id) pairs.push(["persistentid", id]);
    }
    const query = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
    if (query.length > 0) url.search += (url.search ? "&" : "") + query.join("&");
    return url.href;
  }
  async #storedId() {
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
  #dial(url, turn) {
    const WebSocket = this.#options.WebSocket ?? globalThis.WebSocket;
    if (!WebSocket) throw new Error("There is no WebSocket here: give one with options.WebSocket");
    const socket = new WebSocket(url, ["XSocketsNET"]);
    const mine = (run) => (event) => {
      if (turn === this.#turn) run(event);
    };
    let error;
    socket.binaryType = "arraybuffer";
    socket.onopen = mine(() => this.#hello());
    socket.onmessage = mine((event) => this.#receive(event.data));
    socket.onerror = mine((event) => {
      if (event.error) error = toError(event.error);
    });
    socket.onclose = mine((event) => this.#lost({ code: event.code ?? 1006, reason: event.reason ?? "", error }));
    return socket;
  }
  /** The server says nothing before we do. Its pong shows that it serves us. */
  #hello() {
    this.#link.mention("", "7", "null");
  }
  #opened() {
    const turn = this.#turn;
    const now = this.#platform.now();
    const away = this.#lostAt === void 0 ? void 0 : now - this.#lostAt;
    this.#openedAt = now;
    this.#state = "open";
    this.#watch();
    const restored = Promise.all([...this.#controllers.values()].map((controller) => controller.restore()));
    for (let first; (first = this.#outbox.first) && this.#write(first); ) this.#outbox.delete(first);
    if (turn !== this.#turn) return;
    this.#opening?.resolve(this);
    this.#opening = void 0;
    this.#changed("connecting");
    if (turn === this.#turn) this.#emit("open", { reconnected: away !== void 0 });
    if (away === void 0) return;
    void restored.then(() => {
      if (turn !== this.#turn) return;
      this.#lostAt = void 0;
      this.#emit("gap", { away });
    });
  }
  // ---- and ends ----
  #lost(loss, wait) {
    const now = this.#platform.now();
    if (this.#state === "open") {
      this.#lostAt ??= now;
      if (now - this.#openedAt >= STABLE) this.#attempt = 0;
    }
    const refused = loss.code === 1008 && !WELCOME_AGAIN.includes(loss.reason);
    const before = this.#turn;
    const delay = refused ? void 0 : wait ?? this.#delay(loss);
    if (before !== this.#turn) return;
    if (delay === void 0) return this.#end(refused ? "refused" : "exhausted", loss);
    const closed = this.#detach(lostBy(loss));
    const attempt = ++this.#attempt;
    const turn = this.#turn;
    if (delay < Infinity) this.#wake(delay, () => void this.#connect());
    const previous = this.#state;
    this.#state = "waiting";
    for (const controller of closed) controller.tellLost();
    if (turn === this.#turn) this.#changed(previous);
    if (turn === this.#turn) this.#emit("reconnecting", { ...loss, attempt, delay });
  }
  /** Full jitter: clients that were lost together do not come back together. undefined: enough. */
  #delay(loss) {
    const { reconnect = {} } = this.#options;
    if (reconnect === false || this.#attempt >= (reconnect.attempts ?? Infinity)) return void 0;
    const { base = 1e3, cap = 3e4, decide } = reconnect;
    try {
      const decided = decide?.(loss, this.#attempt);
      if (decided === false) return void 0;
      if (typeof decided === "number" && !Number.isNaN(decided)) return Math.max(decided, 0);
    } catch (error) {
      this.#raise(toError(error));
    }
    return this.#platform.random() * Math.min(cap, base * 2 ** Math.min(this.#attempt, 99));
  }
  #end(why, loss) {
    const error = new XSocketsError(
      CODES[why],
      why === "closed" ? "The client is closed" : sentenceOf(why, loss),
      loss.error
    );
    const closed = this.#detach(why === "exhausted" ? lostBy(loss) : error);
    const previous = this.#state;
    this.#state = "closed";
    this.#lostAt = void 0;
    this.#listening?.();
    this.#listening = void 0;
    this.#outbox.drop();
    for (const call2 of [...this.#calls.values()]) call2.reject(error);
    this.#opening?.reject(error);
    this.#opening = void 0;
    const turn = this.#turn;
    for (const controller of this.#controllers.values()) controller.ended(error, why === "closed");
    for (const controller of closed) controller.tellLost();
    if (turn === this.#turn) this.#changed(previous);
    if (turn === this.#turn) this.#emit("close", { ...loss, why });
  }
  /** Leaves the connection, if there is one; requests that were sent reject with the error. Gives the
   * controllers that were open. */
  #detach(error) {
    this.#turn++;
    this.#cancel?.();
    this.#cancel = void 0;
    this.#pinged = false;
    if (this.#socket) this.#gone = Promise.all([this.#gone, this.#drop(this.#socket)]).then(() => {
    });
    this.#socket = void 0;
    for (const call2 of [...this.#calls.values()]) if (call2.sent) call2.reject(error);
    return [...this.#controllers.values()].filter((controller) => controller.lost());
  }
  /** Says goodbye. A server that does not answer is not waited for. */
  #drop(socket) {
    return new Promise((resolve) => {
      if (socket.readyState === CLOSED) return resolve();
      const cancel = this.#deadlines.in(GOODBYE, () => {
        socket.terminate?.();
        resolve();
      });
      socket.onopen = socket.onmessage = socket.onerror = () => {
      };
      socket.onclose = () => {
        cancel();
        resolve();
      };
      try {
        socket.close(1e3);
      } catch {
        socket.terminate?.();
      }
    });
  }
  // ---- is the server still there? ----
  /** The one thing this client waits for. */
  #wake(ms, run) {
    this.#cancel?.();
    this.#cancel = this.#deadlines.in(ms, run);
  }
  #watch() {
    const { heartbeat = {} } = this.#options;
    this.#cancel?.();
    this.#cancel = void 0;
    if (heartbeat === false) return;
    const silent = this.#platform.now() - Math.max(this.#heardAt, this.#openedAt);
    const left = (heartbeat.interval ?? 3e4) - silent;
    if (left <= 0) this.#ping();
    else this.#wake(left, () => this.#watch());
  }
  #ping() {
    const { heartbeat } = this.#options;
    const limit = (heartbeat || {}).timeout ?? 1e4;
    this.#pinged = true;
    this.#link.mention("", "7", "null");
    if (!this.#pinged) return;
    this.#wake(limit, () => this.#lost(lossOf(new XSocketsError("timeout", `No sign of life within ${limit} ms`))));
  }
  /** A page that comes back from the background or from sleep does not wait for timers. */
  #listenToPage() {
    const { window, document } = this.#platform;
    const retry = () => this.retry();
    const all = [
      [window, "online", retry],
      // It may be a mistake, and this machine's own server is there all the same: ask.
      [window, "offline", () => {
        if (this.#state === "open") this.retry();
      }],
      [window, "pageshow", retry],
      // A page with an open connection is not kept for the way back.
      [window, "pagehide", (event) => {
        if (event.persisted) this.#suspend();
      }],
      [document, "visibilitychange", () => {
        if (document?.visibilityState === "visible") this.retry();
      }]
    ];
    for (const [target, type, listener] of all) target?.addEventListener(type, listener);
    return () => {
      for (const [target, type, listener] of all) target?.removeEventListener(type, listener);
    };
  }
  #suspend() {
    if (this.#state === "closed" || this.#state === "idle") return;
    this.#lost({ code: 1e3, reason: "the page is put aside", error: void 0 }, Infinity);
  }
  // ---- what comes ----
  #receive(payload) {
    this.#heardAt = this.#platform.now();
    if (this.#pinged) {
      this.#pinged = false;
      this.#watch();
    }
    let envelope;
    try {
      envelope = decode(payload);
    } catch (error) {
      return this.#garbage(error);
    }
    const C = fold(envelope.C), T = fold(envelope.T);
    const call2 = this.#calls.get(envelope.N ?? 0);
    const controller = this.#controllers.get(C);
    if (T === "0") return this.#unauthorized(envelope.D);
    if (T === "4") return this.#error(C, envelope, call2);
    if (T === "7") return this.#pong(envelope);
    if (T === "8" && this.#state === "connecting") return this.#opened();
    if (T === "8" || T === "9") return call2?.resolve(void 0);
    let message;
    try {
      message = { controller: C, topic: T, data: JSON.parse(envelope.D), bytes: envelope.bytes };
    } catch (error) {
      return call2 ? call2.reject(garbage(error)) : this.#garbage(error, C, T);
    }
    if (T === "2") this.#introduced(controller, message.data);
    if (T === "3" && envelope.N === void 0) controller?.closed();
    if (call2) return call2.resolve(message);
    if (envelope.N !== void 0) return;
    if (/^(\d\d?|s[1-4])$/.test(T)) return;
    if (T.startsWith("__")) return controller?.confirmed(T.slice(2));
    this.#emit("message", message);
    controller?.deliver(message);
  }
  /** Not for a server that asks and asks and does not read. */
  #pong({ C, D }) {
    if (this.#socket.bufferedAmount <= this.#outboxBytes) this.#link.mention(C, "8", toJson(parsed(D || "null")));
  }
  #introduced(controller, data) {
    const { CI, PI } = Object(data);
    if (isGuid(PI) && PI !== this.#id) {
      this.#id = PI;
      void this.#keepId(PI);
    }
    controller?.opened(typeof CI === "string" ? CI : void 0);
  }
  async #keepId(id) {
    try {
      await this.#store?.set(this.url, id);
    } catch (error) {
      this.#raise(toError(error));
    }
  }
  #error(C, { D, N }, call2) {
    const said = parsed(D);
    const { Message: sentence } = Object(said);
    const error = new ServerError(C, typeof sentence === "string" ? sentence : String(D), said);
    if (call2) call2.reject(error);
    else if (N === void 0) this.#raise(error, C || void 0);
  }
  #unauthorized(D) {
    const said = parsed(D);
    this.#end("unauthorized", { code: 1008, reason: typeof said === "string" ? said : D, error: void 0 });
  }
  #garbage(error, controller, topic) {
    this.#raise(garbage(error), controller, topic);
  }
  // ---- what goes ----
  #linked() {
    const client = this;
    return {
      get open() {
        return client.#state === "open";
      },
      ask: (C, T, json, options = {}, written) => client.#ask(C, T, json, options, (call2) => client.#post(call2), written),
      direct: (C, T, json) => client.#ask(C, T, json, { timeout: 0 }, (call2) => {
        if (!client.#write(call2)) throw new XSocketsError("lost", "The connection was lost");
      }),
      tell: (C, T, json, options) => client.#tell(C, T, json, options),
      mention: (C, T, json) => void client.#write({ controller: C, payload: encode(C, T, json), written() {
      } }),
      wait: (options, begin) => client.#wait(options, begin),
      forget: (C, error) => client.#forget(C, error),
      raise: (error, controller, topic) => client.#raise(error, controller, topic)
    };
  }
  #ask(C, T, json, options, send, written) {
    return this.#wait(options, (waiter) => {
      const n = ++this.#lastN;
      const call2 = {
        ...waiter,
        controller: C,
        payload: encode(C, T, json, n, options.bytes),
        sent: false,
        written() {
          call2.sent = true;
          written?.();
        }
      };
      this.#calls.set(n, call2);
      try {
        send(call2);
      } catch (error) {
        waiter.reject(error);
      }
      return () => {
        this.#calls.delete(n);
        this.#outbox.delete(call2);
      };
    });
  }
  #tell(C, T, json, { bytes, signal } = {}) {
    if (signal?.aborted) return;
    const take = () => this.#outbox.delete(out);
    const over = () => signal?.removeEventListener("abort", take);
    const out = { controller: C, payload: encode(C, T, json, void 0, bytes), written: over, dropped: over };
    signal?.addEventListener("abort", take, { once: true });
    try {
      this.#post(out);
    } catch (error) {
      over();
      throw error;
    }
  }
  #post(out) {
    if (this.#state === "open") {
      if (this.#socket.bufferedAmount > this.#outboxBytes) throw full();
      if (this.#outbox.size === 0 && this.#write(out)) return;
    }
    if (this.#state === "closed") throw new XSocketsError("closed", "The client is closed");
    this.#outbox.add(out);
  }
  /** False if there is nothing to write to: then it was not written. */
  #write(out) {
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
  #forget(controller, error) {
    for (const call2 of [...this.#calls.values()]) if (call2.controller === controller) call2.reject(error);
    this.#outbox.drop(controller);
  }
  #wait({ timeout = this.#options.timeout ?? 3e4, signal }, begin) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#state === "closed") return reject(new XSocketsError("closed", "The client is closed"));
      let settled = false;
      let end;
      const settle2 = (how) => {
        settled = true;
        cancel?.();
        signal?.removeEventListener("abort", aborted);
        end?.();
        how();
      };
      const waiter = {
        resolve: (value) => settle2(() => resolve(value)),
        reject: (error) => settle2(() => reject(error))
      };
      const aborted = () => waiter.reject(signal.reason);
      const late = () => waiter.reject(new XSocketsError("timeout", `No answer within ${timeout} ms`));
      const cancel = timeout > 0 && timeout < Infinity ? this.#deadlines.in(timeout, late) : void 0;
      signal?.addEventListener("abort", aborted);
      try {
        end = begin(waiter);
      } catch (error) {
        waiter.reject(error);
      }
      if (settled) end?.();
    });
  }
  // ---- what is told ----
  #enter(state) {
    const previous = this.#state;
    this.#state = state;
    this.#changed(previous);
  }
  #changed(previous) {
    if (previous !== this.#state) this.#emit("statechange", { state: this.#state, previous });
  }
  #raise(error, controller, topic) {
    this.#emit("error", { error, controller, topic });
  }
  #emit(type, detail) {
    this.dispatchEvent(new XSocketsEvent(type, detail));
  }
};
function addressOf(text) {
  const url = new URL(text);
  url.protocol = url.protocol.replace(/^http/, "ws");
  if (!/^wss?:$/.test(url.protocol)) throw new TypeError(`Not the URL of a WebSocket: ${text}`);
  url.hash = "";
  return url;
}
function toError(error) {
  return error instanceof Error ? error : new Error(String(error));
}
function lossOf(error) {
  return { code: 1006, reason: "", error: toError(error) };
}
function lostBy({ error }) {
  return new XSocketsError("lost", "The connection was lost before the answer came", error);
}
function sentenceOf(why, { code, reason, error }) {
  const what = { refused: "The server refused", unauthorized: "Authentication failed" }[why] ?? "No connection";
  return `${what}: ${reason || error?.message || `closed with ${code}`}`;
}
function garbage(error) {
  return new XSocketsError("protocol", `The server sent what is no message: ${toError(error).message}`, error);
}
function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

// src/index.ts
var Client = XSocketsClient;
function connect(url, options = {}) {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    if (signal?.aborted) return reject(signal.reason);
    const client = new Client(url, options);
    const give = (error) => {
      over();
      void client.close();
      reject(error);
    };
    const aborted = () => give(signal.reason);
    const failed = ({ detail: { code, reason, error } }) => give(new XSocketsError("failed", `No connection: ${reason || error?.message || `closed with ${code}`}`, error));
    const over = () => {
      signal?.removeEventListener("abort", aborted);
      client.removeEventListener("reconnecting", failed);
    };
    signal?.addEventListener("abort", aborted);
    client.addEventListener("reconnecting", failed);
    client.open().then(() => {
      over();
      resolve(client);
    }, (error) => {
      over();
      reject(error);
    });
  });
}
//# sourceMappingURL=xsockets.cjs.map
