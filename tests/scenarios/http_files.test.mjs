// HTTP serves files: byte for byte, never from elsewhere, and nobody waits for somebody else's disk or download.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { binary, configuration, folder, run, start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { raw } from './lib/stream.mjs';
import { text, xsocketsnet } from './lib/clients.mjs';
import { webSocket } from './lib/ws.mjs';

const THEN = new Date('1994-11-06T08:49:37Z');
const MIB = 1024 * 1024;

// Bytes that tell where they stand, so that a piece in the wrong place is seen.
function bytesOf(length, seed = 1) {
    const words = new Uint32Array(Math.ceil(length / 4));
    for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + seed, 2654435761);
    return Buffer.from(words.buffer, 0, length);
}

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');

// A folder to serve, gone with the story; what lies beside it is a secret.
function site(s, files = {}) {
    const dir = folder();
    const root = path.join(dir, 'root');
    fs.mkdirSync(root);
    fs.writeFileSync(path.join(dir, 'secret'), 'SECRET');
    fs.mkdirSync(path.join(dir, 'root-too'));
    fs.writeFileSync(path.join(dir, 'root-too/secret'), 'SECRET');
    for (const [name, content] of Object.entries(files)) put(root, name, content);
    s.join({ transcript: () => '', end: async () => fs.rmSync(dir, { recursive: true, force: true }) });
    return root;
}

function put(root, name, content) {
    const file = path.join(root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
    fs.utimesSync(file, THEN, THEN);
}

// ASan's options for a daemon, with more.
const asan = (more) => ({ ASAN_OPTIONS: `${more}:${process.env.ASAN_OPTIONS ?? 'detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1'}` });

const serve = (s, root, sections = {}, options = {}) =>
    start(s, { ...sections, 'protocol http': { document_root: root, ...sections['protocol http'] } }, options);

const request = (target, lines = '', method = 'GET') => `${method} ${target} HTTP/1.1\r\nHost: x\r\n${lines}\r\n`;

// The head of one answer: { status, headers, head }, its date hidden.
async function headOf(client) {
    const head = (await client.takeUntil('\r\n\r\n')).toString('latin1').replace(/\r\nDate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n/, '\r\nDate: D\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    assert.ok(status, head);
    const headers = Object.fromEntries(head.split('\r\n').slice(1, -2).map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]));
    return { status, headers, head };
}

// One answer, whole.
async function answer(client, { method = 'GET' } = {}) {
    const got = await headOf(client);
    const none = method === 'HEAD' || got.status === 304 || got.status === 204;
    got.body = none ? Buffer.alloc(0) : await client.take(Number(got.headers['content-length']));
    return got;
}

async function ask(client, target, lines = '', method = 'GET') {
    client.send(request(target, lines, method));
    return answer(client, { method });
}

const HEAD = (status, lines) => `HTTP/1.1 ${status}\r\nServer: xsocketsd\r\nDate: D\r\nX-Content-Type-Options: nosniff\r\n${lines}\r\n`;
const SINCE = 'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nCache-Control: no-cache\r\n';

// ---- answers ----

story('a file, its head and its folder are answered byte for byte, on one connection', async (s) => {
    await serve(s, site(s, { 'index.html': '<p>hello', 'sub/index.html': 'below', 'style.css': 'p{}' }));
    const client = await raw(s);
    const index = HEAD('200 OK', `Content-Type: text/html; charset=utf-8\r\nContent-Length: 8\r\nAccept-Ranges: bytes\r\nETag: "8-2ebc98a1.0"\r\n${SINCE}`);
    for (const [method, target, head, body] of [
        ['HEAD', '/', index, ''],
        ['GET', '/', index, '<p>hello'],
        ['GET', '/index.html?a=b', index, '<p>hello'],
        ['GET', '/sub', HEAD('301 Moved Permanently', 'Location: /sub/\r\nContent-Length: 0\r\n'), ''],
        ['GET', '/sub/', HEAD('200 OK', `Content-Type: text/html; charset=utf-8\r\nContent-Length: 5\r\nAccept-Ranges: bytes\r\nETag: "5-2ebc98a1.0"\r\n${SINCE}`), 'below'],
        ['GET', '/style.css', HEAD('200 OK', `Content-Type: text/css; charset=utf-8\r\nContent-Length: 3\r\nAccept-Ranges: bytes\r\nETag: "3-2ebc98a1.0"\r\n${SINCE}`), 'p{}'],
        ['GET', '/nothing', HEAD('404 Not Found', 'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 22\r\n'), 'there is nothing here\n'],
        ['HEAD', '/nothing', HEAD('404 Not Found', 'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 22\r\n'), ''],
        ['POST', '/', HEAD('405 Method Not Allowed', 'Allow: GET, HEAD, OPTIONS\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 31\r\n'), 'this method does not work here\n'],
        ['OPTIONS', '/style.css', HEAD('204 No Content', 'Allow: GET, HEAD, OPTIONS\r\n'), ''],
        ['GET', '/healthz', HEAD('200 OK', 'Cache-Control: no-store\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n'), 'ok\n'],
    ]) {
        client.send(request(target, '', method));
        assert.equal((await headOf(client)).head, head, `${method} ${target}`);
        assert.equal((await client.take(body.length)).toString(), body);
    }
    client.send(request('/', 'Connection: close\r\n'));
    assert.equal((await headOf(client)).head, index.replace(/\r\n$/, 'Connection: close\r\n\r\n'));
    await client.expectExactly('<p>hello');
    await client.expectEnd({ reset: 'never' });
    await s.daemon.nobodyLeft();
});

