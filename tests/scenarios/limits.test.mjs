// Limits: what is over one is answered as documented, and what is at it still passes.
import assert from 'node:assert/strict';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { jsEnvelope, text, xsocketsnet } from './lib/clients.mjs';
import { encode } from './lib/frames.mjs';

story('a name of 255 bytes passes, one of 256 is an error, and the connection stays', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: ['echo', 'chat'] });
    client.invoke('echo', 't'.repeat(255), 1);
    await client.expect('echo', 't'.repeat(255), '1');
    client.invoke('echo', `${'t'.repeat(253)}é`, 1);
    await client.expect('echo', `${'t'.repeat(253)}é`, '1');
    client.invoke('echo', 't'.repeat(256), 1);
    await client.expectError('');
    client.invoke('c'.repeat(256), 'say', 1);
    await client.expectError('');
    client.invoke('c'.repeat(255), 'say', 1);
    await client.expectError('', { sentence: 'Unknown controller' });
    client.subscribe('chat', 't'.repeat(256), true);
    await client.expectError('chat');
    client.subscribe('chat', 't'.repeat(255), true);
    await client.expect('chat', `__${'t'.repeat(255)}`, `{\\"T\\":\\"${'t'.repeat(255)}\\",\\"C\\":\\"chat\\",\\"A\\":true}`);
    const line = await text(s, { open: 'echo' });
    line.line(`echo|${'t'.repeat(255)}|1`);
    await line.expect(`echo|${'t'.repeat(255)}|1`);
    line.line(`echo|${'t'.repeat(256)}|1`);
    assert.match(await line.next(), /^(echo)?\|4\|/);
    line.line('echo|still|1');
    await line.expect('echo|still|1');
});

story('JSON deeper than the limit is an error, and the connection stays', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'echo' });
    const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);
    client.text(`{"C":"echo","T":"say","D":${nested(60)}}`);
    await client.expect('echo', 'say', nested(60));
    for (const deep of [nested(100), nested(100000), `${'['.repeat(100000)}`, '{"a":'.repeat(200) + '1' + '}'.repeat(200)]) {
        client.text(`{"C":"echo","T":"say","D":${deep}}`);
        const word = await client.nextText();
        assert.match(word, /^\{"C":"","T":"4"/);
        if (JSON.parse(word).T === '4' && client.gone) break;
    }
});

story('a string that holds JSON deeper than the limit travels as text or is an error, and kills nobody', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'echo' });
    const deep = '['.repeat(5000) + ']'.repeat(5000);
    client.text(`{"C":"echo","T":"say","D":"${deep}"}`);
    const got = JSON.parse(await client.nextText());
    if (got.T === 'say') assert.equal(JSON.parse(got.D), deep);
    else assert.equal(got.T, '4');
    await client.barrier();
});

story('a line over the limit is answered and the connection ends', async (s) => {
    await start(s, { limits: { message: '64KiB' } });
    const line = await text(s, { open: 'echo' });
    line.line(`echo|say|${'x'.repeat(60000)}`);
    await line.expect(`echo|say|"${'x'.repeat(60000)}"`);
    line.send(`echo|say|${'x'.repeat(70000)}`);
    await line.expectError('');
    await line.until('the end', () => line.gone || undefined);
    await s.daemon.nobodyLeft();
});

story('an envelope over the limit is 1009, one message of the limit passes every format', async (s) => {
    await start(s, { limits: { message: '64KiB' } });
    const client = await xsocketsnet(s, { open: 'generic' });
    const line = await text(s, { open: 'generic', place: 1 });
    const word = 'x'.repeat(65000);
    client.invoke('generic', 'say', word);
    await client.expect('generic', 'say', `\\"${word}\\"`);
    await line.expect(`generic|say|"${word}"`);
    client.text(`{"C":"generic","T":"say","D":"${'x'.repeat(70000)}"}`);
    await client.expectClose(1009);
});

