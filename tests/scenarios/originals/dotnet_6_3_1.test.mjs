// .NET 6.3.1 against the daemon.
import assert from 'node:assert/strict';
import { GUID } from '../lib/clients.mjs';
import { AtLeastOnce, XSocketClient } from './dotnet_6_3_1.mjs';
import { urlOf } from './lib/browser.mjs';
import { start, story } from './lib/workers.mjs';

// A client whose controllers are open; prepare(client) runs before.
async function connect(s, controllers = ['Chat'], { place, prepare } = {}) {
    const client = new XSocketClient(s, urlOf(s.daemon, '/ignored?x=1'), 'http://localhost', ...controllers);
    if (place !== undefined) client.QueryString.set('place', String(place));
    for (const event of ['OnConnected', 'OnDisconnected', 'OnError', 'OnPong', 'OnAutoReconnectFailed']) client[event] = client.box(event);
    for (const name of controllers) {
        const controller = client.Controller(name);
        for (const event of ['OnOpen', 'OnClose', 'OnError', 'OnMessage']) controller[event] = client.box(`${event} of ${name}`);
    }
    prepare?.(client);
    assert.equal(await client.Open(), true);
    await client.OnConnected.take();
    for (const name of controllers) await client.Controller(name).OnOpen.take();
    client.said();
    return client;
}

const text = (C, T, D, { I = 0, Q = 0, R = false } = {}) => JSON.stringify({ I, Q, R, B: null, D, MessageType: 0, C, T });
const subscription = (topic, controller, confirm) => JSON.stringify({ T: topic, C: controller, A: confirm });

// All that the server said before has been heard.
const settled = (client, controller = 'chat') => client.Controller(controller).GetProperty('room');

story('.NET: the handshake as it is written, then all inits and all subscriptions at once', async (s) => {
    await start(s);
    const client = new XSocketClient(s, urlOf(s.daemon, '/Foo/bar?x=1'), 'http://localhost', 'Chat', 'Generic');
    client.PersistentId = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
    client.SetCleanSession(true);
    client.Headers.push(['X-One', 'two words'], ['User-Agent', '.NET']);
    client.Cookies.push(['a', 'b'], ['c', 'd']);
    const chat = client.Controller('chat'), news = client.box('news'), confirmed = client.box('confirmed');
    chat.Subscribe('news', news, confirmed);
    chat.Subscribe('other', news);
    const opened = chat.OnOpen = client.box('OnOpen');
    assert.equal(await client.Open(), true);
    assert.match(client.request(), new RegExp(['^GET /\\?qos=1&cs=1&PersistentId=7c9e6679-7425-40de-944b-e07fc1f90ae7 HTTP/1\\.1',
        `Host: 127\\.0\\.0\\.1:${s.daemon.port}`, 'Origin: http://localhost', 'Upgrade: websocket', 'Connection: Upgrade,Keep-Alive',
        'X-One: two words', 'User-Agent: \\.NET', 'Cookie: a=b; c=d', 'Sec-WebSocket-Key: [A-Za-z0-9+/]{22}==',
        'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: XSocketsNET', '', '$'].join('\r\n')));
    assert.deepEqual(client.said(), [text('Chat', '1', '{"Init":true}'), text('Generic', '1', '{"Init":true}'),
        text('Chat', '5', subscription('news', null, true)), text('Chat', '5', subscription('__news', null, false)),
        text('Chat', '5', subscription('other', null, false))]);
    const info = await opened.next();
    assert.match(`${info.ConnectionId} ${info.PersistentId}`, new RegExp(`^${GUID} 7c9e6679-7425-40de-944b-e07fc1f90ae7$`));
    assert.deepEqual((await confirmed.next()).Extract(), { T: 'news', C: 'chat', A: true });
    await settled(client);
    confirmed.empty();
});

story('.NET: what it is given, how it goes out, and what the others are given', async (s) => {
    await start(s);
    for (const [name, value, D, heard] of [
        ['a bare string', 'hello', 'hello', 'hello'],
        ['a string that is an object', '{"a":1}', '"{\\"a\\":1}"', '{"a":1}'],
        ['a string that is an array', '[1]', '"[1]"', '[1]'],
        ['a string in quotes', '"x"', '"\\"x\\""', '"x"'],
        ['a string that only looks like an object', '{a', '{a', '{a'],
        ['a string that is a number', '42', '42', 42],
        ['an empty string', '', '', ''],
        ['an object', { Name: 'Steve', Age: 42 }, '{"Name":"Steve","Age":42}', { Name: 'Steve', Age: 42 }],
        ['a number', 42, '42', 42],
        ['a boolean', true, 'true', true],
        ['null', null, 'null', null],
        ['letters beyond ASCII', 'Jürgen €😀\u2028', 'Jürgen €😀\u2028', 'Jürgen €😀\u2028'],
    ]) {
        await s.part(name, async (part) => {
            const one = await connect(part, ['Generic'], { place: 0 });
            const other = await connect(part, ['Generic'], { place: 1 });
            const boxes = [one, other].map((client) => {
                const box = client.box('on');
                client.Controller('generic').On('Say', box);
                return box;
            });
            one.Controller('generic').Invoke('Say', value);
            assert.deepEqual(one.said().map((envelope) => JSON.parse(envelope)), [{ I: 0, Q: 0, R: false, B: null, D, MessageType: 0, C: 'generic', T: 'say' }]);
            for (const box of boxes) await box.expect(heard);
        });
    }
});