story('who has a file is told so, who wants a part gets it', async (s) => {
    const content = bytesOf(200000);
    await serve(s, site(s, { 'page.txt': 'hello', 'media.mp4': content }));
    const client = await raw(s);
    const first = await ask(client, '/page.txt');
    const { etag } = first.headers;
    for (const [lines, status] of [
        [`If-None-Match: ${etag}\r\n`, 304],
        [`If-None-Match: "x", W/${etag}\r\n`, 304],
        ['If-None-Match: *\r\n', 304],
        ['If-None-Match: "x"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n', 200],
        ['If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n', 304],
        ['If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n', 200],
        ['If-Match: "x"\r\n', 412],
        [`If-Match: ${etag}\r\nIf-None-Match: ${etag}\r\n`, 304],
    ]) {
        const got = await ask(client, '/page.txt', lines);
        assert.equal(got.status, status, lines);
        assert.equal(got.headers.etag, status === 412 ? undefined : etag);
        if (status === 304) assert.equal(got.headers['content-length'], undefined);
    }
    for (const [range, status, from, to] of [
        ['bytes=0-0', 206, 0, 0], ['bytes=1000-150000', 206, 1000, 150000], ['bytes=199990-', 206, 199990, 199999],
        ['bytes=-70000', 206, 130000, 199999], ['bytes=0-5,10-20', 200, 0, 199999], ['bytes=9-5', 200, 0, 199999],
        ['bytes=200000-', 416],
    ]) {
        const got = await ask(client, '/media.mp4', `Range: ${range}\r\n`);
        assert.equal(got.status, status, range);
        if (status === 416) {
            assert.equal(got.headers['content-range'], 'bytes */200000');
            continue;
        }
        assert.equal(got.headers['content-range'], status === 206 ? `bytes ${from}-${to}/200000` : undefined);
        assert.ok(got.body.equals(content.subarray(from, to + 1)), range);
    }
    const old = await ask(client, '/media.mp4', 'Range: bytes=0-0\r\nIf-Range: "old"\r\n');
    assert.equal(old.status, 200);
    assert.ok(old.body.equals(content));
});

story('files of every size arrive whole on every worker, the small ones from memory', async (s) => {
    const sizes = [0, 1, 65535, 65536, 65537, 131072, 1000001];
    const root = site(s, Object.fromEntries(sizes.map((size) => [`f${size}`, bytesOf(size, size + 1)])));
    await serve(s, root, { server: { workers: 2 } });
    for (const place of [0, 1]) {
        const client = await raw(s);
        for (let round = 0; round < 2; round++) {
            for (const size of sizes) {
                const got = await ask(client, `/f${size}?place=${place}`);
                assert.equal(got.headers['content-length'], String(size));
                assert.equal(hash(got.body), hash(bytesOf(size, size + 1)), `${size} bytes`);
            }
        }
    }
    const { total, workers } = await s.daemon.stats();
    assert.equal(total.files_sent, 4 * sizes.length);
    // The four that may be kept, in the second round; a second that goes by costs a look, not a hit.
    assert.equal(total.file_hits, 8);
    for (const worker of workers) assert.equal(worker.file_hits, 4);
    await s.daemon.nobodyLeft();
});

story('types are told by names, and never guessed', async (s) => {
    await serve(s, site(s, { 'a.js': '1', 'a.svg': '1', 'a.json': '1', 'a.woff2': '1', 'a.unheard': '<script>', 'noend': '<script>', 'A.HTML': '1' }));
    const client = await raw(s);
    for (const [name, type] of [['a.js', 'text/javascript; charset=utf-8'], ['a.svg', 'image/svg+xml'], ['a.json', 'application/json'],
        ['a.woff2', 'font/woff2'], ['a.unheard', 'application/octet-stream'], ['noend', 'application/octet-stream'], ['A.HTML', 'text/html; charset=utf-8']]) {
        const got = await ask(client, `/${name}`);
        assert.equal(got.headers['content-type'], type);
        assert.equal(got.headers['x-content-type-options'], 'nosniff');
    }
});

