// js_6_0_1 - the JavaScript client 6.0.1. 6.1.0 and 6.2.0 are told by what they changed.
//
//   const { xsockets } = js_6_0_1(page);
//   const conn = new xsockets.client('ws://127.0.0.1:4502', ['chat']);
import { Buffer } from 'node:buffer';

const INIT = '1', OPEN = '2', CLOSE = '3', ERROR = '4', SUBSCRIBE = '5', UNSUBSCRIBE = '6', AUTHENTICATION_FAILED = '0';

// What JSON.parse does not refuse goes out as it is: 42, true, null and [1] raw, '42' and '{"a":1}' as if they were JSON.
function isJson(data) {
    try {
        JSON.parse(data);
        return true;
    } catch {
        return false;
    }
}

export class Message {
    constructor(controller, topic, data, binary) {
        this.C = controller;
        this.T = topic;
        this.D = isJson(data) ? data : JSON.stringify(data);
        this.B = binary;
    }

    // undefined members are left out.
    toString() {
        const { C, D, T, Q, R, I } = this;
        return JSON.stringify({ C, D, T, Q, R, I });
    }

    // The header in Latin-1: of a character beyond it the low byte is sent. Its length is that of the string.
    toBuffer() {
        const header = this.toString();
        const length = Buffer.alloc(8);
        length.writeBigUInt64LE(BigInt(header.length));
        return Buffer.concat([length, Buffer.from(header, 'latin1'), Buffer.from(this.B)]);
    }

    static fromBuffer(data) {
        const bytes = Buffer.from(data);
        const size = Number(bytes.readBigUInt64LE(0));
        // It was one call of String.fromCharCode with so many arguments.
        if (size > 65535) throw new RangeError('Maximum call stack size exceeded');
        const header = JSON.parse(bytes.subarray(8, 8 + size).toString('latin1'));
        const message = new Message(header.C, header.T, header.D || '{}', new Uint8Array(bytes.subarray(8 + size)));
        if (typeof message.D !== 'object') message.D = JSON.parse(message.D);
        return message;
    }
}

export class Controller {
    constructor(transport, name) {
        this.transport = transport;
        this.name = name;
        this.isOpen = false;
        this.subscriptions = {};
        this.promises = {};
        this.onOpen = () => {};
        this.onClose = () => {};
        this.onMessage = () => {};
    }

    send(message) {
        this.transport.socket.send(message);
    }

    // T as it came, compared with ===.
    dispatchEvent(message) {
        switch (message.T) {
        case OPEN: {
            this.isOpen = true;
            const info = JSON.parse(message.D);
            this.transport.setPersistentId(info.PI);
            this.opened(info, message.D);
            break;
        }
        case CLOSE:
            this.isOpen = false;
            this.onClose();
            break;
        default:
            this.deliver(message);
        }
    }

    opened(info, text) {
        this.onOpen(text);
    }

    // A promise goes before a callback, and once.
    deliver(message) {
        const { T, D, B } = message;
        const promise = this.promises[T], callback = this.subscriptions[T];
        if (promise !== undefined) {
            promise(B === undefined ? JSON.parse(D) : D);
            delete this.promises[T];
        } else if (callback !== undefined) {
            callback(B === undefined ? JSON.parse(D) : { binary: B, metadata: D });
        } else {
            this.onMessage(message);
        }
    }

    open() {
        if (this.transport.isConnected() && !this.isOpen) this.send(new Message(this.name, INIT));
    }

    close(dispose = false) {
        if (this.transport.isConnected() && this.isOpen) this.send(new Message(this.name, CLOSE));
        this.onClose();
        if (dispose) this.transport.disposeController(this);
    }

    on(topic, callback) {
        if (typeof callback === 'function') this.subscriptions[topic.toLowerCase()] = callback;
        if (typeof callback === 'undefined') this.off(topic);
    }

    off(topic) {
        delete this.subscriptions[topic.toLowerCase()];
    }

    invoke(topic, data = '') {
        const name = topic.toLowerCase();
        if (this.transport.isConnected()) this.send(new Message(this.name, name, data));
        return this.promised(name);
    }

    promised(name) {
        return { then: (callback) => { this.promises[name] = callback; } };
    }

    invokeBinary(topic, arrayBuffer, data) {
        this.send(new Message(this.name, topic.toLowerCase(), data, arrayBuffer).toBuffer());
        return this;
    }

    subscribe(topic, callback) {
        const name = topic.toLowerCase();
        this.on(name, callback);
        if (this.transport.isConnected() && typeof callback === 'function')
            this.send(new Message(this.name, SUBSCRIBE, { T: name, A: false }));
    }

