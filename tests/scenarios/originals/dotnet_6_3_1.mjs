// dotnet_6_3_1 - the .NET client 6.3.1 with the names it gave its users. Overloads by type have names of their own: Invoke<T> is
// InvokeFor, On<T> is On. Delegates are functions that are assigned.
import assert from 'node:assert/strict';
import { Original, Wire } from './lib/original.mjs';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../lib/frames.mjs';
import { show } from '../lib/story.mjs';

const AUTHENTICATION_FAILED = '0', INIT = '1', OPENED = '2', CLOSED = '3', ERROR = '4', SUBSCRIBE = '5', UNSUBSCRIBE = '6', MSG_ACK = '9';
const READ_SIZE = 1024, CONNECT_TIMEOUT = 5000, RETRY_INTERVAL = 5000, EMPTY = '00000000-0000-0000-0000-000000000000';
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const AtLeastOnce = 1;

// ---- Newtonsoft ----

// As Newtonsoft writes: like JSON.stringify, and three more characters as escapes.
function toJson(value) {
    return JSON.stringify(value).replace(/[\u0085\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function isValidJson(text) {
    const trimmed = text.trim();
    if (!/^(\{.*\}|\[.*\]|".*")$/s.test(trimmed)) return false;
    try {
        JSON.parse(trimmed);
        return true;
    } catch {
        return false;
    }
}

// A string that does not look like JSON goes out bare, one that does is serialised once more.
function serializeToString(value) {
    if (value === undefined) return 'null';
    return typeof value === 'string' && !isValidJson(value) ? value : toJson(value);
}

// What a string property takes.
function asString(value, name) {
    if (typeof value === 'object' && value !== null) throw new Error(`JsonReaderException: unexpected character while parsing ${name}`);
    return value === undefined || value === null ? null : String(value);
}

// The envelope: C and T are Required.Always, D is a string.
function toMessage(text) {
    const envelope = JSON.parse(text);
    const member = (name) => envelope[Object.keys(envelope).find((key) => key.toUpperCase() === name)];
    for (const name of ['C', 'T']) if (member(name) === undefined || member(name) === null) throw new Error(`JsonSerializationException: required property ${name}`);
    return new Message({ Controller: asString(member('C'), 'C'), Topic: asString(member('T'), 'T'), Data: asString(member('D'), 'D'),
        QoS: member('Q') ?? 0, Id: member('I') ?? 0, Retain: member('R') ?? false });
}

function toGuid(text) {
    if (!GUID.test(text)) throw new Error(`FormatException: ${text} is no Guid`);
    return text.toLowerCase();
}

// What ISerializable wants of an exception: anything less does not deserialise.
function toException(text) {
    const members = text === null ? null : JSON.parse(text);
    if (members === null || typeof members !== 'object') throw new Error('JsonSerializationException: this is no Exception');
    for (const name of ['ClassName', 'Message', 'Data', 'InnerException', 'HelpURL', 'StackTraceString', 'RemoteStackTraceString',
        'RemoteStackIndex', 'ExceptionMethod', 'HResult', 'Source', 'WatsonBuckets'])
        if (!Object.hasOwn(members, name)) throw new Error(`SerializationException: member '${name}' was not found`);
    if (typeof members.ClassName !== 'string' || !Number.isInteger(members.HResult) || !Number.isInteger(members.RemoteStackIndex))
        throw new Error('SerializationException: this is no Exception');
    return { ClassName: members.ClassName, Message: members.Message };
}

class Message {
    constructor({ Controller, Topic, Data = 'null', Blob = null, QoS = 0, Id = 0, Retain = false }) {
        Object.assign(this, { Controller, Topic, Data, Blob, QoS, Id, Retain });
    }

    // Newtonsoft's order.
    toString() {
        return toJson({ I: this.Id, Q: this.QoS, R: this.Retain, B: null, D: this.Data, MessageType: 0, C: this.Controller, T: this.Topic });
    }

    // The header was serialised when the message was made, before it had Q and I; its length is that of the string, the
    // bytes that follow are UTF-8.
    toBytes() {
        const header = new Message({ Controller: this.Controller, Topic: this.Topic, Data: this.Data }).toString();
        const length = Buffer.alloc(8);
        length.writeBigInt64LE(BigInt(header.length));
        return Buffer.concat([length, Buffer.from(header), this.Blob]);
    }

    static fromBytes(bytes) {
        const size = Number(bytes.readBigInt64LE(0));
        const header = toMessage(bytes.subarray(8, 8 + size).toString());
        return new Message({ ...header, Controller: header.Controller.toLowerCase(), Topic: header.Topic.toLowerCase(),
            Blob: bytes.subarray(8 + size) });
    }

    Extract() {
        if (this.Data === null) throw new Error('NullReferenceException: there is no data');
        return JSON.parse(this.Data);
    }
}

function maskKey() {
    const key = Buffer.alloc(4);
    key.writeUInt32BE(Math.floor(Math.random() * 34298));
    return key;
}

function frameOf(opcode, payload) {
    const size = payload.length, key = maskKey();
    const head = size > 65535 ? Buffer.alloc(10) : Buffer.alloc(size > 125 ? 4 : 2);
    head[0] = 0x80 | opcode;
    head[1] = 0x80 | (size > 65535 ? 127 : size > 125 ? 126 : size);
    if (size > 65535) head.writeBigUInt64BE(BigInt(size), 2);
    else if (size > 125) head.writeUInt16BE(size, 2);
    return Buffer.concat([head, key, payload.map((byte, i) => byte ^ key[i & 3])]);
}

// ---- the connection ----

class Communication {
    constructor(client) {
        this.Client = client;
        this.Connected = false;
        this.unread = Buffer.alloc(0); // still in the kernel
        this.data = Buffer.alloc(0);
        this.frameBytes = [];
        this.frameType = null;
        this.head = Buffer.alloc(0);
    }

    // True once something has been read behind the request, whatever it was.
    async Connect() {
        const client = this.Client;
        const late = client.time.setTimeout(() => this.wire.socket.destroy(), CONNECT_TIMEOUT);
        this.wire = new Wire(client, client.address, { data: (bytes) => this.received(bytes), closed: () => this.ended() });
        const connected = await this.wire.connected;
        client.time.clear(late);
        if (!connected) return false;
        this.wire.socket.once('end', () => this.handshakeDone || this.noAnswer());
        this.Connected = true;
        const answered = new Promise((resolve) => { this.answered = resolve; });
        this.wire.send(client.request());
        return answered;
    }

    // ReadHandshake reads 0 bytes for ever and calls itself each time.
    noAnswer() {
        this.Client.fault(`StackOverflowException in ReadHandshake: the end came behind ${this.head.length} bytes`);
    }

    received(bytes) {
        this.unread = Buffer.concat([this.unread, bytes]);
        while (!this.handshakeDone && this.unread.length > 0) this.readHandshake();
        if (!this.handshakeDone || this.unread.length === 0) return;
        const all = this.unread;
        this.unread = Buffer.alloc(0);
        this.read(all);
    }

    // One read of 1,024 bytes. All that it brought is thrown away; the status line is not looked at.
    readHandshake() {
        this.head = Buffer.concat([this.head, this.unread.subarray(0, READ_SIZE)]);
        this.unread = this.unread.subarray(READ_SIZE);
        if (this.head.length <= 2) return;
        this.handshakeDone = true;
        const end = this.head.indexOf('\r\n\r\n');
        const lost = this.head.length - end - 4;
        if (this.head.toString('latin1', 0, 12) === 'HTTP/1.1 101' && (end < 0 || lost > 0))
            this.Client.fault(end < 0 ? 'the handshake\'s answer did not come whole in one read' : `${lost} bytes behind the handshake are lost`);
        this.Client.OnSocketConnected();
        this.answered(true);
    }

    // An exception while a frame is read ends the reader, and that the connection.
    read(bytes) {
        try {
            this.processData(bytes);
        } catch (error) {
            this.Client.fault(`the reader ended: ${error.message}`);
            this.Disconnect();
        }
    }

    processData(bytes) {
        this.data = Buffer.concat([this.data, bytes]);
        while (this.Connected && this.data.length > 2) {
            const [first, second] = this.data;
            if ((first & 0x70) !== 0) return this.Client.fault('nothing is parsed any more: a frame with a reserved bit');
            let length = second & 0x7f, index = 2;
            if (length === 127) {
                if (this.data.length < 10) return undefined;
                length = Number(this.data.readBigUInt64BE(2)), index = 10;
            } else if (length === 126) {
                if (this.data.length < 4) return undefined;
                length = this.data.readUInt16BE(2), index = 4;
            }
            // The rule of 4 bytes: a shorter payload waits for what follows it.
            if (this.data.length < index + 4) return this.waits(first & 15, length, this.data.length - index);
            if (this.data.length < index + length) return undefined;
            const payload = this.data.subarray(index, index + length);
            this.data = this.data.subarray(index + length);
            this.frame(first, payload);
        }
        return undefined;
    }

    waits(opcode, length, have) {
        if (have >= length && opcode !== CLOSE) this.Client.fault(`a frame of ${length} bytes waits for what follows it`);
    }

    // A control frame between fragments is appended to the message, and ends it as what it is.
    frame(first, payload) {
        this.frameBytes.push(payload);
        if ((first & 15) !== CONTINUATION) this.frameType = first & 15;
        if ((first & 0x80) === 0 && this.frameType !== null) return;
        if (this.frameType === null) throw new Error('FrameType unknown');
        const whole = Buffer.concat(this.frameBytes), type = this.frameType;
        this.frameBytes = [];
        this.frameType = null;
        if (type === TEXT) this.Client.FireOnMessage(toMessage(whole.toString()));
        else if (type === BINARY) this.Client.FireOnBlob(Message.fromBytes(whole));
        else if (type === PING) this.Client.ponged(whole);
        else if (type === PONG) this.Client.pongCame(whole);
        else if (type === CLOSE) this.Client.FireOnDisconnected();
    }

    ended() {
        if (this.handshakeDone) this.Disconnect();
    }

    Disconnect() {
        this.Connected = false;
        this.wire.socket.destroy();
        this.Client.FireOnDisconnected();
    }

    SendAsync(frame, shown) {
        if (this.Connected) this.wire.send(frame, shown);
    }
}

// ---- what users had ----

export class XSocketClient extends Original {
    constructor(story, url, origin, ...controllers) {
        super(story, '.NET 6.3.1');
        const { hostname, port } = new URL(url); // the path and the query are dropped
        this.address = { host: hostname, port: Number(port) };
        this.Origin = origin;
        this.QueryString = new Map([['qos', '1']]);
        this.Headers = [];
        this.Cookies = [];
        this.PersistentId = EMPTY;
        this.IsHandshakeDone = false;
        this.AutoReconnect = false;
        this.QoSRepository = new Map();
        this.sent = []; // the envelopes it sent, resends apart
        this.Controllers = new Map(controllers.map((name) => [name.toLowerCase(), new Controller(this, name)]));
        this.time.setInterval(() => this.resend(), RETRY_INTERVAL);
    }

    get IsConnected() {
        return this.Communication !== undefined && this.Communication.Connected;
    }

    // The timer for resends is always there and keeps nothing alive.
    get gone() {
        return this.wires.length > 0 && this.wires.every((wire) => wire.closed) && this.time.timers.size <= 1;
    }

    // Byte for byte.
    request() {
        if (this.PersistentId !== EMPTY) {
            this.QueryString.delete('PersistentId');
            this.QueryString.set('PersistentId', this.PersistentId);
        }
        const query = [...this.QueryString].map(([key, value]) => `${key}=${encodeURIComponent(value).replaceAll('%20', '+')}`).join('&');
        const key = Buffer.from(Array.from({ length: 16 }, () => Math.floor(Math.random() * 255))).toString('base64');
        return [`GET /?${query} HTTP/1.1`, `Host: ${this.address.host}:${this.address.port}`, `Origin: ${this.Origin}`, 'Upgrade: websocket',
            'Connection: Upgrade,Keep-Alive', ...this.Headers.map(([name, value]) => `${name}: ${value}`),
            ...(this.Cookies.length ? [`Cookie: ${this.Cookies.map(([name, value]) => `${name}=${value}`).join('; ')}`] : []),
            `Sec-WebSocket-Key: ${key}`, 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: XSocketsNET', '', ''].join('\r\n');
    }

    SetCleanSession(value) {
        this.QueryString.delete('cs');
        if (value) this.QueryString.set('cs', '1');
    }

    SetAutoReconnect(ms = 5000) {
        this.AutoReconnect = ms > 0;
        this.reconnectTimeout = ms;
    }

    SetAutoHeartbeat(ms = 30000) {
        this.heartbeatTimeout = Math.max(ms, 0);
    }

    Open() {
        this.Communication = new Communication(this);
        return this.Communication.Connect();
    }

    // What it has said since the last look.
    said() {
        return this.sent.splice(0);
    }

    // All inits, then all subscriptions, without waiting for anything.
    OnSocketConnected() {
        for (const controller of this.Controllers.values()) controller.OpenController();
        for (const controller of this.Controllers.values()) controller.BindUnboundSubscriptions();
        this.IsHandshakeDone = true;
        this.OnConnected?.();
        this.startHeartbeat();
    }

    // One first asked for now never sends an init.
    Controller(name) {
        const key = name.toLowerCase();
        if (!this.Controllers.has(key)) this.Controllers.set(key, new Controller(this, key));
        return this.Controllers.get(key);
    }

    // An empty close frame, and the socket closed in the same breath.
    Disconnect() {
        this.Communication.SendAsync(frameOf(CLOSE, Buffer.alloc(0)), 'frame 8');
        this.Communication.Disconnect();
    }

    FireOnDisconnected() {
        if (!this.IsHandshakeDone) return;
        this.IsHandshakeDone = false;
        this.time.clear(this.heartbeat);
        for (const controller of this.Controllers.values()) {
            controller.FireClosed();
            controller.Close();
        }
        this.OnDisconnected?.();
        if (this.AutoReconnect) this.reconnectLoop();
    }

    // `while (!IsConnected && AutoReconnect)`: a close frame that is read while the connection still stands ends it at once.
    reconnectLoop() {
        if (this.IsConnected) this.fault('AutoReconnect has ended: a close frame came before the connection\'s end');
        if (this.IsConnected || !this.AutoReconnect) return;
        this.time.setTimeout(async () => {
            if (this.IsConnected || !this.AutoReconnect) return;
            if (await this.Open()) return;
            this.OnAutoReconnectFailed?.();
            this.reconnectLoop();
        }, this.reconnectTimeout);
    }

    // ---- messages in ----

    FireOnMessage(message) {
        if (message.Topic === AUTHENTICATION_FAILED) {
            this.OnAuthenticationFailed?.();
            this.AutoReconnect = false;
            this.Disconnect();
        } else if (message.Topic === ERROR && message.Controller === '') {
            let error = message.Data;
            try {
                error = toException(message.Data);
            } catch { /* the text, then */ }
            this.OnError?.(error);
        } else {
            this.deliver(message);
        }
    }

    FireOnBlob(message) {
        this.deliver(message);
    }

    deliver(message) {
        const controller = this.controllerOf(message);
        if (controller === undefined) return;
        if (message.QoS === AtLeastOnce && message.Topic === MSG_ACK) {
            this.QoSRepository.delete(message.Id);
            return;
        }
        if (message.QoS === AtLeastOnce) controller.acknowledge(message);
        controller.FireOnMessage(message);
    }

    // By the exact string, in a table keyed in lower case.
    controllerOf({ Controller: name }) {
        const controller = this.Controllers.get(name);
        if (controller === undefined) this.fault(`NullReferenceException: no controller "${name}"`);
        return controller;
    }

    resend() {
        for (const frame of this.QoSRepository.values()) if (this.IsConnected) this.Communication.SendAsync(frame, 'a resend');
    }

    // Waits until nothing is to be sent again.
    acknowledged() {
        return this.until('every acknowledgement', () => this.QoSRepository.size === 0 || undefined);
    }

    // ---- pings ----

    Ping(data) {
        this.Communication.SendAsync(frameOf(PING, Buffer.from(data)), `frame 9: ${show(Buffer.from(data))}`);
    }

    ponged(payload) {
        this.Communication.SendAsync(frameOf(PONG, payload), `frame 10: ${show(payload)}`);
        this.OnPing?.(payload.toString());
    }

    startHeartbeat() {
        if (!this.heartbeatTimeout) return;
        this.lastPong = this.time.now;
        this.heartbeat = this.time.setInterval(() => {
            if (this.lastPong < this.time.now - 2 * this.heartbeatTimeout) this.Disconnect();
            else this.Ping(this.PersistentId);
        }, this.heartbeatTimeout);
    }

    // Also one that nobody asked for.
    pongCame(payload) {
        this.OnPong?.(payload.toString());
        if (!this.heartbeatTimeout) return;
        this.lastPong = this.time.now;
        if (payload.toString() === this.PersistentId) return;
        this.fault(`the client disconnects at a pong that says "${payload}"`);
        this.Disconnect();
    }
}

class Subscription {
    constructor(topic, callback, { limit = 0, confirm = false, bound = false } = {}) {
        Object.assign(this, { Topic: topic.toLowerCase(), Callback: callback, Limit: limit, Confirm: confirm, IsBound: bound, Counter: 0 });
    }

    fire(message) {
        this.Callback?.(message);
        return ++this.Counter === this.Limit;
    }
}

class Controller {
    constructor(client, name) {
        this.XSocketClient = client;
        this.ClientInfo = { ConnectionId: EMPTY, PersistentId: client.PersistentId, Controller: name };
        this.Listeners = new Map();
        this.qosId = 0;
        this.Subscriptions = new Map([
            [ERROR, new Subscription(ERROR, (message) => this.error(toException(message.Data)), { bound: true })],
            [OPENED, new Subscription(OPENED, (message) => this.opened(message), { bound: true })],
            [CLOSED, new Subscription(CLOSED, () => this.FireClosed(), { bound: true })],
        ]);
    }

    message(topic, data, more = {}) {
        return new Message({ Controller: this.ClientInfo.Controller, Topic: topic.toLowerCase(), Data: serializeToString(data), ...more });
    }

    send(message, isAck = false) {
        const client = this.XSocketClient;
        const isKept = message.QoS > 0 && !isAck;
        assert.ok(client.IsConnected, 'You cant send messages when not connected to the server');
        if (isKept) message.Id = this.GetIdForQoS();
        const frame = message.Blob ? frameOf(BINARY, message.toBytes()) : frameOf(TEXT, Buffer.from(message.toString()));
        // One table for the connection: the ids of two controllers collide in it.
        if (isKept) client.QoSRepository.set(message.Id, frame);
        client.Communication.SendAsync(frame, `frame ${message.Blob ? BINARY : TEXT}: ${message}`);
        client.sent.push(message.toString());
    }

    GetIdForQoS() {
        this.qosId = this.qosId >= 65535 ? 1 : this.qosId + 1;
        return this.qosId;
    }

    // The message itself under topic 9; of a binary one the blob under its own topic, which no server could tell.
    acknowledge(message) {
        this.send(new Message({ ...message, Controller: this.ClientInfo.Controller, Topic: message.Blob ? message.Topic : MSG_ACK }), true);
    }

    // ---- opening and closing ----

    OpenController() {
        this.send(this.message(INIT, { Init: true }));
    }

    opened({ Data, Controller: name }) {
        const { CI, PI } = JSON.parse(Data);
        this.ClientInfo = { ConnectionId: toGuid(CI), PersistentId: toGuid(PI), Controller: name };
        this.XSocketClient.PersistentId = this.ClientInfo.PersistentId;
        this.OnOpen?.({ ...this.ClientInfo });
    }

    error(exception) {
        this.OnError?.(exception);
        this.XSocketClient.OnError?.(exception);
    }

    FireClosed() {
        if (this.ClientInfo.ConnectionId === EMPTY) return;
        this.OnClose?.({ ...this.ClientInfo });
        this.ClientInfo.ConnectionId = EMPTY;
    }

    Close() {
        if (this.XSocketClient.IsConnected) this.send(this.message(CLOSED));
    }

    // ---- messages in ----

    // Subscriptions are looked up as they were typed, listeners in lower case.
    FireOnMessage(message) {
        const key = `${message.Controller}.${message.Topic}`;
        const binding = this.Subscriptions.get(key) ?? this.Subscriptions.get(message.Topic);
        const listener = this.Listeners.get(key) ?? this.Listeners.get(message.Topic);
        if (binding !== undefined) this.fireBound(binding, message);
        if (listener !== undefined && listener.fire(message)) this.Listeners.delete(listener.Topic);
        if (binding === undefined && listener === undefined) this.OnMessage?.(message);
    }

    // async void: an exception in it ends the process.
    fireBound(binding, message) {
        try {
            if (binding.fire(message)) this.Unsubscribe(binding.Topic);
        } catch (error) {
            this.XSocketClient.fault(`the process ends: ${error.message}`);
            this.XSocketClient.Communication.Disconnect();
        }
    }

    // ---- RPC ----

    Invoke(target, data) {
        this.send(this.message(target, data));
    }

    // Invoke<T>: the first message of that topic, within 30 s.
    InvokeFor(target, data, ms = 30000) {
        const { time } = this.XSocketClient;
        return new Promise((resolve, reject) => {
            const topic = target.toLowerCase();
            const late = time.setTimeout(() => {
                this.Listeners.delete(topic);
                reject(new Error('The server did not respond in the given time frame'));
            }, ms);
            this.Listeners.set(topic, new Subscription(topic, (message) => {
                time.clear(late);
                resolve(message.Extract());
            }, { limit: 1 }));
            this.Invoke(topic, data);
        });
    }

    On(topic, callback) {
        this.Listeners.set(topic.toLowerCase(), new Subscription(topic, (message) => callback(message.Extract())));
    }

    OnMessageOf(topic, callback) {
        this.Listeners.set(topic.toLowerCase(), new Subscription(topic, callback));
    }

    InvokeBlob(target, bytes, metadata = '') {
        this.PublishBlob(target, bytes, metadata);
    }

    SetProperty(name, value) {
        this.Invoke(`set_${name}`, value);
    }

    GetProperty(name) {
        return this.InvokeFor(`get_${name}`);
    }

    // ---- publish and subscribe ----

    Publish(topic, data, QoS = 0, Retain = false) {
        this.send(this.message(topic, data, { QoS, Retain }));
    }

    // Metadata is JSON, without any an empty string.
    PublishBlob(topic, bytes, metadata = '', QoS = 0, Retain = false) {
        this.send(this.message(topic, undefined, { Data: toJson(metadata), Blob: Buffer.from(bytes), QoS, Retain }));
    }

    announce(topic, controller, confirm) {
        this.Publish(SUBSCRIBE, { T: topic, C: controller, A: confirm });
    }

    Subscribe(topic, callback, confirmCallback, limit = 0) {
        const subscription = new Subscription(topic, callback, { limit, confirm: Boolean(confirmCallback) });
        this.Subscriptions.set(topic, subscription);
        if (confirmCallback) this.addConfirmCallback(topic, confirmCallback);
        if (!this.XSocketClient.IsConnected) return;
        this.announce(subscription.Topic, confirmCallback ? this.ClientInfo.Controller : null, subscription.Confirm);
    }

    One(topic, callback, confirmCallback) {
        this.Subscribe(topic, callback, confirmCallback, 1);
    }

    Many(topic, limit, callback, confirmCallback) {
        this.Subscribe(topic, callback, confirmCallback, limit);
    }

    addConfirmCallback(topic, callback) {
        const [first, second] = topic.split('.');
        const key = topic.includes('.') ? `${first}.__${second}` : `__${topic}`;
        if (!this.Subscriptions.has(key)) this.Subscriptions.set(key, new Subscription(key, callback, { bound: this.XSocketClient.IsConnected }));
    }

    // None is ever marked as bound: at each connect all are sent again, with them the `__topic` of one confirmed before.
    BindUnboundSubscriptions() {
        for (const { Topic, Confirm, IsBound } of this.Subscriptions.values()) if (!IsBound) this.announce(Topic, null, Confirm);
    }

    Unsubscribe(topic) {
        const name = topic.toLowerCase();
        if (!this.Subscriptions.has(name)) return;
        if (this.XSocketClient.IsConnected) this.Publish(UNSUBSCRIBE, { T: name, C: null, A: false });
        this.Subscriptions.delete(name);
    }

    // ---- storage ----

    StorageSet(key, value) {
        this.Invoke('s1', { K: key, V: toJson(value) });
    }

    StorageRemove(key) {
        this.Invoke('s3', { K: key, V: null });
    }

    StorageClear() {
        this.Invoke('s4');
    }

    // V is a string that holds JSON; 60 s.
    async StorageGet(key) {
        const topic = `s2:${key}`.toLowerCase();
        const answer = new Promise((resolve) => this.Listeners.set(topic, new Subscription(topic, resolve, { limit: 1 })));
        this.Invoke('s2', { K: key, V: null });
        const { V } = (await answer).Extract();
        return V === null ? null : JSON.parse(V);
    }
}
