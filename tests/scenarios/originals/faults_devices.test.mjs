// The drivers of the text protocols fail where their clients failed: seen with a server that does what ours must not.
import assert from 'node:assert/strict';
import { story } from '../lib/story.mjs';
import { Arduino } from './arduino.mjs';
import { TcpClient, toBytes } from './nodejs.mjs';
import { Photon } from './photon.mjs';
import { Putty, openData } from './putty.mjs';
import { CI, PI, fake } from './lib/fake.mjs';

const framed = (...payloads) => Buffer.concat(payloads.map((payload) => Buffer.concat([Buffer.from([0]), Buffer.from(payload), Buffer.from([0xff])])));
const json = (T, D, C) => JSON.stringify({ T, D, C });
const WELCOME = framed('{"T":"1","D":"Welcome","C":""}');
const INIT = framed('{"T":"1","D":"{\\"init\\":true}","C":"Chat"}');

// ---- NodeJS ----

async function meetNode(s, greeting = WELCOME) {
    const server = await fake(s);
    const client = new TcpClient(s, '127.0.0.1', server.at().port, ['Chat']);
    client.onconnected = client.box('onconnected');
    client.open();
    const peer = await server.next();
    await peer.expect('JsonProtocol');
    peer.write(greeting);
    return { client, peer };
}

// Waits until the client has read what was written: an answer to it comes by itself only where the client gives one.
async function greeted({ client, peer }) {
    await client.onconnected.take();
    await peer.expect(INIT);
}

story('NodeJS takes two frames of one write for one, and the process ends', async (s) => {
    const meeting = await meetNode(s);
    await greeted(meeting);
    meeting.peer.write(framed(json('say', '1', 'Chat'), json('say', '2', 'Chat')));
    await meeting.client.dies(/the process ends.*JSON/);
});

story('NodeJS takes half a frame for a whole one', async (s) => {
    const meeting = await meetNode(s);
    await greeted(meeting);
    meeting.peer.write(framed(json('say', '1', 'Chat')).subarray(0, 10));
    await meeting.client.dies(/the process ends.*JSON/);
});

story('NodeJS dies of a controller it does not know: of none, and of one in another case', async (s) => {
    for (const C of ['', 'chat', 'Other']) {
        const meeting = await meetNode(s);
        await greeted(meeting);
        const say = meeting.client.box('say');
        meeting.client.controller('Chat').on('say', say);
        meeting.peer.write(framed(json('say', '1', 'Chat')));
        await say.expect(1);
        meeting.peer.write(framed(json('say', '2', C)));
        await meeting.client.dies(/the process ends.*undefined/);
    }
});

story('NodeJS knows its greeting exactly, D without quotes', async (s) => {
    for (const [greeting, why] of [
        [framed('{"T":"1","D":"\\"Welcome\\"","C":""}'), /the process ends.*undefined/],
        [framed('{"T":"1","D":"welcome","C":""}'), /the process ends.*undefined/],
        [framed('{"T":1,"D":"Welcome","C":""}'), /the process ends.*undefined/],
        [Buffer.from('Welcome to JsonProtocol\r\n'), /the process ends.*JSON/],
        [Buffer.concat([WELCOME, framed(json('say', '1', 'Chat'))]), /the process ends.*JSON/],
    ]) {
        const { client } = await meetNode(s, greeting);
        await client.dies(why);
        client.onconnected.empty();
    }
});

story('NodeJS cuts its own JSON short by as many bytes as are beyond ASCII', () => {
    assert.deepEqual(toBytes('say', 'hi', 'chat'), framed('{"T":"say","D":"\\"hi\\"","C":"chat"}'));
    assert.deepEqual(toBytes('say', 'é', 'chat'), framed('{"T":"say","D":"\\"é\\"","C":"chat"'));
    const cut = toBytes('say', '€😀', 'chat');
    assert.equal(cut.length, '{"T":"say","D":"\\"€😀\\"","C":"chat"}'.length + 2);
    assert.equal(cut.at(-1), 0xff);
    assert.throws(() => JSON.parse(cut.subarray(1, -1).toString()));
    return Promise.resolve();
});

// ---- Arduino and Photon ----

async function meetBoard(s, Kind, greeting, { prepare } = {}) {
    const server = await fake(s);
    const board = new Kind(s);
    board.heard = board.box('frame');
    board.setOnMessageDelegate(board.heard);
    prepare?.(board);
    const connecting = board.connect('127.0.0.1', server.at().port);
    const peer = await server.next();
    if (greeting !== undefined) peer.write(greeting);
    return { board, peer, connecting };
}

