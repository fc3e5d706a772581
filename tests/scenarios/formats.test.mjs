// The formats beyond the matrix: lines, binary headers, names from elsewhere, the configuration of the demo.
import assert from 'node:assert/strict';
import { demoIni, freePort, modulePath, start } from './lib/daemon.mjs';
import { encode } from './lib/frames.mjs';
import { story } from './lib/story.mjs';
import { Text, demo, json, len16, mcu, native, photon, text, xsocketsnet } from './lib/clients.mjs';

story('lines end in LF or CRLF, empty ones are ignored, two parts are a message without data', async (s) => {
    await start(s);
    const line = await text(s, { open: 'generic' });
    line.send('\n\r\n\r\ngeneric|a|1\ngeneric|b|2\r\n\ngeneric|c\r\ngeneric|d|\r\n');
    await line.expect('generic|a|1');
    await line.expect('generic|b|2');
    await line.expect('generic|c|""');
    await line.expect('generic|d|""');
    // A CR inside a line is data.
    line.send('generic|e|x\ry\r\n');
    await line.expect('generic|e|"x\\ry"');
});

story('a line without a bar is an error and the connection stays', async (s) => {
    await start(s);
    const line = await text(s, { open: 'generic' });
    line.line('hello?');
    await line.expectError('');
    line.line('generic|say|1');
    await line.expect('generic|say|1');
});

story('a line that is no UTF-8 ends the connection after an error', async (s) => {
    await start(s);
    for (const bytes of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80]]) {
        const line = await text(s, { open: 'generic' });
        line.send(Buffer.concat([Buffer.from('generic|say|x'), Buffer.from(bytes), Buffer.from('\r\n')]));
        await line.expectError('');
        await line.expectEnd();
    }
});

story('what one client calls a topic never breaks the line or the envelope of another', async (s) => {
    await start(s, { server: { workers: 2 }, 'subprotocol demo': { controller: 'generic' } });
    const sender = await xsocketsnet(s, { open: 'generic', place: 0 });
    const line = await text(s, { open: 'generic', place: 1 });
    const own = await demo(s, { controller: 'generic', place: 1 });
    const other = await xsocketsnet(s, { open: 'generic', place: 1 });
    const devices = [await mcu(s, { open: 'generic', place: 1 }), await photon(s, { open: 'generic', place: 1 }), await len16(s, { open: 'generic', place: 1 })];
    const node = await json(s, { open: 'Generic', place: 1 });
    const names = ['say "hi"', '\\', '\\"', '"}', '","D":"x', 'é😀', '\u2028', '<script>', ' ', 'a|b', '|', 'generic|2'];
    for (const name of names) {
        sender.text(JSON.stringify({ C: 'generic', T: name, D: '1' }));
        for (const client of [sender, other]) assert.deepEqual(JSON.parse(await client.nextText()), { C: 'generic', T: name.toLowerCase(), D: '1' });
        assert.deepEqual(JSON.parse(await own.nextText()), { M: name.toLowerCase(), J: '1' });
        assert.deepEqual(JSON.parse(await node.next()), { C: 'Generic', T: name.toLowerCase(), D: '1' });
        if (!name.includes('|')) for (const one of [line, ...devices]) await one.expect(`generic|${name.toLowerCase()}|1`);
    }
    sender.invoke('generic', 'end', 1);
    for (const one of [line, ...devices]) await one.expect('generic|end|1');
    assert.equal((await s.daemon.stats()).total.encode_refused, 4 * 3);
});

// ---- frames: mcu, photon, json, len16 ----

story('bytes outside of frames are told once and the next frame is read', async (s) => {
    await start(s);
    const board = await mcu(s, { open: 'generic' });
    board.send('generic|say|1\r\n');
    assert.match(await board.expectError(''), /begins with 0x00/);
    board.send('and more');
    board.line('generic|say|2');
    await board.expect('generic|say|2');
    board.send('again');
    await board.expectError('');
    // Line ends between frames are nothing, and several zero bytes are one beginning.
    board.send(Buffer.concat([Buffer.from('\r\n\0\0'), board.wrap('generic|say|3'), Buffer.from('\r\n\0\xff', 'latin1'), board.wrap('generic|say|4')]));
    await board.expect('generic|say|3');
    await board.expect('generic|say|4');
});

