// The JavaScript drivers fail where their clients failed: seen with a server that does what ours must not.
import assert from 'node:assert/strict';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, closePayload } from '../lib/frames.mjs';
import { story } from '../lib/story.mjs';
import { js_5_0_0 } from './js_5_0_0.mjs';
import { js_6_0_1 } from './js_6_0_1.mjs';
import { js_6_1_0 } from './js_6_1_0.mjs';
import { js_6_2_0 } from './js_6_2_0.mjs';
import { Page } from './lib/browser.mjs';
import { CI, PI, fake, opened } from './lib/fake.mjs';

// A page with a client 6.x and its controller chat, and the server's end of the connection behind the handshake.
async function meet(s, load = js_6_2_0, { open = true, prepare } = {}) {
    const server = await fake(s);
    const page = new Page(s);
    const conn = new (load(page).xsockets).client(`ws://127.0.0.1:${server.at().port}`, ['chat']);
    const chat = conn.controller('chat');
    const heard = {};
    for (const event of ['onOpen', 'onClose', 'onError', 'onMessage', 'onAuthenticationFailed']) heard[event] = conn[event] = page.box(event);
    heard.chat = {};
    for (const event of ['onOpen', 'onClose', 'onMessage']) heard.chat[event] = chat[event] = page.box(`${event} of chat`);
    prepare?.(conn);
    conn.open();
    const peer = await server.next();
    await peer.handshake();
    await peer.expectText('{"C":"chat","T":"1"}');
    if (open) {
        peer.say('chat', '2', opened('chat'));
        await heard.chat.onOpen.take();
    }
    return { server, page, conn, chat, heard, peer };
}

function listen(page, chat, topic) {
    const box = page.box(topic);
    chat.on(topic, box);
    return box;
}

const blob = (header, bytes) => {
    const length = Buffer.alloc(8);
    length.writeUInt32LE(header.length);
    return { opcode: BINARY, payload: Buffer.concat([length, header, Buffer.from(bytes)]) };
};

// ---- the browser ----

story('a browser gives up what is no answer to its handshake', async (s) => {
    for (const [answer, why] of [
        [(peer, head) => peer.accept(head, { headers: '' }), /the subprotocol undefined/],
        [(peer, head) => peer.accept(head, { headers: 'Sec-WebSocket-Protocol: Other\r\n' }), /the subprotocol Other/],
        [(peer, head) => peer.accept(head, { headers: 'Sec-WebSocket-Protocol: XSocketsNET\r\nSec-WebSocket-Extensions: x\r\n' }), /an extension/],
        [(peer) => peer.accept('Sec-WebSocket-Key: other\r\n'), /a wrong Sec-WebSocket-Accept/],
    ]) {
        const server = await fake(s);
        const page = new Page(s);
        const conn = new (js_6_2_0(page).xsockets).client(`ws://127.0.0.1:${server.at().port}`);
        const failed = conn.onError = page.box('onError'), closed = conn.onClose = page.box('onClose');
        conn.open();
        const peer = await server.next();
        answer(peer, (await peer.take('\r\n\r\n')).toString());
        await page.dies(why);
        await failed.take();
        closed.empty();
    }
});

story('a browser tells the page alone of a refusal', async (s) => {
    const server = await fake(s);
    const page = new Page(s);
    const conn = new (js_6_2_0(page).xsockets).client(`ws://127.0.0.1:${server.at().port}`);
    const failed = conn.onError = page.box('onError');
    conn.open();
    const peer = await server.next();
    await peer.take('\r\n\r\n');
    peer.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    await failed.take();
});

story('a browser gives up masked frames, reserved bits, bad UTF-8 and fragments that belong nowhere', async (s) => {
    for (const [frame, why] of [
        [{ payload: 'x', mask: true }, /masked/],
        [{ payload: 'x', rsv: 4 }, /a reserved bit/],
        [{ payload: Buffer.from([0xc3, 0x28]) }, /no UTF-8/],
        [{ opcode: CONTINUATION, payload: 'x' }, /belongs nowhere/],
    ]) {
        const { page, peer, heard } = await meet(s);
        peer.frame(frame);
        await page.dies(why);
        assert.equal((await heard.onClose.next()).code, 1006);
    }
});

