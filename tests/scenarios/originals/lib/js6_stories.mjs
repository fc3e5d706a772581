// js6_stories - what a page with a JavaScript client 6.x does with the daemon; told once for each version.
import assert from 'node:assert/strict';
import { GUID } from '../../lib/clients.mjs';
import { Page, Profile, urlOf } from './browser.mjs';
import { start, story } from './workers.mjs';

const guid = new RegExp(`^${GUID}$`);

// T 2, as the version hands it to the page.
export const infoOf = (info) => typeof info === 'string' ? JSON.parse(info) : info;

// A page whose controllers are open. `path` is put behind the URL; prepare(conn) runs before the connection is opened.
export async function visit(s, load, controllers = ['chat'], { place, profile, path = '', name, prepare } = {}) {
    const page = new Page(s, { profile, name });
    const conn = new (load(page).xsockets).client(urlOf(s.daemon, path), controllers);
    if (place !== undefined) conn.setParameters({ place });
    const visitor = { page, conn, heard: {}, ids: {} };
    for (const event of ['onOpen', 'onClose', 'onError', 'onMessage']) visitor[event] = conn[event] = page.box(event);
    for (const one of controllers) {
        visitor[one] = conn.controller(one);
        visitor.heard[one] = {};
        for (const event of ['onOpen', 'onClose', 'onMessage']) visitor.heard[one][event] = visitor[one][event] = page.box(`${event} of ${one}`);
    }
    prepare?.(conn);
    conn.open();
    await visitor.onOpen.next();
    for (const one of controllers) visitor.ids[one] = infoOf(await visitor.heard[one].onOpen.next());
    page.said();
    return visitor;
}

// on() with a box.
export function hears(visitor, controller, topic) {
    const box = visitor.page.box(`${controller}.${topic}`);
    visitor.conn.controller(controller, false).on(topic, box);
    return box;
}

// invoke() that waits for its answer, and with it for all that the server said before.
export async function asks(visitor, controller, topic, data) {
    const box = visitor.page.box(`answer to ${controller}.${topic}`);
    visitor.conn.controller(controller).invoke(topic, data).then(box);
    return box.next();
}

export async function joins(visitor, topic) {
    const box = visitor.page.box(topic);
    visitor.chat.subscribe(topic, box);
    visitor.chat.getProperty('room', visitor.page.box());
    await asks(visitor, 'chat', 'get_username');
    return box;
}

// What invoke() is given, D on the wire, and what on() gives.
const TABLE = [
    ['an object', [{ a: 1 }], '"{\\"a\\":1}"', { a: 1 }],
    ['a string', ['hello'], '"\\"hello\\""', 'hello'],
    ['nothing', [], '"\\"\\""', ''],
    ['undefined', [undefined], '"\\"\\""', ''],
    ['a number', [42], '42', 42],
    ['true', [true], 'true', true],
    ['null', [null], 'null', null],
    ['a string that is a number', ['42'], '"42"', 42],
    ['a string that is an object', ['{"a":1}'], '"{\\"a\\":1}"', { a: 1 }],
    ['an array of one number', [[1]], '[1]', [1]],
    ['an array of two numbers', [[1, 2]], '"[1,2]"', [1, 2]],
    ['an empty array', [[]], '"[]"', []],
    ['an empty object', [{}], '"{}"', {}],
    ['letters beyond ASCII', ['Jürgen €😀'], '"\\"Jürgen €😀\\""', 'Jürgen €😀'],
];