story('two hundred requests at once are answered in order', async (s) => {
    const names = Array.from({ length: 10 }, (_, i) => `f${i}`);
    await serve(s, site(s, Object.fromEntries(names.map((name, i) => [name, bytesOf(i * 20000, i)]))));
    const client = await raw(s);
    let all = '';
    for (let i = 0; i < 200; i++) all += i % 7 === 0 ? request('/healthz') : i % 11 === 0 ? request(`/f${i % 10}`, '', 'HEAD') : request(`/f${i % 10}`);
    client.send(all);
    for (let i = 0; i < 200; i++) {
        if (i % 7 === 0) {
            assert.equal((await answer(client)).body.toString(), 'ok\n');
            continue;
        }
        const got = await answer(client, { method: i % 11 === 0 ? 'HEAD' : 'GET' });
        assert.equal(got.headers['content-length'], String(i % 10 * 20000));
        if (i % 11 !== 0) assert.equal(hash(got.body), hash(bytesOf(i % 10 * 20000, i % 10)), `answer ${i}`);
    }
    await client.leave();
    await s.daemon.nobodyLeft();
});

story('an upgrade goes through on any path, behind a file too', async (s) => {
    await serve(s, site(s, { 'index.html': 'hello', 'chat/index.html': 'page' }), { 'controller echo': {} });
    for (const where of ['/', '/chat', '/chat/', '/nothing/at/all', '/../x', '/index.html?a=b']) {
        const client = await webSocket(s, { path: where, protocols: ['XSocketsNET'] });
        client.text('{"C":"echo","T":"say","D":1}');
        await client.until('an answer', () => client.frames.find((frame) => frame.payload.includes('say')));
        await client.leave();
    }
    const client = await raw(s);
    assert.equal((await ask(client, '/')).body.toString(), 'hello');
    client.send(`GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`);
    assert.match((await client.takeUntil('\r\n\r\n')).toString(), /^HTTP\/1\.1 101 /);
});

// ---- nothing from elsewhere ----

story('no way of writing a path leads out of the folder', async (s) => {
    const root = site(s, { 'index.html': 'index', 'sub/file': 'file', '.hidden': 'SECRET', '.git/config': 'SECRET', 'sub/.env': 'SECRET', '%2e%2e': 'a name', 'a%2fb': 'a name too' });
    await serve(s, root);
    const client = await raw(s);
    const bad = ['/..', '/../secret', '/../../etc/passwd', '/sub/..', '/sub/../../secret', '/%2e%2e/secret', '/%2E%2E/secret', '/.%2e/secret', '/%2e./secret',
        '/sub/%2e%2e/%2e%2e/secret', '/..%2fsecret', '/..%2Fsecret', '/%2e%2e%2fsecret', '/sub%2f..%2f..%2fsecret', '/..%5csecret', '/..\\secret', '/%5c..%5csecret',
        '/..%00/secret', '/sub/file%00.html', '/%00', '/%c0%ae%c0%ae/secret', '/%c0%2e%c0%2e/secret', '/%e0%80%ae%e0%80%ae/secret', '/..%c0%afsecret', '/%ff',
        '/.', '/./index.html', '/sub/./file', '/%2e/index.html', '/%', '/%2', '/%zz', '/%u002e%u002e/secret', '/a%0d%0aSet-Cookie:%20a=b', '/%7f'];
    for (const target of bad) {
        const got = await ask(client, target);
        assert.equal(got.status, 400, target);
        assert.equal(got.body.toString(), 'the path is malformed\n', target);
    }
    const nothing = ['//', '///etc/passwd', '//etc/passwd', '/sub//file', '/index.html/', '/sub/file/x', '/.hidden', '/.git/config', '/.git/', '/%2egit/config', '/sub/.env', '/...',
        '/..a', '/secret', '/root-too/secret', '/root/index.html', `${root}/index.html`, '/INDEX.HTML', '/index.html%20', '/index.html.', '/sub/', '/proc/self/environ', '/~root/', '/C:/secret',
        '/%252e%252e/secret', '/..;/secret', `/${'a'.repeat(300)}`, `/${'a/'.repeat(3000)}`];
    for (const target of nothing) {
        const got = await ask(client, target);
        assert.equal(got.status, 404, target);
        assert.doesNotMatch(got.body.toString(), /SECRET/);
    }
    // Decoded once: these are names of files.
    assert.equal((await ask(client, '/%252e%252e')).body.toString(), 'a name');
    assert.equal((await ask(client, '/a%252fb')).body.toString(), 'a name too');
    await client.leave();
    await s.daemon.nobodyLeft();
});

