// clients - every kind of client: xsocketsnet, native, demo, text, mcu, photon, json, len16. Each writes what its original writes.
import assert from 'node:assert/strict';
import { Stream } from './stream.mjs';
import { WebSocketClient, query } from './ws.mjs';

export const GUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

// As JavaScript 6.x writes an envelope: D is what JSON.parse takes, undefined members are left out.
export function jsEnvelope(controller, topic, data) {
    const isJson = (text) => { try { JSON.parse(text); return true; } catch { return false; } };
    const D = data === undefined || isJson(data) ? data : JSON.stringify(data);
    return JSON.stringify({ C: controller, D, T: topic });
}

// As C# 6.3.1 writes one (Newtonsoft's order), D given as the string it puts there.
export function csEnvelope(controller, topic, D, { I = 0, Q = 0, R = false } = {}) {
    return JSON.stringify({ I, Q, R, B: null, D, MessageType: 0, C: controller, T: topic });
}

export class XSocketsNet extends WebSocketClient {
    // invoke and publish are the same message.
    invoke(controller, topic, data = '') {
        return this.text(jsEnvelope(controller, topic, data));
    }

    subscribe(controller, topic, confirm = false) {
        return this.invoke(controller, '5', { T: topic, A: confirm });
    }

    unsubscribe(controller, topic) {
        return this.invoke(controller, '6', { T: topic, A: false });
    }

    // Opens a controller and gives what T 2 said.
    async open(controller) {
        this.text(jsEnvelope(controller, '1'));
        return this.opened(controller);
    }

    async opened(controller) {
        const text = await this.nextText();
        const exact = new RegExp(`^\\{"C":"${controller}","T":"2","D":"\\{\\\\"CI\\\\":\\\\"(${GUID})\\\\",`
            + `\\\\"PI\\\\":\\\\"(${GUID})\\\\",\\\\"C\\\\":\\\\"${controller}\\\\"\\}"\\}$`).exec(text);
        assert.ok(exact, `no open message of ${controller}: ${text}`);
        return { CI: exact[1], PI: exact[2] };
    }

    // {"C":..,"T":..,"D":..} exactly; `inside` is what stands between the quotes of D.
    expect(controller, topic, inside) {
        return this.expectText(`{"C":"${controller}","T":"${topic}","D":"${inside}"}`);
    }

    // Topic 4 from a controller ('' for the connection): the exact shape all clients survive; gives the sentence.
    async expectError(controller, { sentence, N } = {}) {
        const text = await this.nextText();
        const got = JSON.parse(text);
        const { Message } = JSON.parse(got.D);
        const D = '{"ClassName":"System.Exception","Message":' + JSON.stringify(Message)
            + ',"Data":null,"InnerException":null,"HelpURL":null,"StackTraceString":null,"RemoteStackTraceString":null,'
            + '"RemoteStackIndex":0,"ExceptionMethod":null,"HResult":-2146233088,"Source":"server","WatsonBuckets":null}';
        const head = `{"C":${JSON.stringify(controller)},"T":"4","D":${JSON.stringify(D)}`;
        assert.equal(text, N === undefined ? `${head}}` : `${head},"N":${N}}`, this.name);
        if (sentence !== undefined) assert.match(Message, new RegExp(sentence, 'i'));
        return Message;
    }
}

export async function xsocketsnet(story, { place, at, name = 'xsocketsnet', open = [], query: more = {}, ...rest } = {}) {
    const client = new XSocketsNet(story, at ?? story.daemon.at(), name);
    client.minimum = 4;
    client.answer101 = await client.handshake({ path: `/${query({ place, ...more })}`, protocols: ['XSocketsNET'], ...rest });
    client.ids = {};
    for (const controller of [open].flat()) client.ids[controller] = await client.open(controller);
    return client;
}

// Opened by the server at the handshake; the pong says that this has happened.
export async function native(story, { place, at, name = 'native', query: more = {}, ...rest } = {}) {
    const client = new WebSocketClient(story, at ?? story.daemon.at(), name);
    await client.handshake({ path: `/${query({ place, ...more })}`, ...rest });
    await client.settled();
    return client;
}

export class Demo extends WebSocketClient {
    invoke(method, json) {
        return this.text(JSON.stringify({ M: method, J: json }));
    }

    expect(method, inside) {
        return this.expectText(`{"M":"${method}","J":"${inside}"}`);
    }

    async opened(controller) {
        const text = await this.nextText();
        const exact = new RegExp(`^\\{"M":"2","J":"\\{\\\\"CI\\\\":\\\\"(${GUID})\\\\",`
            + `\\\\"PI\\\\":\\\\"(${GUID})\\\\",\\\\"C\\\\":\\\\"${controller}\\\\"\\}"\\}$`).exec(text);
        assert.ok(exact, `no open message of ${controller}: ${text}`);
        return { CI: exact[1], PI: exact[2] };
    }
}

// controller: the one its section of the ini names.
export async function demo(story, { controller, place, at, name = 'demo', query: more = {}, ...rest } = {}) {
    const client = new Demo(story, at ?? story.daemon.at(), name);
    await client.handshake({ path: `/${query({ place, ...more })}`, protocols: ['DemoProtocol'], ...rest });
    client.ids = await client.opened(controller);
    return client;
}

// controller|topic|data, each in a frame of its format: here a line.
export class Text extends Stream {
    wrap(payload) {
        return Buffer.from(`${payload}\r\n`);
    }

    line(payload) {
        return this.send(this.wrap(payload));
    }

    expect(payload) {
        return this.expectExactly(this.wrap(payload));
    }