    unsubscribe(topic) {
        const name = topic.toLowerCase();
        this.off(name);
        if (this.transport.isConnected()) this.send(new Message(this.name, UNSUBSCRIBE, { T: name, A: false }));
    }

    publish(topic, data) {
        this.invoke(topic, data);
    }

    setProperty(name, value) {
        this.invoke(`set_${name}`, value);
    }

    getProperty(name, callback) {
        this.on(`get_${name}`, (data) => {
            this.off(`get_${name}`);
            callback(data);
        });
        this.invoke(`get_${name}`, undefined);
    }
}

export class Client {
    static Controller = Controller;

    constructor(page, server, controllers = []) {
        this.page = page;
        this.server = server;
        this.parameters = {};
        this.persistentId = page.localStorage.getItem(server);
        this.reconnects = false;
        this.wasOpen = false;
        this.controllers = controllers.map((name) => new this.constructor.Controller(this, name.toLowerCase()));
        for (const name of ['onOpen', 'onAuthenticationFailed', 'onClose', 'onMessage', 'onError']) this[name] = () => {};
    }

    autoReconnect(enabled = true, timeout = 5000) {
        this.reconnects = enabled;
        this.reconnectTimeout = timeout;
    }

    setParameters(parameters) {
        this.parameters = parameters;
    }

    // Kept under the URL as it was given: two clients of one profile with the same URL share it.
    setPersistentId(guid) {
        this.persistentId = guid;
        this.page.localStorage.setItem(this.server, guid);
    }

    prepare() {
        if (this.persistentId) this.parameters.persistentid = this.persistentId;
    }

    queryString() {
        const pairs = Object.entries(this.parameters).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
        return pairs.length ? `?${pairs.join('&')}` : '';
    }

    open() {
        this.prepare();
        if (this.isConnected()) return;
        this.socket = new this.page.WebSocket(this.server + this.queryString(), ['XSocketsNET']);
        this.socket.binaryType = 'arraybuffer';
        this.socket.onopen = (event) => this.opened(event);
        this.socket.onclose = (event) => this.closed(event);
        this.socket.onmessage = ({ data }) => typeof data === 'string' ? this.text(JSON.parse(data)) : this.binary(data);
        this.socket.onerror = (event) => this.onError(event);
    }

    // The page's callback first: a controller made there is opened twice.
    opened(event) {
        this.wasOpen = true;
        this.onOpen(event);
        for (const { name } of this.controllers) this.sendText(new Message(name, INIT));
    }

    closed(event) {
        this.socket = undefined;
        if (this.wasOpen) {
            this.onClose(event);
            for (const controller of this.controllers) controller.close();
        }
        this.wasOpen = false;
        if (this.reconnects) this.page.time.setTimeout(() => this.open(), this.reconnectTimeout);
    }

    text(envelope) {
        const message = new Message(envelope.C, envelope.T, envelope.D);
        if (message.T === OPEN) this.setPersistentId(JSON.parse(message.D).PI);
        if (message.T === ERROR) return this.onError(envelope);
        if (message.T === AUTHENTICATION_FAILED) {
            this.onAuthenticationFailed(message.D);
            return this.close(false);
        }
        return this.dispatch(message, envelope);
    }

    binary(data) {
        this.dispatch(Message.fromBuffer(data), data);
    }

    dispatch(message, otherwise) {
        const controller = this.controller(message.C, false);
        if (controller === undefined) this.onMessage(otherwise);
        else controller.dispatchEvent(message);
    }

    close(autoReconnect = false) {
        this.reconnects = autoReconnect;
        this.socket?.close();
    }

    controller(name, createIfMissing = true) {
        const found = this.controllers.find((one) => one.name === name.toLowerCase());
        if (found !== undefined || !createIfMissing) return found;
        const made = new this.constructor.Controller(this, name.toLowerCase());
        this.controllers.push(made);
        this.announce(made);
        return made;
    }

    announce(controller) {
        this.sendText(new Message(controller.name, INIT));
    }

    disposeController(controller) {
        this.controllers = this.controllers.filter((one) => one !== controller);
    }

    sendText(message) {
        this.socket?.send(message);
    }

    isConnected() {
        return this.socket !== undefined && this.socket.readyState === this.page.WebSocket.OPEN;
    }
}

// A namespace as the script leaves it in the page.
export function namespace(page, version, Base) {
    return {
        xsockets: {
            version,
            client: class client extends Base {
                constructor(server, controllers) {
                    super(page, server, controllers);
                }
            },
        },
    };
}

export function js_6_0_1(page) {
    return namespace(page, '6.0.1', Client);
}
