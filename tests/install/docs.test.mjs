// docs - the code blocks of README.md and docs/*.md, done as they stand against an installed tree (XS_STAGE).
//
// Blocks of one page are done from top to bottom in one folder:
//   ```c      With XS_PLUGIN in it, a module: written to NAME.c, where NAME is the first word of its first comment, and
//             compiled to NAME.so with nothing but cc $(pkg-config --cflags xsockets) -shared -fPIC, and warnings as
//             errors. Otherwise a piece of one at file scope, which must compile behind all public headers.
//   ```sh     Lines that begin with `cc ` or `mkdir ` are run in that folder, where they make what a reader makes.
//   ```ini    A configuration: it must pass `xsocketsd -t`. Without an [endpoint ...] it gets one.
//   ```tcp    What one or more clients send (`> `) and receive (`< `) over plain TCP, lines ending in CRLF, of a daemon
//             with the configuration above it. A name may stand in front: `anna> `. <guid>, <date> and <etag> stand
//             for any.
//   ```bytes  The same byte for byte: nothing is added at the end of a line, and <0d> is the byte of that number.
//   ```ws X   The same with WebSocket messages, with X as subprotocol (none: no subprotocol).
// Blocks of other kinds are for the reader only.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import vm from 'node:vm';

const stage = process.env.XS_STAGE;
assert.ok(stage, 'XS_STAGE must be set: run scripts/test install');
process.env.XSOCKETSD = path.join(stage, 'bin/xsocketsd');
process.env.XSOCKETS_MODULES = path.join(stage, 'lib/xsockets');
process.env.PKG_CONFIG_PATH = path.join(stage, 'lib/pkgconfig');

const { demoIni, folder, freePort, root, run, start } = await import('../scenarios/lib/daemon.mjs');
const { raw } = await import('../scenarios/lib/stream.mjs');
const { story } = await import('../scenarios/lib/story.mjs');
const { webSocket } = await import('../scenarios/lib/ws.mjs');
const { GUID } = await import('../scenarios/lib/clients.mjs');

const STRICT = ['-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror'];

