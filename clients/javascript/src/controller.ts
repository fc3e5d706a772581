// controller - one controller of the server as a client sees it: who listens to what, which
// subscriptions and properties come back after a reconnect.
//
// A topic has at most one subscription at the server, shared by all who subscribed here. What
// belongs to the connection (is it open, which subscriptions are confirmed) is forgotten with it; what
// the user asked for stays, and restore() says it again.
import { toJson } from './envelope.js';
import { XSocketsError, report } from './errors.js';
import { XSocketsEvent } from './event.js';
import { fold, isFilter, matches } from './names.js';
import { Stream } from './stream.js';
import type {
  Bytes, CallOptions, ControllerState, Handler, InvokeOptions, Message, PublishOptions, SetOptions, StreamOptions,
  Subscription,
} from './types.js';

export interface Link {
  readonly open: boolean;
  /** A request of the user: may wait in the outbox. `written` runs when it went to the socket. */
  ask(controller: string, topic: string, json: string, options?: CallOptions & { bytes?: Bytes },
    written?: () => void): Promise<Message | undefined>;
  /** One of ours, on this connection or not at all. Has no timeout: it rejects when the connection
   * ends. */
  direct(controller: string, topic: string, json: string): Promise<Message | undefined>;
  /** Without an answer, by the outbox. */
  tell(controller: string, topic: string, json: string, options?: PublishOptions): void;
  /** Without an answer, on this connection or not at all. */
  mention(controller: string, topic: string, json: string): void;
  /** A promise that somebody settles later, or the timeout, or the signal. `begin` gives what to do
   * when it is settled. */
  wait<T>(options: CallOptions, begin: (waiter: Waiter<T>) => () => void): Promise<T>;
  /** Rejects the requests of a controller and forgets what it still had to say. */
  forget(controller: string, error: Error): void;
  /** Tells the world what no promise can. */
  raise(error: Error, controller: string, topic?: string): void;
}

export interface Waiter<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

interface Listening {
  handler: Handler;
  share: boolean; // belongs to a subscription: off() leaves it
}

interface Share {
  handler: Handler | undefined;
  listening: Listening | undefined;
  refused: ((error: unknown) => void) | undefined;
  waiter: Waiter<void> | undefined; // until it is confirmed
}

interface Subscribed {
  readonly topic: string;
  readonly shares: Set<Share>;
  sent: Promise<unknown> | undefined; // on this connection
  confirmed: boolean;
}

export class ControllerImpl extends EventTarget {
  readonly name: string;
  readonly #link: Link;
  #state: ControllerState = 'closed';
  #id: string | undefined;
  #wanted = true;
  #openers = new Set<Waiter<void>>();
  #exact = new Map<string, Set<Listening>>();
  #filters = new Map<string, Set<Listening>>();
  #subscriptions = new Map<string, Subscribed>();
  #kept = new Map<string, string>(); // topic set_x, JSON
  #streams = new Set<Stream>();

  constructor(name: string, link: Link) {
    super();
    this.name = name;
    this.#link = link;
  }

  get state(): ControllerState {
    return this.#state;
  }

  get id(): string | undefined {
    return this.#id;
  }

  // ---- opening and closing ----