story('a receiver whose format would need more than twice the limit is skipped and counted', async (s) => {
    await start(s, { limits: { message: '16KiB' }, 'subprotocol native': { controller: 'generic', topic: 'say' } });
    const client = await xsocketsnet(s, { open: 'generic', place: 0 });
    const { native } = await import('./lib/clients.mjs');
    const plain = await native(s, { place: 1 });
    // A control character takes one byte for native and seven for an envelope.
    const bytes = '\x01'.repeat(16000);
    plain.text(bytes);
    await plain.expectText(bytes);
    plain.text('small');
    await plain.expectText('small');
    await client.expect('generic', 'say', '\\"small\\"');
    const { total } = await s.daemon.stats();
    assert.equal(total.encode_too_big, 1);
});

story('a connection may open so many controllers and no more', async (s) => {
    await start(s, { limits: { controllers: 2 } });
    const client = await xsocketsnet(s);
    await client.open('generic');
    await client.open('chat');
    client.text(jsEnvelope('echo', '1'));
    await client.expectError('');
    client.invoke('echo', 'say', 1);
    await client.expectError('');
    client.text('{"C":"chat","T":"3"}');
    assert.match(await client.nextText(), /^\{"C":"chat","T":"3"/);
    await client.open('echo');
});

story('a connection may have 1,024 subscriptions, the next is an error, and one given back makes room', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'chat' });
    client.send(Buffer.concat(Array.from({ length: 1024 }, (_, i) => encode({ payload: jsEnvelope('chat', '5', { T: `t${i}`, A: false }) }))));
    client.subscribe('chat', 't0', true);
    await client.expect('chat', '__t0', '{\\"T\\":\\"t0\\",\\"C\\":\\"chat\\",\\"A\\":true}');
    assert.equal((await s.daemon.stats()).total.subscriptions, 1024);
    client.subscribe('chat', 'one more', true);
    await client.expectError('chat');
    client.invoke('chat', 'one more', 1);
    client.unsubscribe('chat', 't5');
    client.subscribe('chat', 'one more', true);
    assert.match(await client.nextText(), /__one more/);
    assert.equal((await s.daemon.stats()).total.subscriptions, 1024);
    client.invoke('chat', 't1023', 1);
    await client.expect('chat', 't1023', '1');
    await client.leave();
    await s.daemon.nobodyLeft();
});

story('a connect request with a parameter over the limit is refused', async (s) => {
    await start(s);
    const { WebSocketClient } = await import('./lib/ws.mjs');
    const client = new WebSocketClient(s, s.daemon.at(), 'long');
    await client.connected;
    client.send(client.request({ path: `/?${'n'.repeat(300)}=1`, key: 'dGhlIHNhbXBsZSBub25jZQ==' }));
    const { status } = await client.answer();
    assert.ok([400, 414, 431].includes(status), String(status));
});

for (const [what, begin] of Object.entries({
    'lines without an end': async (s) => {
        const client = await text(s);
        client.send(Buffer.from('x'.repeat(200000)));
        return client;
    },
    'fragments without a last one': async (s) => {
        const client = await xsocketsnet(s);
        client.frame({ opcode: 1, fin: false, payload: Buffer.from('x'.repeat(200000)) });
        return client;
    },
})) {
    story(`unfinished messages have a bound for all clients together: ${what}`, async (s) => {
        await start(s, { server: { workers: 2, max_held_bytes: '1MiB' } });
        const clients = [];
        for (let i = 0; i < 20; i++) clients.push(await begin(s));
        // Five have room, and some that began before the bound was reached.
        const total = await s.daemon.statsUntil('the others are refused', (now) => now.refused_held >= 10 && now.connections + now.refused_held <= 20);
        assert.ok(total.held_bytes <= 2 * 1048576, `${total.held_bytes} bytes are held`);
        // What is short passes, in pieces too.
        const line = await text(s, { open: 'echo' });
        line.send(Buffer.from(`echo|say|"${'y'.repeat(5000)}`));
        await s.daemon.statsUntil('it is held', (now) => now.held_bytes >= total.held_bytes + 5000);
        line.send(Buffer.from('"\n'));
        await line.expect(`echo|say|"${'y'.repeat(5000)}"`);
        for (const client of clients) await client.leave({ reset: true });
        await line.leave();
        await s.daemon.nobodyLeft();
    });
}