story('links are followed inside and nowhere else; what is no file is not there', async (s) => {
    const root = site(s, { 'file': 'file', 'sub/deep': 'deep', 'sub/index.html': 'sub' });
    const link = (name, target) => fs.symlinkSync(target, path.join(root, name));
    link('good', 'sub/deep');
    link('sub/back', '../file');
    link('folder', 'sub');
    link('out', '../secret');
    link('out-too', '../root-too/secret');
    link('out-folder', '..');
    link('out-and-in', '../root/file');
    link('absolute', path.join(root, 'file'));
    link('etc', '/etc');
    link('magic', '/proc/self/root');
    link('own', '/proc/self/fd/0');
    link('environ', '/proc/self/environ');
    link('loop', 'loop');
    link('dangling', 'nothing');
    link('null', '/dev/null');
    link('zero', '/dev/zero');
    execFileSync('mkfifo', [path.join(root, 'pipe')]);
    if (process.getuid() === 0) execFileSync('mknod', [path.join(root, 'device'), 'c', '1', '5']);
    const socket = net.createServer().listen(path.join(root, 'socket'));
    await new Promise((resolve) => socket.once('listening', resolve));
    s.join({ transcript: () => '', end: async () => socket.close() });
    await serve(s, root);
    const client = await raw(s);
    for (const [target, body] of [['/good', 'deep'], ['/sub/back', 'file'], ['/folder/', 'sub'], ['/folder/deep', 'deep'], ['/folder/back', 'file']])
        assert.equal((await ask(client, target)).body.toString(), body, target);
    for (const target of ['/out', '/out-too', '/out-folder/', '/out-folder/secret', '/out-and-in', '/absolute', '/etc', '/etc/', '/etc/passwd', '/magic', '/magic/etc/passwd', '/own', '/environ',
        '/loop', '/dangling', '/null', '/zero', '/pipe', '/device', '/socket', '/folder/../file'])
        assert.equal((await ask(client, target)).status, target.includes('..') ? 400 : 404, target);
    // A link that is turned outside while it is asked for.
    for (let i = 0; i < 30; i++) {
        fs.rmSync(path.join(root, 'good'));
        link('good', i % 2 === 0 ? '../secret' : 'sub/deep');
        const got = await ask(client, '/good');
        if (got.status === 200) assert.equal(got.body.toString(), 'deep');
        else assert.equal(got.status, 404);
    }
    await client.leave();
    await s.daemon.nobodyLeft();
});

story('what may not be read is forbidden', async (s) => {
    const root = site(s, { 'locked': 'SECRET', 'closed/file': 'SECRET' });
    fs.chmodSync(path.join(root, 'locked'), 0);
    fs.chmodSync(path.join(root, 'closed'), 0);
    // Who is root may read it all the same, unless he gives that away.
    await serve(s, root, {}, { before: process.getuid() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : [] });
    const client = await raw(s);
    for (const target of ['/locked', '/closed/file', '/closed/']) {
        const got = await ask(client, target);
        assert.equal(got.status, 403, target);
        assert.equal(got.body.toString(), 'this may not be read\n');
    }
    fs.chmodSync(path.join(root, 'closed'), 0o755);
});

story('a folder that is not there is told by -t and at the start', async (s) => {
    const dir = folder();
    s.join({ transcript: () => '', end: async () => fs.rmSync(dir, { recursive: true, force: true }) });
    const file = path.join(dir, 'server.ini');
    fs.mkdirSync(path.join(dir, 'page'));
    for (const [value, why] of [['nowhere', 'there is no such folder'], ['server.ini', 'there is no such folder'], ['page', null], ['./page/../page', null], ['', null]]) {
        fs.writeFileSync(file, configuration({ 'protocol http': { document_root: value } }, 4502));
        const line = 1 + fs.readFileSync(file, 'utf8').split('\n').findIndex((one) => one.startsWith('document_root'));
        for (const args of why ? [['-t', '-c', file], ['-c', file]] : [['-t', '-c', file]]) {
            const got = await run(args);
            assert.equal(got.code, why ? 78 : 0, got.err);
            if (why) assert.ok(got.err.includes(`:${line}: [protocol http] document_root = ${value}: ${why}\n`), got.err);
        }
    }
});

// ---- files that change ----

