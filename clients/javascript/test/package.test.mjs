// The package as others get it: three flavours, types, and nothing done on import.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import * as esm from 'xsockets';
import { Socket, World, settled } from './lib/fake.mjs';

const require = createRequire(import.meta.url);
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const read = (name) => fs.readFileSync(path.join(root, name), 'utf8');
const NAMES = ['Client', 'ServerError', 'XSocketsError', 'connect'];

test('import and require give the same names', () => {
  assert.deepEqual(Object.keys(esm).sort(), NAMES);
  assert.deepEqual(Object.keys(require('xsockets')).sort(), NAMES);
});

// The language and, of what browsers and Node put beside it, EventTarget and Event.
function bare() {
  const place = vm.createContext({ EventTarget, Event });
  const names = () => vm.runInContext('Object.getOwnPropertyNames(globalThis)', place);
  return { place, names, run: (text) => vm.runInContext(text, place) };
}

test('the script file makes one global', () => {
  const { names, run } = bare();
  const before = names();
  run(read('dist/xsockets.min.js'));
  assert.deepEqual([...names()].filter((name) => !before.includes(name)), ['XSockets']);
  assert.deepEqual([...run('Object.keys(XSockets)')].sort(), NAMES);
});

test('on import nothing else of the surroundings is touched, nor when a client is made, but for URL', () => {
  const { run } = bare();
  for (const name of ['window', 'document', 'self', 'navigator', 'location', 'localStorage', 'WebSocket', 'process', 'performance',
    'setTimeout', 'clearTimeout', 'queueMicrotask', 'addEventListener', 'crypto', 'fetch', 'TextEncoder', 'TextDecoder', 'URL'])
    run(`Object.defineProperty(globalThis, '${name}', { configurable: true, get() { throw new Error('touched ${name}'); } })`);
  run(read('dist/xsockets.min.js'));
  run("Object.defineProperty(globalThis, 'URL', { value: class { constructor() { this.protocol = 'ws:'; } } })");
  assert.equal(run("new XSockets.Client('ws://x/').state"), 'idle');
});

test('the script file is the one that the page of the daemon loads', () => {
  for (const name of ['xsockets.min.js', 'xsockets.min.js.map'])
    assert.equal(read(`../page/${name}`), read(`dist/${name}`));
});

test('every flavour has a source map that holds its sources', () => {
  for (const name of ['xsockets.js', 'xsockets.cjs', 'xsockets.min.js']) {
    assert.match(read(`dist/${name}`), new RegExp(`//# sourceMappingURL=${name}\\.map\\n$`));
    const map = JSON.parse(read(`dist/${name}.map`));
    assert.ok(map.sources.includes('../src/client.ts'));
    for (const [i, source] of map.sources.entries()) assert.equal(map.sourcesContent[i], read(`dist/${source}`));
  }
});

test('nothing of the package depends on another at run time', () => {
  const { dependencies, peerDependencies, optionalDependencies } = JSON.parse(read('package.json'));
  assert.deepEqual([dependencies, peerDependencies, optionalDependencies], [undefined, undefined, undefined]);
  for (const name of ['xsockets.js', 'xsockets.cjs', 'xsockets.min.js'])
    assert.doesNotMatch(read(`dist/${name}`), /\brequire\(|\bimport\(|^import /m);
  assert.doesNotMatch(read('package-lock.json'), /"resolved"|https?:\/\/[^"]*regist/);
});

test('the types hold for those who have the DOM and for those who have Node, and refuse what is wrong', () => {
  for (const project of ['dom', 'node'])
    execFileSync(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', path.join(root, `test/types/tsconfig.${project}.json`)],
      { encoding: 'utf8', stdio: 'pipe' });
});

test('the flavours do the same', async () => {
  const script = vm.createContext({ EventTarget, Event, URL, TextEncoder, TextDecoder, performance, queueMicrotask, setTimeout, clearTimeout });
  vm.runInContext(read('dist/xsockets.min.js'), script);
  for (const { Client } of [esm, require('xsockets'), vm.runInContext('XSockets', script)]) {
    const world = new World();
    const client = new Client('ws://server', {
      WebSocket: class extends Socket { constructor(...a) { super(...a); world.sockets.push(this); } },
      store: false, platform: world.clock.platform,
    });
    const opening = client.open();
    await world.accept();
    await opening;
    const asked = client.controller('chat').invoke('x', { a: 1 });
    world.socket.confirm(world.socket.took().slice(0, 1));
    const heard = [];
    client.controller('chat').on('say', (data) => heard.push(data));
    world.socket.say('chat', 'say', 1);
    assert.deepEqual(heard, [1]);
    client.controller('chat').on('file', (data, { bytes }) => heard.push(...bytes));
    client.controller('chat').publish('file', null, { bytes: new Uint8Array([7]) });
    world.socket.raw(Uint8Array.from(world.socket.sent.at(-1)).buffer);
    assert.deepEqual(heard, [1, 7]);
    const gone = assert.rejects(asked, { code: 'closed' });
    await world.over(client);
    await gone;
    await settled();
  }
});
