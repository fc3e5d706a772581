// Subscribing, publishing, wildcards.
import assert from 'node:assert/strict';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { csEnvelope, text, xsocketsnet } from './lib/clients.mjs';
import { encode } from './lib/frames.mjs';
import { jsEnvelope } from './lib/clients.mjs';

const confirmed = (client, controller, topic) =>
    client.expect(controller, `__${topic}`, `{\\"T\\":\\"${topic}\\",\\"C\\":\\"${controller}\\",\\"A\\":true}`);

story('a confirmed subscription is confirmed before its first message', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'chat' });
    // Both in one write: the confirmation is first all the same.
    client.send(Buffer.concat([jsEnvelope('chat', '5', { T: 'foo', A: true }), jsEnvelope('chat', 'foo', 1), jsEnvelope('chat', 'foo', 2)]
        .map((payload) => encode({ payload }))));
    await confirmed(client, 'chat', 'foo');
    await client.expect('chat', 'foo', '1');
    await client.expect('chat', 'foo', '2');
});

story('a subscription without A is not confirmed and works', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'chat' });
    client.subscribe('chat', 'foo');
    await client.barrier();
    client.invoke('chat', 'foo', 'x');
    await client.expect('chat', 'foo', '\\"x\\"');
});

for (const [workers, first, second] of [[1, 0, 0], [4, 1, 1], [4, 0, 3]]) {
    story(`a published message reaches the subscribers and nobody else (workers ${workers}, ${first} to ${second})`, async (s) => {
        await start(s, { server: { workers } });
        const sender = await xsocketsnet(s, { place: first, open: 'chat' });
        const subscriber = await xsocketsnet(s, { place: second, open: 'chat' });
        const line = await text(s, { place: second, open: 'chat' });
        const other = await xsocketsnet(s, { place: second, open: 'chat' });
        subscriber.subscribe('chat', 'foo', true);
        await confirmed(subscriber, 'chat', 'foo');
        line.line('chat|subscribe|foo');
        line.line('chat|get_room|');
        await line.expect('chat|get_room|""');
        other.subscribe('chat', 'bar', true);
        await confirmed(other, 'chat', 'bar');
        sender.invoke('chat', 'foo', 'x');
        sender.invoke('chat', 'bar', 'y');
        await subscriber.expect('chat', 'foo', '\\"x\\"');
        await line.expect('chat|foo|"x"');
        await other.expect('chat', 'bar', '\\"y\\"');
        await subscriber.barrier();
        await sender.barrier();
    });
}

story('while somebody publishes without pause a new subscriber sees the confirmation and then every message in order', async (s) => {
    await start(s, { server: { workers: 4 } });
    const sender = await xsocketsnet(s, { place: 0, open: 'chat' });
    const receivers = [];
    for (let i = 0; i < 8; i++) receivers.push(await xsocketsnet(s, { place: i % 4, open: 'chat' }));
    let publishing = true, n = 0;
    const publish = (async () => {
        while (publishing && !sender.gone) {
            const batch = [];
            for (let i = 0; i < 20; i++) batch.push(encode({ payload: jsEnvelope('chat', 'count', n++) }));
            await sender.send(Buffer.concat(batch));
        }
    })();
    for (const receiver of receivers) {
        receiver.subscribe('chat', 'count', true);
        await confirmed(receiver, 'chat', 'count');
        const first = JSON.parse(await receiver.nextText());
        let expected = Number(first.D);
        for (let i = 0; i < 100; i++) {
            const { T, D } = JSON.parse(await receiver.nextText());
            assert.equal(T, 'count');
            assert.equal(Number(D), ++expected);
        }
        receiver.text('{"C":"chat","T":"3"}');
    }
    publishing = false;
    await publish;
});

story('a subscription given twice delivers once, and one unsubscribe ends it', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'chat' });
    client.subscribe('chat', 'foo');
    client.subscribe('chat', 'FOO', true);
    await confirmed(client, 'chat', 'foo');
    client.invoke('chat', 'foo', 1);
    await client.expect('chat', 'foo', '1');
    await client.barrier();
    client.unsubscribe('chat', 'foo');
    client.invoke('chat', 'foo', 2);
    await client.barrier();
    const { total } = await s.daemon.stats();
    assert.equal(total.subscriptions, 0);
});

story('a subscription to a topic called __x is harmless', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'chat' });
    client.text(csEnvelope('chat', '5', '{"T":"__foo","C":"chat","A":false}'));
    client.text(csEnvelope('chat', '5', '{"T":"foo","C":"chat","A":true}'));
    let text = await client.nextText();
    if (JSON.parse(text).T === '4') text = await client.nextText();
    assert.equal(text, '{"C":"chat","T":"__foo","D":"{\\"T\\":\\"foo\\",\\"C\\":\\"chat\\",\\"A\\":true}"}');
    client.invoke('chat', 'foo', 1);
    await client.expect('chat', 'foo', '1');
    await client.barrier();
});

