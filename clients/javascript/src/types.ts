// types - the public interface: what a page or a program may rely on.

/**
 * What a controller is about, for `client.controller<Chat>('chat')`. Every part may be left out;
 * what is left out is `any`.
 *
 *   interface Chat {
 *     calls: { say(text: string): void; who(): string[] };
 *     topics: { say: string; [news: `news/${string}`]: Score };
 *     properties: { room: string };
 *   }
 */
export interface Contract {
  /** What `invoke` and `publish` may say: topic, data, reply. */
  calls?: object;
  /** What one hears: topic and data. */
  topics?: object;
  /** What `set` and `get` know. */
  properties?: object;
}

// An untyped controller takes anything.
type AnyCalls = Record<string, (data?: any) => any>;
type Values = Record<string, any>;
export type CallsOf<C> = C extends { calls: infer F } ? F : AnyCalls;
export type TopicsOf<C> = C extends { topics: infer T } ? T : Values;
export type PropertiesOf<C> = C extends { properties: infer P } ? P : Values;

/** The names in a part of a contract. */
export type NameOf<T> = keyof T & string;
/** A topic one can hear, or a filter with `+` (one level) or `#` (the rest). */
export type FilterOf<C> = NameOf<TopicsOf<C>> | `${string}+${string}` | `${string}#`;
/** The data behind a topic; behind a filter, that of any topic. */
export type DataOf<C, K> = K extends keyof TopicsOf<C> ? TopicsOf<C>[K] : TopicsOf<C>[keyof TopicsOf<C>];
/** What may be published under a topic: the argument of a call, or the data of a topic. */
export type PublishedOf<C, K> = K extends keyof CallsOf<C>
  ? CallsOf<C>[K] extends (...args: infer A) => unknown ? A[0] : never
  : K extends keyof TopicsOf<C> ? TopicsOf<C>[K] : never;
/** The arguments of `invoke` behind the topic. */
export type ArgsOf<F> = F extends (...args: infer A) => unknown
  ? A extends [] ? [data?: null, options?: InvokeOptions]
    : A extends [infer D] ? [data: D, options?: InvokeOptions]
      : [data?: A[0], options?: InvokeOptions]
  : never;
export type ReplyOf<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never;

/** Bytes that go beside the data of a message. */
export type Bytes = ArrayBuffer | ArrayBufferView;

/** What came. */
export interface Message<D = any> {
  /** In lower case. */
  readonly controller: string;
  /** The real topic, in lower case, also where a filter led here. */
  readonly topic: string;
  readonly data: D;
  /** Of a binary message; `data` then is what was said about the bytes. */
  readonly bytes?: Uint8Array;
}

export type Handler<D = any> = (data: D, message: Message<D>) => void;

export interface CallOptions {
  /** Milliseconds until the promise rejects with the code `timeout`, the time spent waiting for a
   * connection included. 0: never. Default: the client's `timeout`. */
  timeout?: number;
  /** Rejects the promise with the signal's reason. A message that has not been sent yet never
   * will be. */
  signal?: AbortSignal;
}

export interface InvokeOptions extends CallOptions {
  /** Makes the message a binary one. */
  bytes?: Bytes;
}

export interface SetOptions extends CallOptions {
  /** true: set it again after every reconnect, before anything else is said. false: no longer. If
   * it is left out, a property that is kept stays kept, with the new value. */
  keep?: boolean;
}

export interface PublishOptions {
  /** Makes the message a binary one. */
  bytes?: Bytes;
  /** Takes back a message that has not been sent yet. */
  signal?: AbortSignal;
}

export type Overflow = 'drop-oldest' | 'drop-newest' | 'error';

export interface StreamOptions {
  /** How many messages may wait to be read. Default 256. */
  buffer?: number;
  /** What gives way when more come. `error`: what waits can still be read, then the loop
   * throws. Default `drop-oldest`. */
  overflow?: Overflow;
  /** false: only listen, for topics that the server sends to everybody. Default true. */
  subscribe?: boolean;
  /** Ends the stream. */
  signal?: AbortSignal;
}

/** Messages in the order in which they came. Listens from the moment it is made until the loop is
 * left, `close()`, the signal, or the end of the client. */
export interface MessageStream<D = any> extends AsyncIterableIterator<Message<D>> {
  /** Messages given up so far because the buffer was full. */
  readonly dropped: number;
  /** Messages that wait to be read. */
  readonly size: number;
  close(): void;
}

/** One handler's share of a subscription. */
export interface Subscription {
  readonly topic: string;
  /** Ends it; the last one to leave a topic tells the server. May be called twice. */
  unsubscribe(): void;
}

export type ControllerState = 'closed' | 'opening' | 'open';

export interface ControllerEvents {
  /** The server has opened it: the first time, and again after every reconnect. */
  open: XSocketsEvent<{ id: string }>;
  /** It was closed by either side, or the connection was lost. */
  close: XSocketsEvent<{ lost: boolean }>;
}

