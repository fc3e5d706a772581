// servers - who is measured: how each is found, started, and spoken to by xsockets-bench.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

// \r and \n are escapes of xsockets-bench's templates, and go to it as they stand here.
const r = String.raw;
const CONNECT = r`CONNECT {"verbose":false,"pedantic":false}\r\n`;

// Our own two peers give back what comes on the path /echo, and have a room on the path /room.
const ROOM = ['--protocol', 'ws', '--path', '/room', '--subscribe', 'subscribe', '--subscribed', 'subscribed'];
const webSocket = { echo: ['--protocol', 'ws', '--path', '/echo'], fanout: ROOM, idle: ROOM };

const NATS = ['--protocol', 'tcp', '--ping', r`PING\r\n`, '--pong', r`PONG\r\n`, '--hello', CONNECT];
const NATS_NEWS = [...NATS, '--hello', r`PING\r\n`, '--await', r`PONG\r\n`,
    '--subscribe', r`SUB news 1\r\nPING\r\n`, '--subscribed', r`PONG\r\n`];
const nats = {
    echo: [...NATS, '--hello', r`SUB e.{number} 1\r\nPING\r\n`, '--await', r`PONG\r\n`,
        '--send', r`PUB e.{number} {size}\r\n{payload}\r\n`, '--expect', r`MSG e.{number} 1 {size}\r\n{payload}\r\n`],
    fanout: [...NATS_NEWS, '--send', r`PUB news {size}\r\n{payload}\r\n`, '--expect', r`MSG news 1 {size}\r\n{payload}\r\n`],
    idle: NATS_NEWS,
};

const REDIS = ['--protocol', 'tcp'];
const REDIS_NEWS = [...REDIS, '--subscribe', r`*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nnews\r\n`, '--subscribed', r`:1\r\n`];
const redis = {
    echo: [...REDIS, '--send', r`*2\r\n$4\r\nECHO\r\n` + '${size}' + r`\r\n{payload}\r\n`, '--expect', '${size}' + r`\r\n{payload}\r\n`],
    fanout: [...REDIS_NEWS, '--send', r`*3\r\n$7\r\nPUBLISH\r\n$4\r\nnews\r\n` + '${size}' + r`\r\n{payload}\r\n`,
        '--expect', r`*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n` + '${size}' + r`\r\n{payload}\r\n`],
    idle: REDIS_NEWS,
};

const said = (command, ...args) => execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
const works = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

function installed(command, needs) {
    return works(command, '--version') ? null : needs;
}

// The room of the peers that are built on demand, beside everything else that is built.
function workshop(where) {
    fs.mkdirSync(where.workshop, { recursive: true });
    return where.workshop;
}

function buildLws(where) {
    if (!works('pkg-config', '--exists', 'libwebsockets')) return 'libwebsockets-dev';
    const flags = said('pkg-config', '--cflags', '--libs', 'libwebsockets').split(/\s+/);
    const built = spawnSync('cc', ['-std=c11', '-D_GNU_SOURCE', '-O2', path.join(where.peers, 'lws.c'), '-o', path.join(workshop(where), 'lws'), ...flags],
        { encoding: 'utf8' });
    return built.status === 0 ? null : `a compiler that builds bench/peers/lws.c: ${built.error?.message ?? built.stderr.trim()}`;
}

function installWs(where) {
    const folder = path.join(workshop(where), 'ws');
    const files = ['package.json', 'package-lock.json', '.npmrc'];
    const same = (file) => fs.existsSync(path.join(folder, file)) &&
        fs.readFileSync(path.join(folder, file)).equals(fs.readFileSync(path.join(where.peers, file)));
    if (files.every(same) && fs.existsSync(path.join(folder, 'node_modules/ws'))) return null;
    fs.mkdirSync(folder, { recursive: true });
    for (const file of files) fs.copyFileSync(path.join(where.peers, file), path.join(folder, file));
    const done = spawnSync('npm', ['ci'], { cwd: folder, encoding: 'utf8' });
    if (done.error) return 'npm';
    return done.status === 0 ? null : 'ws, which npm could not install';
}

// id: { title, needs(where): null or what is to be installed, version(where), command({ where, port, folder, settings }),
//   tells: it takes a port of its own and prints "port N", speaks: { mode: options of xsockets-bench } }
// `where` has the paths: build, bench, peers, workshop.
export const servers = {
    limit: {
        title: 'limit',
        needs: () => null,
        version: () => 'bench/limit',
        command: ({ where }) => [path.join(where.build, 'bench/limit'), '--port', '0', '--seconds', '3600'],
        tells: true,
        speaks: (mode, protocol = 'xsocketsnet') => ['--server', 'limit', '--protocol', protocol],
    },
    xsocketsd: {
        title: 'xsocketsd',
        needs: () => null,
        version: (where) => said(path.join(where.build, 'xsocketsd'), '-V').split('\n')[0],
        command: ({ where, port, settings = {} }) => [path.join(where.build, 'xsocketsd'), '-c', path.join(where.bench, 'bench.ini'),
            '-D', `server.module_path=${path.join(where.build, 'modules')}`, '-D', `endpoint bench.port=${port}`,
            ...Object.entries(settings).flatMap(([key, value]) => ['-D', `${key}=${value}`])],
        speaks: (mode, protocol = 'xsocketsnet') => ['--protocol', protocol],
    },
    redis: {
        title: 'redis',
        peer: true,
        needs: () => installed('redis-server', 'redis-server'),
        version: () => `redis ${/v=(\S+)/.exec(said('redis-server', '--version'))[1]}, ECHO and PUBLISH over TCP`,
        command: ({ where, port, folder }) => ['redis-server', path.join(where.peers, 'redis.conf'), '--port', String(port), '--dir', folder],
        speaks: (mode) => redis[mode],
    },
    nats: {
        title: 'nats-server',
        peer: true,
        needs: () => installed('nats-server', 'nats-server'),
        version: () => `nats-server ${/v?(\d\S*)$/.exec(said('nats-server', '--version'))[1]}, over TCP`,
        command: ({ where, port }) => ['nats-server', '-c', path.join(where.peers, 'nats.conf'), '-p', String(port)],
        speaks: (mode) => nats[mode],
    },
    lws: {
        title: 'libwebsockets',
        peer: true,
        needs: buildLws,
        version: () => `libwebsockets ${said('pkg-config', '--modversion', 'libwebsockets').replace(/-$/, '')}, bench/peers/lws.c`,
        command: ({ where }) => [path.join(where.workshop, 'lws')],
        tells: true,
        speaks: (mode) => webSocket[mode],
    },
    ws: {
        title: 'node ws',
        peer: true,
        needs: installWs,
        version: (where) => `ws ${JSON.parse(fs.readFileSync(path.join(where.workshop, 'ws/node_modules/ws/package.json'), 'utf8')).version} ` +
            `on node ${process.versions.node}, bench/peers/node-ws.mjs`,
        command: ({ where }) => [process.execPath, path.join(where.peers, 'node-ws.mjs'), path.join(where.workshop, 'ws')],
        tells: true,
        speaks: (mode) => webSocket[mode],
    },
};

export const names = Object.keys(servers);
export const peers = names.filter((name) => servers[name].peer);
export const everybody = names;