    // The payload of the next frame: a line without its end, which must be CRLF.
    async next() {
        const line = (await this.takeUntil('\n')).toString();
        assert.ok(line.endsWith('\r\n'), `no CRLF: ${line}`);
        return line.slice(0, -2);
    }

    async open(controller) {
        this.line(`${controller}|1|`);
        return this.opened(controller);
    }

    async opened(controller) {
        const line = await this.next();
        const exact = new RegExp(`^${controller.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\|2\\|PI:(${GUID}),CI:(${GUID})$`).exec(line);
        assert.ok(exact, `no open message of ${controller}: ${line}`);
        return { PI: exact[1], CI: exact[2] };
    }

    // Topic 4; gives the sentence.
    async expectError(controller) {
        const line = await this.next();
        assert.ok(line.startsWith(`${controller}|4|{"ClassName":"System.Exception","Message":`), line);
        return JSON.parse(line.slice(controller.length + 3)).Message;
    }
}

export async function text(story, { place, at, name = 'text', open = [], query: more = {} } = {}) {
    const client = new Text(story, at ?? story.daemon.at(), name);
    assert.ok(await client.connected, `${client.name}: not connected (${client.error?.code})`);
    client.line(`PuttyProtocol${query({ place, ...more })}`);
    await client.expect('Welcome to PuttyProtocol');
    client.ids = {};
    for (const controller of [open].flat()) client.ids[controller] = await client.open(controller);
    return client;
}

// 0x00 payload 0xFF, as the boards frame it.
export class XFrame extends Text {
    wrap(payload) {
        return Buffer.concat([Buffer.from([0x00]), Buffer.from(payload), Buffer.from([0xff])]);
    }

    async next() {
        const frame = await this.takeUntil(Buffer.from([0xff]));
        assert.equal(frame[0], 0x00, `no frame: ${frame}`);
        return frame.subarray(1, -1).toString();
    }
}

// Two bytes, the length, the high one first; then the payload.
export class Len16 extends Text {
    wrap(payload) {
        const bytes = Buffer.from(payload);
        return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
    }

    async next() {
        const [high, low] = await this.take(2);
        return (await this.take(high * 256 + low)).toString();
    }
}

// Envelopes in frames, names as they were typed.
export class Json extends XFrame {
    // As the NodeJS client writes one.
    invoke(controller, topic, data) {
        return this.line(JSON.stringify({ T: topic, D: JSON.stringify(data), C: controller }));
    }

    subscribe(controller, topic, confirm = false) {
        return this.invoke(controller, '5', { T: topic, A: confirm });
    }

    // `inside` is what stands between the quotes of D.
    expect(controller, topic, inside) {
        return this.expectExactly(this.wrap(`{"C":"${controller}","T":"${topic}","D":"${inside}"}`));
    }

    async open(controller) {
        this.invoke(controller, '1', { init: true });
        return this.opened(controller);
    }

    async opened(controller) {
        const text = await this.next();
        const exact = new RegExp(`^\\{"C":"${controller}","T":"2","D":"\\{\\\\"CI\\\\":\\\\"(${GUID})\\\\",`
            + `\\\\"PI\\\\":\\\\"(${GUID})\\\\",\\\\"C\\\\":\\\\"${controller.toLowerCase()}\\\\"\\}"\\}$`).exec(text);
        assert.ok(exact, `no open message of ${controller}: ${text}`);
        return { CI: exact[1], PI: exact[2] };
    }

    // Topic 4; gives the sentence.
    async expectError(controller) {
        const text = await this.next();
        assert.ok(text.startsWith(`{"C":${JSON.stringify(controller)},"T":"4","D":"{\\"ClassName\\":\\"System.Exception\\",`), text);
        return JSON.parse(JSON.parse(text).D).Message;
    }
}

// The first of `open` is sent in one write with the greeting: a board's or NodeJS' own has no end, the next frame is one.
async function board(Kind, { greeting, welcome, init }, story, { place, at, name, open = [], query: more = {} } = {}) {
    const client = new Kind(story, at ?? story.daemon.at(), name ?? greeting);
    const controllers = [open].flat();
    assert.ok(await client.connected, `${client.name}: not connected (${client.error?.code})`);
    client.send(Buffer.concat([Buffer.from(`${greeting}${query({ place, ...more })}`),
        ...controllers.slice(0, 1).map((controller) => client.wrap(init(controller)))]));
    await client.expectExactly(client.wrap(welcome));
    client.ids = {};
    for (const [index, controller] of controllers.entries())
        client.ids[controller] = await (index === 0 ? client.opened(controller) : client.open(controller));
    return client;
}

const bare = (controller) => `${controller}|1|`;

export const mcu = (...how) => board(XFrame, { greeting: 'McuProtocol', welcome: 'McuProtocol', init: bare }, ...how);
export const photon = (...how) => board(XFrame, { greeting: 'PhotonProtocol', welcome: 'welcome', init: bare }, ...how);
export const json = (...how) => board(Json, {
    greeting: 'JsonProtocol', welcome: '{"T":"1","D":"Welcome","C":""}',
    init: (controller) => JSON.stringify({ T: '1', D: '{"init":true}', C: controller }),
}, ...how);

export async function len16(story, { place, at, name = 'len16', open = [], query: more = {} } = {}) {
    const client = new Len16(story, at ?? story.daemon.at(), name);
    assert.ok(await client.connected, `${client.name}: not connected (${client.error?.code})`);
    client.send(`Len16Protocol${query({ place, ...more })}\r\n`);
    await client.expect('welcome');
    client.ids = {};
    for (const controller of [open].flat()) client.ids[controller] = await client.open(controller);
    return client;
}
