// Answers to the caller: errors, correlation by N, acknowledgements, the text ping, storage before there is storage.
import assert from 'node:assert/strict';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { csEnvelope, text, xsocketsnet } from './lib/clients.mjs';

story('a reply carries the N of its request and nobody else sees it', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: ['echo', 'generic'] });
    const other = await xsocketsnet(s, { open: 'generic', place: 1 });
    client.text('{"C":"echo","T":"say","D":"hi","N":7}');
    await client.expectText('{"C":"echo","T":"say","D":"\\"hi\\"","N":7}');
    client.text('{"C":"generic","T":"say","D":"hi","N":8}');
    // To all: that is no reply, so the request is acknowledged when the action has returned.
    await client.expect('generic', 'say', '\\"hi\\"');
    await client.expectText('{"C":"generic","T":"9","D":"null","N":8}');
    await other.expect('generic', 'say', '\\"hi\\"');
    await other.barrier();
});

story('N may be any integer and comes back digit by digit', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'echo' });
    for (const N of ['0', '1', '-1', '2147483648', '9007199254740993', '9223372036854775807', '-9223372036854775808']) {
        client.text(`{"C":"echo","T":"say","D":"hi","N":${N}}`);
        await client.expectText(`{"C":"echo","T":"say","D":"\\"hi\\"","N":${N}}`);
    }
    client.text(`{n:5,t:'say',c:'echo',d:'hi'}`);
    await client.expectText('{"C":"echo","T":"say","D":"\\"hi\\"","N":5}');
});

story('what is no integer of 64 bits is no N', async (s) => {
    await start(s);
    for (const N of ['1.5', '"x"', '{}', '[1]', 'true', '9223372036854775808', '1e400']) {
        const client = await xsocketsnet(s, { open: 'echo' });
        client.text(`{"C":"echo","T":"say","D":"hi","N":${N}}`);
        await client.expectError('', { sentence: 'N must be' });
        await client.expectClose(1003);
    }
});

story('an action without an answer acknowledges N, and says nothing without one', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'chat' });
    client.text('{"C":"chat","T":"set_username","D":"bob","N":1}');
    await client.expectText('{"C":"chat","T":"9","D":"null","N":1}');
    client.text('{"C":"chat","T":"set_username","D":"bob"}');
    await client.barrier();
    client.text('{"C":"chat","T":"get_username","D":"","N":2}');
    await client.expectText('{"C":"chat","T":"get_username","D":"\\"bob\\"","N":2}');
});

story('concurrent requests of one topic are told apart by N, errors too', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: ['echo', 'demo'] });
    client.text('{"C":"echo","T":"say","D":1,"N":1}');
    client.text('{"C":"demo","T":"foo","D":"{\\"s\\":1}","N":2}');
    client.text('{"C":"echo","T":"say","D":3,"N":3}');
    client.text('{"C":"nothing","T":"say","D":3,"N":4}');
    await client.expectText('{"C":"echo","T":"say","D":"1","N":1}');
    await client.expectError('demo', { N: 2 });
    await client.expectText('{"C":"echo","T":"say","D":"3","N":3}');
    await client.expectError('', { N: 4, sentence: 'Unknown controller' });
});

story('opening with N is answered with it', async (s) => {
    await start(s);
    const client = await xsocketsnet(s);
    client.text('{"C":"echo","T":"1","N":1}');
    const { C, T, N } = JSON.parse(await client.nextText());
    assert.deepEqual({ C, T }, { C: 'echo', T: '2' });
    assert.ok(N === undefined || N === 1);
    // Whether the open message carried it or an acknowledgement follows, there is an answer to N.
    if (N === undefined) await client.expectText('{"C":"echo","T":"9","D":"null","N":1}');
    await client.barrier();
});

story('a qos message on a qos connection is acknowledged at once, and a resend is not delivered again', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { query: { qos: 1 }, open: 'chat', place: 0 });
    const other = await xsocketsnet(s, { open: 'chat', place: 1 });
    other.subscribe('chat', 'foo', true);
    assert.match(await other.nextText(), /__foo/);
    const send = (topic, D, I) => client.text(csEnvelope('Chat', topic, D, { Q: 1, I }));
    const acknowledged = (I) => client.expectText(`{"C":"chat","T":"9","Q":1,"I":${I},"D":"null"}`);
    send('foo', '1', 77);
    await acknowledged(77);
    await other.expect('chat', 'foo', '1');
    // The same id again: acknowledged again, delivered not.
    send('foo', '1', 77);
    await acknowledged(77);
    send('foo', '2', 78);
    await acknowledged(78);
    await other.expect('chat', 'foo', '2');
    send('foo', '3', 65535);
    await acknowledged(65535);
    await other.expect('chat', 'foo', '3');
    const { total } = await s.daemon.stats();
    assert.equal(total.duplicates, 1);
});