story('a file that has changed is seen within a second or so, however it was changed', { seconds: 60 }, async (s) => {
    const root = site(s, { 'page': 'first' });
    await serve(s, root, { 'protocol http': { max_requests: 0 } });
    const client = await raw(s);
    const until = async (body, status = 200) => {
        for (;;) {
            const got = await ask(client, '/page');
            if (got.status === status && got.body.toString() === body) return got;
        }
    };
    const first = await until('first');
    fs.writeFileSync(path.join(root, 'page'), 'other');
    const second = await until('other');
    assert.notEqual(second.headers.etag, first.headers.etag);
    put(root, 'new', 'third');
    fs.renameSync(path.join(root, 'new'), path.join(root, 'page'));
    await until('third');
    fs.rmSync(path.join(root, 'page'));
    await until('there is nothing here\n', 404);
    put(root, 'page/index.html', 'x');
    for (let got; got?.status !== 301;) got = await ask(client, '/page');
    // The whole folder is another one: a link was turned.
    fs.renameSync(root, `${root}-old`);
    fs.mkdirSync(root);
    put(root, 'page', 'of the new one');
    await until('of the new one');
});

// A reader that has the head and a little of the body, and stops there.
async function beginSlowly(s, target, lines = '') {
    const client = await raw(s);
    client.send(request(target, lines));
    const got = await headOf(client);
    client.pause();
    return Object.assign(client, { promised: Number(got.headers['content-length']) });
}

story('a file that is replaced while it is sent is sent to its end as it was', { seconds: 60 }, async (s) => {
    const old = bytesOf(20 * MIB), root = site(s, { 'large': old });
    await serve(s, root);
    const client = await beginSlowly(s, '/large');
    put(root, 'new', bytesOf(20 * MIB, 77));
    fs.renameSync(path.join(root, 'new'), path.join(root, 'large'));
    const other = await raw(s);
    for (let body; body !== hash(bytesOf(20 * MIB, 77));) body = hash((await ask(other, '/large')).body);
    client.resume();
    assert.equal(hash(await client.take(client.promised)), hash(old));
    // The connection goes on.
    client.send(request('/healthz'));
    assert.equal((await answer(client)).status, 200);
});

story('a file that is cut short while it is sent ends the connection, with no byte that is not its own', { seconds: 60 }, async (s) => {
    const content = bytesOf(20 * MIB), root = site(s, { 'large': content });
    await serve(s, root);
    const client = await beginSlowly(s, '/large');
    client.send(request('/healthz'));
    fs.truncateSync(path.join(root, 'large'), 17 * MIB);
    client.resume();
    await client.until('the end', () => client.gone || undefined);
    assert.equal(client.buffer.length, 17 * MIB);
    assert.equal(hash(client.buffer), hash(content.subarray(0, 17 * MIB)));
    await s.daemon.logged(/a file ended before it was sent/);
    await s.daemon.nobodyLeft();
});

// ---- slow readers ----

const residentKiB = (daemon) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))[1]);

story('a large file costs a piece of it and one descriptor, however many read it slowly', { seconds: 90 }, async (s) => {
    const content = bytesOf(20 * MIB), root = site(s, { 'large': content });
    // What ASan keeps of what was freed is not what is held.
    const daemon = await serve(s, root, { 'endpoint main': { slow_timeout: '60s' } }, { env: asan('quarantine_size_mb=1') });
    const first = await beginSlowly(s, '/large');
    const before = residentKiB(daemon);
    const slow = [first];
    for (let i = 0; i < 39; i++) slow.push(await beginSlowly(s, '/large'));
    // Each has what the kernel takes, and then a piece.
    const stats = await daemon.statsUntil('all are stuck', (total) => total.queued_entries >= 40 && total.file_requests === 0);
    assert.ok(stats.queued_bytes <= 40 * 65536, `${stats.queued_bytes} bytes queued`);
    assert.ok(stats.files_open <= 2, `${stats.files_open} descriptors`);
    assert.ok(residentKiB(daemon) - before < 40 * 1024, `${residentKiB(daemon) - before} KiB`);
    const other = await raw(s);
    assert.equal(hash((await ask(other, '/large')).body), hash(content));
    for (const client of slow.slice(0, 3)) {
        client.resume();
        assert.equal(hash(await client.take(client.promised)), hash(content));
    }
    for (const client of slow) await client.leave({ reset: true });
    await other.leave();
    await daemon.nobodyLeft();
});

