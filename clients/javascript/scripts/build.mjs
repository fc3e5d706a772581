// build - src/ becomes dist/ and the copy that the page of the daemon loads.
//
//   node scripts/build.mjs [FOLDER]     into FOLDER instead of the package's own places
//
// The same sources give the same bytes, wherever it runs.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const at = (...parts) => path.join(root, ...parts);

const common = {
  absWorkingDir: root,
  entryPoints: ['src/index.ts'],
  bundle: true,
  write: false,
  target: 'es2022',
  charset: 'utf8',
  sourcemap: 'linked',
  legalComments: 'none',
};
const banner = { js: '// xsockets, the JavaScript client of xsocketsd. MIT licence.' };
const flavours = [
  { outfile: 'dist/xsockets.js', format: 'esm', banner },
  { outfile: 'dist/xsockets.cjs', format: 'cjs', banner },
  { outfile: 'dist/xsockets.min.js', format: 'iife', globalName: 'XSockets', minify: true, target: 'es2022', banner },
];

/** The ESM flavour as a bundler would ship it. */
export async function minified() {
  const { outputFiles } = await esbuild.build({ ...common, sourcemap: false, format: 'esm', minify: true, outfile: 'x.js' });
  return outputFiles[0].contents;
}

/** All files of the build: path from the package, contents. */
export async function files() {
  const found = new Map();
  for (const flavour of flavours) {
    const { outputFiles } = await esbuild.build({ ...common, ...flavour });
    for (const file of outputFiles) found.set(path.relative(root, file.path), Buffer.from(file.contents));
  }
  for (const name of ['xsockets.min.js', 'xsockets.min.js.map']) found.set(`../page/${name}`, found.get(`dist/${name}`));
  for (const [name, text] of declarations()) {
    found.set(`dist/types/${name}`, Buffer.from(text));
    // For require(): the same under the other extension.
    found.set(`dist/types/${name.replace(/\.ts$/, '.cts')}`, Buffer.from(text.replace(/(['"]\.\/[\w-]+)\.js(['"])/g, '$1.cjs$2')));
  }
  return found;
}

// What index.d.ts leads to; the insides of the client are nobody's business.
function declarations() {
  const folder = fs.mkdtempSync(path.join(root, 'node_modules', '.declarations-'));
  try {
    execFileSync(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', at('tsconfig.json'), '--outDir', folder],
      { stdio: ['ignore', 'inherit', 'inherit'] });
    return ['index.d.ts', 'types.d.ts', 'errors.d.ts'].map((name) => [name, fs.readFileSync(path.join(folder, name), 'utf8')]);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Writes them below a folder that stands for the package's own. */
export function write(folder, found) {
  for (const [name, contents] of found) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, contents);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = await files();
  if (process.argv[2]) {
    write(path.resolve(process.argv[2], 'javascript'), found);
  } else {
    fs.rmSync(at('dist'), { recursive: true, force: true });
    write(root, found);
  }
}
