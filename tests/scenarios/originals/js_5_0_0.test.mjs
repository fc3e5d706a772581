// JavaScript 5.0.0 against the daemon.
import assert from 'node:assert/strict';
import { GUID } from '../lib/clients.mjs';
import { js_5_0_0 } from './js_5_0_0.mjs';
import { Page, Profile, urlOf } from './lib/browser.mjs';
import { start, story } from './lib/workers.mjs';

// A page whose controllers are open.
async function visit(s, controllers = ['chat'], { place, profile, path = '', name } = {}) {
    const page = new Page(s, { profile, name });
    const visitor = { page, ids: {}, heard: {} };
    const conn = visitor.conn = new (js_5_0_0(page).XSockets.WebSocket)(urlOf(s.daemon, path), controllers, place === undefined ? {} : { place });
    for (const event of ['onconnected', 'ondisconnected', 'onerror']) visitor[event] = conn[event] = page.box(event);
    for (const one of controllers) {
        visitor[one] = conn.controller(one);
        visitor.heard[one] = {};
        for (const event of ['onopen', 'onclose', 'onerror']) visitor.heard[one][event] = visitor[one][event] = page.box(`${event} of ${one}`);
    }
    await visitor.onconnected.take();
    for (const one of controllers) visitor.ids[one] = await visitor.heard[one].onopen.next();
    page.said();
    return visitor;
}

async function asks(visitor, controller, topic, data) {
    const box = visitor.page.box(`answer to ${controller}.${topic}`);
    visitor.conn.controller(controller).invoke(topic, data).then(box);
    return box.next();
}

function hears(visitor, controller, topic) {
    const box = visitor.page.box(`${controller}.${topic}`);
    visitor.conn.controller(controller).on(topic, (data) => box(data));
    return box;
}

story('JavaScript 5.0.0: connects when it is made, opens with {init:true}, keeps the ids', async (s) => {
    await start(s);
    const visitor = await visit(s, ['Chat', 'generic']);
    const again = new Page(s);
    const conn = new (js_5_0_0(again).XSockets.WebSocket)(urlOf(s.daemon), ['Chat', 'generic']);
    const connected = conn.onconnected = again.box('onconnected');
    await connected.take();
    assert.deepEqual(again.said(), ['{"T":"1","D":"{\\"init\\":true}","C":"chat"}', '{"T":"1","D":"{\\"init\\":true}","C":"generic"}']);
    const { chat, generic } = { chat: visitor.ids.Chat, generic: visitor.ids.generic };
    assert.match(`${chat.connectionId} ${chat.persistentId}`, new RegExp(`^${GUID} ${GUID}$`));
    assert.equal(chat.persistentId, generic.persistentId);
    assert.equal(chat.controller, 'chat');
    assert.equal(visitor.page.localStorage.getItem(urlOf(s.daemon)), chat.persistentId);
    assert.deepEqual(JSON.parse(visitor.page.localStorage.getItem('chat')), chat);
});

story('JavaScript 5.0.0: the path of the URL is kept and names the controller, its query becomes parameters', async (s) => {
    await start(s);
    const page = new Page(s);
    const conn = new (js_5_0_0(page).XSockets.WebSocket)(urlOf(s.daemon, '/some/Chat?a=1&place=1'));
    const opened = conn.controller('chat').onopen = page.box('onopen');
    assert.equal((await opened.next()).controller, 'chat');
    assert.match(page.wires[0].record[0], /GET \/some\/Chat\?a=1&place=1 HTTP/);
    // The id is kept under the URL with its path, and is persistentId, with a large I, at the next visit.
    const { persistentId } = conn.controller('chat').clientInfo;
    assert.equal(page.localStorage.getItem(urlOf(s.daemon, '/some/Chat')), persistentId);
    const next = new Page(s);
    next.localStorage = page.localStorage;
    const later = new (js_5_0_0(next).XSockets.WebSocket)(urlOf(s.daemon, '/some/Chat'), ['chat']);
    const reopened = later.controller('chat').onopen = next.box('onopen');
    assert.equal((await reopened.next()).persistentId, persistentId);
    assert.match(next.wires[0].record[0], new RegExp(`GET /some/Chat\\?persistentId=${persistentId} HTTP`));
});