story('a browser puts fragments together, answers pings between them and a close frame', async (s) => {
    const { page, chat, peer, heard } = await meet(s);
    const say = listen(page, chat, 'say');
    peer.frame({ fin: false, payload: '{"C":"chat","T":"say",' }).frame({ opcode: PING, payload: 'x' }).frame({ opcode: CONTINUATION, payload: '"D":"1"}' });
    await say.expect(1);
    assert.deepEqual([(await peer.next())].map(({ opcode, payload }) => [opcode, payload.toString()]), [[PONG, 'x']]);
    peer.frame({ opcode: CLOSE, payload: closePayload(1001, 'bye') });
    assert.deepEqual((await peer.next()).payload, closePayload(1001));
    peer.socket.end();
    const { code, reason, wasClean } = await heard.onClose.next();
    assert.deepEqual({ code, reason, wasClean }, { code: 1001, reason: 'bye', wasClean: true });
});

// ---- 6.x ----

story('6.x compares T as it came: mixed case never fires, a number opens nothing', async (s) => {
    const { page, chat, peer, heard } = await meet(s, js_6_2_0, { open: false });
    const say = listen(page, chat, 'Say');
    peer.say('chat', 2, opened('chat'));
    assert.equal((await heard.chat.onMessage.next()).T, 2);
    chat.close();
    peer.say('chat', 'Say', '1');
    assert.equal((await heard.chat.onMessage.next()).T, 'Say');
    // C is free in its case.
    peer.say('Chat', 'say', '2');
    await say.expect(2);
    say.empty();
    heard.chat.onOpen.empty();
    // Nothing was ever open, so nothing was said by close().
    page.said();
    chat.invoke('end');
    await peer.expectText('{"C":"chat","D":"\\"\\"","T":"end"}');
});

story('6.x throws at a message without C', async (s) => {
    for (const C of [null, undefined]) {
        const { page, peer } = await meet(s);
        peer.say(C, 'say', '1');
        await page.dies(/uncaught in onmessage.*toLowerCase/);
    }
});

story('6.x takes an object and plain text as D, and throws where there is none', async (s) => {
    const { page, chat, peer } = await meet(s);
    const say = listen(page, chat, 'say');
    peer.say('chat', 'say', { a: 1 }).say('chat', 'say', 'plain text').say('chat', 'say', 42).say('chat', 'say', null);
    await say.expect({ a: 1 }, 'plain text', 42, null);
    peer.say('chat', 'say', undefined);
    await page.dies(/uncaught in onmessage.*JSON/);
    peer.say('chat', '2', undefined);
    await page.dies(/uncaught in onmessage.*JSON/);
});

story('6.x fires onOpen for every T 2', async (s) => {
    const { peer, heard } = await meet(s);
    peer.say('chat', '2', opened('chat'));
    await heard.chat.onOpen.take();
});

story('6.x hands an authentication that failed to the client, closes and stays away', async (s) => {
    const { page, peer, heard } = await meet(s, js_6_0_1, { prepare: (conn) => conn.autoReconnect() });
    peer.say('', '0', '"no"');
    await heard.onAuthenticationFailed.expect('"no"');
    assert.equal((await peer.next()).opcode, CLOSE);
    peer.frame({ opcode: CLOSE }).socket.end();
    await heard.onClose.take();
    page.time.pass(60000);
    assert.equal(page.wires.length, 1);
});

