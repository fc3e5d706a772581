// Endpoints: addresses, scopes, who may come and what may be spoken.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { freePort, run, start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { Stream, raw } from './lib/stream.mjs';
import { text, xsocketsnet, demo, native } from './lib/clients.mjs';
import { WebSocketClient } from './lib/ws.mjs';

story('a UNIX socket serves like a port, with the mode it was given, and is gone afterwards', async (s) => {
    const daemon = await start(s, ({ dir }) => ({ server: { workers: 4 }, 'endpoint local': { address: `unix:${path.join(dir, 'sock')}`, unix_mode: '0600' } }));
    const at = { path: path.join(daemon.dir, 'sock') };
    assert.equal(fs.statSync(at.path).mode & 0o777, 0o600);
    const client = await xsocketsnet(s, { at, open: 'generic', place: 1 });
    const line = await text(s, { at, open: 'generic', place: 2 });
    const far = await text(s, { open: 'generic', place: 3 });
    client.invoke('generic', 'say', 'hi');
    await line.expect('generic|say|"hi"');
    await far.expect('generic|say|"hi"');
    for (const one of [client, line, far]) await one.leave();
    await daemon.stop();
    assert.ok(!fs.existsSync(at.path));
});

story('clients over a UNIX socket are spread over the workers', async (s) => {
    const daemon = await start(s, ({ dir }) => ({ server: { workers: 4 }, 'endpoint local': { address: `unix:${path.join(dir, 'sock')}` } }));
    const at = { path: path.join(daemon.dir, 'sock') };
    for (let i = 0; i < 40; i++) await text(s, { at, open: 'generic' });
    const { workers } = await daemon.stats();
    assert.equal(workers.reduce((sum, worker) => sum + worker.instances, 0), 40);
});

story('a stale UNIX path is taken over, a live one and a plain file are not', async (s) => {
    const daemon = await start(s, ({ dir }) => {
        // Left behind by somebody who died: a socket nobody listens on.
        const server = net.createServer().listen(path.join(dir, 'left'));
        server.unref();
        fs.writeFileSync(path.join(dir, 'file'), 'precious');
        return { 'endpoint local': { address: `unix:${path.join(dir, 'sock')}` } };
    });
    const file = path.join(daemon.dir, 'second.ini');
    const modules = /module_path = (.*)/.exec(fs.readFileSync(daemon.file, 'utf8'))[1];
    const other = (name) => {
        fs.writeFileSync(file, `[server]\nmodule_path = ${modules}\nworkers = 1\n[endpoint local]\naddress = unix:${path.join(daemon.dir, name)}\n`);
        return run(['-c', file]);
    };
    const live = await other('sock');
    assert.equal(live.code, 73, live.err);
    assert.match(live.err, /sock/);
    const plain = await other('file');
    assert.equal(plain.code, 73, plain.err);
    assert.equal(fs.readFileSync(path.join(daemon.dir, 'file'), 'utf8'), 'precious');
    const line = await text(s, { at: { path: path.join(daemon.dir, 'sock') }, open: 'generic' });
    line.line('generic|say|1');
    await line.expect('generic|say|1');
});

story('a path that somebody else has made meanwhile is left where it is', async (s) => {
    const daemon = await start(s, ({ dir }) => ({ 'endpoint local': { address: `unix:${path.join(dir, 'sock')}` } }));
    const at = path.join(daemon.dir, 'sock');
    fs.unlinkSync(at);
    const successor = net.createServer();
    await new Promise((resolve) => successor.listen(at, resolve));
    try {
        await daemon.stop();
        assert.ok(fs.lstatSync(at).isSocket());
    } finally {
        successor.close();
    }
});

story('IPv6 and all addresses at once', async (s) => {
    const six = await freePort('::1');
    const all = await freePort();
    await start(s, { 'endpoint six': { address: '::1', port: six }, 'endpoint all': { address: '*', port: all } });
    const one = await xsocketsnet(s, { at: { host: '::1', port: six }, open: 'generic' });
    const two = await text(s, { at: { host: '::1', port: all }, open: 'generic' });
    const three = await text(s, { at: { host: '127.0.0.1', port: all }, open: 'generic' });
    one.invoke('generic', 'say', 1);
    await two.expect('generic|say|1');
    await three.expect('generic|say|1');
});