// What publish() is given, D on the wire (null: none), and what on() gives.
const TABLE = [
    ['an object', { a: 1 }, '"{\\"a\\":1}"', { a: 1 }],
    ['a string', 'hello', '"\\"hello\\""', 'hello'],
    ['nothing', undefined, null, null],
    ['a number', 42, '"42"', 42],
    ['true', true, '"true"', true],
    ['null', null, '"null"', null],
    ['a string that is a number', '42', '"\\"42\\""', '42'],
    ['an array', [1, 2], '"[1,2]"', [1, 2]],
    ['letters beyond ASCII', 'Jürgen €😀', '"\\"Jürgen €😀\\""', 'Jürgen €😀'],
];

story('JavaScript 5.0.0: what publish() is given, how it goes out, and what the others are given', async (s) => {
    await start(s);
    for (const [name, value, D, heard] of TABLE) {
        await s.part(name, async (part) => {
            const one = await visit(part, ['generic'], { place: 0 });
            const other = await visit(part, ['generic'], { place: 1 });
            const boxes = [hears(one, 'generic', 'T'), hears(other, 'generic', 'T')];
            one.generic.publish('T', value);
            assert.deepEqual(one.page.said(), [D === null ? '{"T":"T","C":"generic"}' : `{"T":"T","D":${D},"C":"generic"}`]);
            for (const box of boxes) await box.expect(heard);
        });
    }
});

story('JavaScript 5.0.0: an answer goes to promise, callback, member and onmessage alike', async (s) => {
    await start(s);
    const visitor = await visit(s, ['echo']);
    const callback = hears(visitor, 'echo', 'say');
    const member = visitor.echo.say = visitor.page.box('member');
    const everything = visitor.echo.onmessage = visitor.page.box('onmessage');
    assert.deepEqual(await asks(visitor, 'echo', 'Say', { n: 1 }), { n: 1 });
    await callback.expect({ n: 1 });
    await member.expect({ n: 1 });
    assert.deepEqual(await everything.take(), [{ n: 1 }, 'say', 'echo']);
});

story('JavaScript 5.0.0: subscribing with confirmation, one, many, unsubscribe without A', async (s) => {
    await start(s);
    const listener = await visit(s, ['chat'], { place: 0 });
    const speaker = await visit(s, ['chat'], { place: 1 });
    const confirmed = listener.page.box('confirmed'), all = listener.page.box('all'), one = listener.page.box('one'), many = listener.page.box('many');
    const confirmation = (topic) => ({ T: topic, C: 'chat', A: true });
    listener.chat.subscribe('News', (data) => all(data), (data) => confirmed(data));
    assert.deepEqual(listener.page.said(), ['{"T":"5","D":"{\\"T\\":\\"News\\",\\"A\\":true}","C":"chat"}']);
    await confirmed.expect(confirmation('news'));
    listener.chat.one('first', (data) => one(data), (data) => confirmed(data));
    listener.chat.many('three', 3, (data) => many(data), (data) => confirmed(data));
    await confirmed.expect(confirmation('first'), confirmation('three'));
    listener.page.said();
    for (let n = 0; n < 3; n++) for (const topic of ['NEWS', 'first', 'three']) speaker.chat.publish(topic, n);
    await all.expect(0, 1, 2);
    await one.expect(0);
    await many.expect(0, 1, 2);
    assert.deepEqual(listener.page.said(), ['{"T":"6","D":"{\\"T\\":\\"first\\"}","C":"chat"}', '{"T":"6","D":"{\\"T\\":\\"three\\"}","C":"chat"}']);
    assert.equal(await asks(listener, 'chat', 'get_username', ''), '');
    for (const topic of ['first', 'three', 'news']) speaker.chat.publish(topic, 3);
    await all.expect(3);
    one.empty();
    many.empty();
    listener.chat.unsubscribe('news');
    assert.equal((await asks(listener, 'chat', 'get_room', '')), '');
    assert.equal((await s.daemon.stats()).total.subscriptions, 0);
    // Without a callback for it A is false and nothing is confirmed.
    listener.page.said();
    listener.chat.subscribe('quiet', (data) => all(data));
    assert.deepEqual(listener.page.said(), ['{"T":"5","D":"{\\"T\\":\\"quiet\\",\\"A\\":false}","C":"chat"}']);
    assert.equal(await asks(listener, 'chat', 'get_username', ''), '');
    speaker.chat.publish('quiet', 4);
    await all.expect(4);
    confirmed.empty();
});

