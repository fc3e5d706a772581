// check - what is committed is what the sources give, small enough, and packed as others expect it.
//
//   node scripts/check.mjs [compare] [size] [publint] [attw]     all of them, if none is named
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { files, minified, root, write } from './build.mjs';

const LIMIT = 8 * 1024;
const at = (...parts) => path.join(root, ...parts);
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'xsockets-check-'));

function say(sentence) {
  console.log(`ok  ${sentence}`);
}

// Builds into a folder and compares every byte with what lies in its place, file by file, both ways.
async function compare() {
  const found = await files();
  write(path.join(work, 'javascript'), found);
  const wrong = [...found.keys()].filter((name) => {
    const built = fs.readFileSync(path.join(work, 'javascript', name));
    return !fs.existsSync(at(name)) || !built.equals(fs.readFileSync(at(name)));
  });
  const there = fs.readdirSync(at('dist'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile()).map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
  wrong.push(...there.filter((name) => !found.has(name)));
  if (wrong.length > 0) throw new Error(`not what the sources give (npm run build makes it so): ${wrong.join(', ')}`);
  say(`the ${found.size} files of the build are what the sources give`);
}

async function size() {
  const contents = await minified();
  const { length } = gzipSync(contents, { level: 9 });
  if (length > LIMIT) throw new Error(`${length} bytes minified and gzipped; ${LIMIT} are allowed`);
  say(`${length} bytes minified and gzipped, of ${LIMIT}`);
}

function tool(name, ...args) {
  execFileSync(process.execPath, [at('node_modules', ...name.split('/')), ...args], {
    cwd: root, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
  });
}

// As somebody who installs it would get it.
function pack() {
  const [{ filename }] = JSON.parse(execFileSync('npm',
    ['pack', '--json', '--ignore-scripts', '--offline', '--pack-destination', work], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  return path.join(work, filename);
}

function publint() {
  tool('publint/src/cli.js', pack(), '--strict');
  say('publint finds nothing');
}

function attw() {
  // The minified file is for pages; it has no types and needs none.
  tool('@arethetypeswrong/cli/dist/index.js', pack(), '--format', 'ascii', '--exclude-entrypoints', 'xsockets.min.js', 'package.json');
  say('attw finds nothing');
}

const checks = { compare, size, publint, attw };
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(checks);

try {
  for (const name of wanted) {
    if (!checks[name]) throw new Error(`there is no check ${name}; there are ${Object.keys(checks).join(', ')}`);
    await checks[name]();
  }
} catch (error) {
  console.error(`FAILED  ${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`);
  process.exitCode = 1;
} finally {
  fs.rmSync(work, { recursive: true, force: true });
}
