// module - builds a module of the tests against the public headers, as a stranger would.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root } from './daemon.mjs';

// The shared object's path; it lies in `dir`.
export function build(name, dir) {
    const object = path.join(dir, `${name}.so`);
    execFileSync(process.env.CC ?? 'cc', ['-std=c11', '-Wall', '-Wextra', '-Werror', '-I', path.join(root, 'include'), '-shared', '-fPIC',
        '-o', object, path.join(root, 'tests/scenarios/modules', `${name}.c`)], { stdio: ['ignore', 'pipe', 'pipe'] });
    return object;
}

// What a controller of menace.c waits behind: it stands still until open().
export function gate(dir) {
    const file = path.join(dir, `gate-${gates++}`);
    return { path: file, open: () => fs.writeFileSync(file, '') };
}
let gates = 0;