story('JavaScript 5.0.0: properties go out in {"value":x}, enums bare, objects as they are', async (s) => {
    await start(s);
    const visitor = await visit(s);
    visitor.chat.setProperty('UserName', 'anna');
    assert.deepEqual(visitor.page.said(), ['{"T":"set_username","D":"{\\"value\\":\\"anna\\"}","C":"chat"}']);
    assert.equal(await asks(visitor, 'chat', 'get_username', ''), 'anna');
    visitor.page.said();
    visitor.chat.setEnum('Room', 'Red');
    assert.deepEqual(visitor.page.said(), ['{"T":"set_room","D":"\\"Red\\"","C":"chat"}']);
    assert.equal(await asks(visitor, 'chat', 'get_room', ''), 'Red');
    visitor.page.said();
    visitor.chat.setProperty('username', [1]);
    visitor.chat.setProperty('username', { a: 1 });
    assert.deepEqual(visitor.page.said(), ['{"T":"set_username","D":"{\\"value\\":[1]}","C":"chat"}', '{"T":"set_username","D":"{\\"a\\":1}","C":"chat"}']);
    for (let i = 0; i < 2; i++) assert.equal((await visitor.onerror.next()).ClassName, 'System.Exception');
});

// Nothing is an error of the client to it: topic 4 is a message for the controller's listener.
story('JavaScript 5.0.0: errors of an open controller reach its onerror, others reach nobody', async (s) => {
    await start(s);
    const visitor = await visit(s, ['demo']);
    visitor.conn.controller('nobody');
    visitor.demo.publish('foo', { i: 'no number' });
    await visitor.heard.demo.onerror.take();
    assert.equal((await visitor.onerror.next()).ClassName, 'System.Exception');
    assert.deepEqual(await asks(visitor, 'demo', 'foo', { s: 'bar', i: 42 }), { stringValue: 'bar', intValue: 42 });
    visitor.onerror.empty();
});

story('JavaScript 5.0.0: close says {} and is told CI, PI and C; the other controllers stay', async (s) => {
    await start(s);
    const visitor = await visit(s, ['chat', 'echo']);
    visitor.chat.close();
    assert.deepEqual(visitor.page.said(), ['{"T":"3","D":"{}","C":"chat"}']);
    assert.deepEqual(await visitor.heard.chat.onclose.next(), visitor.ids.chat);
    assert.equal(await asks(visitor, 'echo', 'x', 1), 1);
    // What is said to it next opens it again.
    assert.equal(await asks(visitor, 'chat', 'get_room', ''), '');
    assert.notEqual((await visitor.heard.chat.onopen.next()).connectionId, visitor.ids.chat.connectionId);
    visitor.conn.disconnect();
    assert.equal((await visitor.ondisconnected.next()).wasClean, true);
    await s.daemon.nobodyLeft();
});