function blocksOf(page) {
    const blocks = [];
    let block = null;
    fs.readFileSync(page, 'utf8').split('\n').forEach((line, index) => {
        const fence = /^ {0,3}```\s*(.*)$/.exec(line);
        if (!fence && block) block.lines.push(line);
        else if (fence && !block) {
            const [kind = '', ...words] = fence[1].trim().split(/\s+/);
            block = { kind, words, lines: [], at: `${path.basename(page)}:${index + 1}` };
        } else if (fence) {
            blocks.push({ ...block, text: `${block.lines.join('\n')}\n` });
            block = null;
        }
    });
    assert.equal(block, null, `${page}: a block is not closed`);
    return blocks;
}

function shell(command, cwd) {
    const done = spawnSync('sh', ['-c', command], { cwd });
    assert.equal(done.status, 0, `${command}\n${done.stdout}${done.stderr}`);
}

const headers = fs.readdirSync(path.join(stage, 'include/xsockets')).sort()
    .map((name) => `#include <xsockets/${name}>\n`).join('');

// A module is compiled twice: strictly, and with just what the page promises to be enough. One that ships is shown as it is.
function module(block, dir) {
    const name = /^\s*\/\*\s*([\w-]+)/.exec(block.text)?.[1];
    assert.ok(name, 'a module begins with a comment that begins with its name');
    for (const kind of fs.readdirSync(path.join(root, 'modules'))) {
        const shipped = path.join(root, 'modules', kind, name, `${name}.c`);
        if (fs.existsSync(shipped)) assert.equal(block.text, fs.readFileSync(shipped, 'utf8'), shipped);
    }
    fs.writeFileSync(path.join(dir, `${name}.c`), block.text);
    shell(`cc ${STRICT.join(' ')} $(pkg-config --cflags xsockets) -fsyntax-only ${name}.c`, dir);
    shell(`cc $(pkg-config --cflags xsockets) -shared -fPIC -o ${name}.so ${name}.c`, dir);
}

function piece(block, dir) {
    const flags = execFileSync('pkg-config', ['--cflags', 'xsockets']).toString().trim().split(' ');
    const done = spawnSync('cc', [...STRICT, '-Wno-unused', ...flags, '-fsyntax-only', '-x', 'c', '-'],
        { cwd: dir, input: `${headers}#line 1\n${block.text}` });
    assert.equal(done.status, 0, done.stderr.toString());
}

// Where its modules are, and an endpoint if it has none. The port is set on the command line.
function whole(text) {
    return /^\s*\[endpoint /m.test(text) ? text : `${text}\n[endpoint public]\naddress = 127.0.0.1\nport = 4502\n`;
}

const endpointOf = (text) => /^\s*\[endpoint ([^\]]+)\]/m.exec(whole(text))[1];

// Files that stand in the folder of the page are meant by ./NAME.so, and by a bare path ending in it; its folders by their names.
function placed(text, dir) {
    return text.replace(/^(document_root = )(\w+)$/gm, (line, key, name) => `${key}${path.join(dir, name)}`).replace(/^(\s*module\s*=\s*)(\S*\/)?([\w-]+)(\.so)?[ \t]*$/gm, (line, key, _, name) =>
        fs.existsSync(path.join(dir, `${name}.so`)) ? `${key}${path.join(dir, `${name}.so`)}` : line);
}

async function configurationPasses(block, dir) {
    const file = path.join(dir, 'page.ini');
    fs.writeFileSync(file, placed(whole(block.text), dir));
    const tested = await run(['-t', '-c', file]);
    assert.equal(tested.code, 0, tested.out + tested.err);
}

function pattern(line) {
    const escaped = line.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replaceAll('<guid>', GUID)
        .replaceAll('<date>', '[A-Z][a-z]{2}, \\d{2} [A-Z][a-z]{2} \\d{4} \\d{2}:\\d{2}:\\d{2} GMT').replaceAll('<etag>', '"[0-9a-f.-]+"');
    return new RegExp(`^${escaped}$`);
}

// `<00>a<ff>`, as text in which a character is a byte.
function bytesOf(text) {
    return text.split(/(<[\da-fA-F]{2}>)/).map((piece) => /^<..>$/.test(piece)
        ? String.fromCharCode(parseInt(piece.slice(1), 16)) : Buffer.from(piece).toString('latin1')).join('');
}

// How one client speaks and hears, by the kind of the block: a line of it.
const speech = {
    tcp: {
        connect: (s, at, name) => raw(s, at, name),
        say: (client, text) => client.send(Buffer.from(`${text}\r\n`)),
        hear: async (client) => (await client.takeUntil('\r\n')).toString().replace(/\r\n$/, ''),
        wanted: pattern,
    },
    bytes: {
        connect: (s, at, name) => raw(s, at, name),
        say: (client, text) => client.send(Buffer.from(bytesOf(text), 'latin1')),
        hear: async (client, text) => (await client.take(bytesOf(text.replaceAll('<guid>', '-'.repeat(36))).length)).toString('latin1'),
        wanted: (text) => pattern(bytesOf(text)),
    },
    ws: {
        connect: (s, at, name, protocols) => webSocket(s, { at, name, protocols }),
        say: (client, text) => client.text(text),
        hear: (client) => client.nextText(),
        wanted: pattern,
    },
};

async function converse(s, block, ini, dir) {
    const port = await freePort();
    await start(s, {}, {
        ini: () => placed(whole(ini), dir),
        args: ['-D', `endpoint ${endpointOf(ini)}.port=${port}`],
    });
    const at = { host: '127.0.0.1', port };
    const clients = new Map();
    const how = speech[block.kind];
    for (const line of block.lines.filter((one) => one !== '')) {
        const [, name, sign, text] = /^(\w*)([<>]) ?(.*)$/.exec(line) ?? assert.fail(`not a line of a conversation: ${line}`);
        if (!clients.has(name)) clients.set(name, await how.connect(s, at, name, block.words));
        const client = clients.get(name);
        if (sign === '>') how.say(client, text);
        else assert.match(await how.hear(client, text), how.wanted(text));
    }
}

const pages = ['README.md', ...fs.readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md')).sort()
    .map((name) => `docs/${name}`)];

for (const page of pages) {
    test(`${page}: its code blocks do what the page says`, async (t) => {
        const dir = folder();
        let ini = '';
        try {
            for (const block of blocksOf(path.join(root, page))) {
                if (block.kind === 'c')
                    await t.test(block.at, () => (block.text.includes('XS_PLUGIN(') ? module : piece)(block, dir));
                else if (block.kind === 'sh') {
                    for (const line of block.lines.filter((one) => /^(cc|mkdir) /.test(one)))
                        await t.test(`${block.at}: ${line}`, () => shell(line, dir));
                } else if (block.kind === 'ini') {
                    ini = block.text;
                    await t.test(block.at, () => configurationPasses(block, dir));
                } else if (block.kind in speech)
                    await t.test(block.at, async (inner) => {
                        const s = { members: [], t: inner, join(member) { this.members.push(member); return member; } };
                        let failed = true;
                        try {
                            await converse(s, block, ini, dir);
                            failed = false;
                        } catch (error) {
                            error.message += `\n${s.members.map((member) => member.transcript()).join('\n')}`;
                            throw error;
                        } finally {
                            for (const member of s.members.reverse()) await member.end(failed);
                        }
                    });
            }
        } finally {
            fs.rmSync(dir, { recursive: true, force: true });
        }
    });
}

// A browser's WebSocket, as far as README.md uses it.
function browser(s, at, clients) {
    return class {
        constructor(url, protocol) {
            assert.equal(new URL(url).host, '127.0.0.1:4502');
            this.heard = [];
            this.open = webSocket(s, { at, protocols: protocol ? [protocol] : [], name: protocol ?? 'native' });
            clients.push(this);
        }

        send(text) {
            this.sent = (this.sent ?? this.open).then(() => this.open).then((client) => client.text(text));
        }
    };
}

story("README.md: four kinds of client are in one room, each in its own words", async (s) => {
    const port = await freePort();
    const at = { host: '127.0.0.1', port };
    await start(s, {}, {
        ini: demoIni,
        args: ['-D', `endpoint demo.port=${port}`, '-D', `endpoint foo.port=${await freePort()}`],
    });
    const clients = [];
    const context = vm.createContext({ WebSocket: browser(s, at, clients), console });
    const blocks = blocksOf(path.join(root, 'README.md')).filter((block) => block.kind === 'js');
    assert.equal(blocks.length, 6); // what connects, then what sends
    for (const block of blocks) vm.runInContext(block.text, context);
    await Promise.all(clients.map((client) => client.sent));

    const terminal = await raw(s, at, 'terminal');
    terminal.send(Buffer.from('PuttyProtocol\n'));
    assert.equal((await terminal.takeUntil('\r\n')).toString(), 'Welcome to PuttyProtocol\r\n');

    // The rows of the table: who listens, and what arrives; \| is the table's own escape.
    const rows = fs.readFileSync(path.join(root, 'README.md'), 'utf8').split('\n')
        .map((line) => /^\| ([^|]+) \| `(.*)` \|$/.exec(line)).filter(Boolean)
        .map(([, who, what]) => [who, what.replaceAll('\\|', '|')]);
    assert.equal(rows.length, 4);

    terminal.send(Buffer.from('chat|say|hello\n'));
    for (;;) {
        const line = (await terminal.takeUntil('\r\n')).toString().trimEnd();
        if (line === rows[0][1]) break;
    }
    for (const [index, client] of clients.entries()) {
        const stream = await client.open;
        for (;;) {
            const text = (await stream.nextText()).toString();
            if (text === rows[index + 1][1]) break;
        }
    }
});
