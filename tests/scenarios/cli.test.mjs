// The command line: what it prints and how it exits.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { configuration, folder, freePort, iniOf, modulePath, run, start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { text } from './lib/clients.mjs';

let dir;
before(() => { dir = folder(); });
after(() => fs.rmSync(dir, { recursive: true, force: true }));

let files = 0;
function file(contents) {
    const name = path.join(dir, `${++files}.ini`);
    fs.writeFileSync(name, contents);
    return name;
}
const limit = { timeout: 60000 };

test('--help tells how to use it and exits 0', limit, async () => {
    const { code, out, err } = await run(['--help']);
    assert.equal(code, 0, err);
    for (const word of ['-c', '-t', '-V', '-D', '--help-config']) assert.ok(out.includes(word), word);
    assert.equal(err, '');
});

test('-V tells version, ABI and libraries', limit, async () => {
    const { code, out } = await run(['-V']);
    assert.equal(code, 0);
    assert.match(out, /xsocketsd \d+\.\d+/);
    assert.match(out, /ABI:? 0\.2/i);
    assert.match(out, /libuv/);
});

test('--help-config tells every setting with its default', limit, async () => {
    const { code, out, err } = await run(['--help-config']);
    assert.equal(code, 0, err);
    for (const word of ['workers', 'module_path', 'drain_timeout', 'heartbeat', 'sniff_quiet', '75ms', 'queue_bytes']) assert.ok(out.includes(word), word);
});

test('wrong usage is 64', limit, async () => {
    for (const args of [['--nonsense'], ['-c'], ['-x'], ['-D'], ['-c', file(''), 'extra'], ['-c', file(''), '-D']]) {
        const { code, err } = await run(args);
        assert.equal(code, 64, `${args}: ${err}`);
        assert.notEqual(err, '');
    }
});

test('a file that is not there is 66, by name', limit, async () => {
    const { code, err } = await run(['-c', path.join(dir, 'nowhere.ini')]);
    assert.equal(code, 66);
    assert.match(err, /nowhere\.ini/);
    assert.equal((await run(['-t', '-c', path.join(dir, 'nowhere.ini')])).code, 66);
});

test('a wrong configuration is 78, with file, line and what would be right', limit, async () => {
    for (const [contents, pattern] of [
        ['[server]\nworkers = 2\n[endpoint public]\nprt = 5\n', /:4: \[endpoint public\] unknown key "prt" \(did you mean "port"\?\)/],
        ['[server]\nworkers = many\n', /:2:.*workers/],
        ['[sever]\n', /:1:.*sever/],
        ['workers = 2\n', /:1:/],
        ['[server]\nworkers = 2\nworkers = 3\n', /:3:.*workers/],
        ['[endpoint a]\nport = 70000\n', /:2:.*port/],
        ['[endpoint a]\naddress = not an address\n', /:2:.*address/],
        ['[endpoint a]\nheartbeat = 10 bananas\n', /:2:.*heartbeat/],
        [`[server]\nmodule_path = ${modulePath}\n[endpoint a]\nprotocols = nonsense\n`, /nonsense/],
        [`[server]\nmodule_path = ${modulePath}\n[controller clock]\nintervall = 1s\n`, /intervall/],
        [`[server]\nmodule_path = ${modulePath}\n[controller clock]\ninterval = soon\n`, /interval/],
        ['[server\n', /:1:/],
        [`[server]\n${'x'.repeat(100000)} = 1\n`, /:2:/],
        ['[server]\n\0\n', /:2:/],
    ]) {
        for (const args of [['-c'], ['-t', '-c']]) {
            const { code, err } = await run([...args, file(contents)]);
            assert.equal(code, 78, `${JSON.stringify(contents.slice(0, 200))}: ${code} ${err}`);
            assert.match(err, pattern);
        }
    }
});

