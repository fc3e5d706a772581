// Opening and closing controllers over XSocketsNET, and the same over the other protocols.
import assert from 'node:assert/strict';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { csEnvelope, demo, native, text, xsocketsnet, XSocketsNet } from './lib/clients.mjs';
import { encode } from './lib/frames.mjs';

story('the 101 answer is one write of at most 1024 bytes and nothing follows it', async (s) => {
    await start(s);
    // The request as the C# client sends it.
    const client = new XSocketsNet(s, s.daemon.at(), 'C#');
    const parts = [];
    client.socket.on('data', (bytes) => parts.push(bytes.length));
    await client.connected;
    client.send(['GET /?qos=1&PersistentId=7c9e6679-7425-40de-944b-e07fc1f90ae7 HTTP/1.1', `Host: localhost:${s.daemon.port}`,
        'Origin: http://localhost', 'Upgrade: websocket', 'Connection: Upgrade,Keep-Alive', 'Cookie: a=b; c=d',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: XSocketsNET', '', ''].join('\r\n'));
    const { status, headers, text: head } = await client.answer();
    assert.equal(status, 101);
    assert.equal(headers['sec-websocket-protocol'], 'XSocketsNET');
    assert.equal(headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    assert.equal(headers['sec-websocket-extensions'], undefined);
    assert.ok(head.length <= 1024, `${head.length} bytes`);
    assert.deepEqual(parts, [head.length]);
    // What comes next is the answer to what we say, and not a word before.
    client.upgraded = true;
    client.minimum = 4;
    client.text(csEnvelope('Generic', '1', '{"Init":true}'));
    const { PI } = await client.opened('generic');
    assert.equal(PI, '7c9e6679-7425-40de-944b-e07fc1f90ae7');
    await client.barrier();
});

story('opening a controller is answered once, a second init not at all', async (s) => {
    await start(s);
    const client = await xsocketsnet(s);
    client.text('{"C":"generic","T":"1"}');
    await client.opened('generic');
    client.text('{"C":"generic","T":"1"}');
    client.text('{"C":"generic","D":"{\\"init\\":true}","T":"1"}');
    await client.barrier();
});

story('many controllers over one connection have one persistent id and a connection id each', async (s) => {
    await start(s);
    const client = await xsocketsnet(s);
    const generic = await client.open('generic');
    const chat = await client.open('chat');
    const echo = await client.open('echo');
    assert.equal(generic.PI, chat.PI);
    assert.equal(chat.PI, echo.PI);
    assert.equal(new Set([generic.CI, chat.CI, echo.CI]).size, 3);
    const other = await xsocketsnet(s, { open: 'generic' });
    assert.notEqual(other.ids.generic.PI, generic.PI);
});

story('inits and subscriptions may come all at once, before any answer', async (s) => {
    await start(s);
    const client = await xsocketsnet(s);
    const words = [csEnvelope('Generic', '1', '{"Init":true}'), csEnvelope('Chat', '1', '{"Init":true}'),
        csEnvelope('Chat', '5', '{"T":"news","C":null,"A":true}'), csEnvelope('Generic', '5', '{"T":"more","C":"generic","A":true}')];
    client.send(Buffer.concat(words.map((payload) => encode({ payload }))));
    await client.opened('generic');
    await client.opened('chat');
    await client.expect('chat', '__news', '{\\"T\\":\\"news\\",\\"C\\":\\"chat\\",\\"A\\":true}');
    await client.expect('generic', '__more', '{\\"T\\":\\"more\\",\\"C\\":\\"generic\\",\\"A\\":true}');
    await client.barrier();
});

story('names are matched without case and answered in lower case', async (s) => {
    await start(s);
    const client = await xsocketsnet(s);
    client.text('{"C":"GENERIC","T":"1"}');
    await client.opened('generic');
    client.text('{"C":"Generic","D":"1","T":"UpdateCount"}');
    await client.expect('generic', 'updatecount', '1');
    const line = await text(s);
    line.line('Generic|1|');
    await line.opened('generic');
    line.line('GENERIC|UpdateCount|2');
    await line.expect('generic|updatecount|2');
    await client.expect('generic', 'updatecount', '2');
});

story('only ASCII letters are folded', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'generic' });
    client.text('{"C":"generic","D":"1","T":"Über-\u212A-ÉA"}');
    await client.expect('generic', 'Über-\u212A-Éa', '1');
});