story('.NET: Invoke<T> gets the answer; without one it gives up after 30 s', async (s) => {
    await start(s);
    const client = await connect(s, ['Echo', 'Chat']);
    const echo = client.Controller('echo');
    assert.deepEqual(await echo.InvokeFor('Say', { n: 1 }), { n: 1 });
    const on = client.box('on');
    echo.On('say', on);
    echo.Invoke('say', 2);
    await on.expect(2);
    echo.Invoke('other', 3);
    assert.deepEqual((await echo.OnMessage.next()).Data, '3');
    // A void action answers nothing.
    const never = client.Controller('chat').InvokeFor('set_username', 'anna');
    assert.equal(await client.Controller('chat').GetProperty('username'), 'anna');
    client.time.pass(30000);
    await assert.rejects(never, /did not respond/);
});

story('.NET: a controller first asked for behind the connect never sends an init and works', async (s) => {
    await start(s);
    const client = await connect(s, []);
    const echo = client.Controller('Echo');
    const opened = echo.OnOpen = client.box('OnOpen');
    const answer = echo.InvokeFor('say', 1);
    assert.deepEqual(client.said(), [text('echo', 'say', '1')]);
    assert.equal((await opened.next()).Controller, 'echo');
    assert.equal(await answer, 1);
});

story('.NET: subscribing, confirmed and not, One, Many, unsubscribing', async (s) => {
    await start(s);
    const listener = await connect(s, ['Chat'], { place: 0 });
    const speaker = await connect(s, ['Chat'], { place: 1 });
    const chat = listener.Controller('chat'), say = speaker.Controller('chat');
    const [all, one, many, quiet, confirmed] = ['all', 'one', 'many', 'quiet', 'confirmed'].map((name) => listener.box(name));
    const data = (box) => (message) => box(message.Extract());
    chat.Subscribe('all', data(all), data(confirmed));
    assert.deepEqual(listener.said(), [text('chat', '5', subscription('all', 'chat', true))]);
    chat.One('first', data(one), data(confirmed));
    chat.Many('three', 3, data(many), data(confirmed));
    for (const topic of ['all', 'first', 'three']) await confirmed.expect({ T: topic, C: 'chat', A: true });
    chat.Subscribe('quiet', data(quiet));
    await settled(listener);
    listener.said();
    for (let n = 0; n < 3; n++) for (const topic of ['all', 'first', 'three', 'quiet']) say.Publish(topic, n);
    await all.expect(0, 1, 2);
    await one.expect(0);
    await many.expect(0, 1, 2);
    await quiet.expect(0, 1, 2);
    assert.deepEqual(listener.said(), [text('chat', '6', subscription('first', null, false)), text('chat', '6', subscription('three', null, false))]);
    chat.Unsubscribe('QUIET');
    await settled(listener);
    for (const topic of ['first', 'three', 'quiet', 'all']) say.Publish(topic, 3);
    await all.expect(3);
    for (const box of [one, many, quiet, confirmed]) box.empty();
    // Typed in mixed case it is sent in lower case and never fires: a fault of the client.
    const mixed = listener.box('mixed');
    chat.Subscribe('MixedCase', data(mixed));
    await settled(listener);
    say.Publish('MixedCase', 4);
    // Before it, what was published while the server had not yet heard of an unsubscribe.
    for (let topic; (topic = (await chat.OnMessage.next()).Topic) !== 'mixedcase';) assert.match(topic, /^(first|three)$/);
    mixed.empty();
});

story('.NET: properties are sent bare and read back', async (s) => {
    await start(s);
    const client = await connect(s);
    const chat = client.Controller('chat');
    for (const name of ['anna', 'Jürgen "x" \\']) {
        chat.SetProperty('UserName', name);
        assert.equal(await chat.GetProperty('UserName'), name);
    }
});