story('a frame without three parts is an error to mcu and len16, with two it is one without data; photon passes it over', async (s) => {
    await start(s);
    for (const join of [mcu, len16]) {
        const client = await join(s, { open: 'generic' });
        client.line('hello?');
        await client.expectError('');
        client.line('');
        client.line('generic|b');
        await client.expect('generic|b|""');
    }
    const board = await photon(s, { open: 'generic' });
    for (const payload of ['hello?', 'generic|b', '', 'generic|say|a|b']) board.line(payload);
    await board.expect('generic|say|"a|b"');
});

story('a frame that is no UTF-8 ends the connection of a board after an error, and is nothing to json', async (s) => {
    await start(s);
    for (const join of [mcu, photon, len16]) {
        const client = await join(s, { open: 'generic' });
        client.line(Buffer.from('generic|say|\xc3(', 'latin1'));
        await client.expectError('');
        await client.expectEnd();
    }
    const node = await json(s, { open: 'generic' });
    for (const broken of ['{"T":"say","D":"1","C":"generic"', '\xc3(', '', '{}', '[1]', 'null', '{"T":"","C":"generic"}', '{"T":"say","C":[]}'])
        node.line(Buffer.from(broken, 'latin1'));
    node.send('not even a frame');
    node.invoke('generic', 'say', 1);
    await node.expect('generic', 'say', '1');
});

story('a greeting and a frame are one write each', async (s) => {
    await start(s);
    let frames = 0;
    for (const join of [mcu, photon, json, len16]) {
        const client = await join(s);
        const { writes } = await s.daemon.statsUntil('the greeting is counted', (now) => now.frames_out === frames + 1);
        assert.equal(writes, ++frames, join.name);
        client.line(join === json ? '{"T":"1","C":"echo"}' : 'echo|1|');
        await client.opened('echo');
        const { writes: more } = await s.daemon.statsUntil('the frame is counted', (now) => now.frames_out === frames + 1);
        assert.equal(more, ++frames, join.name);
    }
});

story('to json every message is a write of its own, and a pause follows it', async (s) => {
    await start(s, { server: { workers: 1 } });
    const node = await json(s, { open: 'Generic' });
    const sender = await xsocketsnet(s, { open: 'generic' });
    const count = 50;
    const before = await s.daemon.statsUntil('the beginning is counted', (now) => now.frames_out === 4);
    const began = Date.now();
    sender.send(Buffer.concat(Array.from({ length: count }, (_, i) =>
        encode({ payload: `{"C":"generic","T":"say","D":${i}}` }))));
    for (let i = 0; i < count; i++) await node.expect('Generic', 'say', i);
    const passed = Date.now() - began;
    for (let i = 0; i < count; i++) await sender.expect('generic', 'say', i);
    const { writes } = await s.daemon.statsUntil('all is counted', (now) => now.frames_out === 4 + 2 * count);
    assert.ok(passed >= (count - 1) * 5, `${passed} ms`);
    assert.ok(writes - before.writes > count, `${writes - before.writes} writes`);
    // One at a time, each in a turn of its own, is no way around it.
    const again = Date.now();
    for (let i = 0; i < 20; i++) {
        sender.invoke('generic', 'one', i);
        await sender.expect('generic', 'one', i);
    }
    for (let i = 0; i < 20; i++) await node.expect('Generic', 'one', i);
    assert.ok(Date.now() - again >= 19 * 5, `${Date.now() - again} ms`);
});

story('a stop lets a client of json have what is queued for it, at its pace', async (s) => {
    await start(s, { server: { workers: 1 } });
    const node = await json(s, { open: 'generic' });
    const sender = await xsocketsnet(s, { open: 'generic' });
    for (let i = 0; i < 40; i++) sender.invoke('generic', 'say', i);
    for (let i = 0; i < 40; i++) await sender.expect('generic', 'say', i);
    s.daemon.signal('SIGTERM');
    for (let i = 0; i < 40; i++) await node.expect('generic', 'say', i);
    await node.expectEnd();
});

story('who is told more than its pace allows is a slow reader, and the others are not', async (s) => {
    await start(s, { server: { workers: 1, queue_messages: 50 } });
    const node = await json(s, { open: 'generic' });
    const sender = await xsocketsnet(s, { open: 'generic' });
    sender.send(Buffer.concat(Array.from({ length: 200 }, (_, i) =>
        encode({ payload: `{"C":"generic","T":"say","D":${i}}` }))));
    for (let i = 0; i < 200; i++) await sender.expect('generic', 'say', i);
    await node.until('the end', () => node.gone || undefined);
    await sender.close();
    const total = await s.daemon.nobodyLeft();
    assert.equal(total.slow_closed + total.slow_reset, 1);
});

