// source - a file of src/, for a test of something that the package does not show.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

export async function source(name) {
  const { outputFiles } = await build({
    absWorkingDir: root, entryPoints: [`src/${name}.ts`], bundle: true, write: false, format: 'esm', target: 'es2022',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}