story('.NET: errors are whole exceptions, of a controller and of the connection', async (s) => {
    await start(s);
    const client = await connect(s, ['Demo']);
    client.Controller('Nobody').OpenController();
    assert.deepEqual(await client.OnError.next(), { ClassName: 'System.Exception', Message: 'Unknown controller' });
    client.Controller('demo').Invoke('Foo', { i: 'no number' });
    assert.equal((await client.Controller('demo').OnError.next()).ClassName, 'System.Exception');
    assert.equal((await client.OnError.next()).ClassName, 'System.Exception');
    assert.deepEqual(await client.Controller('demo').InvokeFor('Foo', { s: 'bar', i: 42 }), { stringValue: 'bar', intValue: 42 });
});

story('.NET: a controller is closed and comes back when something is said to it', async (s) => {
    await start(s);
    const client = await connect(s, ['Chat', 'Echo']);
    const chat = client.Controller('chat');
    chat.Close();
    assert.deepEqual(client.said(), [text('chat', '3', 'null')]);
    const { ConnectionId } = await chat.OnClose.next();
    assert.match(ConnectionId, new RegExp(`^${GUID}$`));
    assert.equal(await client.Controller('echo').InvokeFor('x', 1), 1);
    assert.equal(await settled(client), '');
    assert.notEqual((await chat.OnOpen.next()).ConnectionId, ConnectionId);
});

story('.NET: an empty close frame and the end in the same breath leave nothing behind', async (s) => {
    await start(s);
    const client = await connect(s, ['Chat', 'Generic']);
    client.Disconnect();
    await client.OnDisconnected.take();
    for (const name of ['chat', 'generic']) await client.Controller(name).OnClose.take();
    await s.daemon.nobodyLeft();
});

story('.NET: after the network went away it is the same client again, and all its subscriptions are sent again', async (s) => {
    await start(s);
    const early = {};
    const client = await connect(s, ['Chat'], { place: 0, prepare: (it) => {
        it.SetAutoReconnect();
        early.news = it.box('news'), early.confirmed = it.box('confirmed');
        it.Controller('chat').Subscribe('news', early.news, early.confirmed);
    } });
    const speaker = await connect(s, ['Chat'], { place: 1 });
    await early.confirmed.take();
    const id = client.PersistentId;
    await client.cut();
    await client.OnDisconnected.take();
    client.said();
    client.time.pass(4999);
    assert.equal(client.wires.length, 1);
    client.time.pass(1);
    await client.OnConnected.take();
    assert.match(client.wires[1].record[0], new RegExp(`^  > GET /\\?qos=1&place=0&PersistentId=${id} HTTP`));
    // To the subscription it always adds one to its confirmation.
    assert.deepEqual(client.said(), [text('chat', '1', '{"Init":true}'), text('chat', '5', subscription('news', null, true)),
        text('chat', '5', subscription('__news', null, false))]);
    assert.equal((await client.Controller('chat').OnOpen.next()).PersistentId, id);
    await early.confirmed.take();
    speaker.Controller('chat').Publish('news', 1);
    assert.equal((await early.news.next()).Data, '1');
    await settled(client);
    early.news.empty();
});

// A whole close frame would end its AutoReconnect, which looks whether the connection still stands: one of 2 bytes it does not read.
story('.NET: it survives a stop of the server and finds the next one as the same', async (s) => {
    const first = await start(s);
    const client = await connect(s, ['Chat'], { prepare: (it) => it.SetAutoReconnect(1000) });
    const id = client.PersistentId;
    await first.stop();
    await client.OnDisconnected.take();
    client.time.pass(1000);
    await client.OnAutoReconnectFailed.take();
    await start(s, {}, { port: first.port });
    client.time.pass(1000);
    await client.OnConnected.take();
    assert.equal((await client.Controller('chat').OnOpen.next()).PersistentId, id);
    client.Controller('chat').SetProperty('username', 'anna');
    assert.equal(await client.Controller('chat').GetProperty('username'), 'anna');
});

story('.NET: a refused handshake is long enough for it', async (s) => {
    await start(s);
    // It looks at no status line: it is connected until the end comes.
    const client = new XSocketClient(s, urlOf(s.daemon), 'http://localhost', 'Chat');
    client.Headers.push(['Sec-WebSocket-Version', '99']);
    for (const event of ['OnConnected', 'OnDisconnected']) client[event] = client.box(event);
    assert.equal(await client.Open(), true);
    await client.OnConnected.take();
    await client.OnDisconnected.take();
    await s.daemon.nobodyLeft();
});

