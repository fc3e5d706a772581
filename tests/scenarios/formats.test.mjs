// The formats beyond the matrix: lines, binary headers, names from elsewhere, the configuration of the demo.
import assert from 'node:assert/strict';
import path from 'node:path';
import { freePort, modulePath, root, start } from './lib/daemon.mjs';
import fs from 'node:fs';
import { story } from './lib/story.mjs';
import { Text, demo, native, text, xsocketsnet } from './lib/clients.mjs';

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
    const names = ['say "hi"', '\\', '\\"', '"}', '","D":"x', 'é😀', '\u2028', '<script>', ' ', 'a|b', '|', 'generic|2'];
    for (const name of names) {
        sender.text(JSON.stringify({ C: 'generic', T: name, D: '1' }));
        for (const client of [sender, other]) assert.deepEqual(JSON.parse(await client.nextText()), { C: 'generic', T: name.toLowerCase(), D: '1' });
        assert.deepEqual(JSON.parse(await own.nextText()), { M: name.toLowerCase(), J: '1' });
        if (!name.includes('|')) await line.expect(`generic|${name.toLowerCase()}|1`);
    }
    sender.invoke('generic', 'end', 1);
    await line.expect('generic|end|1');
    assert.equal((await s.daemon.stats()).total.encode_refused, 3);
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
    await client.expectBinary(said('{"C":"generic","T":"file","D":"\\"\\""}'));
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

story('a binary reply has no N, Q or I in its header', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { query: { qos: 1 }, open: 'echo' });
    const header = Buffer.from('{"C":"echo","T":"x","N":5}');
    client.binary(blob(header.length, header, Buffer.from('abc')));
    const out = Buffer.from('{"C":"echo","T":"x","D":"{}"}');
    await client.expectBinary(blob(out.length, out, Buffer.from('abc')));
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

story('config/demo.ini is the room with four kinds of client and the Foo example', async (s) => {
    const foo = await freePort();
    const daemon = await start(s, {}, {
        ini: () => fs.readFileSync(path.join(root, 'config/demo.ini'), 'utf8'),
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
    const everybody = async (word) => {
        await line.expect(`chat|say|"${word}"`);
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
    const second = await demo(s, { at: { host: '127.0.0.1', port: foo }, controller: 'demo' });
    second.text(`{"M":"foo","J":"{s:'bar',i:42}"}`);
    await second.expectText('{"M":"foo","J":"{\\"stringValue\\":\\"bar\\",\\"intValue\\":42}"}');
});
