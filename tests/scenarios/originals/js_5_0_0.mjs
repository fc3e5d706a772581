// js_5_0_0 - the JavaScript client 5.0.0. It connects when it is made, parses the D of every message, and takes T 2 with and
// without ClientInfo. Its long-polling fallback is not here.
//
//   const { XSockets } = js_5_0_0(page);
//   const conn = new XSockets.WebSocket('ws://127.0.0.1:4502', ['chat']);
import { Buffer } from 'node:buffer';
import crypto from 'node:crypto';

const INIT = '1', OPEN = '2', CLOSE = '3', ERROR = '4', SUBSCRIBE = '5', UNSUBSCRIBE = '6', PING = '7', PONG = '8';
const SET = 's1', GET = 's2', REMOVE = 's3', CLEAR = 's4';
const ON_ERROR = undefined; // XSockets.Events.onError, which this version lacks: no message is ever one

function envelope(topic, data, controller) {
    return JSON.stringify({ T: topic, D: JSON.stringify(data), C: controller });
}

function parse(text, binary) {
    const { T, D, C } = JSON.parse(text);
    return { topic: T, controller: C, data: JSON.parse(D), binary };
}

// Resolves once; a callback that comes later hears it too.
class Deferred {
    constructor() {
        this.callbacks = [];
        this.promise = { then: (callback) => this.result ? callback(...this.result) : this.callbacks.push(callback) };
    }

    resolve(...values) {
        if (this.result) return;
        this.result = values;
        for (const callback of this.callbacks.splice(0)) callback(...values);
    }
}

class Subscription {
    constructor(topic, callback, count) {
        this.topic = topic.toLowerCase();
        this.callback = callback;
        this.count = count;
    }

    fire(message, finished) {
        this.callback(message, this.topic);
        if (this.count && --this.count === 0) finished(this);
    }
}

class Controller {
    constructor(name, connection) {
        this.name = name;
        this.connection = connection;
        this.promises = {};
        this.subscriptions = [];
    }

    send(topic, data, controller = this.name) {
        this.connection.send(envelope(topic, data, controller));
    }

    awaited(key) {
        this.promises[key] = new Deferred();
        return this.promises[key].promise;
    }

    close() {
        this.send(CLOSE, {});
        return this;
    }

    // `s2:key` as it was typed is what T must be.
    stored(topic, data, key, callback) {
        const promise = this.awaited(`${topic}:${key}`);
        this.send(topic, data);
        if (callback) promise.then(callback);
        return promise;
    }

    storageSet(key, value) {
        return this.stored(SET, { K: key, V: typeof value === 'object' ? JSON.stringify(value) : value }, key);
    }

    storageGet(key, callback) {
        return this.stored(GET, { K: key }, key, callback);
    }

    storageRemove(key, callback) {
        return this.stored(REMOVE, { K: key }, key, callback);
    }

    storageClear(callback) {
        return this.stored(CLEAR, {}, crypto.randomBytes(4).toString('hex'), callback);
    }

    setProperty(name, value) {
        const plain = Array.isArray(value) || !(value instanceof Object);
        this.send(`set_${name.toLowerCase()}`, plain ? { value } : value);
    }

    setEnum(name, value) {
        this.send(`set_${name.toLowerCase()}`, value);
    }

    addListener(topic, callback, count) {
        this.subscriptions.push(new Subscription(topic, callback, count));
    }

    on(topic, callback) {
        this.addListener(topic, callback);
    }

    disposeListener(topic) {
        const at = this.subscriptions.findIndex((one) => one.topic === topic.toLowerCase());
        if (at >= 0) this.subscriptions.splice(at, 1);
        return this;
    }

    // Without metadata the header has no D.
    invokeBinary(topic, arrayBuffer, data) {
        const header = envelope(topic.toLowerCase(), data, this.name);
        const length = Buffer.alloc(8);
        length.writeBigUInt64LE(BigInt(header.length));
        this.connection.send(Buffer.concat([length, Buffer.from(header, 'latin1'), Buffer.from(arrayBuffer)]));
        return this;
    }

    invoke(topic, data) {
        this.send(topic.toLowerCase(), data);
        return this.awaited(topic.toLowerCase());
    }

    publish(topic, data) {
        this.send(topic, data);
    }

    // Counts itself and unsubscribes behind the last.
    many(topic, count, callback, confirmed) {
        this.send(SUBSCRIBE, { T: topic, A: Boolean(confirmed) });
        if (confirmed) this.addListener(`__${topic}`, confirmed);
        this.addListener(topic, callback, count);
        return this;
    }

    subscribe(topic, callback, confirmed) {
        return this.many(topic, undefined, callback, confirmed);
    }

    one(topic, callback, confirmed) {
        return this.many(topic, 1, callback, confirmed);
    }

    unsubscribe(topic) {
        this.send(UNSUBSCRIBE, { T: topic.toLowerCase() });
        return this.disposeListener(topic);
    }
}

// A socket with a queue for what is sent before it is open.
class Connection {
    constructor(page, url, events) {
        this.page = page;
        this.queue = [];
        this.socket = new page.WebSocket(url, 'XSocketsNET');
        this.socket.binaryType = 'arraybuffer';
        Object.assign(this.socket, events, {
            onopen: (event) => {
                for (const data of this.queue.splice(0)) this.socket.send(data);
                events.onopen(event);
            },
        });
    }