story('Arduino wants its own name, in one piece, with nothing before it and nothing in it', async (s) => {
    for (const [greeting, wanted] of [
        [framed('McuProtocol'), true],
        [Buffer.concat([framed('McuProtocol'), framed('chat|x|1')]), true],
        ['McuProtocol', true],
        [framed('McuProtocol\r\n'), false],
        [framed('mcuprotocol'), false],
        ['Welcome\r\n', false],
        [Buffer.concat([framed('x'), framed('McuProtocol')]), false],
        [framed('McuProtocol').subarray(0, 5), false],
    ]) {
        const { board, connecting, peer } = await meetBoard(s, Arduino, greeting);
        assert.equal(await connecting, wanted, String(greeting));
        assert.equal(board.connected(), wanted);
        await peer.expect('McuProtocol\r\n');
        if (!wanted) await peer.leaves();
    }
});

story('Arduino gives up after 30 s without an answer', async (s) => {
    const { board, connecting, peer } = await meetBoard(s, Arduino);
    await peer.expect('McuProtocol\r\n');
    board.time.pass(29999);
    assert.equal(board.connected(), false);
    board.time.pass(1);
    assert.equal(await connecting, false);
    await peer.leaves();
});

story('Arduino stands still in a frame that does not come whole', async (s) => {
    const { board, connecting, peer } = await meetBoard(s, Arduino, framed('McuProtocol'));
    assert.equal(await connecting, true);
    peer.write(framed('chat|x|1', 'chat|y|2'));
    await board.heard.expect('chat|x|1', 'chat|y|2');
    peer.write(framed('chat|z|3').subarray(0, 6));
    await board.dies(/stands still in a frame of which 5 bytes have come/);
});

story('Arduino loses bytes that are no frame', async (s) => {
    const { board, connecting, peer } = await meetBoard(s, Arduino, framed('McuProtocol'));
    assert.equal(await connecting, true);
    peer.write(Buffer.concat([Buffer.from('lost'), framed('chat|x|1')]));
    await board.heard.expect('chat|x|1');
});

story('Photon wants to be welcomed, and sends its id behind the name', async (s) => {
    for (const [greeting, wanted] of [[framed('welcome'), true], [framed('Welcome'), false], [framed('PhotonProtocol'), false]]) {
        const { connecting, peer } = await meetBoard(s, Photon, greeting, { prepare: (board) => board.SetClientId(PI) });
        assert.equal(await connecting, wanted);
        await peer.expect(`PhotonProtocol?PersistentId=${PI}`);
    }
});

story('Photon writes its frames', async (s) => {
    const { board, connecting, peer } = await meetBoard(s, Photon, framed('welcome'));
    assert.equal(await connecting, true);
    await peer.expect('PhotonProtocol');
    board.openController('generic');
    board.send('generic', 'say', 'a|b');
    board.storageSet('generic', 'key', 'value');
    board.storageGet('generic', 'key');
    board.storageRemove('generic', 'key');
    board.storageClear('generic');
    board.addListener('generic', 'x');
    board.removeListener('generic', 'x');
    board.closeController('generic');
    await peer.expect(framed('generic|1|', 'generic|say|a|b', 'generic|s1|key,value', 'generic|s2|key', 'generic|s3|key', 'generic|5|x', 'generic|6|x', 'generic|3|'));
});

// ---- PuTTY ----

story('PuTTY shows that a line ended without CR', async (s) => {
    const server = await fake(s);
    const putty = new Putty(s);
    const connecting = putty.connect('127.0.0.1', server.at().port);
    const peer = await server.next();
    await peer.expect('PuttyProtocol\r\n');
    peer.write('Welcome to PuttyProtocol\r\n');
    await connecting;
    peer.write('foo|say|"hel').write('lo"\r\nfoo|say|"bare"\n');
    await putty.expect('foo|say|"hello"');
    await putty.dies(/ends without CR/);
});

story('PuTTY understands the open data in all of its three forms', () => {
    for (const data of [`PI:${PI},CI:${CI}`, `"PI:${PI},CI:${CI}"`, JSON.stringify({ CI, PI, C: 'foo' })]) assert.deepEqual(openData(data), { PI, CI });
    assert.throws(() => openData('hello'));
    return Promise.resolve();
});