  async open(options: CallOptions = {}): Promise<void> {
    this.#use();
    if (this.#state === 'closed' && this.#link.open) void this.#start(); // it was refused before
    if (this.#state !== 'open') await this.#link.wait(options, among(this.#openers));
  }

  close(): void {
    if (!this.#wanted) return;
    if (this.#link.open && this.#state !== 'closed') this.#link.direct(this.name, '3', 'null').catch(() => {});
    this.#kept.clear();
    this.#left(new XSocketsError('closed', 'The controller was closed'), true, [...this.#subscriptions.values()]);
  }

  /** The server closed it, unasked. */
  closed(): void {
    if (this.#state !== 'closed')
      this.#left(new XSocketsError('closed', 'The server closed the controller'), false, []);
  }

  // Subscriptions went with the controller: an unsubscribe would open it again.
  #left(error: Error, quiet: boolean, leaving: Subscribed[]): void {
    const was = this.lost();
    this.#wanted = false;
    this.#leaveAll(leaving, error);
    this.#link.forget(this.name, error);
    this.ended(error, quiet);
    if (was) this.#emit('close', { lost: false });
  }

  /** Is used, so it should be open. */
  #use(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    if (this.#link.open) this.restore();
  }

  /** Says on a new connection what the user wants of this controller. Settles when all of it was
   * answered. */
  restore(): Promise<unknown> {
    if (!this.#wanted) return Promise.resolve();
    const answers: Promise<unknown>[] = [this.#start()];
    for (const [topic, json] of this.#kept) {
      const refused = (error: Error): void => {
        if (!isServerError(error)) return;
        this.#kept.delete(topic);
        this.#link.raise(error, this.name, topic);
      };
      answers.push(this.#link.direct(this.name, topic, json).catch(refused));
    }
    for (const subscribed of this.#subscriptions.values()) answers.push(this.#send(subscribed));
    return Promise.all(answers);
  }

  async #start(): Promise<void> {
    this.#state = 'opening';
    try {
      await this.#link.direct(this.name, '1', 'null');
      if (this.#state === 'opening') this.opened(this.#id);
    } catch (error) {
      if (!isServerError(error)) return;
      if (this.#state === 'opening') this.#state = 'closed';
      if (this.#openers.size === 0) this.#link.raise(error, this.name);
      settle(this.#openers, (waiter) => waiter.reject(error));
    }
  }

  /** The server says that it is open. */
  opened(id: string | undefined): void {
    if (!this.#wanted || (this.#state === 'open' && this.#id === id)) return;
    this.#state = 'open';
    this.#id = id;
    settle(this.#openers, (waiter) => waiter.resolve());
    this.#emit('open', { id });
  }

  /** The connection is gone. True if it was open. */
  lost(): boolean {
    const was = this.#state === 'open';
    this.#state = 'closed';
    this.#id = undefined;
    for (const subscribed of this.#subscriptions.values()) {
      subscribed.sent = undefined;
      subscribed.confirmed = false;
    }
    return was;
  }

  tellLost(): void {
    this.#emit('close', { lost: true });
  }

  /** Nobody will come back by itself: whoever waits is told. `quiet`: streams just end. */
  ended(error: Error, quiet: boolean): void {
    settle(this.#openers, (waiter) => waiter.reject(error));
    for (const { shares } of this.#subscriptions.values())
      for (const share of [...shares]) share.waiter?.reject(error);
    for (const stream of [...this.#streams]) stream.end(quiet ? undefined : error);
  }

  // ---- saying ----

  async invoke(topic: string, data?: unknown, options?: InvokeOptions): Promise<unknown> {
    return (await this.request(topic, data, options))?.data;
  }

  async request(topic: string, data?: unknown, options?: InvokeOptions): Promise<Message | undefined> {
    const json = toJson(data);
    this.#use();
    return this.#link.ask(this.name, fold(topic), json, options);
  }

  publish(topic: string, data?: unknown, options?: PublishOptions): void {
    const json = toJson(data);
    this.#use();
    this.#link.tell(this.name, fold(topic), json, options);
  }

  async set(name: string, value: unknown, options: SetOptions = {}): Promise<void> {
    const topic = 'set_' + fold(name);
    const json = toJson(value);
    let before: string | undefined;
    // What is kept changes when it is said, not before: what waits in front of it in the outbox still
    // finds the old value.
    const written = (): void => {
      before = this.#kept.get(topic);
      if (options.keep ?? before !== undefined) this.#kept.set(topic, json);
      else this.#kept.delete(topic);
    };
    this.#use();
    try {
      await this.#link.ask(this.name, topic, json, options, written);
    } catch (error) {
      if (isServerError(error) && this.#kept.get(topic) === json) {
        if (before === undefined) this.#kept.delete(topic);
        else this.#kept.set(topic, before);
      }
      throw error;
    }
  }

  get(name: string, options?: CallOptions): Promise<unknown> {
    return this.invoke('get_' + name, undefined, options);
  }

  // ---- listening ----

  on(topic: string, handler: Handler): () => void {
    this.#use();
    return this.#listen(fold(topic), { handler, share: false });
  }

  off(topic: string, handler?: Handler): void {
    const key = fold(topic);
    for (const listening of this.#listeners(key).get(key) ?? [])
      if (!listening.share && (!handler || listening.handler === handler)) this.#unlisten(key, listening);
  }

  #listeners(topic: string): Map<string, Set<Listening>> {
    return isFilter(topic) ? this.#filters : this.#exact;
  }

  #listen(topic: string, listening: Listening): () => void {
    const listeners = this.#listeners(topic);
    listeners.set(topic, (listeners.get(topic) ?? new Set()).add(listening));
    return () => this.#unlisten(topic, listening);
  }

  #unlisten(topic: string, listening: Listening): void {
    const listeners = this.#listeners(topic);
    const all = listeners.get(topic);
    all?.delete(listening);
    if (all?.size === 0) listeners.delete(topic);
  }

  deliver(message: Message): void {
    const found = [this.#exact.get(message.topic)];
    for (const [filter, all] of this.#filters) if (matches(filter, message.topic)) found.push(all);
    // Who leaves while others are told is not told any more.
    for (const all of found)
      for (const listening of [...(all ?? [])]) if (all!.has(listening)) call(listening.handler, message);
  }

  // ---- subscribing ----

  async subscribe(topic: string, handler?: Handler, options: CallOptions = {}): Promise<Subscription> {
    if (options.signal?.aborted) throw options.signal.reason;
    const [subscribed, share] = this.#share(fold(topic), handler);
    await this.#confirmation(subscribed, share, options);
    return { topic: subscribed.topic, unsubscribe: () => this.#leave(subscribed, share) };
  }

  unsubscribe(topic: string, handler?: Handler): void {
    const subscribed = this.#subscriptions.get(fold(topic));
    if (!subscribed) return;
    for (const share of [...subscribed.shares])
      if (!handler || share.handler === handler) this.#leave(subscribed, share);
  }

  #share(topic: string, handler: Handler | undefined): [Subscribed, Share] {
    this.#use();
    let subscribed = this.#subscriptions.get(topic);
    if (!subscribed) {
      subscribed = { topic, shares: new Set(), sent: undefined, confirmed: false };
      this.#subscriptions.set(topic, subscribed);
    }
    const share: Share = { handler, listening: handler && { handler, share: true }, refused: undefined, waiter: undefined };
    subscribed.shares.add(share);
    if (share.listening) this.#listen(topic, share.listening);
    if (this.#link.open && !subscribed.sent) void this.#send(subscribed);
    return [subscribed, share];
  }

  async #confirmation(subscribed: Subscribed, share: Share, options: CallOptions): Promise<void> {
    if (subscribed.confirmed) return;
    try {
      await this.#link.wait<void>(options, (waiter) => {
        share.waiter = waiter;
        return () => { share.waiter = undefined; };
      });
    } catch (error) {
      this.#leave(subscribed, share);
      throw error;
    }
  }

  #send(subscribed: Subscribed): Promise<unknown> {
    const sent = this.#link.direct(this.name, '5', toJson({ T: subscribed.topic, A: true })).then(
      () => this.#confirmed(subscribed),
      (error) => { if (subscribed.sent === sent && isServerError(error)) this.#refused(subscribed, error); },
    );
    subscribed.sent = sent;
    return sent;
  }

  /** `__topic` came without the number of a request. */
  confirmed(topic: string): void {
    const subscribed = this.#subscriptions.get(topic);
    if (subscribed) this.#confirmed(subscribed);
  }

  #confirmed(subscribed: Subscribed): void {
    subscribed.confirmed = true;
    for (const { waiter } of [...subscribed.shares]) waiter?.resolve();
  }

  #refused(subscribed: Subscribed, error: Error): void {
    const shares = [...subscribed.shares];
    subscribed.sent = undefined; // there is nothing to take back at the server
    if (!shares.some(({ waiter }) => waiter)) this.#link.raise(error, this.name, subscribed.topic);
    for (const share of shares) share.refused?.(error);
    this.#leaveAll([subscribed], error);
  }

  #leaveAll(all: Subscribed[], error: Error): void {
    for (const subscribed of all)
      for (const share of [...subscribed.shares]) this.#leave(subscribed, share, error);
  }

  #leave(subscribed: Subscribed, share: Share, error: Error = new XSocketsError('closed', 'Unsubscribed')): void {
    const { topic, shares, sent } = subscribed;
    if (!shares.delete(share)) return;
    share.waiter?.reject(error);
    if (share.listening) this.#unlisten(topic, share.listening);
    if (shares.size > 0) return;
    this.#subscriptions.delete(topic);
    subscribed.sent = undefined;
    if (sent && this.#link.open) this.#link.mention(this.name, '6', toJson({ T: topic, A: false }));
  }

  // ---- streams ----

  messages(topic: string, options: StreamOptions = {}): Stream {
    const { buffer = 256, overflow = 'drop-oldest', subscribe = true, signal } = options;
    const stream = new Stream(buffer, overflow);
    if (signal?.aborted) {
      stream.close();
      return stream;
    }
    const handler = (_data: unknown, message: Message): void => stream.push(message);
    const over = (): void => stream.close();
    const leave = subscribe ? this.#streamed(fold(topic), handler, stream) : this.on(topic, handler);
    signal?.addEventListener('abort', over);
    this.#streams.add(stream);
    stream.begin(() => {
      signal?.removeEventListener('abort', over);
      this.#streams.delete(stream);
      leave();
    });
    return stream;
  }

  #streamed(topic: string, handler: Handler, stream: Stream): () => void {
    const [subscribed, share] = this.#share(topic, handler);
    share.refused = (error) => stream.end(error);
    this.#confirmation(subscribed, share, {}).catch((error: unknown) => stream.end(error));
    return () => this.#leave(subscribed, share);
  }

  #emit(type: string, detail: unknown): void {
    this.dispatchEvent(new XSocketsEvent(type, detail));
  }
}

function isServerError(error: unknown): error is XSocketsError {
  return error instanceof XSocketsError && error.code === 'server';
}

/** Waits among others. */
function among(waiters: Set<Waiter<void>>): (waiter: Waiter<void>) => () => void {
  return (waiter) => {
    waiters.add(waiter);
    return () => void waiters.delete(waiter);
  };
}

function settle(waiters: Set<Waiter<void>>, how: (waiter: Waiter<void>) => void): void {
  const all = [...waiters];
  waiters.clear();
  all.forEach(how);
}

function call(handler: Handler, message: Message): void {
  try {
    handler(message.data, message);
  } catch (error) {
    report(error);
  }
}