story('the pace of json is what the configuration says', async (s) => {
    await start(s, { server: { workers: 1 }, 'protocol json': { pace: '40ms' } });
    const node = await json(s, { open: 'generic' });
    const began = Date.now();
    for (let i = 0; i < 6; i++) node.invoke('generic', 'say', i);
    for (let i = 0; i < 6; i++) await node.expect('generic', 'say', i);
    assert.ok(Date.now() - began >= 5 * 40, `${Date.now() - began} ms`);
});

story('to json a controller has the name that this client wrote first, whoever speaks', async (s) => {
    await start(s, { server: { workers: 2 } });
    const node = await json(s, { open: 'Generic', place: 0 });
    const other = await json(s, { open: 'gENERIC', place: 0 });
    const plain = await json(s, { open: 'generic', place: 0 });
    const sender = await xsocketsnet(s, { open: 'GENERIC'.toLowerCase(), place: 1 });
    const everybody = async (topic, inside) => {
        await node.expect('Generic', topic, inside);
        await other.expect('gENERIC', topic, inside);
        await plain.expect('generic', topic, inside);
        await sender.expect('generic', topic, inside);
    };
    sender.invoke('generic', 'say', 1);
    await everybody('say', '1');
    // Another case later changes nothing, in any answer.
    node.invoke('GENERIC', 'Say', { a: 'B' });
    await everybody('say', '{\\"a\\":\\"B\\"}');
    node.subscribe('generic', 'News', true);
    await node.expect('Generic', '__news', '{\\"T\\":\\"news\\",\\"C\\":\\"generic\\",\\"A\\":true}');
    node.invoke('generic', '3', null);
    assert.match(await node.next(), /^\{"C":"Generic","T":"3","D":/);
    // A clock that lives on another worker, opened by its first message, and what it answers.
    node.invoke('Clock', 'time', null);
    await node.opened('Clock');
    assert.match(await node.next(), /^\{"C":"Clock","T":"time","D":/);
});

story('errors to json name the controller at fault as it was written, and are not sent where there is none', async (s) => {
    await start(s, { server: { workers: 2 } });
    const node = await json(s);
    const fails = async (envelope, controller, sentence) => {
        node.line(JSON.stringify(envelope));
        assert.match(await node.expectError(controller), sentence);
    };
    await fails({ T: 'say', D: '1', C: 'NoSuch' }, 'NoSuch', /Unknown controller/);
    await fails({ T: 'say', D: '1', C: 'NOSUCH' }, 'NoSuch', /Unknown controller/);
    await fails({ T: '2', D: '1', C: 'Generic' }, 'Generic', /reserved/);
    await node.open('Echo');
    await fails({ T: '5', D: '7', C: 'ECHO' }, 'Echo', /topic/);
    // Of the connection, or of a name that no controller has: nothing.
    for (const C of ['', 'x'.repeat(65), '"'.repeat(40)]) node.invoke(C, 'say', 1);
    node.invoke('', '7', null);
    node.invoke('echo', 'say', 1);
    await node.expect('Echo', 'say', '1');
});

story('a client of json that writes more names than it may have controllers is gone', async (s) => {
    await start(s, { limits: { controllers: 3 } });
    const node = await json(s, { open: ['Generic', 'Echo'] });
    node.invoke('A', 'say', 1);
    await node.expectError('A');
    node.invoke('B', 'say', 1);
    await node.expectEnd();
});

story('an answer to json carries its N', async (s) => {
    await start(s);
    const node = await json(s, { open: 'Echo' });
    node.line('{"T":"say","D":"1","C":"echo","N":-9007199254740993}');
    await node.expectExactly(node.wrap('{"C":"Echo","T":"say","D":"1","N":-9007199254740993}'));
    node.line('{"T":"3x","D":"1","C":"nobody","N":5}');
    assert.match(await node.next(), /^\{"C":"nobody","T":"4",.*"N":5\}$/);
});

story('what is binary, or too long for two bytes, is not for such clients, and counted', async (s) => {
    await start(s, { server: { workers: 1 } });
    const sender = await xsocketsnet(s, { open: 'generic' });
    const line = await text(s, { open: 'generic' });
    const devices = [line, await mcu(s, { open: 'generic' }), await photon(s, { open: 'generic' }), await len16(s, { open: 'generic' })];
    const node = await json(s, { open: 'generic' });
    const refused = async () => (await s.daemon.stats()).total.encode_refused;
    const before = await refused();
    const header = Buffer.from('{"C":"generic","T":"file"}');
    sender.binary(blob(header.length, header, Buffer.from('abc')));
    await sender.next();
    assert.equal(await refused() - before, 5);
    const fits = 'x'.repeat(65535 - 'generic|a|""'.length);
    for (const [topic, long] of [['a', fits], ['b', `${fits}x`]]) {
        sender.invoke('generic', topic, long);
        await sender.expect('generic', topic, `\\"${long}\\"`);
        for (const one of topic === 'a' ? devices : devices.slice(0, 3)) await one.expect(`generic|${topic}|"${long}"`);
        await node.expect('generic', topic, `\\"${long}\\"`);
    }
    assert.equal(await refused() - before, 6);
    sender.invoke('generic', 'end', 1);
    for (const one of devices) await one.expect('generic|end|1');
});

story('a message over the limit ends the connection', async (s) => {
    await start(s, { limits: { message: '4KiB' } });
    const long = 'x'.repeat(5000);
    for (const join of [mcu, photon, len16]) {
        const client = await join(s, { open: 'generic' });
        client.line(`generic|say|${long}`);
        assert.match(await client.expectError(''), /too long/);
        await client.expectEnd();
    }
    const node = await json(s, { open: 'generic' });
    node.invoke('generic', 'say', long);
    await node.expectEnd();
    const stray = await mcu(s, { open: 'generic' });
    stray.send(long);
    await stray.expectError('');
    await stray.expectError('');
    await stray.expectEnd();
    await s.daemon.nobodyLeft();
});

// ---- binary messages of the original clients ----

function blob(length, header, bytes) {
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(length));
    return Buffer.concat([head, header, bytes]);
}

story('a binary header may be counted in bytes, in UTF-16 units, or be Latin-1', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'generic' });
    const bytes = Buffer.from([0xc3, 0xa9, 0, 1, 2, 0xff]);
    const said = (text) => blob(Buffer.byteLength(text), Buffer.from(text), bytes);
    const header = '{"C":"generic","D":"{\\"n\\":\\"é€😀\\"}","T":"file"}';
    const expected = '{"C":"generic","T":"file","D":"{\\"n\\":\\"\\u00e9\\u20ac\\ud83d\\ude00\\"}"}';
    client.binary(said(header));
    await client.expectBinary(said(expected));
    // As C# counts: characters, while the bytes of UTF-8 follow.
    client.binary(blob(header.length, Buffer.from(header), bytes));
    await client.expectBinary(said(expected));
    // As JavaScript writes: Latin-1.
    const latin = '{"C":"generic","D":"{\\"n\\":\\"é\\"}","T":"file"}';
    client.binary(blob(latin.length, Buffer.from(latin, 'latin1'), bytes));
    await client.expectBinary(said('{"C":"generic","T":"file","D":"{\\"n\\":\\"\\u00e9\\"}"}'));
    // Lenient, with Q and I and the names in any case; nothing of it comes out.
    const lenient = "{'c':'Generic','t':'File','Q':0,'I':0,'R':false,'B':null,'d':'\"\"'}";
    client.binary(said(lenient));
    await client.expectBinary(said('{"C":"generic","T":"file","D":"{}"}'));
});