story('JavaScript 5.0.0: a reconnect opens the controllers again; a later visit is the same client', async (s) => {
    await start(s);
    const profile = new Profile();
    const visitor = await visit(s, ['chat'], { profile });
    const say = hears(visitor, 'chat', 'say');
    visitor.conn.setAutoReconnect(3000);
    await visitor.page.cut();
    assert.equal((await visitor.ondisconnected.next()).code, 1006);
    visitor.page.time.pass(3000);
    await visitor.onconnected.take();
    await visitor.heard.chat.onopen.take();
    assert.deepEqual(visitor.page.said(), ['{"T":"1","D":"{\\"init\\":true}","C":"chat"}']);
    visitor.chat.publish('say', 'back');
    await say.expect('back');
    const { persistentId } = visitor.chat.clientInfo;
    const later = await visit(s, ['chat'], { profile });
    assert.equal(later.ids.chat.persistentId, persistentId);
    assert.match(later.page.wires[0].record[0], new RegExp(`persistentId=${persistentId}`));
});

story('JavaScript 5.0.0: it survives a stop of the server', async (s) => {
    const first = await start(s);
    const visitor = await visit(s);
    visitor.conn.setAutoReconnect(1000);
    await first.stop();
    assert.equal((await visitor.ondisconnected.next()).code, 1001);
    await start(s, {}, { port: first.port });
    visitor.page.time.pass(1000);
    await visitor.heard.chat.onopen.take();
    assert.equal(await asks(visitor, 'chat', 'get_room', ''), '');
});

story('JavaScript 5.0.0: binary messages, with metadata and without', async (s) => {
    await start(s);
    const one = await visit(s, ['generic'], { place: 0 });
    const other = await visit(s, ['generic'], { place: 1 });
    const boxes = [hears(one, 'generic', 'file'), hears(other, 'generic', 'file')];
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    for (const [metadata, header, wanted] of [
        [{ name: 'é.txt' }, '{"T":"file","D":"{\\"name\\":\\"é.txt\\"}","C":"generic"}', { name: 'é.txt' }],
        [undefined, '{"T":"file","C":"generic"}', {}],
    ]) {
        one.generic.invokeBinary('File', bytes.buffer, metadata);
        assert.deepEqual(one.page.said(), [Buffer.concat([Buffer.from([header.length, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(header, 'latin1'), bytes])]);
        for (const box of boxes) {
            const message = await box.next();
            assert.deepEqual(message.binary, bytes);
            assert.deepEqual(message.data, wanted);
        }
    }
});

story('JavaScript 5.0.0: its single-quoted pong is understood, whatever D does to it', async (s) => {
    await start(s);
    const visitor = await visit(s);
    visitor.conn.connection.send("{'T':'8','D':'hello','C':''}");
    visitor.conn.connection.send("{'T':'8','D':'null','C':''}");
    visitor.conn.connection.send("{'T':'8','D':'{\"a\":1}','C':''}");
    assert.equal(await asks(visitor, 'chat', 'get_room', ''), '');
});

story('JavaScript 5.0.0: storage is not there yet and does no harm', async (s) => {
    await start(s);
    const visitor = await visit(s);
    const got = visitor.page.box('storageGet');
    visitor.chat.storageGet('color', got);
    assert.deepEqual(visitor.page.said(), ['{"T":"s2","D":"{\\"K\\":\\"color\\"}","C":"chat"}']);
    await got.expect({ K: 'color', V: null });
    // T is in lower case, its promise waits for what was typed.
    const never = visitor.page.box('never');
    visitor.chat.storageGet('Color', never);
    visitor.page.said();
    visitor.chat.storageSet('color', { a: 1 });
    visitor.chat.storageSet('size', 42);
    visitor.chat.storageRemove('color', never);
    visitor.chat.storageClear(never);
    assert.deepEqual(visitor.page.said(), ['{"T":"s1","D":"{\\"K\\":\\"color\\",\\"V\\":\\"{\\\\\\"a\\\\\\":1}\\"}","C":"chat"}',
        '{"T":"s1","D":"{\\"K\\":\\"size\\",\\"V\\":42}","C":"chat"}', '{"T":"s3","D":"{\\"K\\":\\"color\\"}","C":"chat"}', '{"T":"s4","D":"{}","C":"chat"}']);
    for (let i = 0; i < 4; i++) await visitor.heard.chat.onerror.take();
    assert.equal(await asks(visitor, 'chat', 'get_room', ''), '');
    never.empty();
});