story('who does not read a file is ended after slow_timeout, who reads a little is not', { seconds: 90 }, async (s) => {
    const content = bytesOf(20 * MIB), root = site(s, { 'large': content });
    const daemon = await serve(s, root, { 'endpoint main': { slow_timeout: '2s' } });
    const [slow, steady] = [await beginSlowly(s, '/large'), await beginSlowly(s, '/large')];
    // A twentieth every 400 ms: much longer than slow_timeout in all, and never so long at once.
    const began = Date.now();
    for (let part = 1; part <= 20; part++) {
        steady.resume();
        await steady.until('a part', () => steady.buffer.length >= part * MIB || undefined);
        steady.pause();
        while (Date.now() < began + part * 400) await daemon.stats();
    }
    assert.equal(hash(await steady.take(steady.promised)), hash(content));
    const { total } = await daemon.stats();
    assert.equal(total.slow_closed + total.slow_reset, 1);
    slow.resume();
    await slow.until('the end', () => slow.gone || undefined);
    assert.ok(slow.buffer.length < content.length);
    await steady.leave();
    await daemon.nobodyLeft();
});

story('answers that nobody reads stop the next request and cost no request', { seconds: 60 }, async (s) => {
    const content = bytesOf(50000), root = site(s, { 'page': content });
    const daemon = await serve(s, root, { server: { queue_bytes: '256KiB' }, 'endpoint main': { slow_timeout: '60s' }, 'protocol http': { max_requests: 0 } });
    const client = await raw(s);
    client.pause();
    const sending = client.send(request('/page').repeat(1000));
    await daemon.statsUntil('reading stopped', (total) => total.reads_paused >= 1);
    assert.ok((await daemon.stats()).total.queued_bytes < 400 * 1024);
    client.resume();
    for (let i = 0; i < 1000; i++) assert.equal(hash((await answer(client)).body), hash(content));
    await sending;
    await client.leave();
    await daemon.nobodyLeft();
});

// ---- time ----

story('between two requests keepalive_timeout counts, for half a request the handshake timeout', { seconds: 60 }, async (s) => {
    await serve(s, site(s, { 'page': 'hello' }), { 'endpoint main': { handshake_timeout: '900ms' }, 'protocol http': { keepalive_timeout: '400ms', max_requests: 0 } });
    const idle = await raw(s), busy = await raw(s), half = await raw(s);
    const began = Date.now();
    for (const client of [idle, busy, half]) assert.equal((await ask(client, '/page')).status, 200);
    half.send('GET /page HTTP/1.1\r\n');
    // One that asks again and again outlives both by far.
    const asking = (async () => {
        for (let i = 0; Date.now() < began + 2500; i++) assert.equal((await ask(busy, '/page')).body.toString(), 'hello');
    })();
    await idle.until('the end', () => idle.gone || undefined);
    assert.ok(Date.now() - began >= 350);
    await half.until('the end', () => half.gone || undefined);
    assert.ok(Date.now() - began >= 850);
    await asking;
    const { total } = await s.daemon.stats();
    assert.deepEqual([total.idle_timeouts, total.handshake_timeouts], [1, 1]);
    assert.ok(!busy.gone);
});

story('the last of max_requests says that it is the last', async (s) => {
    await serve(s, site(s, { 'page': 'hello' }), { 'protocol http': { max_requests: 3 } });
    const client = await raw(s);
    client.send(request('/page').repeat(5));
    for (const last of [undefined, undefined, 'close']) assert.equal((await answer(client)).headers.connection, last);
    await client.expectEnd({ reset: 'may' });
    await s.daemon.nobodyLeft();
});

// ---- leaving ----

story('clients who leave in the middle of anything leave nothing behind', { seconds: 90 }, async (s) => {
    const root = site(s, { 'small': 'hello', 'large': bytesOf(8 * MIB) });
    const daemon = await serve(s, root, { 'protocol http': { cache: '0B' } });
    for (let round = 0; round < 20; round++) {
        const clients = [];
        for (let i = 0; i < 10; i++) clients.push(await raw(s));
        for (const [i, client] of clients.entries()) {
            client.took = () => client.wake(); // nobody looks at it
            client.send(request(i % 2 === 0 ? '/large' : '/small').repeat(1 + i % 3));
            if (i % 4 === 3) client.half();
        }
        for (const [i, client] of clients.entries()) {
            if (i % 4 === 1) await client.until('something', () => client.received > 0 || undefined);
            if (i % 4 === 2) await client.until('a part', () => client.received > 100000 || undefined).catch(() => {});
            await client.leave({ reset: i % 2 === 0 });
        }
    }
    const total = await daemon.nobodyLeft();
    assert.equal(total.protocol_errors, 0);
});