story('a subscription may be a bare string, an unsubscribe may lack A, and C may be null', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'chat' });
    client.text('{"C":"chat","D":"foo","T":"5"}');
    client.text('{"C":"chat","D":"\\"bar\\"","T":"5"}');
    client.text(csEnvelope('chat', '5', '{"T":"baz","C":null,"A":false}'));
    client.text('{"C":"chat","D":{"T":"raw"},"T":5}');
    for (const topic of ['foo', 'bar', 'baz', 'raw']) {
        client.invoke('chat', topic, 1);
        await client.expect('chat', topic, '1');
    }
    client.text('{"C":"chat","D":"{\\"T\\":\\"foo\\"}","T":"6"}');
    client.text('{"C":"chat","D":"bar","T":"6"}');
    client.invoke('chat', 'foo', 2);
    client.invoke('chat', 'bar', 2);
    client.invoke('chat', 'baz', 2);
    await client.expect('chat', 'baz', '2');
});

story('a subscription without a topic is an error', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'chat' });
    for (const D of ['{}', '{"A":true}', '{"T":""}', '{"T":null}', '[]', '42', 'null', '']) {
        client.text(JSON.stringify({ C: 'chat', T: '5', D }));
        await client.expectError('chat');
    }
    client.subscribe('chat', 'a/#/b', true);
    await client.expectError('chat');
    client.subscribe('chat', 'a/b+', true);
    await client.expectError('chat');
});

story('wildcards take one level, or all further ones and their parent', async (s) => {
    await start(s, { server: { workers: 4 } });
    const filters = ['home/+/temp', 'home/#', '#', '+', 'home/kitchen/temp', '+/+', 'home/+', '/+', '+/#', 'a//b', 'a/+/b'];
    const topics = {
        'home': ['home/#', '#', '+', '+/#'],
        'home/kitchen': ['home/#', '#', '+/+', 'home/+', '+/#'],
        'home/kitchen/temp': ['home/+/temp', 'home/#', '#', 'home/kitchen/temp', '+/#'],
        'home//temp': ['home/+/temp', 'home/#', '#', '+/#'],
        '/x': ['#', '+/+', '/+', '+/#'],
        'a//b': ['#', '+/#', 'a//b', 'a/+/b'],
        'other': ['#', '+', '+/#'],
    };
    const clients = {};
    for (const [i, filter] of filters.entries()) {
        const client = clients[filter] = await xsocketsnet(s, { place: i % 4, open: 'chat' });
        client.subscribe('chat', filter, true);
        await confirmed(client, 'chat', filter);
        client.subscribe('chat', 'end', true);
        await confirmed(client, 'chat', 'end');
    }
    const sender = await xsocketsnet(s, { open: 'chat' });
    for (const topic of Object.keys(topics)) sender.invoke('chat', topic, 1);
    sender.invoke('chat', 'end', 0);
    for (const filter of filters) {
        for (const [topic, takers] of Object.entries(topics)) if (takers.includes(filter)) await clients[filter].expect('chat', topic, '1');
        // And once, though `#` and `+` match it as well.
        await clients[filter].expect('chat', 'end', '0');
    }
});

story('several matching subscriptions give a message once', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'chat' });
    for (const filter of ['a/b', 'a/+', 'a/#', '#', '+/b']) {
        client.subscribe('chat', filter, true);
        await confirmed(client, 'chat', filter);
    }
    client.invoke('chat', 'a/b', 1);
    await client.expect('chat', 'a/b', '1');
    await client.barrier();
    for (const filter of ['a/b', 'a/+', '#', '+/b']) client.unsubscribe('chat', filter);
    client.invoke('chat', 'a/b', 2);
    await client.expect('chat', 'a/b', '2');
    client.unsubscribe('chat', 'a/#');
    client.invoke('chat', 'a/b', 3);
    await client.barrier();
});

story('a subscription belongs to one controller', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: ['chat', 'generic'] });
    client.subscribe('generic', 'foo', true);
    await confirmed(client, 'generic', 'foo');
    client.invoke('chat', 'foo', 1);
    await client.barrier();
});

story('a name that needs escapes comes back as the same name', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'chat' });
    const topic = 'say "hi"\\é😀';
    client.text(JSON.stringify({ C: 'chat', T: '5', D: JSON.stringify({ T: topic, A: true }) }));
    const told = JSON.parse(await client.nextText());
    assert.deepEqual({ ...told, D: JSON.parse(told.D) }, { C: 'chat', T: `__${topic}`, D: { T: topic, C: 'chat', A: true } });
    client.text(JSON.stringify({ C: 'chat', T: topic, D: '1' }));
    assert.deepEqual(JSON.parse(await client.nextText()), { C: 'chat', T: topic, D: '1' });
});
