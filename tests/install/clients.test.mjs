// clients - the examples of docs/CLIENTS.md, run as they stand, and what each of them prints. They speak to an installed daemon
// (XS_STAGE) with the demo's configuration; only the port is another one. A block is followed by a block `text` with its
// output, in which <guid> stands for any. (The page of the `html` block is opened by tests/browser.)
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const stage = process.env.XS_STAGE;
assert.ok(stage, 'XS_STAGE must be set: run scripts/test install');
process.env.XSOCKETSD = path.join(stage, 'bin/xsocketsd');
process.env.XSOCKETS_MODULES = path.join(stage, 'lib/xsockets');

const { demoIni, folder, freePort, root, start } = await import('../scenarios/lib/daemon.mjs');
const { story } = await import('../scenarios/lib/story.mjs');
const { GUID } = await import('../scenarios/lib/clients.mjs');

const HOW = {
    sh: (dir, text) => ['sh', ['-c', text]],
    bash: (dir, text) => ['bash', ['-c', text]],
    python: (dir, text) => ['python3', ['-c', text]],
    js: (dir, text) => {
        const client = path.join(root, 'clients/javascript');
        fs.mkdirSync(path.join(dir, 'node_modules'));
        fs.symlinkSync(client, path.join(dir, 'node_modules/xsockets'));
        fs.symlinkSync(path.join(client, 'node_modules/ws'), path.join(dir, 'node_modules/ws'));
        fs.writeFileSync(path.join(dir, 'example.mjs'), text);
        return [process.execPath, [path.join(dir, 'example.mjs')]];
    },
    cpp: (dir, text) => {
        const library = path.join(root, 'tests/install/arduino');
        // A sketch begins with what every sketch begins with.
        fs.writeFileSync(path.join(dir, 'sketch.cpp'), `#include "Arduino.h"\n${text}`);
        const built = spawnSync('g++', ['-std=c++17', '-Wall', '-Wextra', '-I', library, '-o', path.join(dir, 'sketch'),
            path.join(dir, 'sketch.cpp'), path.join(library, 'board.cpp')], { encoding: 'utf8' });
        assert.equal(built.status, 0, built.stderr);
        return [path.join(dir, 'sketch'), []];
    },
};

function* examples() {
    const page = fs.readFileSync(path.join(root, 'docs/CLIENTS.md'), 'utf8');
    const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, kind, text]) => ({ kind, text }));
    for (const [i, block] of blocks.entries()) {
        if (block.kind === 'text' || block.kind === 'html') continue;
        assert.equal(blocks[i + 1]?.kind, 'text', `what this prints stands behind it:\n${block.text}`);
        yield { ...block, prints: blocks[i + 1].text, name: `the ${block.kind} example of docs/CLIENTS.md, number ${i + 1}` };
    }
}

// An example that runs; some go on for ever.
class Program {
    constructor(command, args, dir) {
        Object.assign(this, { dir, out: '', err: '' });
        this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
        this.child.stderr.on('data', (bytes) => { this.err += bytes; });
        this.gone = new Promise((resolve, reject) => {
            this.child.on('error', reject);
            this.child.on('close', resolve);
        });
    }

    // What it has printed when it has ended, or has printed that many lines.
    async prints(lines) {
        await Promise.race([this.gone, new Promise((resolve) => {
            this.child.stdout.on('data', (bytes) => {
                this.out += bytes;
                if (this.out.split('\n').length > lines) resolve();
            });
        })]);
        return this.out;
    }

    transcript() {
        return `[the example]\n${this.out}${this.err}`;
    }

    async end() {
        this.child.kill('SIGKILL');
        await this.gone;
        fs.rmSync(this.dir, { recursive: true, force: true });
    }
}

const pattern = (text) => new RegExp(`^${text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replaceAll('<guid>', GUID)}$`);

for (const example of examples()) {
    story(`${example.name}, prints what the page says`, { seconds: 60 }, async (s) => {
        const port = await freePort();
        await start(s, {}, {
            ini: demoIni,
            args: ['-D', `endpoint demo.port=${port}`, '-D', `endpoint foo.port=${await freePort()}`],
        });
        const dir = folder();
        const [command, args] = HOW[example.kind](dir, example.text.replaceAll('4502', String(port)));
        const program = s.join(new Program(command, args, dir));
        const expected = example.prints.trimEnd().split('\n');
        const printed = (await program.prints(expected.length)).trimEnd().split(/\r?\n/);
        assert.equal(printed.length, expected.length, printed.join('\n'));
        for (const [i, line] of expected.entries()) assert.match(printed[i], pattern(line));
    });
}