export function tellStories(version, load) {
    story(`${version}: init and close carry nothing, T 2 brings the ids, the id is kept under the URL as it was given`, async (s) => {
        await start(s);
        const page = new Page(s);
        const url = urlOf(s.daemon);
        const conn = new (load(page).xsockets).client(url, ['Chat', 'generic']);
        const opened = page.box('onOpen');
        conn.controller('CHAT').onOpen = conn.controller('generic').onOpen = opened;
        conn.open();
        const [chat, generic] = [infoOf(await opened.next()), infoOf(await opened.next())];
        assert.deepEqual(page.said(), ['{"C":"chat","T":"1"}', '{"C":"generic","T":"1"}']);
        for (const ids of [chat, generic]) assert.match(`${ids.CI} ${ids.PI}`, new RegExp(`^${GUID} ${GUID}$`));
        assert.deepEqual([chat.C, generic.C], ['chat', 'generic']);
        assert.equal(chat.PI, generic.PI);
        assert.notEqual(chat.CI, generic.CI);
        assert.equal(page.localStorage.getItem(url), chat.PI);
        const closed = conn.controller('chat').onClose = page.box('onClose');
        conn.controller('chat').close();
        assert.deepEqual(page.said(), ['{"C":"chat","T":"3"}']);
        await closed.take();
        await closed.take(); // once at once, once because the server said so
    });

    story(`${version}: what invoke() is given, how it goes out, and what the others are given`, async (s) => {
        await start(s);
        for (const [name, values, D, heard] of TABLE) {
            await s.part(name, async (part) => {
                const one = await visit(part, load, ['generic'], { place: 0 });
                const other = await visit(part, load, ['generic'], { place: 1 });
                const boxes = [hears(one, 'generic', 't'), hears(other, 'generic', 't')];
                one.generic.invoke('T', ...values);
                assert.deepEqual(one.page.said(), [`{"C":"generic","D":${D},"T":"t"}`]);
                for (const box of boxes) await box.expect(heard);
            });
        }
    });

    story(`${version}: an answer goes to its promise once, then to the callback, then to onMessage`, async (s) => {
        await start(s);
        const visitor = await visit(s, load, ['echo']);
        const callback = hears(visitor, 'echo', 'say');
        assert.deepEqual(await asks(visitor, 'echo', 'Say', { n: 1 }), { n: 1 });
        callback.empty();
        visitor.echo.invoke('say', 2);
        await callback.expect(2);
        visitor.echo.off('SAY');
        visitor.echo.publish('say', 3);
        const message = await visitor.heard.echo.onMessage.next();
        assert.deepEqual([message.C, message.T, message.D], ['echo', 'say', '3']);
        // Of two requests of one topic the later promise is kept.
        const first = visitor.page.box('first'), second = visitor.page.box('second');
        visitor.echo.invoke('say', 4).then(first);
        visitor.echo.invoke('say', 5).then(second);
        await second.expect(4);
        assert.equal((await visitor.heard.echo.onMessage.next()).D, '5');
        first.empty();
    });

    story(`${version}: what is published reaches the subscribers, a wildcard's matches end in onMessage`, async (s) => {
        await start(s);
        const speaker = await visit(s, load, ['chat'], { place: 0 });
        const listener = await visit(s, load, ['chat'], { place: 1 });
        const news = await joins(listener, 'News/Sport');
        assert.deepEqual(listener.page.said()[0], '{"C":"chat","D":"{\\"T\\":\\"news/sport\\",\\"A\\":false}","T":"5"}');
        await joins(listener, 'weather/+');
        speaker.chat.publish('News/Sport', { goals: 1 });
        speaker.chat.publish('weather/Berlin', 'rain');
        await news.expect({ goals: 1 });
        assert.deepEqual((await listener.heard.chat.onMessage.next()).T, 'weather/berlin');
        listener.page.said();
        listener.chat.unsubscribe('NEWS/sport');
        assert.deepEqual(listener.page.said(), ['{"C":"chat","D":"{\\"T\\":\\"news/sport\\",\\"A\\":false}","T":"6"}']);
        await asks(listener, 'chat', 'get_username');
        speaker.chat.publish('news/sport', { goals: 2 });
        speaker.chat.publish('weather/berlin', 'sun');
        assert.equal((await listener.heard.chat.onMessage.next()).D, '"sun"');
        news.empty();
    });

    story(`${version}: properties are set and read`, async (s) => {
        await start(s);
        const visitor = await visit(s, load);
        const box = visitor.page.box('getProperty');
        for (const name of ['anna', 'Jürgen "x" \\', 'a b']) {
            visitor.chat.setProperty('UserName', name);
            visitor.chat.getProperty('username', box);
            await box.expect(name);
        }
        // What the client takes for a number the server still takes for a name.
        visitor.chat.setProperty('username', '42');
        visitor.chat.getProperty('username', box);
        await box.expect('42');
    });

    story(`${version}: an error goes to the client's onError, whole, and never to a controller`, async (s) => {
        await start(s);
        const visitor = await visit(s, load, ['demo']);
        const everything = hears(visitor, 'demo', '4');
        visitor.conn.controller('nobody');
        const unknown = await visitor.onError.next();
        assert.deepEqual([unknown.C, unknown.T, JSON.parse(unknown.D).Message], ['', '4', 'Unknown controller']);
        visitor.demo.invoke('foo', { i: 'no number' });
        const failed = await visitor.onError.next();
        assert.deepEqual([failed.C, failed.T, JSON.parse(failed.D).ClassName], ['demo', '4', 'System.Exception']);
        assert.deepEqual(await asks(visitor, 'demo', 'foo', { s: 'bar', i: 42 }), { stringValue: 'bar', intValue: 42 });
        everything.empty();
        visitor.heard.demo.onMessage.empty();
    });

    story(`${version}: a controller made in onOpen is opened twice and told once; another is opened by what is said to it`, async (s) => {
        await start(s);
        const page = new Page(s);
        const conn = new (load(page).xsockets).client(urlOf(s.daemon));
        const opened = page.box('onOpen of chat'), answer = page.box('answer');
        conn.onOpen = () => { conn.controller('chat').onOpen = opened; };
        conn.open();
        await opened.take();
        assert.deepEqual(page.said(), ['{"C":"chat","T":"1"}', '{"C":"chat","T":"1"}']);
        const chat = conn.controller('chat');
        chat.open();
        assert.deepEqual(page.said(), []);
        chat.close();
        chat.invoke('get_username').then(answer);
        await opened.take();
        await answer.expect('');
        chat.invoke('get_username').then(answer);
        await answer.expect('');
        opened.empty();
    });

    story(`${version}: closing ends the controllers at once, the connection in order, and nothing comes back`, async (s) => {
        await start(s);
        const visitor = await visit(s, load, ['chat', 'generic']);
        visitor.conn.autoReconnect();
        visitor.conn.close();
        const { code, wasClean } = await visitor.onClose.next();
        assert.deepEqual({ code, wasClean }, { code: 1005, wasClean: true });
        for (const one of ['chat', 'generic']) await visitor.heard[one].onClose.take();
        visitor.page.time.pass(60000);
        assert.equal(visitor.page.wires.length, 1);
        await s.daemon.nobodyLeft();
    });

    story(`${version}: with autoReconnect it is back after the time it said, as the same, with its controllers and no subscription`, async (s) => {
        await start(s);
        const profile = new Profile();
        const visitor = await visit(s, load, ['chat', 'echo'], { profile, place: 0, prepare: (conn) => conn.autoReconnect(true, 5000) });
        const speaker = await visit(s, load, ['chat'], { place: 1 });
        const news = await joins(visitor, 'news');
        speaker.chat.publish('news', 1);
        await news.expect(1);
        await visitor.page.cut();
        assert.equal((await visitor.onClose.next()).code, 1006);
        visitor.page.said();
        visitor.page.time.pass(4999);
        assert.equal(visitor.page.wires.length, 1);
        visitor.page.time.pass(1);
        await visitor.onOpen.take();
        const again = infoOf(await visitor.heard.chat.onOpen.next());
        await visitor.heard.echo.onOpen.take();
        assert.deepEqual(visitor.page.said(), ['{"C":"chat","T":"1"}', '{"C":"echo","T":"1"}']);
        assert.match(visitor.page.wires[1].record[0], new RegExp(`GET /\\?place=0&persistentid=${visitor.ids.chat.PI} HTTP`));
        assert.equal(again.PI, visitor.ids.chat.PI);
        assert.notEqual(again.CI, visitor.ids.chat.CI);
        // What is said behind it is heard, so it was not on its way any more.
        const say = hears(visitor, 'chat', 'say');
        speaker.chat.publish('news', 2);
        speaker.chat.invoke('say', 'between');
        await say.expect('between');
        visitor.chat.subscribe('news', news);
        assert.equal(await asks(visitor, 'echo', 'x', 1), 1);
        speaker.chat.publish('news', 3);
        await news.expect(3);
    });

    story(`${version}: it survives a stop of the server and finds the next one as the same`, async (s) => {
        const first = await start(s);
        const visitor = await visit(s, load, ['chat'], { prepare: (conn) => conn.autoReconnect(true, 1000) });
        await first.stop();
        const { code, wasClean } = await visitor.onClose.next();
        assert.deepEqual({ code, wasClean }, { code: 1001, wasClean: true });
        // Nobody is there yet: it tries again.
        visitor.page.time.pass(1000);
        await visitor.onError.take();
        await visitor.page.until('the next attempt', () => visitor.page.time.timers.size > 0 || undefined);
        await start(s, {}, { port: first.port });
        visitor.page.time.pass(1000);
        await visitor.onOpen.take();
        assert.equal(infoOf(await visitor.heard.chat.onOpen.next()).PI, visitor.ids.chat.PI);
        visitor.chat.setProperty('username', 'anna');
        assert.equal(await asks(visitor, 'chat', 'get_username'), 'anna');
    });

    story(`${version}: the pings of the server are the browser's business`, async (s) => {
        await start(s, { 'endpoint main': { heartbeat: '20ms', idle_timeout: '10s' } });
        const visitor = await visit(s, load);
        const pings = () => visitor.page.wires[0].record.filter((line) => line === '  > frame 10: ping').length;
        await visitor.page.until('three pings', () => pings() >= 3 || undefined);
        assert.equal(await asks(visitor, 'chat', 'get_username'), '');
    });

    story(`${version}: two tabs share an id and are two clients; another URL has another`, async (s) => {
        await start(s);
        const profile = new Profile();
        const one = await visit(s, load, ['chat'], { profile, place: 0, name: 'tab one' });
        const two = await visit(s, load, ['chat'], { profile, place: 1, name: 'tab two' });
        const other = await visit(s, load, ['chat'], { profile, path: '/', name: 'other URL' });
        assert.equal(two.ids.chat.PI, one.ids.chat.PI);
        assert.notEqual(two.ids.chat.CI, one.ids.chat.CI);
        assert.notEqual(other.ids.chat.PI, one.ids.chat.PI);
        const boxes = [one, two, other].map((tab) => hears(tab, 'chat', 'say'));
        one.chat.invoke('say', 'hi');
        for (const box of boxes) await box.expect('hi');
        one.conn.close();
        await one.onClose.take();
        two.chat.invoke('say', 'still here');
        for (const box of boxes.slice(1)) await box.expect('still here');
    });

    story(`${version}: binary messages, with metadata and without, to callbacks and promises`, async (s) => {
        await start(s);
        const one = await visit(s, load, ['generic', 'echo'], { place: 0 });
        const other = await visit(s, load, ['generic'], { place: 1 });
        const boxes = [hears(one, 'generic', 'file'), hears(other, 'generic', 'file')];
        const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
        const header = (text) => Buffer.concat([Buffer.from([text.length, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(text, 'latin1'), Buffer.from(bytes)]);
        const both = async (wanted) => {
            for (const box of boxes) {
                const { binary, metadata } = await box.next();
                assert.deepEqual(binary, bytes);
                assert.deepEqual(metadata, wanted);
            }
        };
        one.generic.invokeBinary('File', bytes.buffer, { name: 'a.txt' });
        assert.deepEqual(one.page.said(), [header('{"C":"generic","D":"{\\"name\\":\\"a.txt\\"}","T":"file"}')]);
        await both({ name: 'a.txt' });
        one.generic.invokeBinary('file', bytes.buffer);
        assert.deepEqual(one.page.said(), [header('{"C":"generic","T":"file"}')]);
        await both({});
        // Latin-1 keeps é; of € the low byte is left, and that is a fault of the client.
        one.generic.invokeBinary('file', bytes.buffer, { name: 'é' });
        assert.deepEqual(one.page.said(), [header('{"C":"generic","D":"{\\"name\\":\\"é\\"}","T":"file"}')]);
        await both({ name: 'é' });
        one.generic.invokeBinary('file', bytes.buffer, { name: '€' });
        await both({ name: '¬' });
        one.generic.invokeBinary('file', new ArrayBuffer(0));
        for (const box of boxes) assert.equal((await box.next()).binary.length, 0);
        // A promise gets the metadata alone.
        const promised = one.page.box('promise');
        one.echo.invoke('file').then(promised);
        await promised.expect('');
        one.echo.promises.file = promised;
        one.echo.invokeBinary('file', bytes.buffer, { n: 1 });
        await promised.expect({ n: 1 });
        // Subscribed once, delivered in both forms.
        const seen = one.page.box('seen');
        one.conn.controller('chat').subscribe('file', seen);
        one.conn.controller('chat').invokeBinary('file', bytes.buffer, { n: 2 });
        one.conn.controller('chat').invoke('file', { n: 3 });
        assert.deepEqual((await seen.next()).metadata, { n: 2 });
        await seen.expect({ n: 3 });
    });

    story(`${version}: storage is not there yet and does no harm`, async (s) => {
        await start(s);
        const visitor = await visit(s, load);
        // 6.x has no functions for it: a page could only have sent the topics.
        const got = hears(visitor, 'chat', 's2:color');
        visitor.chat.invoke('s2', { K: 'color' });
        await got.expect({ K: 'color', V: null });
        for (const [topic, data] of [['s1', { K: 'color', V: 'red' }], ['s3', { K: 'color' }], ['s4', null]]) {
            visitor.chat.invoke(topic, data);
            assert.equal((await visitor.onError.next()).C, 'chat');
        }
        assert.equal(await asks(visitor, 'chat', 'get_username'), '');
    });
}