story('a binary message opens its controller first, and a subscription brings both forms', async (s) => {
    await start(s);
    const header = Buffer.from('{"C":"chat","T":"news"}');
    const client = await xsocketsnet(s);
    client.subscribe('chat', 'news', true);
    await client.opened('chat');
    assert.match(await client.nextText(), /__news/);
    const sender = await xsocketsnet(s);
    sender.binary(blob(header.length, header, Buffer.from('x')));
    await sender.opened('chat');
    const out = Buffer.from('{"C":"chat","T":"news","D":"{}"}');
    await client.expectBinary(blob(out.length, out, Buffer.from('x')));
    sender.invoke('chat', 'news', 1);
    await client.expect('chat', 'news', '1');
});

story('a binary message without a sound header is an error and the end', async (s) => {
    await start(s);
    const header = Buffer.from('{"C":"generic","T":"x"}');
    for (const payload of [Buffer.alloc(0), Buffer.alloc(7), Buffer.alloc(8), blob(100, header, Buffer.alloc(0)), blob(0xffffffffffffffffn, header, Buffer.alloc(9)),
        blob(0x8000000000000000n, header, Buffer.alloc(9)), blob(5, Buffer.from('hello'), Buffer.alloc(3)), blob(0, header, Buffer.alloc(0)), blob(header.length - 1, header, Buffer.alloc(0))]) {
        const client = await xsocketsnet(s, { open: 'generic' });
        client.binary(payload);
        await client.expectError('');
        await client.expectClose(1003);
    }
    await s.daemon.nobodyLeft();
});

