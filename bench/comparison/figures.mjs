// figures - what is measured, row by row. A figure has turns, one for each server or kind of it; a turn says what the
// server is started with and what xsockets-bench is told.
import { everybody, peers, servers } from './servers.mjs';

const ours = ['limit', 'xsocketsd'];

// { mode, protocol, size, inFlight, connections, object, topics } as options of xsockets-bench, for one server.
export function toolOptions(server, { mode, protocol, ...load }) {
    const names = { size: '--size', inFlight: '--in-flight', connections: '--connections', topics: '--topics' };
    return [mode, ...servers[server].speaks(mode, protocol),
        ...Object.entries(names).flatMap(([key, option]) => (load[key] === undefined ? [] : [option, String(load[key])])),
        ...(load.object ? ['--object'] : [])];
}

const turn = (server, load, more = {}) => ({ who: server, server, load, ...more });

// One load for several servers.
function figure(id, title, at, load, more = {}) {
    return { id, title, value: 'per_second', base: { figure: more.from ?? id, who: 'limit' }, turns: at.map((server) => turn(server, load)), ...more };
}

const oneRoom = { 'subprotocol native.controller': 'chat', 'subprotocol native.topic': 'news', 'subprotocol native.subscribe': 'news' };
const counted = { counted: true };

export const figures = [
    figure('echo-x1', 'echo 64 B, 1 in flight', everybody, { mode: 'echo' }, { goal: { share: 0.95 } }),
    figure('echo-x16', 'echo 64 B, 16 in flight', ours, { mode: 'echo', inFlight: 16 }, { goal: { share: 0.75, user: 0.25 } }),
    figure('echo-object', 'echo 64 B object, 16 in flight', ours, { mode: 'echo', inFlight: 16, object: true }, { goal: { share: 0.65 } }),
    figure('native-x16', 'native echo 64 B, 16 in flight', everybody, { mode: 'echo', protocol: 'native', inFlight: 16 }, { goal: { share: 0.95 } }),
    figure('native-1k', 'native echo 1 KiB, 16 in flight', everybody, { mode: 'echo', protocol: 'native', inFlight: 16, size: 1024 },
        { goal: { share: 0.95 } }),
    figure('fanout-x1', 'fan-out 1,000 x 64 B, 1 in flight', everybody, { mode: 'fanout' }, { goal: { share: 0.95 } }),
    figure('fanout-x16', 'fan-out 1,000 x 64 B, 16 in flight', everybody, { mode: 'fanout', inFlight: 16 }, { goal: { share: 0.90 } }),
    figure('fanout-512', 'fan-out 1,000 x 512 B, 16 in flight', everybody, { mode: 'fanout', inFlight: 16, size: 512 }),
    {
        id: 'fanout-mixed', title: 'fan-out, four protocols in one room, 16 in flight', value: 'per_second', goal: { share: 0.85 },
        base: { figure: 'fanout-x16', who: 'xsocketsd', called: 'all XSocketsNET' },
        turns: [turn('xsocketsd', { mode: 'fanout', protocol: 'mixed', inFlight: 16 }, { settings: oneRoom })],
    },
    {
        id: 'fanout-workers', title: 'fan-out 1,000 x 64 B, 2 workers, all cores free to both', value: 'per_second', goal: { same: true },
        base: { figure: 'fanout-workers', who: 'one', called: '1 worker, the same' },
        turns: [turn('xsocketsd', { mode: 'fanout', inFlight: 16 }, { who: 'one', free: true }),
            turn('xsocketsd', { mode: 'fanout', inFlight: 16 }, { free: true, settings: { 'server.workers': 2 } })],
    },
    {
        id: 'topics', title: 'publish to 1 subscriber of 1 topic, among 100,000 topics', value: 'per_second', goal: { same: true },
        base: { figure: 'topics', who: 'ten', called: 'among 10 topics' },
        turns: [turn('xsocketsd', { mode: 'fanout', inFlight: 16, connections: 1 }, { who: 'ten', otherTopics: 9 }),
            turn('xsocketsd', { mode: 'fanout', inFlight: 16, connections: 1 }, { otherTopics: 99_999 })],
    },
    figure('connect', 'connects, with handshake and open', ours, { mode: 'connect' }, { goal: { share: 0.60 } }),
    figure('lone', 'lone client, p50', ours, { mode: 'echo', connections: 1 }, { value: 'p50', lower: true }),
    figure('lone-p99', 'lone client, p99', [], {}, { value: 'p99', lower: true, from: 'lone' }),
    figure('idle', 'idle connection, 10,000 open', everybody, { mode: 'idle', connections: 10_000 },
        { value: 'bytes', lower: true, rounds: 2, goal: { most: 700 } }),
    { id: 'malloc-64', title: 'heap calls for each echoed message of 64 B', value: 'mallocs', rounds: 1, goal: { most: 0 },
        turns: [turn('xsocketsd', { mode: 'echo', inFlight: 16 }, counted)] },
    { id: 'malloc-1k', title: 'heap calls for each echoed message of 1 KiB', value: 'mallocs', rounds: 1, goal: { most: 0 },
        turns: [turn('xsocketsd', { mode: 'echo', inFlight: 16, size: 1024 }, counted)] },
    { id: 'malloc-fanout', title: 'heap calls for each delivery to 1,000 subscribers', value: 'mallocs', rounds: 1, goal: { most: 0 },
        turns: [turn('xsocketsd', { mode: 'fanout', inFlight: 16 }, counted)] },
];

