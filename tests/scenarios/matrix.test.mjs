// The matrix: every kind of client to every kind of client, the exact bytes that arrive.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { demo, json, len16, mcu, native, photon, text, xsocketsnet } from './lib/clients.mjs';
import { blobs, values } from './lib/values.mjs';
import { encode } from './lib/frames.mjs';

const KINDS = ['xsn', 'text', 'native', 'demo', 'mcu', 'photon', 'json', 'len16'];

// The name as a client of json writes it: it wants it back in this case, everybody else in lower case.
const typed = (room) => room[0].toUpperCase() + room.slice(1);

// Joins the room. All of them, sender included, are in it before the first message.
const join = {
    xsn: (s, room, place) => xsocketsnet(s, { open: room, place }),
    text: (s, room, place) => text(s, { open: room, place }),
    native: (s, room, place) => native(s, { place }),
    demo: (s, room, place) => demo(s, { controller: room, place }),
    mcu: (s, room, place) => mcu(s, { open: room, place }),
    photon: (s, room, place) => photon(s, { open: room, place }),
    json: (s, room, place) => json(s, { open: typed(room), place }),
    len16: (s, room, place) => len16(s, { open: room, place }),
};

const xframe = (payload) => Buffer.concat([Buffer.from([0x00]), Buffer.from(payload), Buffer.from([0xff])]);

function counted(payload) {
    const bytes = Buffer.from(payload);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    return Buffer.concat([length, bytes]);
}

// Which column a kind sends: the values of a row that it has no notation for are not sent by it.
const column = {
    xsn: ({ xsn }) => xsn,
    text: ({ text: line }) => line,
    native: ({ native: payload }) => payload,
    demo: ({ demo: J }) => J,
    mcu: ({ text: line, framed = line }) => framed,
    photon: ({ text: line, framed = line }) => framed,
    json: ({ xsn }) => xsn,
    len16: ({ text: line, framed = line }) => framed !== undefined && Buffer.byteLength(framed) <= 60000 ? framed : undefined,
};

// The bytes of one message inside the sender's framing, from the column of the table.
const put = {
    xsn: (room, D) => D === null ? `{"C":"${room}","T":"say"}` : `{"C":"${room}","D":${D},"T":"say"}`,
    text: (room, data) => `${room}|say|${data}\r\n`,
    native: (room, data) => data,
    demo: (room, J) => `{"M":"say","J":${J}}`,
    mcu: (room, data) => xframe(`${room}|say|${data}`),
    photon: (room, data) => xframe(`${room}|say|${data}`),
    json: (room, D) => xframe(D === null ? `{"T":"say","C":"${typed(room)}"}` : `{"T":"say","D":${D},"C":"${typed(room)}"}`),
    len16: (room, data) => counted(`${room}|say|${data}`),
};

// The bytes at the receiver; undefined: its format cannot say so much.
const got = {
    xsn: (room, { d }) => `{"C":"${room}","T":"say","D":"${d}"}`,
    text: (room, { text: line }) => `${room}|say|${line}\r\n`,
    native: (room, { native: payload }) => payload,
    demo: (room, { d }) => `{"M":"say","J":"${d}"}`,
    mcu: (room, { text: line, framed = line }) => xframe(`${room}|say|${framed}`),
    photon: (room, { text: line, framed = line }) => xframe(`${room}|say|${framed}`),
    json: (room, { d }) => xframe(`{"C":"${typed(room)}","T":"say","D":"${d}"}`),
    len16: (room, { text: line, framed = line }) =>
        Buffer.byteLength(`${room}|say|${framed}`) > 65535 ? undefined : counted(`${room}|say|${framed}`),
};

const isWebSocket = (kind) => ['xsn', 'native', 'demo'].includes(kind);
const send = (kind, client, bytes) => isWebSocket(kind) ? client.text(bytes) : client.send(bytes);

function expect(kind, client, bytes) {
    if (bytes === undefined) return undefined;
    return isWebSocket(kind) ? client.expectText(bytes) : client.expectExactly(bytes);
}