story('a message to a controller that is not open opens it first', async (s) => {
    await start(s);
    const client = await xsocketsnet(s);
    client.invoke('echo', 'say', 'hi');
    await client.opened('echo');
    await client.expect('echo', 'say', '\\"hi\\"');
    const line = await text(s);
    line.line('echo|say|hi');
    await line.opened('echo');
    await line.expect('echo|say|"hi"');
});

story('a subscription to a controller that is not open opens it first', async (s) => {
    await start(s);
    const client = await xsocketsnet(s);
    client.subscribe('chat', 'foo', true);
    await client.opened('chat');
    await client.expect('chat', '__foo', '{\\"T\\":\\"foo\\",\\"C\\":\\"chat\\",\\"A\\":true}');
});

story('an unknown controller is answered by topic 4 and the connection stays', async (s) => {
    await start(s);
    const client = await xsocketsnet(s);
    const exact = '{"C":"","T":"4","D":"{\\"ClassName\\":\\"System.Exception\\",\\"Message\\":\\"Unknown controller\\",'
        + '\\"Data\\":null,\\"InnerException\\":null,\\"HelpURL\\":null,\\"StackTraceString\\":null,'
        + '\\"RemoteStackTraceString\\":null,\\"RemoteStackIndex\\":0,\\"ExceptionMethod\\":null,'
        + '\\"HResult\\":-2146233088,\\"Source\\":\\"server\\",\\"WatsonBuckets\\":null}"}';
    client.text('{"C":"nothing","T":"1"}');
    await client.expectText(exact);
    client.invoke('nothing', 'say', 'hi');
    await client.expectText(exact);
    client.subscribe('nothing', 'x', true);
    await client.expectText(exact);
    await client.open('echo');
    const line = await text(s);
    line.line('nothing|1|');
    assert.equal(await line.expectError(''), 'Unknown controller');
});

story('a closed controller says so with its ids, is out of every list, and may be opened again', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { place: 0 });
    const other = await xsocketsnet(s, { place: 1, open: 'generic' });
    const { CI, PI } = await client.open('generic');
    await client.open('echo');
    client.text('{"C":"generic","T":"3"}');
    await client.expect('generic', '3', `{\\"CI\\":\\"${CI}\\",\\"PI\\":\\"${PI}\\",\\"C\\":\\"generic\\"}`);
    // Nobody reaches it now; the other controllers stay.
    other.invoke('generic', 'say', 'one');
    await other.expect('generic', 'say', '\\"one\\"');
    client.invoke('echo', 'say', 'still');
    await client.expect('echo', 'say', '\\"still\\"');
    const again = await client.open('generic');
    assert.notEqual(again.CI, CI);
    assert.equal(again.PI, PI);
    other.invoke('generic', 'say', 'two');
    await client.expect('generic', 'say', '\\"two\\"');
});

story('a close in the forms of 5.0.0 and C# is the same, and one of what is not open is harmless', async (s) => {
    await start(s);
    const client = await xsocketsnet(s);
    for (const word of ['{"C":"generic","D":"{}","T":"3"}', csEnvelope('Generic', '3', 'null')]) {
        const { CI, PI } = await client.open('generic');
        client.text(word);
        await client.expect('generic', '3', `{\\"CI\\":\\"${CI}\\",\\"PI\\":\\"${PI}\\",\\"C\\":\\"generic\\"}`);
    }
    const before = await s.daemon.stats();
    assert.equal(before.total.instances, 0);
    client.text('{"C":"generic","T":"3"}');
    client.text('{"C":"nothing","T":"3"}');
    client.invoke('echo', 'say', 'still here');
    for (let text; (text = await client.nextText()) !== '{"C":"echo","T":"say","D":"\\"still here\\""}';)
        assert.match(text, /"T":"[24]"/);
});