story('a binary reply has the N of its request and no Q or I in its header', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { query: { qos: 1 }, open: 'echo' });
    const ask = (header) => client.binary(blob(header.length, Buffer.from(header), Buffer.from('abc')));
    const expect = (header) => client.expectBinary(blob(header.length, Buffer.from(header), Buffer.from('abc')));
    ask('{"C":"echo","T":"x","N":5}');
    await expect('{"N":5,"C":"echo","T":"x","D":"{}"}');
    ask('{"C":"echo","T":"x","N":-9223372036854775808,"D":"\\u00e9"}');
    await expect('{"N":-9223372036854775808,"C":"echo","T":"x","D":"\\"\\u00e9\\""}');
    ask('{"C":"echo","T":"x"}');
    await expect('{"C":"echo","T":"x","D":"{}"}');
});

// ---- native and demo by configuration ----

story('a native client hears the topic it is subscribed to by the configuration', async (s) => {
    await start(s, { server: { workers: 2 }, 'subprotocol native': { controller: 'chat', topic: 'say', subscribe: 'news/#' } });
    const plain = await native(s, { place: 0 });
    const client = await xsocketsnet(s, { open: 'chat', place: 1 });
    client.invoke('chat', 'other', 1);
    client.invoke('chat', 'news/sport', { goal: 1 });
    await plain.expectText('{"goal":1}');
    plain.text('hello');
    await plain.expectText('hello');
    await client.expect('chat', 'say', '\\"hello\\"');
});

story('without a controller in the configuration a native client may only listen', async (s) => {
    await start(s, { 'subprotocol native': { controller: '', topic: '' } });
    const plain = await native(s);
    plain.text('hello');
    await plain.expectClose(1008);
});

story('config/demo.ini is the room with every kind of client and the Foo example', async (s) => {
    const foo = await freePort();
    const daemon = await start(s, {}, {
        ini: demoIni,
        args: ['-D', `server.module_path=${modulePath}`, '-D', `endpoint foo.port=${foo}`, '-D', 'server.workers=2', '-D', 'server.test_hooks=yes'],
        portArgs: (port) => ['-D', `endpoint demo.port=${port}`],
    });
    const line = new Text(s, daemon.at(), 'nc');
    line.send('PuttyProtocol\n');
    await line.expect('Welcome to PuttyProtocol');
    line.send('chat|say|hello\n');
    await line.opened('chat');
    await line.expect('chat|say|"hello"');
    const browser = await xsocketsnet(s, { open: 'chat' });
    const plain = await native(s);
    const own = await demo(s, { controller: 'chat' });
    const devices = [await mcu(s, { open: 'chat' }), await photon(s, { open: 'chat' }), await len16(s, { open: 'chat' })];
    const node = await json(s, { open: 'Chat' });
    const everybody = async (word) => {
        for (const one of [line, ...devices]) await one.expect(`chat|say|"${word}"`);
        await node.expect('Chat', 'say', `\\"${word}\\"`);
        await browser.expect('chat', 'say', `\\"${word}\\"`);
        await plain.expectText(word);
        await own.expect('say', `\\"${word}\\"`);
    };
    line.send('chat|say|from nc\n');
    await everybody('from nc');
    browser.text('{"C":"chat","T":"say","D":"from a browser"}');
    await everybody('from a browser');
    plain.text('from anywhere');
    await everybody('from anywhere');
    own.invoke('say', 'from the demo');
    await everybody('from the demo');
    devices[0].line('chat|say|from an Arduino');
    await everybody('from an Arduino');
    node.line('{"T":"say","D":"from NodeJS","C":"Chat"}');
    await everybody('from NodeJS');
    const second = await demo(s, { at: { host: '127.0.0.1', port: foo }, controller: 'demo' });
    second.text(`{"M":"foo","J":"{s:'bar',i:42}"}`);
    await second.expectText('{"M":"foo","J":"{\\"stringValue\\":\\"bar\\",\\"intValue\\":42}"}');
});
