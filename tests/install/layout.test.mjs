// layout - what `cmake --install` puts where, and that it works from there. XS_STAGE is the installed
// tree, XS_BUILD the build folder it came from; scripts/test makes both.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const stage = process.env.XS_STAGE;
const build = process.env.XS_BUILD;
assert.ok(stage && build, 'XS_STAGE and XS_BUILD must be set: run scripts/test install');

const at = (...parts) => path.join(stage, ...parts);
const list = (folder, suffix) => fs.readdirSync(folder).filter((name) => name.endsWith(suffix)).sort();
const pkgConfig = (...args) => execFileSync('pkg-config', [...args, 'xsockets'], {
    env: { ...process.env, PKG_CONFIG_PATH: at('lib/pkgconfig') },
}).toString().trim();

function folder() {
    return fs.mkdtempSync(path.join(os.tmpdir(), 'xsockets-install-'));
}

test('the daemon, the load generator, all modules and all headers are in their places', () => {
    assert.deepEqual(fs.readdirSync(at('bin')).sort(), ['xsockets-bench', 'xsocketsd']);
    for (const program of fs.readdirSync(at('bin'))) fs.accessSync(at('bin', program), fs.constants.X_OK);
    const modules = list(path.join(build, 'modules'), '.so');
    assert.ok(modules.length >= 12, `only ${modules.length} modules`);
    assert.deepEqual(list(at('lib/xsockets'), '.so'), modules);
    assert.deepEqual(list(at('include/xsockets'), '.h'), list(path.join(root, 'include/xsockets'), '.h'));
    for (const page of ['README.md', 'CHANGELOG.md', 'LICENSE', ...list(path.join(root, 'docs'), '.md')])
        fs.accessSync(at('share/doc/xsockets', page));
    assert.deepEqual(fs.readdirSync(at('share/xsocketsd/page')), fs.readdirSync(path.join(root, 'clients/page')));
    for (const file of ['lib/pkgconfig/xsockets.pc', 'lib/cmake/xsockets/xsocketsConfig.cmake',
        'lib/cmake/xsockets/xsocketsConfigVersion.cmake', 'lib/systemd/system/xsocketsd.service',
        'etc/xsockets/server.ini', 'share/doc/xsockets/examples/server.ini'])
        fs.accessSync(at(file));
});

test('the installed daemon tells its version and that of its module interface', () => {
    const said = execFileSync(at('bin/xsocketsd'), ['-V']).toString();
    assert.ok(said.includes(pkgConfig('--modversion')), said);
    assert.ok(said.includes(pkgConfig('--variable=abi')), said);
});

test('the installed load generator tells the same version', () => {
    assert.equal(execFileSync(at('bin/xsockets-bench'), ['--version']).toString(), `xsockets-bench ${pkgConfig('--modversion')}\n`);
});

test('the installed configuration passes its own test with the installed modules', () => {
    const tested = spawnSync(at('bin/xsocketsd'), ['-t', '-c', at('etc/xsockets/server.ini')]);
    assert.equal(tested.status, 0, tested.stdout.toString() + tested.stderr.toString());
});

test('a configuration that is there already is not written over', () => {
    const ini = at('etc/xsockets/server.ini');
    const before = fs.readFileSync(ini);
    fs.writeFileSync(ini, '; mine\n');
    try {
        execFileSync('cmake', ['--install', build], { stdio: 'pipe' });
        assert.equal(fs.readFileSync(ini, 'utf8'), '; mine\n');
    } finally {
        fs.writeFileSync(ini, before);
    }
});

test('an installation with another prefix and DESTDIR names its own paths', () => {
    const dest = folder();
    try {
        execFileSync('cmake', ['--install', build, '--prefix', '/usr'],
            { stdio: 'pipe', env: { ...process.env, DESTDIR: dest } });
        const unit = fs.readFileSync(path.join(dest, 'usr/lib/systemd/system/xsocketsd.service'), 'utf8');
        assert.match(unit, /^ExecStart=\/usr\/bin\/xsocketsd -c \/etc\/xsockets\/server\.ini$/m);
        fs.accessSync(path.join(dest, 'etc/xsockets/server.ini'));
    } finally {
        fs.rmSync(dest, { recursive: true });
    }
});