story('6.x reads the header of a binary message as Latin-1, and none of 64 KiB', async (s) => {
    const { page, chat, peer } = await meet(s);
    const file = listen(page, chat, 'file');
    peer.frame(blob(Buffer.from('{"C":"chat","T":"file","D":"{\\"n\\":\\"é\\"}"}'), 'abc'));
    assert.deepEqual((await file.next()).metadata, { n: 'Ã©' });
    peer.frame(blob(Buffer.from('{"C":"chat","T":"file","D":"{\\"n\\":\\"\\u00e9\\"}"}'), 'abc'));
    assert.deepEqual((await file.next()).metadata, { n: 'é' });
    peer.frame(blob(Buffer.from('{"C":"chat","T":"file"}'), ''));
    assert.deepEqual((await file.next()).metadata, {});
    peer.frame(blob(Buffer.from(`{"C":"chat","T":"file","D":"${'1'.repeat(65536)}"}`), 'abc'));
    await page.dies(/uncaught in onmessage: Maximum call stack size exceeded/);
});

story('6.0.1 and 6.1.0 take a text ping for a message and never acknowledge; 6.2.0 does both, its first build without an id', async (s) => {
    for (const [load, answer, acknowledgement] of [
        [js_6_0_1], [js_6_1_0],
        [(page) => js_6_2_0(page, { build: 1 }), '{"C":"","D":"\\"x\\"","T":"8"}', '{"C":"chat","T":"9"}'],
        [(page) => js_6_2_0(page, { build: 2 }), '{"C":"","D":"\\"x\\"","T":"8"}', "{'T':'9','I':'5','C':'chat','Q':'1'}"],
        [js_6_2_0, '{"C":"","D":"\\"x\\"","T":"8"}', "{'T':'9','I':'5','C':'chat','Q':'1'}"],
    ]) {
        const { page, chat, peer, heard } = await meet(s, load, { prepare: (conn) => conn.enableQoS?.() });
        const say = listen(page, chat, 'say');
        peer.say('', '7', '"x"');
        if (answer) await peer.expectText(answer);
        else assert.deepEqual(await heard.onMessage.next(), { C: '', T: '7', D: '"x"' });
        peer.say('chat', 'say', '1', { Q: 1, I: 5 });
        await say.expect(1);
        if (acknowledgement) await peer.expectText(acknowledgement);
        chat.invoke('end', 1);
        await peer.expectText('{"C":"chat","D":1,"T":"end"}');
    }
});

story('6.2.0 closes when its text ping was not answered by the next interval', async (s) => {
    const { page, peer, heard } = await meet(s, js_6_2_0, { prepare: (conn) => conn.autoHeartbeat(true, 1000) });
    await peer.expectText('{"C":"","T":"7"}');
    peer.say('', '8', 'null');
    await heard.onMessage.take();
    page.time.pass(1000);
    await peer.expectText('{"C":"","T":"7"}');
    page.time.pass(1000);
    assert.equal((await peer.next()).opcode, CLOSE);
});

story('6.0.1 throws when a controller is asked for while it connects', async (s) => {
    const server = await fake(s);
    const page = new Page(s);
    const conn = new (js_6_0_1(page).xsockets).client(`ws://127.0.0.1:${server.at().port}`);
    conn.open();
    assert.throws(() => conn.controller('chat'), /InvalidStateError/);
    await server.next();
});

// ---- 5.0.0 ----

async function meetOld(s) {
    const server = await fake(s);
    const page = new Page(s);
    const conn = new (js_5_0_0(page).XSockets.WebSocket)(`ws://127.0.0.1:${server.at().port}`, ['chat']);
    const chat = conn.controller('chat');
    const heard = {};
    for (const event of ['onopen', 'onclose', 'onerror']) heard[event] = chat[event] = page.box(event);
    heard.clientError = conn.onerror = page.box('onerror of the client');
    const peer = await server.next();
    await peer.handshake();
    await peer.expectText('{"T":"1","D":"{\\"init\\":true}","C":"chat"}');
    return { page, conn, chat, heard, peer };
}

story('5.0.0 parses the D of every message and throws where that cannot be', async (s) => {
    for (const D of [{ a: 1 }, 'plain text', undefined]) {
        const { page, peer } = await meetOld(s);
        peer.say('chat', 'say', D);
        await page.dies(/uncaught in onmessage/);
        peer.say('', '8', D);
        await page.dies(/uncaught in onmessage/);
    }
});

