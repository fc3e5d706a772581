// Every example of the README, run against the daemon. A comment behind a line says what that line prints.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { start, story, urlOf } from './lib/real.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8');
const ADDRESS = 'ws://127.0.0.1:4502';

const examples = [...readme.matchAll(/^```(js|ts|html)\n(.*?)^```$/gms)].map(([whole, kind, code]) => ({
  kind, code, line: readme.slice(0, readme.indexOf(whole)).split('\n').length,
  // What is printed, in the order of the text.
  prints: [...code.matchAll(/console\.log.*?; \/\/ (.*)$|console\.log\).*?; \/\/ (.*)$/gm)].flatMap(([, a, b]) => (a ?? b).split(' // ')),
}));

/** The example as a module, and what an example in a page needs around it. */
async function moduleOf({ kind, code }, url) {
  if (kind === 'html') {
    const scripts = [...code.matchAll(/<script(?: src="(.*?)")?>(.*?)<\/script>/gs)]
      .map(([, src, inline]) => (src ? fs.readFileSync(path.join(root, 'dist', src), 'utf8') : inline));
    assert.equal(scripts.length, 2);
    return `import vm from 'node:vm';
      globalThis.location = { origin: ${JSON.stringify(url.replace('ws:', 'http:'))} };
      for (const script of ${JSON.stringify(scripts)}) vm.runInThisContext(script);`;
  }
  const own = code.replaceAll(ADDRESS, url);
  return kind === 'ts' ? (await transform(own, { loader: 'ts', format: 'esm', target: 'es2022' })).code : own;
}

/** Runs it until it has printed all that it should, or ends. */
function printed(file, wanted) {
  const browser = `data:text/javascript,${encodeURIComponent(`import WebSocket from ${JSON.stringify(import.meta.resolve('ws'))}; globalThis.WebSocket = WebSocket;`)}`;
  const child = spawn(process.execPath, ['--import', browser, file], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
  let out = '', err = '';
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (bytes) => {
      out += bytes;
      if (wanted.length > 0 && out.split('\n').length > wanted.length) child.kill();
    });
    child.stderr.on('data', (bytes) => { err += bytes; });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code !== 0 && signal !== 'SIGTERM') reject(new Error(`ended with ${code ?? signal}:\n${err}`));
      else resolve({ out: out.trimEnd().split('\n').filter((line) => line !== ''), err });
    });
  });
}

test('the README has examples', () => {
  assert.ok(examples.length >= 12, String(examples.length));
  assert.ok(examples.every(({ prints }) => prints.length > 0), 'an example prints nothing');
});

for (const example of examples) {
  story(`the example in line ${example.line} does what it says`, async (s) => {
    const daemon = await start(s, { 'controller clock': { interval: '20ms' } });
    // Inside the package, where its own name leads to it.
    const folder = fs.mkdtempSync(path.join(root, '.readme-'));
    try {
      if (example.kind === 'ts') {
        fs.writeFileSync(path.join(folder, 'example.mts'), example.code);
        execFileSync(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022',
          '--module', 'nodenext', '--types', 'node', path.join(folder, 'example.mts')], { cwd: root, stdio: 'pipe', encoding: 'utf8' });
      }
      const file = path.join(folder, 'example.mjs');
      fs.writeFileSync(file, await moduleOf(example, urlOf(daemon)));
      const { out, err } = await printed(file, example.prints);
      assert.deepEqual(out, example.prints);
      assert.equal(err, '');
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
}