story('who has said all there is to say still gets the whole answer', async (s) => {
    const content = bytesOf(3 * MIB);
    await serve(s, site(s, { 'large': content, 'small': 'hello' }));
    for (const target of ['/large', '/small']) {
        const client = await raw(s);
        client.send(request(target));
        client.half();
        const got = await answer(client);
        assert.equal(got.status, 200);
        assert.equal(got.body.length, target === '/large' ? content.length : 5);
        await client.expectEnd({ reset: 'never' });
    }
    await s.daemon.nobodyLeft();
});

// ---- stopping ----

story('a stop in the middle of a large file lets it come to its end', { seconds: 60 }, async (s) => {
    const content = bytesOf(20 * MIB);
    const daemon = await serve(s, site(s, { 'large': content }), { server: { drain_timeout: '30s' } });
    const client = await beginSlowly(s, '/large');
    daemon.signal('SIGTERM');
    await daemon.logged(/stopping/);
    client.resume();
    assert.equal(hash(await client.take(client.promised)), hash(content));
    await client.expectEnd({ reset: 'never' });
    await daemon.stop();
});

story('a stop does not wait longer than drain_timeout for who does not read', { seconds: 60 }, async (s) => {
    const daemon = await serve(s, site(s, { 'large': bytesOf(20 * MIB) }), { server: { drain_timeout: '1s' }, 'endpoint main': { slow_timeout: '60s' } });
    const client = await beginSlowly(s, '/large');
    daemon.signal('SIGTERM');
    await daemon.logged(/did not take what was sent to them in time/);
    await daemon.stop();
    client.resume();
    await client.until('the end', () => client.gone || undefined);
    assert.ok(client.buffer.length < 20 * MIB);
});

// ---- a disk that does not answer ----

const library = path.join(path.dirname(binary), 'tests/modules/slow_disk.so');

// The daemon in front of such a disk; free() has it answer again.
async function stuck(s, root, sections) {
    const gate = path.join(path.dirname(root), 'gate');
    const daemon = await serve(s, root, sections, { env: { ...asan('verify_asan_link_order=0'), LD_PRELOAD: library, SLOW_DISK: gate } });
    return Object.assign(daemon, {
        block() { execFileSync('mkfifo', [gate]); },
        free() {
            const fd = fs.openSync(gate, 'r+');
            fs.rmSync(gate);
            fs.closeSync(fd);
        },
    });
}

story('while the disk does not answer everybody else is served, and one too many is told to come later', { seconds: 120 }, async (s) => {
    const root = site(s, { 'kept': 'in memory', ...Object.fromEntries(Array.from({ length: 1100 }, (_, i) => [`f${i}`, `file ${i}`])) });
    const daemon = await stuck(s, root, { server: { workers: 2 }, 'endpoint main': { handshake_timeout: '60s', sniff_timeout: '60s' } });
    const chat = [await xsocketsnet(s, { open: 'echo', place: 0 }), await text(s, { open: 'generic', place: 1 })];
    daemon.block();
    const asking = [];
    for (let i = 0; i < 1100; i++) {
        const client = await raw(s);
        client.send(request(`/f${i}?place=${i % 2}`));
        asking.push(client);
    }
    // One is with the disk, 1,024 wait, the others are told so.
    const total = await daemon.statsUntil('all have asked', (now) => now.file_requests + now.files_refused === 1100);
    assert.equal(total.file_requests, 1025);
    const told = [];
    for (const [i, client] of asking.entries())
        if (client.received > 0) told.push(i);
    for (let i = 0; i < 20; i++) {
        chat[0].invoke('echo', 'say', i);
        await chat[0].expect('echo', 'say', String(i));
        chat[1].line(`generic|say|${i}`);
        await chat[1].expect(`generic|say|${i}`);
    }
    const health = await raw(s);
    assert.equal((await ask(health, '/healthz')).status, 200);
    daemon.free();
    let refused = 0;
    for (const [i, client] of asking.entries()) {
        const got = await answer(client);
        if (got.status === 503) {
            refused++;
            assert.equal(got.headers['retry-after'], '1');
            assert.equal((await ask(client, `/f${i}`)).body.toString(), `file ${i}`); // later, on the same connection
        } else {
            assert.equal(got.body.toString(), `file ${i}`);
        }
    }
    assert.equal(refused, 75);
    assert.equal((await daemon.stats()).total.files_refused, 75);
    for (const client of [...asking, ...chat, health]) await client.leave({ reset: true });
    await daemon.nobodyLeft();
});