story('.NET: binary messages, their header counted in characters while UTF-8 follows', async (s) => {
    await start(s);
    const one = await connect(s, ['Generic', 'Echo'], { place: 0 });
    const other = await connect(s, ['Generic'], { place: 1 });
    const boxes = [one, other].map((client) => {
        const box = client.box('file');
        client.Controller('generic').OnMessageOf('file', box);
        return box;
    });
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    for (const metadata of ['', { name: 'a.txt' }, { name: 'é€😀.txt' }, 'Jürgen']) {
        one.Controller('generic').PublishBlob('File', bytes, metadata);
        for (const box of boxes) {
            const message = await box.next();
            assert.deepEqual(Buffer.from(message.Blob), bytes);
            // An empty string is how it says that there is none.
            assert.deepEqual(message.Extract(), metadata === '' ? {} : metadata);
        }
    }
    assert.deepEqual(one.said()[0], text('generic', 'file', '""'));
    const answer = one.Controller('echo').InvokeFor('file');
    assert.equal(await answer, null);
    const back = one.box('back');
    one.Controller('echo').OnMessageOf('file', back);
    one.Controller('echo').InvokeBlob('file', Buffer.alloc(70000, 7), { n: 1 });
    const message = await back.next();
    assert.equal(message.Blob.length, 70000);
    assert.deepEqual(message.Extract(), { n: 1 });
});

story('.NET: what has QoS 1 is acknowledged, and resent with the same id it is not delivered again', async (s) => {
    await start(s);
    const listener = await connect(s, ['Chat'], { place: 0 });
    const client = await connect(s, ['Chat', 'Generic'], { place: 1 });
    const news = listener.box('news'), confirmed = listener.box('confirmed');
    listener.Controller('chat').Subscribe('news', (message) => news(message.Extract()), confirmed);
    await confirmed.take();
    const chat = client.Controller('chat');
    chat.Publish('news', 1, AtLeastOnce);
    assert.deepEqual(client.said(), [text('chat', 'news', '1', { I: 1, Q: 1 })]);
    await client.acknowledged();
    // It resends as long as its table has it: the same bytes twice.
    chat.Publish('news', 2, AtLeastOnce);
    client.time.pass(5000);
    client.time.pass(5000);
    await client.acknowledged();
    chat.Publish('news', 3, AtLeastOnce, true);
    await client.acknowledged();
    await news.expect(1, 2, 3);
    client.time.pass(60000);
    await settled(client);
    chat.Publish('news', 4);
    await news.expect(4);
    // The ids of two controllers are one in its table: the later takes the earlier's place.
    client.Controller('generic').qosId = 10;
    chat.qosId = 10;
    chat.Publish('news', 5, AtLeastOnce);
    client.Controller('generic').Publish('x', 5, AtLeastOnce);
    assert.equal(client.QoSRepository.size, 1);
    await client.acknowledged();
    await news.expect(5);
});

story('.NET: binary with QoS 1 goes out without it, is sent again for ever and delivered each time', async (s) => {
    await start(s);
    const client = await connect(s, ['Generic']);
    const file = client.box('file');
    client.Controller('generic').OnMessageOf('file', file);
    client.Controller('generic').PublishBlob('file', Buffer.from('abc'), '', AtLeastOnce);
    await file.take();
    for (let i = 0; i < 3; i++) {
        client.time.pass(5000);
        assert.equal((await file.next()).Blob.toString(), 'abc');
    }
    assert.equal(client.QoSRepository.size, 1);
});

story('.NET: its heartbeat is answered with the same text, and nothing comes that it did not ask for', async (s) => {
    await start(s);
    const client = await connect(s, ['Chat'], { prepare: (it) => it.SetAutoHeartbeat(30000) });
    for (let i = 0; i < 5; i++) {
        client.time.pass(30000);
        await client.OnPong.expect(client.PersistentId);
    }
    await settled(client);
    client.OnPong.empty();
    client.OnDisconnected.empty();
});

story('.NET: the pings of the server are long enough to be answered at once', async (s) => {
    await start(s, { 'endpoint main': { heartbeat: '20ms', idle_timeout: '10s' } });
    const client = await connect(s, ['Chat'], { prepare: (it) => { it.OnPing = it.box('OnPing'); } });
    await client.OnPing.expect('ping', 'ping', 'ping');
    await settled(client);
});

story('.NET: storage is not there yet and does no harm', async (s) => {
    await start(s);
    const client = await connect(s);
    const chat = client.Controller('chat');
    assert.equal(await chat.StorageGet('Color'), null);
    client.said();
    chat.StorageSet('color', 'red');
    chat.StorageRemove('color');
    chat.StorageClear();
    assert.deepEqual(client.said(), [text('chat', 's1', '{"K":"color","V":"\\"red\\""}'), text('chat', 's3', '{"K":"color","V":null}'), text('chat', 's4', 'null')]);
    for (let i = 0; i < 3; i++) assert.equal((await chat.OnError.next()).ClassName, 'System.Exception');
    assert.equal(await settled(client), '');
});