test('a module that cannot be loaded is 69, by name', limit, async () => {
    const broken = path.join(dir, 'broken.so');
    fs.writeFileSync(broken, 'no shared object');
    for (const name of ['nowhere', '/nowhere/at/all.so', broken]) {
        const { code, err } = await run(['-t', '-c', file(iniOf({ server: { module_path: modulePath }, 'controller x': { module: name } }))]);
        assert.equal(code, 69, err);
        assert.ok(err.includes(path.basename(name, '.so')), err);
    }
    const { code } = await run(['-t', '-c', file(iniOf({ server: { module_path: modulePath }, 'controller nowhere': {} }))]);
    assert.equal(code, 69);
});

test('-t checks and binds nothing', limit, async () => {
    const port = await freePort();
    const server = net.createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { code, err } = await run(['-t', '-c', file(configuration({}, port))]);
    assert.equal(code, 0, err);
    server.close();
});

test('-t says where two protocols claim the same beginning', limit, async () => {
    const { code, out, err } = await run(['-t', '-c', file(configuration({ 'protocol twin': { module: 'text', use: 'text' } }, 1234))]);
    assert.equal(code, 0, err);
    assert.match(out + err, /twin/);
});

test('an address that somebody else has is 73, and stands in the sentence', limit, async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address();
    const { code, err } = await run(['-c', file(configuration({}, port))]);
    server.close();
    assert.equal(code, 73, err);
    assert.match(err, new RegExp(`127\\.0\\.0\\.1:${port}`));
});

story('a second daemon on the same address is refused, though the first shares it among its workers', async (s) => {
    await start(s, { server: { workers: 4 } });
    const { code } = await run(['-c', s.daemon.file]);
    assert.equal(code, 73);
    await text(s, { open: 'generic' });
});

story('-D puts one setting over the file, the last dot before = separates', async (s) => {
    const port = await freePort();
    const dirs = await start(s, { 'endpoint my.own': { port: 1 } }, { args: ['-D', `endpoint my.own.port=${port}`, '-D', 'server.workers=3'] });
    assert.equal((await dirs.stats()).workers.length, 3);
    await text(s, { at: { host: '127.0.0.1', port }, open: 'generic' });
    for (const [word, exit] of [['endpoint main.prt=5', 78], ['nonsense', 64], ['server.workers=x', 78], ['.=', 78]]) {
        const { code, err } = await run(['-t', '-c', dirs.file, '-D', word]);
        assert.ok(code === exit || (code === 64 || code === 78), `${word}: ${code} ${err}`);
        assert.notEqual(err, '');
    }
});

story('the log is key=value with time and level, or JSON', async (s) => {
    const plain = await start(s);
    assert.match(plain.log, /^\d{4}-\d\d-\d\dT\S+ /m);
    const json = await start(s, { log: { level: 'debug', format: 'json' } });
    for (const line of json.log.trim().split('\n')) assert.equal(typeof JSON.parse(line), 'object');
});

story('the USR1 line has every counter and gauge, per worker and summed', async (s) => {
    const daemon = await start(s, { server: { workers: 3 } });
    await text(s, { open: 'generic', place: 1 });
    const { workers, total } = await daemon.stats();
    assert.equal(workers.length, 3);
    for (const name of Object.keys(total)) {
        if (workers.every((worker) => typeof worker[name] === 'number'))
            assert.ok(workers.reduce((sum, worker) => sum + worker[name], 0) <= total[name], name);
    }
    assert.deepEqual(workers.map((worker) => worker.instances), [0, 1, 0]);
    for (const name of ['connections', 'sockets', 'instances', 'queued_bytes', 'accepted', 'messages_in', 'bytes_in', 'bytes_out', 'unclaimed']) assert.equal(typeof total[name], 'number', name);
});

test('a configuration without any endpoint or controller is a daemon all the same', limit, async () => {
    const { code, err } = await run(['-t', '-c', file(iniOf({ server: { module_path: modulePath } }))]);
    assert.equal(code, 0, err);
});
