// HTTP: one path is answered, everything else refused cleanly, and nothing can be smuggled.
import assert from 'node:assert/strict';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { raw } from './lib/stream.mjs';

// Sends bytes and reads one answer by its Content-Length: { status, headers, body }.
async function ask(client, request) {
    client.send(request);
    return answer(client);
}

async function answer(client) {
    const head = (await client.takeUntil('\r\n\r\n')).toString('latin1');
    const status = Number(/^HTTP\/1\.1 (\d{3}) [^\r\n]+\r\n/.exec(head)?.[1]);
    assert.ok(status, head);
    const headers = Object.fromEntries(head.split('\r\n').slice(1, -2).map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
    assert.ok(headers['content-length'] !== undefined, head);
    const body = (await client.take(Number(headers['content-length']))).toString();
    return { status, headers, body, head };
}

async function refused(s, request, ...statuses) {
    const client = await raw(s);
    const { status } = await ask(client, request);
    assert.ok(statuses.includes(status), `${status} for ${JSON.stringify(request)}`);
    await client.expectEnd();
}

story('GET /healthz is 200 while the daemon serves', async (s) => {
    await start(s);
    const client = await raw(s);
    const { status } = await ask(client, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    assert.equal(status, 200);
    await client.until('the end', () => client.gone || undefined);
    const old = await raw(s);
    assert.equal((await ask(old, 'GET /healthz HTTP/1.0\r\n\r\n')).status, 200);
    await old.until('the end', () => old.gone || undefined);
    const query = await raw(s);
    assert.equal((await ask(query, 'GET /healthz?probe=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).status, 200);
});

story('HEAD /healthz has no body', async (s) => {
    await start(s);
    const client = await raw(s);
    client.send('HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const head = (await client.takeUntil('\r\n\r\n')).toString();
    assert.match(head, /^HTTP\/1\.1 (200|405) /);
    await client.expectEnd();
});

story('other paths and methods are answered, and the connection stays', async (s) => {
    await start(s);
    const client = await raw(s);
    for (const [request, status, allow] of [
        ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', 404],
        ['GET /other HTTP/1.1\r\nHost: x\r\n\r\n', 404],
        ['GET /healthz/ HTTP/1.1\r\nHost: x\r\n\r\n', 404],
        ['POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n', 405, 'GET, HEAD, OPTIONS'],
        ['DELETE /other HTTP/1.1\r\nHost: x\r\n\r\n', 405, 'GET, HEAD, OPTIONS'],
        ['GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 200],
    ]) {
        const got = await ask(client, request);
        assert.equal(got.status, status, request);
        assert.equal(got.headers.allow, allow);
    }
    await client.expectEnd();
    await refused(s, 'POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc', 405);
    await s.daemon.nobodyLeft();
});

story('OPTIONS tells what may be asked', async (s) => {
    await start(s);
    const client = await raw(s);
    for (const target of ['*', '/', '/healthz']) {
        client.send(`OPTIONS ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
        const head = (await client.takeUntil('\r\n\r\n')).toString();
        assert.match(head, /^HTTP\/1\.1 204 No Content\r\n/);
        assert.match(head, /\r\nAllow: GET, HEAD, OPTIONS\r\n/);
        assert.doesNotMatch(head, /Content-Length/);
    }
});

story('bad requests are answered 400 and nothing behind them is read', async (s) => {
    await start(s);
    const get = (lines) => `GET /healthz HTTP/1.1\r\n${lines}\r\n`;
    const behind = 'GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n';
    for (const request of [
        get(''), // no Host
        get('Host: a\r\nHost: b\r\n'),
        get('Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n') + `0\r\n\r\n${behind}`,
        get('Host: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n') + behind,
        get('Host: x\r\nContent-Length: 5, 5\r\n') + behind,
        get('Host: x\r\nContent-Length: +5\r\n') + behind,
        get('Host: x\r\nContent-Length: -1\r\n') + behind,
        get('Host: x\r\nContent-Length: 99999999999999999999999\r\n') + behind,
        get('Host : x\r\n'),
        get(' Host: x\r\n'),
        get('Host: x\r\nX: a\r\n folded\r\n'),
        get('Host: x\r\n: nameless\r\n'),
        get('Host: x\r\nX\x01: y\r\n'),
        get('Host: x\r\nX: a\x00b\r\n'),
        get('Host: x\r\nNo colon\r\n'),
        'GET /healthz HTTP/1.1\nHost: x\n\n',
        'GET /healthz HTTP/1.1\r\nHost: x\nX: y\r\n\r\n',
        'GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
        'GET /healthz\x00 HTTP/1.1\r\nHost: x\r\n\r\n',
        'GET /healthz HTTP/1.1 \r\nHost: x\r\n\r\n',
        'GET /healthz HTTP/11\r\nHost: x\r\n\r\n',
        'GET healthz HTTP/1.1\r\nHost: x\r\n\r\n',
    ]) {
        await refused(s, request, 400).catch((error) => { throw Object.assign(error, { message: `${JSON.stringify(request)}: ${error.message}` }); });
    }
    await refused(s, get('Host: x\r\nTransfer-Encoding: chunked, identity\r\n') + behind, 400, 411, 501);
    await refused(s, 'GET /healthz\r\nHost: x\r\n\r\n', 400, 505);
    await refused(s, 'GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n', 400, 505);
    await refused(s, 'GET /healthz HTTP/1.9\r\nHost: x\r\n\r\n', 400, 505, 200);
    await s.daemon.nobodyLeft();
});

story('a request with a body is refused before the body', async (s) => {
    await start(s);
    await refused(s, 'POST /any HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nabc', 400, 404, 405, 411, 413, 501);
    await refused(s, 'POST /any HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n', 400, 404, 405, 411, 413, 501);
    await refused(s, 'GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 44\r\n\r\nGET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n', 200, 400, 413);
});

story('a head over the limit is 431, wherever it is long', async (s) => {
    await start(s);
    await refused(s, `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(17000)}\r\n\r\n`, 431);
    await refused(s, `GET /${'a'.repeat(17000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 414, 431);
    await refused(s, `GET /healthz HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(4000)}\r\n`, 431);
    const client = await raw(s);
    assert.equal((await ask(client, `GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ${'a'.repeat(15000)}\r\n\r\n`)).status, 200);
});

story('a head of very many small headers is no trouble', async (s) => {
    await start(s);
    const client = await raw(s);
    const { status } = await ask(client, `GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${'a:\r\n'.repeat(3000)}\r\n`);
    assert.ok([200, 431].includes(status), String(status));
    await s.daemon.nobodyLeft();
});

story('an answer is more than three bytes before the end, for clients that never give up', async (s) => {
    await start(s);
    for (const request of ['GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n']) {
        const client = await raw(s);
        client.send(request);
        assert.ok((await client.takeUntil('\r\n\r\n')).length > 3);
    }
});

story('requests that are piled up cost no more than one answer each', async (s) => {
    await start(s);
    const client = await raw(s);
    client.pause();
    await client.send('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50)).catch(() => {});
    client.resume();
    const first = await answer(client);
    assert.equal(first.status, 200);
    await client.leave();
    await s.daemon.nobodyLeft();
});
