// The NodeJS client against the daemon.
import assert from 'node:assert/strict';
import { GUID, xsocketsnet } from '../lib/clients.mjs';
import { TcpClient } from './nodejs.mjs';
import { start, story } from './lib/workers.mjs';

const pace = 30;
const sections = { 'protocol json': { pace: `${pace}ms` } };

// A client that is connected, with all of its controllers open.
async function connect(s, controllers = ['chat'], { port = s.daemon.port } = {}) {
    const client = new TcpClient(s, '127.0.0.1', port, controllers, { pace });
    client.onerror = client.box('onerror');
    client.onconnected = client.box('onconnected');
    client.heard = {};
    client.ids = {};
    for (const name of controllers) {
        client.heard[name] = {};
        for (const event of ['onopen', 'onclose', 'onerror']) client.heard[name][event] = client.controller(name)[event] = client.box(`${event} of ${name}`);
    }
    client.open();
    await client.onconnected.expect({ T: '1', D: 'Welcome', C: '' });
    for (const name of controllers) client.ids[name] = JSON.parse(await client.heard[name].onopen.next());
    return client;
}

function hears(client, controller, topic) {
    const box = client.box(`${controller}.${topic}`);
    client.controller(controller).on(topic, box);
    return box;
}

async function asks(client, controller, topic, data) {
    const box = hears(client, controller, topic);
    client.controller(controller).send(topic, data);
    const answer = await box.next();
    client.controller(controller).off(topic);
    return answer;
}

story('NodeJS: is welcomed, opens its controllers and knows them by the names it typed', async (s) => {
    await start(s, sections);
    const client = await connect(s, ['Chat', 'echo']);
    assert.equal(client.wire.record[0], '  > JsonProtocol');
    assert.equal(client.wire.record[1], '  < \\x00{"T":"1","D":"Welcome","C":""}\\xff');
    assert.equal(client.wire.record[2], '  > \\x00{"T":"1","D":"{\\"init\\":true}","C":"Chat"}\\xff');
    assert.match(`${client.ids.Chat.CI} ${client.ids.Chat.PI}`, new RegExp(`^${GUID} ${GUID}$`));
    assert.equal(await asks(client, 'Chat', 'get_room', ''), '');
    const other = await xsocketsnet(s, { open: 'chat' });
    const say = hears(client, 'Chat', 'say');
    other.invoke('CHAT', 'say', 'hi');
    await say.expect('hi');
});

story('NodeJS: what it is given, how it goes out, and what it is given back', async (s) => {
    await start(s, sections);
    const client = await connect(s, ['echo']);
    for (const value of [{ says: 'mjau' }, 'hello', 42, true, null, [1, 2], '{"a":1}', '']) assert.deepEqual(await asks(client, 'echo', 'x', value), value);
    // Topics come back in lower case, callbacks are as they were typed.
    const mixed = hears(client, 'echo', 'Mixed');
    client.controller('echo').send('Mixed', 1);
    assert.equal(await asks(client, 'echo', 'y', 2), 2);
    mixed.empty();
});

story('NodeJS: sixty messages at once, a pause between them, all of them heard', async (s) => {
    await start(s, sections);
    const client = await connect(s);
    const speaker = await xsocketsnet(s, { open: 'chat', place: 1 });
    const count = hears(client, 'chat', 'count');
    client.controller('chat').send('5', { T: 'count' });
    assert.equal(await asks(client, 'chat', 'get_room', ''), '');
    for (let n = 0; n < 60; n++) speaker.invoke('chat', 'count', n);
    for (let n = 0; n < 60; n++) await count.expect(n);
});

story('NodeJS: subscribing, properties, closing a controller', async (s) => {
    await start(s, sections);
    const client = await connect(s, ['chat', 'echo']);
    const speaker = await xsocketsnet(s, { open: 'chat', place: 1 });
    const news = hears(client, 'chat', 'news'), confirmed = hears(client, 'chat', '__news');
    client.controller('chat').send('5', { T: 'news', A: true });
    await confirmed.expect({ T: 'news', C: 'chat', A: true });
    speaker.invoke('chat', 'news', 1);
    await news.expect(1);
    client.controller('chat').send('6', { T: 'news' });
    client.controller('chat').send('set_username', { value: 'node' });
    assert.equal(await asks(client, 'chat', 'get_username', ''), 'node');
    speaker.invoke('chat', 'news', 2);
    const say = hears(client, 'chat', 'say');
    speaker.invoke('chat', 'say', 'over');
    await say.expect('over');
    news.empty();
    client.controller('chat').send('3');
    assert.deepEqual(JSON.parse(await client.heard.chat.onclose.next()), client.ids.chat);
    assert.equal(await asks(client, 'echo', 'x', 1), 1);
    client.close();
    await speaker.leave();
    await s.daemon.nobodyLeft();
});

story('NodeJS: an error comes to the controller it belongs to, in its client\'s own letters', async (s) => {
    await start(s, sections);
    const client = await connect(s, ['Demo']);
    const nobody = client.controller('NoBody');
    nobody.onerror = client.box('onerror of NoBody');
    nobody.send('say', 1);
    assert.equal(JSON.parse(await nobody.onerror.next()).Message, 'Unknown controller');
    client.controller('Demo').send('foo', { i: 'no number' });
    assert.equal(JSON.parse(await client.heard.Demo.onerror.next()).ClassName, 'System.Exception');
    assert.deepEqual(await asks(client, 'Demo', 'foo', { s: 'bar', i: 42 }), { stringValue: 'bar', intValue: 42 });
});

story('NodeJS: JSON that it has cut short itself is no reason to go', async (s) => {
    await start(s, sections);
    const client = await connect(s, ['echo']);
    client.controller('echo').send('x', 'é');
    client.controller('echo').send('x', '€😀 and more');
    assert.equal(await asks(client, 'echo', 'y', 'plain'), 'plain');
});

story('NodeJS: what others write beyond ASCII reaches it whole', async (s) => {
    await start(s, sections);
    const client = await connect(s, ['generic']);
    const speaker = await xsocketsnet(s, { open: 'generic', place: 1 });
    const say = hears(client, 'generic', 'say');
    speaker.invoke('generic', 'say', 'Jürgen €😀');
    await say.expect('Jürgen €😀');
    // Binary messages are not for it.
    const header = '{"C":"generic","T":"say"}';
    speaker.binary(Buffer.concat([Buffer.from([header.length, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(header), Buffer.from('x')]));
    speaker.invoke('generic', 'say', 'after');
    await say.expect('after');
});

story('NodeJS: a server that stops ends the connection; the next one serves it', async (s) => {
    const first = await start(s, sections);
    const client = await connect(s);
    await first.stop();
    await client.until('the end', () => client.wire.closed || undefined);
    await start(s, sections, { port: first.port });
    const again = await connect(s, ['chat'], { port: first.port });
    assert.equal(await asks(again, 'chat', 'get_room', ''), '');
});

story('NodeJS: storage is not there yet and does no harm', async (s) => {
    await start(s, sections);
    const client = await connect(s);
    const got = hears(client, 'chat', 's2:color');
    client.controller('chat').send('s2', { K: 'color' });
    await got.expect({ K: 'color', V: null });
    client.controller('chat').send('s1', { K: 'color', V: 'red' });
    client.controller('chat').send('s3', { K: 'color' });
    client.controller('chat').send('s4', {});
    for (let i = 0; i < 3; i++) await client.heard.chat.onerror.take();
    assert.equal(await asks(client, 'chat', 'get_room', ''), '');
});
