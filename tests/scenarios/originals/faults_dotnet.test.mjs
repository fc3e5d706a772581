// The .NET driver fails where the .NET client failed: seen with a server that does what ours must not.
import assert from 'node:assert/strict';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, closePayload } from '../lib/frames.mjs';
import { story } from '../lib/story.mjs';
import { AtLeastOnce, XSocketClient } from './dotnet_6_3_1.mjs';
import { PI, fake, frame, opened } from './lib/fake.mjs';

// A client with the controller Chat, its server and the server's end of the connection behind the handshake.
async function meet(s, { open = true, prepare, handshake } = {}) {
    const server = await fake(s);
    const client = new XSocketClient(s, `ws://127.0.0.1:${server.at().port}`, 'http://localhost', 'Chat');
    const chat = client.Controller('chat');
    for (const event of ['OnConnected', 'OnDisconnected', 'OnError', 'OnPing', 'OnPong', 'OnAuthenticationFailed']) client[event] = client.box(event);
    for (const event of ['OnOpen', 'OnClose', 'OnMessage']) chat[event] = client.box(`${event} of chat`);
    prepare?.(client);
    const opening = client.Open();
    const peer = await server.next();
    await peer.handshake(handshake);
    if (open) {
        await opening;
        await peer.text();
        peer.say('chat', '2', opened('chat'));
        await chat.OnOpen.take();
    }
    return { server, client, chat, peer, opening };
}

story('.NET loses a frame that comes with the answer to its handshake', async (s) => {
    const { client, chat, peer } = await meet(s, { open: false, handshake: { and: frame('chat', '2', opened('chat')) } });
    await client.dies(/bytes behind the handshake are lost/);
    await peer.text();
    peer.say('chat', 'say', '1');
    assert.equal((await chat.OnMessage.next()).Data, '1');
    chat.OnOpen.empty();
});

story('.NET takes the rest of an answer of more than 1,024 bytes for frames', async (s) => {
    const { client } = await meet(s, { open: false, handshake: { headers: `Sec-WebSocket-Protocol: XSocketsNET\r\nX-Long: ${'x'.repeat(1100)}\r\n` } });
    await client.dies(/did not come whole/);
    await client.dies(/a frame with a reserved bit/);
});

story('.NET calls itself for ever when it is refused with fewer than 3 bytes', async (s) => {
    for (const bytes of ['', 'no']) {
        const server = await fake(s);
        const client = new XSocketClient(s, `ws://127.0.0.1:${server.at().port}`, 'http://localhost');
        void client.Open();
        const peer = await server.next();
        await peer.take('\r\n\r\n');
        peer.socket.end(bytes);
        await client.dies(new RegExp(`StackOverflowException in ReadHandshake: the end came behind ${bytes.length} bytes`));
    }
});

story('.NET does not look at the status line: with 3 bytes it is connected', async (s) => {
    const server = await fake(s);
    const client = new XSocketClient(s, `ws://127.0.0.1:${server.at().port}`, 'http://localhost', 'Chat');
    const opening = client.Open();
    const peer = await server.next();
    await peer.take('\r\n\r\n');
    peer.write('404');
    assert.equal(await opening, true);
    await peer.expectText('{"I":0,"Q":0,"R":false,"B":null,"D":"{\\"Init\\":true}","MessageType":0,"C":"Chat","T":"1"}');
    // And frames that follow are read.
    const opens = client.Controller('chat').OnOpen = client.box('OnOpen');
    peer.say('chat', '2', opened('chat'));
    await opens.take();
});

story('.NET waits behind a frame of fewer than 4 bytes for what follows it', async (s) => {
    const { client, peer } = await meet(s);
    peer.frame({ opcode: PING, payload: 'ab' });
    await client.dies(/a frame of 2 bytes waits/);
    client.OnPing.empty();
    // Then both are read at once.
    peer.frame({ opcode: PING, payload: 'four' });
    await client.OnPing.expect('ab', 'four');
    for (const payload of ['ab', 'four']) assert.deepEqual((await peer.next()).payload.toString(), payload);
});

story('.NET answers a ping of 4 bytes at once', async (s) => {
    const { client, peer } = await meet(s);
    peer.frame({ opcode: PING, payload: 'ping' });
    await client.OnPing.expect('ping');
    const { opcode, payload, masked } = await peer.next();
    assert.deepEqual({ opcode, payload: payload.toString(), masked }, { opcode: PONG, payload: 'ping', masked: true });
});

story('.NET stops parsing for ever at a frame with a reserved bit', async (s) => {
    const { client, chat, peer } = await meet(s);
    peer.frame({ opcode: TEXT, rsv: 4, payload: '{"C":"chat","T":"say","D":"1"}' });
    await client.dies(/a frame with a reserved bit/);
    peer.say('chat', 'say', '2');
    await client.dies(/a frame with a reserved bit/);
    chat.OnMessage.empty();
});