story('a state goes with the controller that is closed', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'chat' });
    client.invoke('chat', 'set_username', 'bob');
    client.invoke('chat', 'get_username');
    await client.expect('chat', 'get_username', '\\"bob\\"');
    client.subscribe('chat', 'foo', true);
    await client.expect('chat', '__foo', '{\\"T\\":\\"foo\\",\\"C\\":\\"chat\\",\\"A\\":true}');
    client.text('{"C":"chat","T":"3"}');
    assert.match(await client.nextText(), /^\{"C":"chat","T":"3"/);
    await client.open('chat');
    client.invoke('chat', 'get_username');
    await client.expect('chat', 'get_username', '\\"\\"');
    client.invoke('chat', 'foo', 'nobody');
    await client.barrier();
});

story('keys in any case, lenient JSON, numbers for topics and unknown keys are an envelope', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'generic' });
    const wanted = (inside) => client.expect('generic', 'foo', inside);
    for (const [word, inside] of [
        ["{t:'foo',c:'generic',d:'hi'}", '\\"hi\\"'],
        ["{'T':'foo','D':'hi','C':'generic'}", '\\"hi\\"'],
        ['{"t":"foo","c":"generic","d":"hi"}', '\\"hi\\"'],
        ['{"C":"generic","T":"foo","D":"hi","MessageType":0,"B":null,"X":{"a":[1,"}"]}}', '\\"hi\\"'],
        [' { "C" : "generic" , "D" : "hi" , "T" : "foo" } ', '\\"hi\\"'],
        ["{t:'foo', c:'generic', d:{name:'Steve', Age:42}}", '{\\"name\\":\\"Steve\\", \\"Age\\":42}'],
        ["{'T':'foo','C':'generic','D':'it\\'s','I':'0','Q':'0'}", "\\\"it's\\\""],
        ['{"\\u0043":"generic","\\u0054":"foo","\\u0044":"\\u0068i"}', '\\"hi\\"'],
    ]) {
        client.text(word);
        await wanted(inside);
    }
    client.text('{"T":77,"C":"generic","D":"1"}');
    await client.expect('generic', '77', '1');
    client.text('{"T":1,"C":"chat"}');
    await client.opened('chat');
});

story('text that is no envelope is answered by an error and a close', async (s) => {
    await start(s);
    for (const word of ['hello', '', '{}', '[]', '42', 'null', '{"C":"generic"}', '{"C":1,"T":2', '{"C":"generic","T":"a"} x',
        '{"C":{},"T":"1"}', '{"C":"generic","T":null}', '{"C":"generic","T":"1"']) {
        const client = await xsocketsnet(s);
        client.text(word);
        await client.expectError('');
        await client.expectClose(1003);
    }
});

story('an envelope with an empty controller is no message of a controller', async (s) => {
    await start(s);
    const client = await xsocketsnet(s);
    for (const word of ['{"C":"","T":"say","D":"x"}', '{"T":"say","D":"x"}']) {
        client.text(word);
        await client.expectError('');
    }
    await client.open('echo');
});

story('demo and native have their controller open from the handshake on', async (s) => {
    await start(s, { 'subprotocol demo': { controller: 'generic' } });
    const one = await demo(s, { controller: 'generic', place: 0 });
    const two = await native(s, { place: 1 });
    const three = await xsocketsnet(s, { open: 'generic' });
    three.invoke('generic', 'say', 'hello');
    await one.expect('say', '\\"hello\\"');
    await two.expectText('"hello"');
});

story('text clients may open, subscribe and close as well', async (s) => {
    await start(s);
    const line = await text(s);
    const { CI, PI } = await line.open('chat');
    line.line('chat|subscribe|foo');
    line.line('chat|foo|one');
    await line.expect('chat|foo|"one"');
    line.line('chat|unsubscribe|foo');
    line.line('chat|foo|two');
    line.line('chat|3|');
    await line.expect(`chat|3|PI:${PI},CI:${CI}`);
});