story('endpoints of one scope see each other, another scope is another world', async (s) => {
    const second = await freePort(), third = await freePort();
    await start(s, { server: { workers: 4 }, 'endpoint second': { port: second }, 'endpoint third': { port: third, scope: 'other' }, 'controller clock': { interval: '1h' } });
    const at = (port) => ({ host: '127.0.0.1', port });
    const one = await xsocketsnet(s, { open: ['generic', 'chat'], place: 0 });
    const two = await xsocketsnet(s, { at: at(second), open: ['generic', 'chat'], place: 1 });
    const other = await xsocketsnet(s, { at: at(third), open: ['generic', 'chat'], place: 0 });
    const othersFriend = await xsocketsnet(s, { at: at(third), open: ['generic', 'chat'], place: 2 });
    for (const client of [one, two, other, othersFriend]) {
        client.subscribe('chat', '#', true);
        assert.match(await client.nextText(), /__#/);
    }
    for (const [sender, friends, word] of [[one, [one, two], 'here'], [othersFriend, [other, othersFriend], 'there']]) {
        sender.invoke('generic', 'say', word);
        sender.invoke('chat', 'foo', word);
        sender.invoke('chat', 'say', word);
        for (const client of friends) {
            await client.expect('generic', 'say', `\\"${word}\\"`);
            await client.expect('chat', 'foo', `\\"${word}\\"`);
            await client.expect('chat', 'say', `\\"${word}\\"`);
        }
    }
    // A shared controller is shared within a scope.
    const counts = [];
    for (const client of [one, two, other]) {
        client.text('{"C":"online","T":"1"}');
        await client.opened('online');
    }
    for (const client of [one, other]) {
        client.text('{"C":"online","T":"who","N":1}');
        for (let text; ;) {
            text = JSON.parse(await client.nextText());
            if (text.T !== 'who') continue;
            counts.push(JSON.parse(text.D).count);
            break;
        }
    }
    assert.deepEqual(counts, [2, 1]);
});

story('an endpoint with all its places taken ends who comes more, until one leaves', async (s) => {
    await start(s, { 'endpoint main': { max_connections: 2 } });
    const one = await text(s);
    const two = await text(s);
    const three = new Stream(s, s.daemon.at(), 'third');
    await three.connected;
    await three.until('the end', () => three.gone || undefined);
    assert.equal(three.buffer.length, 0);
    assert.equal((await s.daemon.stats()).total.refused_full, 1);
    await one.leave();
    await s.daemon.statsUntil('one gone', (total) => total.connections === 1);
    const four = await text(s, { open: 'generic' });
    four.line('generic|say|1');
    await four.expect('generic|say|1');
    await two.leave();
});

story('only the listed protocols are spoken', async (s) => {
    const lines = await freePort(), sockets = await freePort(), few = await freePort();
    await start(s, {
        'endpoint lines': { port: lines, protocols: ['text'] },
        'endpoint sockets': { port: sockets, protocols: ['http', 'websocket', 'xsocketsnet'] },
        'endpoint few': { port: few, protocols: ['http', 'websocket', 'native', 'demo', 'text'] },
    });
    const at = (port) => ({ host: '127.0.0.1', port });
    await text(s, { at: at(lines), open: 'generic' });
    const get = await raw(s, at(lines));
    get.send('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await get.expectEnd();
    await xsocketsnet(s, { at: at(sockets), open: 'generic' });
    const line = await raw(s, at(sockets));
    line.send('PuttyProtocol\r\n');
    await line.expectEnd();
    for (const [port, headers] of [[sockets, {}], [sockets, { 'Sec-WebSocket-Protocol': 'DemoProtocol' }], [few, { 'Sec-WebSocket-Protocol': 'XSocketsNET' }]]) {
        const client = new WebSocketClient(s, at(port), 'refused');
        await client.connected;
        client.send(client.request({ key: 'dGhlIHNhbXBsZSBub25jZQ==', headers }));
        const { status } = await client.answer();
        assert.ok([400, 403].includes(status), String(status));
    }
    await native(s, { at: at(few) });
    await demo(s, { at: at(few), controller: 'demo' });
    await text(s, { at: at(few) });
});

story('an alias of a subprotocol is another name with the same envelope', async (s) => {
    await start(s, { 'subprotocol xsocketsnet': { subprotocol_alias: 'OtherName' } });
    const { XSocketsNet } = await import('./lib/clients.mjs');
    const client = new XSocketsNet(s, s.daemon.at(), 'alias');
    await client.handshake({ protocols: ['OtherName'] });
    client.text('{"t":"foo","c":"generic","d":"hi"}');
    await client.opened('generic');
    await client.expect('generic', 'foo', '\\"hi\\"');
});