story('the ids of two controllers and of two connections do not collide', async (s) => {
    await start(s);
    const one = await xsocketsnet(s, { query: { qos: 1 }, open: ['chat', 'generic'] });
    const two = await xsocketsnet(s, { query: { qos: 1 }, open: 'chat' });
    const other = await xsocketsnet(s, { open: 'chat' });
    other.subscribe('chat', 'foo', true);
    await other.nextText();
    one.text(csEnvelope('chat', 'foo', '1', { Q: 1, I: 5 }));
    await one.expectText('{"C":"chat","T":"9","Q":1,"I":5,"D":"null"}');
    two.text(csEnvelope('chat', 'foo', '2', { Q: 1, I: 5 }));
    await two.expectText('{"C":"chat","T":"9","Q":1,"I":5,"D":"null"}');
    await other.expect('chat', 'foo', '1');
    await other.expect('chat', 'foo', '2');
    one.text(csEnvelope('generic', 'bar', '3', { Q: 1, I: 5 }));
    const both = [await one.nextText(), await one.nextText()].sort();
    assert.deepEqual(both, ['{"C":"generic","T":"9","Q":1,"I":5,"D":"null"}', '{"C":"generic","T":"bar","D":"3"}']);
});

story('without qos=1 nothing is acknowledged', async (s) => {
    await start(s);
    for (const query of [{}, { qos: 0 }, { qos: '' }]) {
        const client = await xsocketsnet(s, { query, open: 'echo' });
        client.text(csEnvelope('echo', 'foo', '1', { Q: 1, I: 77 }));
        client.text(csEnvelope('echo', 'foo', '1', { Q: 1, I: 77 }));
        await client.expect('echo', 'foo', '1');
        await client.expect('echo', 'foo', '1');
        await client.barrier();
    }
});

story('qos numbers may be strings, the parameter may be in any case, and level 0 is not acknowledged', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { query: { QoS: 1 }, open: 'chat' });
    client.text(`{'C':'chat','T':'foo','D':'1','Q':'1','I':'5'}`);
    await client.expectText('{"C":"chat","T":"9","Q":1,"I":5,"D":"null"}');
    client.text(csEnvelope('chat', 'foo', '1', { Q: 0, I: 6 }));
    client.text(csEnvelope('chat', 'foo', '1', { Q: 0, I: 6, R: true }));
    await client.barrier();
});

story('acknowledgements from a client are harmless', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { query: { qos: 1 }, open: 'chat' });
    client.text(`{'T':'9','I':'5','C':'chat','Q':'1'}`);
    client.text('{"C":"chat","T":"9"}');
    await client.barrier();
});

story('a text ping is answered by a text pong, a text pong by nothing', async (s) => {
    await start(s);
    const client = await xsocketsnet(s);
    client.text('{"C":"","T":"7"}');
    await client.expectText('{"C":"","T":"8","D":"null"}');
    client.text(`{'T':'8','D':'x','C':''}`);
    client.text('{"C":"","D":"null","T":"8"}');
    await client.barrier();
    client.text('{"C":"","T":"7"}');
    await client.expectText('{"C":"","T":"8","D":"null"}');
});

story('an RFC ping is answered with its payload, whatever was opened', async (s) => {
    await start(s);
    const client = await xsocketsnet(s);
    for (const payload of ['', 'a', '7c9e6679-7425-40de-944b-e07fc1f90ae7', Buffer.alloc(125, 0xff)]) await client.barrier(payload);
});

story('storage: a get finds nothing, what would have to be kept is refused', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'chat' });
    client.text('{"C":"chat","D":"{\\"K\\":\\"color\\",\\"V\\":null}","T":"s2"}');
    await client.expect('chat', 's2:color', '{\\"K\\":\\"color\\",\\"V\\":null}');
    client.text('{"C":"chat","D":"{\\"K\\":\\"a b\\"}","T":"S2","N":3}');
    await client.expectText('{"C":"chat","T":"s2:a b","D":"{\\"K\\":\\"a b\\",\\"V\\":null}","N":3}');
    client.text('{"C":"chat","D":"{\\"K\\":\\"color\\",\\"V\\":\\"\\\\\\"red\\\\\\"\\"}","T":"s1"}');
    await client.expectError('chat');
    client.text('{"C":"chat","D":"{\\"K\\":\\"color\\",\\"V\\":null}","T":"s3"}');
    await client.expectError('chat');
    client.text('{"C":"chat","D":"null","T":"s4"}');
    await client.expectError('chat');
    for (const D of ['{}', 'null', '{"K":""}', '{"K":{}}']) {
        client.text(JSON.stringify({ C: 'chat', D, T: 's2' }));
        await client.expectError('chat');
    }
    await client.barrier();
});

story('the topic of a storage answer has the key in lower case', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'chat' });
    client.text('{"C":"chat","D":"{\\"K\\":\\"Color\\",\\"V\\":null}","T":"s2"}');
    const { T, D } = JSON.parse(await client.nextText());
    assert.equal(T, 's2:color');
    assert.deepEqual(Object.entries(JSON.parse(D))[1], ['V', null]);
});

story('storage over the text protocol', async (s) => {
    await start(s);
    const line = await text(s, { open: 'chat' });
    line.line('chat|s2|color');
    await line.expect('chat|s2:color|{"K":"color","V":null}');
    for (const word of ['chat|s1|color,red', 'chat|s3|color', 'chat|s4|']) {
        line.line(word);
        await line.expectError('chat');
    }
});

story('an error is never about somebody else', async (s) => {
    await start(s);
    const one = await xsocketsnet(s, { open: 'demo', place: 0 });
    const two = await xsocketsnet(s, { open: 'demo', place: 1 });
    one.invoke('demo', 'foo', 'x');
    await one.expectError('demo');
    one.invoke('demo', 'bar', 'x');
    await two.expect('demo', 'bar', '\\"x\\"');
    const { total } = await s.daemon.stats();
    assert.equal(total.errors_sent, 1);
});
