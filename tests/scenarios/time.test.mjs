// Time: heartbeats and idle clients. Timers are what is tested here.
import assert from 'node:assert/strict';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { json, len16, mcu, native, photon, text, xsocketsnet } from './lib/clients.mjs';
import { webSocket } from './lib/ws.mjs';
import { PING, PONG, CLOSE } from './lib/frames.mjs';

story('the server pings who is quiet, with four bytes or more, and stays with who answers', async (s) => {
    await start(s, { 'endpoint main': { heartbeat: '100ms', idle_timeout: '400ms' } });
    const client = await native(s);
    const began = Date.now();
    for (let i = 0; i < 8; i++) {
        const payload = await client.expectPing();
        assert.ok(payload.length >= 4);
        client.frame({ opcode: PONG, payload });
    }
    assert.ok(Date.now() - began >= 650, `${Date.now() - began} ms`);
    client.text('still here');
    for (let frame; (frame = await client.next()).opcode === PING;) client.frame({ opcode: PONG, payload: frame.payload });
});

story('who answers no ping is closed, whatever the server sends it', async (s) => {
    await start(s, { 'endpoint main': { heartbeat: '100ms', idle_timeout: '500ms' } });
    const busy = await xsocketsnet(s, { open: 'generic' });
    const deaf = await native(s);
    let talking = true;
    const talk = (async () => {
        while (talking && !busy.gone) {
            busy.invoke('generic', 'say', 1);
            for (let frame; (frame = await busy.next()).opcode === PING;) busy.frame({ opcode: PONG, payload: frame.payload });
        }
    })();
    for (let frame; (frame = await deaf.next()).opcode !== CLOSE;) assert.ok(frame.opcode === PING || frame.payload.toString() === '1');
    await deaf.until('the end', () => deaf.gone || undefined);
    talking = false;
    await talk;
    assert.equal((await s.daemon.stats()).total.idle_timeouts, 1);
});

story('an XSocketsNET client that has not spoken is not pinged, and gets no close frame', async (s) => {
    await start(s, { 'endpoint main': { heartbeat: '50ms', idle_timeout: '400ms' } });
    const silent = await xsocketsnet(s);
    const watcher = await native(s);
    for (let i = 0; i < 3; i++) {
        const payload = await watcher.expectPing();
        watcher.frame({ opcode: PONG, payload });
    }
    await silent.until('the end', () => silent.gone || undefined);
    assert.equal(silent.frames.length, 0);
    assert.equal(silent.buffer.length, 0);
    // One that has spoken is pinged.
    const spoken = await xsocketsnet(s, { open: 'generic' });
    assert.ok((await spoken.expectPing()).length >= 4);
});

story('a client of text, mcu, photon, json or len16 may be silent for ever unless the configuration says otherwise', async (s) => {
    await start(s, { 'endpoint main': { heartbeat: '50ms', idle_timeout: '150ms' } });
    const line = await text(s, { open: 'generic' });
    const others = [await mcu(s, { open: 'generic' }), await photon(s, { open: 'generic' }), await len16(s, { open: 'generic' })];
    const node = await json(s, { open: 'generic' });
    const watcher = await native(s);
    for (let i = 0; i < 8; i++) watcher.frame({ opcode: PONG, payload: await watcher.expectPing() });
    line.line('generic|say|1');
    for (const one of [line, ...others]) await one.expect('generic|say|1');
    await node.expect('generic', 'say', '1');
});

story('idle_timeout_without_ping ends a text client that sends nothing, not one that sends empty lines', async (s) => {
    await start(s, { 'endpoint main': { heartbeat: '50ms', idle_timeout_without_ping: '400ms' } });
    const line = await text(s, { open: 'generic' });
    const busy = await text(s, { open: 'generic' });
    const watcher = await native(s);
    let over = false;
    const keep = (async () => {
        while (!over && !watcher.gone) {
            watcher.frame({ opcode: PONG, payload: await watcher.expectPing() });
            busy.send('\r\n');
        }
    })();
    await line.until('the end', () => line.gone || undefined);
    over = true;
    await keep;
    busy.line('generic|say|1');
    await busy.expect('generic|say|1');
    assert.equal((await s.daemon.stats()).total.idle_timeouts, 1);
});

story('half a frame does not keep a client alive', async (s) => {
    await start(s, { 'endpoint main': { heartbeat: '0', idle_timeout: '300ms' } });
    const client = await webSocket(s);
    client.send(Buffer.from([0x81, 0xfe, 0xff]));
    const frame = await client.next();
    assert.equal(frame.opcode, CLOSE);
    assert.equal(frame.payload.readUInt16BE(0), 1008);
    await client.until('the end', () => client.gone || undefined);
    await s.daemon.nobodyLeft();
});