// 8 bytes little-endian length, header, blob (the original's format).
function binary(header, bytes) {
    const text = Buffer.from(header);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    return Buffer.concat([length, text, bytes]);
}

test('the table agrees with itself: one value, three notations', () => {
    for (const { name, senders, receivers } of values) {
        assert.equal(JSON.parse(`"${receivers.d}"`).replace(/[\r\n]/g, ' '), receivers.text, name);
        if (typeof senders.native === 'string') assert.equal(senders.native, receivers.native, name);
        if (typeof senders.xsn === 'string' && senders.demo !== undefined) assert.equal(senders.xsn, senders.demo, name);
        JSON.parse(receivers.text);
        if (receivers.framed !== undefined) assert.equal(JSON.parse(`"${receivers.d}"`), receivers.framed, name);
        if (senders.text !== undefined) assert.ok(!/[\r\n\0]/.test(senders.text), name);
        if (senders.framed !== undefined) assert.equal(senders.framed, senders.native, name);
    }
    assert.ok(values.length >= 60);
    assert.equal(new Set(values.map((value) => value.name)).size, values.length);
});

test('some rows, written out in full', () => {
    const row = (name) => values.find((value) => value.name === name);
    const word = row('a bare word');
    assert.equal(put.xsn('generic', word.senders.xsn), '{"C":"generic","D":"hello","T":"say"}');
    assert.equal(put.text('generic', word.senders.text), 'generic|say|hello\r\n');
    assert.equal(put.native('generic', word.senders.native), 'hello');
    assert.equal(put.demo('generic', word.senders.demo), '{"M":"say","J":"hello"}');
    assert.equal(got.xsn('generic', word.receivers), '{"C":"generic","T":"say","D":"\\"hello\\""}');
    assert.equal(got.text('generic', word.receivers), 'generic|say|"hello"\r\n');
    assert.equal(got.native('generic', word.receivers), 'hello');
    assert.equal(got.demo('generic', word.receivers), '{"M":"say","J":"\\"hello\\""}');
    assert.equal(put.mcu('generic', 'hello').toString('latin1'), '\x00generic|say|hello\xff');
    assert.equal(put.json('generic', word.senders.xsn).toString('latin1'), '\x00{"T":"say","D":"hello","C":"Generic"}\xff');
    assert.equal(put.len16('generic', 'hello').toString('latin1'), '\x00\x11generic|say|hello');
    assert.equal(got.photon('generic', word.receivers).toString('latin1'), '\x00generic|say|"hello"\xff');
    assert.equal(got.json('generic', word.receivers).toString('latin1'), '\x00{"C":"Generic","T":"say","D":"\\"hello\\""}\xff');
    assert.equal(got.len16('generic', word.receivers).toString('latin1'), '\x00\x13generic|say|"hello"');
    const object = row('an object');
    assert.equal(put.xsn('chat', object.senders.xsn), '{"C":"chat","D":"{\\"a\\":1,\\"b\\":\\"x|y\\"}","T":"say"}');
    assert.equal(got.xsn('chat', object.receivers), '{"C":"chat","T":"say","D":"{\\"a\\":1,\\"b\\":\\"x|y\\"}"}');
    assert.equal(got.text('chat', object.receivers), 'chat|say|{"a":1,"b":"x|y"}\r\n');
    assert.equal(got.native('chat', object.receivers), '{"a":1,"b":"x|y"}');
    assert.equal(got.demo('chat', object.receivers), '{"M":"say","J":"{\\"a\\":1,\\"b\\":\\"x|y\\"}"}');
    const string = row('a JSON string');
    assert.equal(got.native('generic', string.receivers), '"hello"');
    assert.equal(got.text('generic', string.receivers), 'generic|say|"hello"\r\n');
    const lines = row('an object over several lines');
    assert.equal(got.text('generic', lines.receivers), 'generic|say|{  \t"a": 1 }\r\n');
    assert.equal(got.native('generic', lines.receivers), '{\r\n\t"a": 1\n}');
    assert.equal(got.mcu('generic', lines.receivers).toString('latin1'), '\x00generic|say|{\r\n\t"a": 1\n}\xff');
    assert.equal(got.xsn('generic', row('control characters in a text').receivers),
        '{"C":"generic","T":"say","D":"\\"\\\\u0001\\\\b\\\\f\\\\u000b\\\\u001b[0m\\\\u001f\\""}');
    assert.equal(got.xsn('generic', row('no data at all').receivers), '{"C":"generic","T":"say","D":"null"}');
});