// What a result of xsockets-bench is worth to a figure.
export const values = {
    per_second: (result) => result.per_second,
    bytes: (result) => result.bytes_per_connection,
    mallocs: (result) => result.mallocs_per_message,
    p50: (result) => result.latency_us?.p50,
    p99: (result) => result.latency_us?.p99,
};

// The plots of growth: lines of points, each one a turn. Peers get every other point.
const decades = [10, 30, 100, 300, 1000, 3000, 10_000];
const sizes = [16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576];
const largeMessages = { 'limits.message': '2MiB' };

// As many as 16, but together not much more than 256 KiB for each client.
export const inFlightFor = (size) => Math.max(1, Math.min(16, Math.floor(262_144 / size)));

const line = (server, label, points, make) => ({ server, label, points: points.map((x) => ({ x, turn: make(x) })) });
const everyOther = (points) => points.filter((_, index) => index % 2 === 0);

const echoOf = (inFlight) => (server, label) => line(server, label, decades, (x) => turn(server, { mode: 'echo', connections: x, inFlight }));
const fanoutOf = (server, points) => line(server, servers[server].title, points, (x) => turn(server, { mode: 'fanout', connections: x, inFlight: 16 }));
const sizeOf = (server, label, protocol) => line(server, label, server === 'limit' ? sizes.filter((size) => size <= 65_536) : sizes, (x) => turn(server,
    { mode: 'echo', protocol, connections: 16, inFlight: inFlightFor(x), size: x }, { settings: server === 'xsocketsd' ? largeMessages : undefined }));

export const growth = [
    {
        id: 'connections-echo', title: 'Echo as connections grow', x: 'connections', y: 'messages/s',
        note: '64 B; 16 or 1 in flight for each connection',
        lines: [echoOf(16)('limit', 'limit x16'), echoOf(16)('xsocketsd', 'xsocketsd x16'), echoOf(1)('limit', 'limit x1'), echoOf(1)('xsocketsd', 'xsocketsd x1'),
            ...peers.map((peer) => line(peer, `${servers[peer].title} x16`, everyOther(decades), (x) => turn(peer, { mode: 'echo', connections: x, inFlight: 16 })))],
    },
    {
        id: 'connections-fanout', title: 'Fan-out as subscribers grow', x: 'subscribers', y: 'deliveries/s',
        note: '64 B, one publisher, 16 publishes in flight',
        lines: [fanoutOf('limit', decades), fanoutOf('xsocketsd', decades), ...peers.map((peer) => fanoutOf(peer, everyOther(decades)))],
    },
    {
        id: 'topics', title: 'Publishing as topics grow', x: 'topics', y: 'deliveries/s', linear: true,
        note: 'xsocketsd; one subscriber for each message, 64 B, 16 publishes in flight',
        lines: [
            line('xsocketsd', 'one topic in use', [10, 100, 1000, 10_000, 100_000], (x) => turn('xsocketsd',
                { mode: 'fanout', connections: 1, inFlight: 16 }, { otherTopics: x - 1 })),
            line('xsocketsd', 'all in use, in turn', [10, 100, 1000, 10_000, 100_000], (x) => turn('xsocketsd',
                { mode: 'fanout', connections: 10, inFlight: 16, topics: x }, { settings: { 'limits.subscriptions': 100_000 } })),
        ],
    },
    {
        id: 'sizes', title: 'Echo as messages grow', x: 'bytes a message', y: 'messages/s', bytes: true,
        // The limit takes frames of up to 128 KiB.
        note: '16 connections, up to 16 messages or 256 KiB in flight for each',
        lines: [sizeOf('limit', 'limit', 'native'), sizeOf('xsocketsd', 'xsocketsd native', 'native'), sizeOf('xsocketsd', 'xsocketsd XSocketsNET'),
            ...peers.map((peer) => line(peer, servers[peer].title, everyOther(sizes), (x) => turn(peer,
                { mode: 'echo', connections: 16, inFlight: inFlightFor(x), size: x })))],
    },
];

// The figures whose name holds the word, with what they are compared with.
export function chosen(list, word) {
    const wanted = list.filter((one) => `${one.id} ${one.title}`.toLowerCase().includes(word.toLowerCase()));
    const needed = new Set(wanted.flatMap((one) => [one.id, one.base?.figure, one.from]));
    return list.filter((one) => needed.has(one.id));
}