story('.NET puts fragments together, and a control frame between them spoils all', async (s) => {
    const { client, chat, peer } = await meet(s);
    const text = '{"C":"chat","T":"say","D":"12345"}';
    peer.frame({ opcode: TEXT, fin: false, payload: text.slice(0, 20) }).frame({ opcode: CONTINUATION, payload: text.slice(20) });
    assert.equal((await chat.OnMessage.next()).Data, '12345');
    peer.frame({ opcode: TEXT, fin: false, payload: text.slice(0, 20) }).frame({ opcode: PING, payload: 'ping' });
    await client.OnPing.expect(`${text.slice(0, 20)}ping`);
    peer.frame({ opcode: CONTINUATION, payload: text.slice(20) });
    await client.dies(/FrameType unknown/);
    await client.OnDisconnected.take();
});

story('.NET cannot take D as anything but a string, nor a message without C or T', async (s) => {
    for (const [payload, why] of [
        ['{"C":"chat","T":"say","D":{"a":1}}', /the reader ended: JsonReaderException/],
        ['{"C":"chat","T":"say","D":[1]}', /the reader ended: JsonReaderException/],
        ['{"T":"say","D":"1"}', /the reader ended: JsonSerializationException: required property C/],
        ['{"C":null,"T":"say","D":"1"}', /the reader ended: JsonSerializationException: required property C/],
        ['{"C":"chat","D":"1"}', /the reader ended: JsonSerializationException: required property T/],
    ]) {
        const { client, peer } = await meet(s);
        peer.frame({ payload });
        await client.dies(why);
        await client.OnDisconnected.take();
    }
});

story('.NET finds no data to take apart where D is null or missing, and takes a number for its text', async (s) => {
    for (const payload of ['{"C":"chat","T":"say","D":null}', '{"C":"chat","T":"say"}']) {
        const { client, chat, peer } = await meet(s);
        chat.On('say', client.box());
        peer.frame({ payload });
        await client.dies(/NullReferenceException/);
    }
    const { client, chat, peer } = await meet(s);
    const say = client.box('say');
    chat.On('say', say);
    peer.frame({ payload: '{"c":"chat","t":"say","d":42}' });
    await say.expect(42);
});

story('.NET looks controllers up as they come and listeners in lower case', async (s) => {
    const { client, chat, peer } = await meet(s);
    const say = client.box('say');
    chat.On('Say', say);
    peer.say('Chat', 'say', '1');
    await client.dies(/NullReferenceException: no controller "Chat"/);
    peer.say('chat', 'Say', '2');
    assert.equal((await chat.OnMessage.next()).Data, '2');
    peer.say('chat', 'say', '3');
    await say.expect(3);
    say.empty();
});

story('.NET dies of an error of a controller that is no whole exception; of the connection it may be anything', async (s) => {
    const { client, peer } = await meet(s);
    peer.say('', '4', 'oh dear');
    await client.OnError.expect('oh dear');
    peer.say('', '4', '{"Message":"oh dear"}');
    await client.OnError.expect('{"Message":"oh dear"}');
    peer.say('chat', '4', '{"ClassName":"System.Exception","Message":"oh dear"}');
    await client.dies(/the process ends: SerializationException: member 'Data' was not found/);
});

story('.NET dies of ids that are no Guids', async (s) => {
    const { client, peer } = await meet(s, { open: false });
    await peer.text();
    peer.say('chat', '2', JSON.stringify({ CI: 'one', PI, C: 'chat' }));
    await client.dies(/the process ends: FormatException/);
});

story('.NET disconnects at a pong that says something else, asked for or not', async (s) => {
    for (const payload of [PI.toUpperCase(), 'unasked']) {
        const { client, peer } = await meet(s, { prepare: (it) => it.SetAutoHeartbeat(30000) });
        client.time.pass(30000);
        assert.equal((await peer.next()).payload.toString(), PI);
        peer.frame({ opcode: PONG, payload: PI });
        await client.OnPong.expect(PI);
        peer.frame({ opcode: PONG, payload });
        await client.dies(/disconnects at a pong/);
        await client.OnDisconnected.take();
    }
});

story('.NET disconnects when no pong came for two intervals', async (s) => {
    const { client, peer } = await meet(s, { prepare: (it) => it.SetAutoHeartbeat(1000) });
    client.time.pass(2000);
    for (let i = 0; i < 2; i++) assert.equal((await peer.next()).opcode, PING);
    client.OnDisconnected.empty();
    client.time.pass(1000);
    await client.OnDisconnected.take();
    const { opcode, payload } = await peer.next();
    assert.deepEqual({ opcode, size: payload.length }, { opcode: CLOSE, size: 0 });
    await peer.leaves();
});

