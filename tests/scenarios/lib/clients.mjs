// clients - the four kinds of client: xsocketsnet, native, demo, text. Each writes what its original writes.
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

export class Text extends Stream {
    line(text) {
        return this.send(`${text}\r\n`);
    }

    expect(line) {
        return this.expectExactly(`${line}\r\n`);
    }

    // The next line without its end, which must be CRLF.
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