/** One controller of the server. `client.controller(name)` gives the same one for the same name. */
export interface Controller<C = {}> extends EventTarget {
  /** In lower case. */
  readonly name: string;
  readonly state: ControllerState;
  /** The server's id of this instance, while it is open. */
  readonly id: string | undefined;

  /** Resolves when it is open. Needed only to know: everything else opens it by itself. */
  open(options?: CallOptions): Promise<void>;
  /** Leaves it: its subscriptions end, its kept properties are forgotten, what waits for an answer
   * rejects with the code `closed`. */
  close(): void;

  /** Calls an action: resolves to the data of the reply, to `undefined` if there is none. Rejects
   * with a `ServerError` when the server answers with an error. */
  invoke<K extends NameOf<CallsOf<C>>>(topic: K, ...args: ArgsOf<CallsOf<C>[K]>): Promise<ReplyOf<CallsOf<C>[K]>>;
  /** The same with the whole message as the answer, for replies with bytes. */
  request<K extends NameOf<CallsOf<C>>>(
    topic: K, ...args: ArgsOf<CallsOf<C>[K]>): Promise<Message<ReplyOf<CallsOf<C>[K]>> | undefined>;
  /** Says something and asks for no answer; an error of the server comes as an `error` event.
   * Throws `XSocketsError` with the code `full` or `closed` when it cannot be taken. */
  publish<K extends NameOf<CallsOf<C>> | NameOf<TopicsOf<C>>>(
    topic: K, data?: PublishedOf<C, K>, options?: PublishOptions): void;

  /** Calls the handler for what comes under this topic or filter; subscribes to nothing. Gives the
   * function that ends it. */
  on<K extends FilterOf<C>>(topic: K, handler: Handler<DataOf<C, K>>): () => void;
  /** Without a handler: all handlers of the topic. Subscriptions stay. */
  off<K extends FilterOf<C>>(topic: K, handler?: Handler<DataOf<C, K>>): void;

  /** Subscribes at the server; resolves when it has confirmed. Subscribed again by itself after a
   * reconnect. All subscribers of a topic share one subscription at the server. */
  subscribe<K extends FilterOf<C>>(
    topic: K, handler?: Handler<DataOf<C, K>>, options?: CallOptions): Promise<Subscription>;
  /** Ends the subscriptions of this handler, without one all of the topic. */
  unsubscribe<K extends FilterOf<C>>(topic: K, handler?: Handler<DataOf<C, K>>): void;

  /** `for await (const { topic, data } of chat.messages('news/#'))` */
  messages<K extends FilterOf<C>>(topic: K, options?: StreamOptions): MessageStream<DataOf<C, K>>;

  /** Sets a property of this client's controller; resolves when the server has taken it. */
  set<K extends NameOf<PropertiesOf<C>>>(name: K, value: PropertiesOf<C>[K], options?: SetOptions): Promise<void>;
  get<K extends NameOf<PropertiesOf<C>>>(name: K, options?: CallOptions): Promise<PropertiesOf<C>[K]>;

  addEventListener<K extends keyof ControllerEvents>(
    type: K, listener: Listener<ControllerEvents[K]> | null, options?: ListenOptions | boolean): void;
  removeEventListener<K extends keyof ControllerEvents>(
    type: K, listener: Listener<ControllerEvents[K]> | null, options?: ListenOptions | boolean): void;
}

/**
 * idle        not started
 * connecting  a connection is being made
 * open        the server has answered; messages go out
 * waiting     the connection is away; the next attempt has its time
 * closed      ended, by close() or for good; open() starts again
 */
export type ClientState = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

export interface ReconnectOptions {
  /** Milliseconds; attempt n waits a random time between 0 and min(cap, base * 2^n). Default 1000. */
  base?: number;
  /** Milliseconds. Default 30000. */
  cap?: number;
  /** Attempts in a row before the client gives up. Default: it never does. */
  attempts?: number;
  /** Asked before every wait. false: close for good. A number: wait so many milliseconds.
   * undefined: as without it. */
  decide?: (why: Loss, attempt: number) => number | false | undefined;
}

/** Why a connection ended or could not be made. */
export interface Loss {
  /** RFC 6455 section 7.4.1; 1006 when there was no close frame. */
  readonly code: number;
  readonly reason: string;
  readonly error: Error | undefined;
}

/** Where the persistent id lives between connections and visits. Keys are the URL as given. */
export interface Store {
  get(key: string): string | null | undefined | PromiseLike<string | null | undefined>;
  set(key: string, id: string): unknown;
}

export type Query = Record<string, string | number | boolean | undefined>;