story('.NET does not come back when its authentication has failed', async (s) => {
    const { client, peer } = await meet(s, { prepare: (it) => it.SetAutoReconnect() });
    peer.say('', '0', '"no"');
    await client.OnAuthenticationFailed.take();
    await client.OnDisconnected.take();
    client.time.pass(60000);
    assert.equal(client.wires.length, 1);
});

story('.NET gives its AutoReconnect up at a whole close frame, and not at one of 2 bytes', async (s) => {
    const one = await meet(s, { prepare: (it) => it.SetAutoReconnect() });
    one.peer.frame({ opcode: CLOSE, payload: closePayload(1001, 'the server stops') });
    await one.client.dies(/AutoReconnect has ended/);
    await one.client.OnDisconnected.take();
    one.peer.socket.end();
    one.client.time.pass(60000);
    assert.equal(one.client.wires.length, 1);
    const two = await meet(s, { prepare: (it) => it.SetAutoReconnect() });
    two.peer.frame({ opcode: CLOSE, payload: closePayload(1001) });
    two.client.OnDisconnected.empty();
    two.peer.socket.end();
    await two.client.OnDisconnected.take();
    two.client.time.pass(5000);
    await (await two.server.next()).handshake();
});

story('.NET sends again every 5 s until topic 9 comes with Q 1 and a controller that it knows', async (s) => {
    const { client, chat, peer } = await meet(s);
    chat.Publish('news', 1, AtLeastOnce);
    const sent = '{"I":1,"Q":1,"R":false,"B":null,"D":"1","MessageType":0,"C":"chat","T":"news"}';
    await peer.expectText(sent);
    client.time.pass(4999);
    peer.say('chat', '9', 'null', { I: 1 });
    assert.equal((await chat.OnMessage.next()).Topic, '9');
    client.time.pass(1);
    await peer.expectText(sent);
    peer.say('Chat', '9', 'null', { Q: 1, I: 1 });
    await client.dies(/no controller "Chat"/);
    client.time.pass(5000);
    await peer.expectText(sent);
    peer.say('chat', '9', 'null', { Q: 1, I: 1 });
    await client.acknowledged();
    client.time.pass(60000);
    chat.Publish('end');
    await peer.expectText('{"I":0,"Q":0,"R":false,"B":null,"D":"null","MessageType":0,"C":"chat","T":"end"}');
    // Ids end at 65535.
    chat.qosId = 65534;
    assert.deepEqual([chat.GetIdForQoS(), chat.GetIdForQoS()], [65535, 1]);
});

story('.NET acknowledges a text with itself under topic 9, a blob under its own topic', async (s) => {
    const { chat, peer } = await meet(s);
    peer.say('chat', 'say', '"hi"', { Q: 1, I: 77 });
    assert.equal((await chat.OnMessage.next()).Data, '"hi"');
    await peer.expectText('{"I":77,"Q":1,"R":false,"B":null,"D":"\\"hi\\"","MessageType":0,"C":"chat","T":"9"}');
    const header = '{"C":"chat","T":"file","D":"{}","Q":1,"I":78}';
    peer.frame({ opcode: BINARY, payload: Buffer.concat([Buffer.from([header.length, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(header), Buffer.from('abc')]) });
    await chat.OnMessage.take();
    const { opcode, payload } = await peer.next();
    assert.equal(opcode, BINARY);
    assert.match(payload.toString(), /"T":"file"\}abc$/);
});

story('.NET counts the characters of a binary header and sends its UTF-8', async (s) => {
    const { chat, peer } = await meet(s);
    chat.PublishBlob('File', Buffer.from([1, 2]), { n: 'é€😀' }, AtLeastOnce);
    const header = '{"I":0,"Q":0,"R":false,"B":null,"D":"{\\"n\\":\\"é€😀\\"}","MessageType":0,"C":"chat","T":"file"}';
    const { opcode, payload } = await peer.next();
    assert.equal(opcode, BINARY);
    assert.deepEqual(payload, Buffer.concat([Buffer.from([header.length, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(header), Buffer.from([1, 2])]));
});

story('.NET masks with keys below 34,298, and its frames have the shortest length', async (s) => {
    const { chat, peer } = await meet(s);
    for (const size of [1, 1000, 70000]) {
        chat.Publish('x', 'y'.repeat(size));
        const { payload, form } = await peer.next();
        assert.equal(form, payload.length < 126 ? 7 : payload.length < 65536 ? 16 : 64);
    }
    chat.Publish('x', 'y');
    await peer.until(() => peer.buffer.length > 8 || undefined);
    assert.ok(peer.buffer.readUInt32BE(2) < 34298);
});

story('.NET sends an empty close frame and is gone', async (s) => {
    const { client, peer } = await meet(s);
    client.Disconnect();
    const { opcode, payload } = await peer.next();
    assert.deepEqual({ opcode, size: payload.length }, { opcode: CLOSE, size: 0 });
    await peer.leaves();
    assert.throws(() => client.Controller('chat').Publish('x'), /You cant send messages when not connected/);
});