story('5.0.0 takes the ids with and without ClientInfo, and wants all three', async (s) => {
    const { page, chat, heard, peer } = await meetOld(s);
    const info = { persistentId: PI, connectionId: CI, controller: 'chat' };
    peer.say('chat', '2', opened('chat'));
    await heard.onopen.expect(info);
    peer.say('chat', '2', JSON.stringify({ ClientInfo: { CI, PI, C: 'chat' } }));
    await heard.onopen.expect(info);
    assert.deepEqual(chat.clientInfo, info);
    peer.say('chat', '3', opened('chat'));
    await heard.onclose.expect(info);
    peer.say('chat', '3', JSON.stringify({ CI, PI }));
    await page.dies(/opened or closed without CI, PI or C/);
    peer.say('chat', '3', 'null');
    await page.dies(/uncaught in onmessage/);
});

story('5.0.0 looks its controllers up as they come: another case or an error without one is heard by nobody', async (s) => {
    const { page, chat, heard, peer } = await meetOld(s);
    const say = page.box('say'), everything = chat.onmessage = page.box('onmessage');
    chat.on('Say', (data) => say(data));
    peer.say('Chat', 'say', '1').say('', '4', '"lost"').say('chat', '4', '{"data":"told"}').say('chat', 'say', '2');
    await say.expect(2);
    await heard.onerror.expect('told');
    await heard.clientError.expect({ data: 'told' });
    assert.equal(everything.count(), 2);
});

story('5.0.0 answers a text ping in single quotes, its data as it is', async (s) => {
    const { peer } = await meetOld(s);
    peer.say('', '7', '"hello"').say('', '7', '{"a":1}').say('', 7, 'null');
    await peer.expectText("{'T':'8','D':'hello','C':''}");
    await peer.expectText("{'T':'8','D':'[object Object]','C':''}");
    await peer.expectText("{'T':'8','D':'null','C':''}");
});

story('5.0.0 parses metadata twice unless it is an object', async (s) => {
    const { page, chat, peer } = await meetOld(s);
    const file = page.box('file');
    chat.on('file', (message) => file(message.data));
    peer.frame(blob(Buffer.from('{"C":"chat","T":"file","D":"{\\"n\\":1}"}'), 'abc')).frame(blob(Buffer.from('{"C":"chat","T":"file","D":"42"}'), 'abc'));
    await file.expect({ n: 1 }, 42);
    peer.frame(blob(Buffer.from('{"C":"chat","T":"file","D":"\\"a name\\""}'), 'abc'));
    await page.dies(/uncaught in onmessage/);
    peer.frame(blob(Buffer.from('{"C":"chat","T":"file"}'), 'abc'));
    await page.dies(/uncaught in onmessage/);
});

story('5.0.0 waits for a stored value under the key as it was typed, and for a clear for ever', async (s) => {
    const { page, chat, peer } = await meetOld(s);
    const typed = page.box('Color'), lower = page.box('color'), cleared = page.box('cleared');
    chat.storageGet('Color', typed);
    chat.storageGet('color', lower);
    chat.storageClear(cleared);
    for (const words of ['{"T":"s2","D":"{\\"K\\":\\"Color\\"}","C":"chat"}', '{"T":"s2","D":"{\\"K\\":\\"color\\"}","C":"chat"}', '{"T":"s4","D":"{}","C":"chat"}'])
        await peer.expectText(words);
    peer.say('chat', 's2:color', '{"K":"color","V":"red"}').say('chat', 's4', 'null').say('chat', 's2:color', '{"K":"color","V":"blue"}');
    await lower.expect({ K: 'color', V: 'red' });
    // Its promise resolves once, and to who comes later with what it resolved to.
    chat.promises['s2:color'].promise.then(lower);
    await lower.expect({ K: 'color', V: 'red' });
    typed.empty();
    cleared.empty();
});