    send(data) {
        if (this.socket.readyState === this.page.WebSocket.CONNECTING) this.queue.push(data);
        else if (this.socket.readyState === this.page.WebSocket.OPEN) this.socket.send(data);
    }
}

class WebSocketClient {
    // The URL keeps its path, whose last part names the controller if none is given; its query becomes parameters.
    constructor(page, url, controllers, parameters = {}) {
        const { protocol, host, pathname, searchParams } = new URL(url);
        this.page = page;
        this.absoluteUrl = `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
        this.parameters = { ...Object.fromEntries(searchParams), ...parameters };
        const known = page.localStorage.getItem(this.absoluteUrl);
        if (known) this.parameters.persistentId = known;
        this.reconnects = { enabled: false, timeOut: 5000 };
        this.registered = new Map();
        this.onconnected = this.ondisconnected = this.onerror = () => {};
        this.connect();
        for (const name of controllers ?? [pathname.slice(pathname.lastIndexOf('/') + 1).toLowerCase()]) this.controller(name);
    }

    connect() {
        const pairs = Object.entries(this.parameters).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
        this.connection = new Connection(this.page, this.absoluteUrl + (pairs.length ? `?${pairs.join('&')}` : ''), {
            onopen: (event) => this.onconnected(event),
            onmessage: ({ data }) => typeof data === 'string' ? this.text(data) : this.binary(data),
            onerror: (event) => this.onerror(event),
            onclose: (event) => this.closed(event),
        });
    }

    closed(event) {
        this.ondisconnected(event);
        if (!this.reconnects.enabled || this.reconnects.timer) return;
        this.reconnects.timer = this.page.time.setTimeout(() => {
            this.reconnects.timer = undefined;
            this.reconnect();
        }, this.reconnects.timeOut);
    }

    // Every controller is opened again, with the callbacks it had; nothing is subscribed again.
    reconnect() {
        this.connect();
        for (const controller of this.registered.values()) {
            controller.connection = this.connection;
            controller.send(INIT, { init: true });
        }
    }

    setAutoReconnect(timeout = 5000) {
        this.reconnects.timeOut = timeout;
        this.reconnects.enabled = true;
        return this;
    }

    disconnect() {
        this.connection.socket.close();
    }

    controller(name) {
        const key = name.toLowerCase();
        if (!this.registered.has(key)) this.register(key);
        return this.registered.get(key);
    }

    register(name) {
        const controller = new Controller(name, this.connection);
        this.registered.set(name, controller);
        controller.send(INIT, { init: true });
        controller.addListener(CLOSE, (info) => {
            const told = this.info(info);
            controller.onclose?.(told);
        });
        controller.addListener(OPEN, (info) => {
            controller.clientInfo = this.info(Object.hasOwn(info, 'ClientInfo') ? info.ClientInfo : info);
            controller.onopen?.(controller.clientInfo);
            this.page.localStorage.setItem(this.absoluteUrl, controller.clientInfo.persistentId);
        });
        controller.addListener(ERROR, (error) => {
            controller.onerror?.(error.data);
            this.onerror(error);
        });
    }

    // CI, PI and C are all needed.
    info({ CI, PI, C }) {
        if ([CI, PI, C].some((value) => typeof value !== 'string')) this.page.fault('opened or closed without CI, PI or C');
        const info = { persistentId: PI, connectionId: CI, controller: C };
        this.page.localStorage.setItem(C, JSON.stringify(info));
        return info;
    }

    text(text) {
        const { topic, data, controller } = parse(text);
        if (String(topic) === PING) return this.connection.send(`{'T':'${PONG}','D':'${data}','C':''}`);
        if (topic === ON_ERROR) return this.onerror(data);
        return this.dispatch(topic, data, controller);
    }

    binary(data) {
        const bytes = Buffer.from(data);
        const size = Number(bytes.readBigUInt64LE(0));
        const message = parse(bytes.subarray(8, 8 + size).toString('latin1'), new Uint8Array(bytes.subarray(8 + size)));
        // Metadata that is no object is parsed once more.
        if (typeof message.data !== 'object') message.data = JSON.parse(message.data);
        this.dispatch(message.topic, message, message.controller.toLowerCase());
    }

    // A subscription, a promise, a member of that name and onmessage: all that there are.
    dispatch(topic, message, name) {
        const controller = this.registered.get(name);
        if (controller === undefined) return;
        const subscription = controller.subscriptions.find((one) => one.topic === topic);
        subscription?.fire(message, () => controller.unsubscribe(topic));
        if (Object.hasOwn(controller.promises, topic)) controller.promises[topic].resolve(message);
        if (Object.hasOwn(controller, topic)) controller[topic](message);
        controller.onmessage?.(message, topic, name);
    }
}

export function js_5_0_0(page) {
    return {
        XSockets: {
            Version: '5.0.0',
            WebSocket: class WebSocket extends WebSocketClient {
                constructor(url, controllers, parameters) {
                    super(page, url, controllers, parameters);
                }
            },
        },
    };
}