async function tellEveryValue(s, room, from, to, places) {
    const receiver = await join[to](s, room, places[1]);
    const sender = await join[from](s, room, places[0]);
    let told = 0;
    for (const { name, senders, receivers } of values) {
        const data = column[from](senders);
        if (data === undefined) continue;
        send(from, sender, put[from](room, data));
        try {
            await expect(to, receiver, got[to](room, receivers));
            await expect(from, sender, got[from](room, receivers));
        } catch (error) {
            error.message = `${name}: ${error.message}`;
            throw error;
        }
        told++;
    }
    assert.ok(told >= 50, `${told} values`);
}

// All at once: the same bytes when many messages share one read and one write.
async function tellAllAtOnce(s, room, from, to, places) {
    const receiver = await join[to](s, room, places[1]);
    const sender = await join[from](s, room, places[0]);
    const rows = values.filter(({ senders }) => column[from](senders) !== undefined);
    const bytes = rows.map(({ senders }) => {
        const one = Buffer.from(put[from](room, column[from](senders)));
        return isWebSocket(from) ? encode({ payload: one }) : one;
    });
    sender.send(Buffer.concat(bytes));
    for (const { receivers } of rows) await expect(to, receiver, got[to](room, receivers));
    for (const { receivers } of rows) await expect(from, sender, got[from](room, receivers));
}

async function tellEveryBlob(s, room, from, to, places) {
    const receiver = await join[to](s, room, places[1]);
    const sender = await join[from](s, room, places[0]);
    for (const { name, bytes, senders, d } of blobs) {
        if (senders[from] === undefined) continue;
        const header = (D) => D === null ? `{"C":"${room}","T":"say"}` : `{"C":"${room}","D":${D},"T":"say"}`;
        sender.binary(from === 'xsn' ? binary(header(senders.xsn), bytes) : bytes);
        try {
            for (const [kind, client] of [[to, receiver], [from, sender]]) {
                if (kind === 'xsn') await client.expectBinary(binary(`{"C":"${room}","T":"say","D":"${d}"}`, bytes));
                if (kind === 'native') await client.expectBinary(bytes);
            }
            // The others get nothing: the next message is the first they see.
            send(from, sender, put[from](room, from === 'xsn' ? '"next"' : 'next'));
            const next = { d: '\\"next\\"', text: '"next"', native: 'next' };
            await expect(to, receiver, got[to](room, next));
            await expect(from, sender, got[from](room, next));
        } catch (error) {
            error.message = `${name}: ${error.message}`;
            throw error;
        }
    }
}

// workers, place of the sender, place of the receiver
const SETTINGS = [[1, 0, 0], [4, 0, 0], [4, 1, 3]];

for (const room of ['generic', 'chat']) {
    for (const [workers, ...places] of SETTINGS) {
        const where = workers === 1 ? 'on the only worker' : places[0] === places[1] ? 'on the same of four workers' : 'on different ones of four workers';
        story(`in ${room}, ${where}, every value reaches everybody in the right form`, { seconds: 600 }, async (s) => {
            await start(s, {
                server: { workers },
                'subprotocol native': { controller: room, topic: 'say' },
                'subprotocol demo': { controller: room },
                'protocol json': { pace: '0' },
            });
            for (const from of KINDS) {
                for (const to of KINDS) {
                    await s.part(`${from} to ${to}`, (p) => tellEveryValue(p, room, from, to, places));
                    await s.part(`${from} to ${to}, all at once`, (p) => tellAllAtOnce(p, room, from, to, places));
                    if (room === 'generic' && (from === 'xsn' || from === 'native'))
                        await s.part(`${from} to ${to}, binary`, (p) => tellEveryBlob(p, room, from, to, places));
                }
            }
        });
    }
}