test('pkg-config gives what a module is built with, wherever the tree has been moved', () => {
    assert.equal(path.resolve(pkgConfig('--variable=moduledir')), at('lib/xsockets'));
    assert.match(pkgConfig('--variable=abi'), /^\d+\.\d+$/);
    const moved = folder();
    try {
        fs.cpSync(at('lib/pkgconfig'), path.join(moved, 'lib/pkgconfig'), { recursive: true });
        const flags = execFileSync('pkg-config', ['--cflags', 'xsockets'],
            { env: { ...process.env, PKG_CONFIG_PATH: path.join(moved, 'lib/pkgconfig') } }).toString().trim();
        assert.equal(path.resolve(flags.replace(/^-I/, '')), path.join(moved, 'include'));
    } finally {
        fs.rmSync(moved, { recursive: true });
    }
});

test('a module is built with the CMake package and accepted by the daemon', () => {
    const project = folder();
    try {
        fs.copyFileSync(path.join(root, 'modules/controllers/echo/echo.c'), path.join(project, 'mirror.c'));
        fs.writeFileSync(path.join(project, 'CMakeLists.txt'), `
cmake_minimum_required(VERSION 3.18)
project(mirror C)
find_package(xsockets ${pkgConfig('--modversion')} REQUIRED)
add_library(mirror MODULE mirror.c)
target_link_libraries(mirror PRIVATE xsockets::xsockets)
set_target_properties(mirror PROPERTIES PREFIX "" C_STANDARD 11)
file(WRITE \${CMAKE_BINARY_DIR}/told "\${xsockets_MODULE_DIR}")
`);
        execFileSync('cmake', ['-S', project, '-B', path.join(project, 'build'), '-G', 'Ninja',
            `-DCMAKE_PREFIX_PATH=${stage}`], { stdio: 'pipe' });
        execFileSync('cmake', ['--build', path.join(project, 'build')], { stdio: 'pipe' });
        assert.equal(fs.readFileSync(path.join(project, 'build/told'), 'utf8'), at('lib/xsockets'));

        const ini = path.join(project, 'test.ini');
        fs.writeFileSync(ini, `[endpoint public]\naddress = 127.0.0.1\nport = 4502\n
[controller echo]\nmodule = ${path.join(project, 'build/mirror.so')}\n`);
        const tested = spawnSync(at('bin/xsocketsd'), ['-t', '-c', ini]);
        assert.equal(tested.status, 0, tested.stdout.toString() + tested.stderr.toString());
    } finally {
        fs.rmSync(project, { recursive: true });
    }
});

const analyze = spawnSync('systemd-analyze', ['--version']).error ? null : 'systemd-analyze';

test('systemd-analyze finds nothing wrong with the unit, and little that it exposes', (t) => {
    const unit = at('lib/systemd/system/xsocketsd.service');
    if (!analyze) {
        t.diagnostic('there is no systemd-analyze here: only the file was looked at');
        assert.match(fs.readFileSync(unit, 'utf8'), /^Type=notify$/m);
        return;
    }
    const verified = spawnSync(analyze, ['verify', '--man=no', unit]);
    // What it says of other units of this machine is not ours.
    const ours = verified.stderr.toString().split('\n').filter((line) => line.includes('xsocketsd'));
    assert.deepEqual(ours, []);
    const secure = spawnSync(analyze, ['security', '--offline=true', '--threshold=20', '--no-pager', unit]);
    assert.equal(secure.status, 0, secure.stdout.toString() + secure.stderr.toString());
    const level = /Overall exposure level for xsocketsd\.service: ([\d.]+)/.exec(secure.stdout.toString());
    assert.ok(level && Number(level[1]) <= 2.0, secure.stdout.toString());
});

test('the unit waits longer for the end than the daemon may take to drain', () => {
    const unit = fs.readFileSync(at('lib/systemd/system/xsocketsd.service'), 'utf8');
    const stop = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)[1]);
    const drain = /^[;#]?\s*drain_timeout\s*=\s*(\d+)s/m.exec(fs.readFileSync(at('etc/xsockets/server.ini'), 'utf8'));
    assert.ok(drain, 'server.ini has no drain_timeout in seconds');
    assert.ok(stop > Number(drain[1]) + 1);
});