export interface ClientOptions {
  /** Where there is no global WebSocket (Node 20), the class of a package such as `ws`. */
  WebSocket?: WebSocketConstructor;
  /** Go into the query of the URL. A function is asked before every connection. */
  parameters?: Query | (() => Query | PromiseLike<Query>);
  /** false: the first loss is the end. */
  reconnect?: ReconnectOptions | false;
  /** What waits while there is no connection: messages (1000) and their bytes (1 MiB). */
  outbox?: { messages?: number; bytes?: number };
  /** Milliseconds for the answer to a request. Default 30000; 0: no limit. */
  timeout?: number;
  /** Milliseconds for a connection to come about. Default 10000; 0: no limit. */
  connectTimeout?: number;
  /** A text ping after `interval` ms of silence (30000); nothing for `timeout` ms (10000) behind it
   * is a loss. */
  heartbeat?: { interval?: number; timeout?: number } | false;
  /** Where the persistent id is kept. Default: localStorage where there is one, else memory. false:
   * none is kept or sent. */
  store?: Store | false;
  /** What the client takes from its surroundings, for tests and unusual places. */
  platform?: Partial<Platform>;
}

export interface ClientEvents {
  /** The server has answered; also after a reconnect. */
  open: XSocketsEvent<{ reconnected: boolean }>;
  /** It is over for good: `why` says how. */
  close: XSocketsEvent<Loss & { why: CloseReason }>;
  /** The connection was lost, or an attempt failed; the next comes in `delay` milliseconds. */
  reconnecting: XSocketsEvent<Loss & { attempt: number; delay: number }>;
  /** After a reconnect, when every subscription is confirmed again: what was published in the last
   * `away` milliseconds was missed. The time to fetch anew. */
  gap: XSocketsEvent<{ away: number }>;
  statechange: XSocketsEvent<{ state: ClientState; previous: ClientState }>;
  /** What nobody waits for: an error of the server, garbage, a subscription that was not renewed. */
  error: XSocketsEvent<{ error: Error; controller?: string; topic?: string }>;
  /** Every message of every controller but the answers to requests. */
  message: XSocketsEvent<Message>;
}

/**
 * closed        close() was called
 * refused       the server does not want this client (close code 1008, topic 0)
 * unauthorized  authentication failed (topic 0)
 * exhausted     `reconnect` is false, or its attempts are used up, or `decide` said so
 * failed        no connection can ever be made: no WebSocket, a URL it does not take
 */
export type CloseReason = 'closed' | 'refused' | 'unauthorized' | 'exhausted' | 'failed';

export interface Client extends EventTarget {
  /** As given. */
  readonly url: string;
  readonly state: ClientState;
  /** Known when the first controller is open, or from the store. */
  readonly persistentId: string | undefined;
  /** Messages that wait for a connection. */
  readonly waiting: number;

  /** Starts. Resolves when the client is open, also if that takes many attempts; rejects when it
   * is closed for good before. It may be ignored: events tell the same. */
  open(): Promise<this>;
  /** Ends it: what waits rejects with the code `closed`. Resolves when the socket is gone. */
  close(): Promise<void>;
  /** While waiting: tries now. While open: sees whether the server is still there. Pages do it
   * by themselves when they become visible or online. */
  retry(): void;
  /** The controller of that name, without regard to case; the server opens it. */
  controller<C = {}>(name: string): Controller<C>;

  addEventListener<K extends keyof ClientEvents>(
    type: K, listener: Listener<ClientEvents[K]> | null, options?: ListenOptions | boolean): void;
  removeEventListener<K extends keyof ClientEvents>(
    type: K, listener: Listener<ClientEvents[K]> | null, options?: ListenOptions | boolean): void;
}

export interface ConnectOptions extends ClientOptions {
  /** Gives up: closes the client and rejects. Of no meaning once it is open. */
  signal?: AbortSignal;
}

/**
 * server       the server answered with an error (`ServerError`)
 * timeout      no answer in time
 * lost         the connection ended after the message was sent and before its answer came
 * closed       the client or the controller is closed
 * full         the outbox is full
 * overflow     a stream with the policy `error` was not read fast enough
 * refused      the server does not want this client
 * unauthorized authentication failed
 * protocol     the server sent what is no message
 * failed       no connection could be made
 */
export type ErrorCode =
  | 'server' | 'timeout' | 'lost' | 'closed' | 'full' | 'overflow'
  | 'refused' | 'unauthorized' | 'protocol' | 'failed';

/** All events: what there is to say is in `detail`. */
export interface XSocketsEvent<D> extends Event {
  readonly detail: D;
}

export type Listener<E> = ((event: E) => void) | { handleEvent(event: E): void };

export interface ListenOptions {
  once?: boolean;
  passive?: boolean;
  capture?: boolean;
  signal?: AbortSignal;
}

/** What is needed of a WebSocket. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(data: any): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

export interface Platform {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: any): void;
  /** In [0, 1). */
  random(): number;
  /** Where `online`, `offline`, `pageshow` and `pagehide` happen. */
  window: EventTargetLike | undefined;
  /** Where `visibilitychange` happens. */
  document: (EventTargetLike & { readonly visibilityState: string }) | undefined;
}

export interface EventTargetLike {
  addEventListener(type: string, listener: (event: any) => void): void;
  removeEventListener(type: string, listener: (event: any) => void): void;
}