story('a disk that does not answer in time is told as 503, in the middle of a file by the end', { seconds: 60 }, async (s) => {
    const root = site(s, { 'small': 'hello', 'large': bytesOf(20 * MIB) });
    const daemon = await stuck(s, root, { 'endpoint main': { handshake_timeout: '800ms', slow_timeout: '60s' } });
    const reading = await beginSlowly(s, '/large');
    await daemon.statsUntil('it is stuck', (total) => total.queued_entries >= 1 && total.file_requests === 0);
    daemon.block();
    reading.resume();
    const client = await raw(s);
    const got = await ask(client, '/small');
    assert.equal(got.status, 503);
    assert.equal(got.headers['retry-after'], '1');
    await reading.until('the end', () => reading.gone || undefined);
    assert.ok(reading.buffer.length < 20 * MIB);
    await daemon.logged(/a disk does not answer/);
    daemon.free();
    for (let status = 503; status !== 200;) ({ status } = await ask(client, '/small'));
    await client.leave();
    await daemon.nobodyLeft();
});

story('a stop does not wait for a disk', { seconds: 60 }, async (s) => {
    const root = site(s, { 'small': 'hello' });
    const daemon = await stuck(s, root, { server: { drain_timeout: '1s' } });
    daemon.block();
    const client = await raw(s), gone = await raw(s);
    client.send(request('/small?place=0'));
    gone.send(request('/small?place=0&other'));
    await daemon.statsUntil('it is asked', (total) => total.file_requests === 1);
    await gone.leave({ reset: true });
    daemon.signal('SIGTERM');
    await daemon.stop();
    await daemon.logged(/it is not waited for/);
    await client.until('the end', () => client.gone || undefined);
});

// ---- somebody else's protocol ----

story("a stranger's protocol hands out files by the same door, for longer than it may be idle", { seconds: 60 }, async (s) => {
    const content = bytesOf(20 * MIB), root = site(s, { 'a': 'hello', 'b/c': '', 'large': content });
    const daemon = await start(s, {
        'endpoint main': { protocols: ['http', 'shelf'], idle_timeout_without_ping: '800ms', slow_timeout: '20s' },
        'protocol shelf': { module: path.join(path.dirname(binary), 'tests/modules/shelf.so'), folder: root, keep: '64KiB' },
    });
    const client = await raw(s);
    client.send('SHELF\na\nb/c\nb\n?large\nnothing\n../secret\n/etc/passwd\n\nb//c\na\n');
    await client.expectExactly('5\nhello\n0\n\nfolder\n20971520\nnot found\nnot valid\nnot valid\nnot valid\nnot valid\n5\nhello\n');
    client.send('large\na\n');
    await client.expectExactly('20971520\n');
    client.pause();
    const began = Date.now();
    while (Date.now() < began + 1600) await daemon.stats();
    client.resume();
    assert.equal(hash(await client.take(20 * MIB)), hash(content));
    await client.expectExactly('\n5\nhello\n');
    // Once it is idle it ends as it would without files.
    await client.expectEnd();
    assert.equal((await daemon.stats()).total.idle_timeouts, 1);
    await daemon.nobodyLeft();
});

// ---- bounds and faults ----

story('without a free descriptor a file is told to be asked for later', { seconds: 60 }, async (s) => {
    const root = site(s, Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, bytesOf(20 * MIB, i)]).slice(0, 4)));
    const daemon = await serve(s, root, { server: { workers: 1 }, 'endpoint main': { slow_timeout: '60s' } }, { before: ['prlimit', '--nofile=60'] });
    const cap = (await daemon.stats()).max_connections;
    const slow = [await beginSlowly(s, '/f0'), await beginSlowly(s, '/f1')];
    const clients = [];
    // Two descriptors are the files'.
    for (let i = 0; i < cap - 4; i++) clients.push(await raw(s));
    const got = await ask(clients[0], '/f2');
    assert.equal(got.status, 503);
    assert.equal((await ask(clients[0], '/f1', '', 'HEAD')).status, 200); // open already
    await clients[1].leave();
    for (let status = 503; status !== 200;) ({ status } = await ask(clients[0], '/f2', '', 'HEAD'));
    for (const client of [...slow, ...clients]) await client.leave({ reset: true });
    await daemon.nobodyLeft();
});

story('with short writes, EAGAIN and EINTR a file arrives whole', { seconds: 120 }, async (s) => {
    const content = bytesOf(300000), root = site(s, { 'file': content, 'small': 'hello' });
    const faults = path.join(path.dirname(binary), 'tests/modules/faults.so');
    await serve(s, root, {}, { env: { ...asan('verify_asan_link_order=0'), LD_PRELOAD: faults, FAULTS_SEED: '7' } });
    const client = await raw(s);
    for (let i = 0; i < 3; i++) {
        assert.equal(hash((await ask(client, '/file')).body), hash(content));
        assert.equal((await ask(client, '/small')).body.toString(), 'hello');
    }
});
