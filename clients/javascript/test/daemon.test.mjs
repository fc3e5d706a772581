// The client and the real daemon, over real sockets.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { connect } from 'xsockets';
import { text } from '../../../tests/scenarios/lib/clients.mjs';
import { root } from '../../../tests/scenarios/lib/daemon.mjs';
import { WebSocket, join, next, start, story, urlOf } from './lib/real.mjs';
import { watch } from './lib/fake.mjs';

// The same port again, as after a restart.
const restart = (s, daemon, sections = {}) => start(s, { ...sections, 'endpoint main': { port: daemon.port, ...sections['endpoint main'] } });

story('requests, errors, void actions and properties', async (s) => {
  const client = join(s, urlOf(await start(s)));
  await client.open();
  const echo = client.controller('Echo'), chat = client.controller('chat'), demo = client.controller('demo');
  for (const data of [null, 0, -1.5, true, '', 'text', '"quoted"', '{"a":1}', 'é€😀\u0000|\n', [], [1, [2]], {}, { a: { b: '😀' } }])
    assert.deepEqual(await echo.invoke('Any/Topic', data), data);
  assert.equal(await echo.invoke('x'), null);
  assert.equal(await chat.invoke('say', 'to the room'), undefined);
  await assert.rejects(demo.invoke('foo', { s: 'a', i: 'x' }), { name: 'ServerError', controller: 'demo', message: '"i" must be an integer' });
  await assert.rejects(client.controller('nobody').invoke('x'), { name: 'ServerError', controller: '', message: 'Unknown controller' });
  await assert.rejects(client.controller('nobody').open(), { message: 'Unknown controller' });
  assert.equal(await chat.set('Username', 'anna'), undefined);
  assert.equal(await chat.get('userNAME'), 'anna');
  await assert.rejects(chat.get('nope'), { message: 'There is no such property' });
  await assert.rejects(chat.set('nope', 1), { message: 'There is no such property' });
  await assert.rejects(chat.invoke('a+b'), { message: 'This topic is reserved for the server' });
  assert.deepEqual(await client.controller('online').invoke('who'), { count: 1, names: [] });
});

story('concurrent requests of one topic, errors among them, find each its own answer', async (s) => {
  const client = join(s, urlOf(await start(s)));
  await client.open();
  const echo = client.controller('echo'), demo = client.controller('demo');
  const asked = Array.from({ length: 100 }, (_, i) => watch(i % 3 === 0 ? demo.invoke('foo', { s: 'a', i: `x${i}` }) : echo.invoke('foo', i)));
  await echo.invoke('foo', 'the last one');
  for (const [i, { ended }] of asked.entries()) {
    if (i % 3 === 0) assert.equal(ended.error.message, '"i" must be an integer');
    else assert.equal(ended.value, i);
  }
});

story('what one publishes reaches subscribers and people with a terminal, and the other way round', async (s) => {
  const daemon = await start(s);
  const [anna, bert] = [join(s, urlOf(daemon)), join(s, urlOf(daemon))];
  const line = await text(s, { open: 'chat' });
  await Promise.all([anna.open(), bert.open()]);
  const heard = [];
  const [hers, his] = [anna.controller('chat'), bert.controller('chat')];
  hers.on('say', (data) => heard.push(['say', data]));
  await hers.subscribe('News/#', (data, { topic }) => heard.push([topic, data]));
  const third = await hers.subscribe('news/+', (data, { topic }) => heard.push(['+', topic, data]));
  await his.invoke('news/sport', { home: 1 });
  await his.invoke('News/Far/Away', 2);
  await his.invoke('other', 3);
  await his.invoke('say', 'hello');
  await line.expect('chat|say|"hello"');
  line.line('chat|say|from a terminal');
  await line.expect('chat|say|"from a terminal"');
  await hers.get('room'); // what was said before has come
  assert.deepEqual(heard.splice(0), [['news/sport', { home: 1 }], ['+', 'news/sport', { home: 1 }], ['news/far/away', 2], ['say', 'hello'], ['say', 'from a terminal']]);
  third.unsubscribe();
  hers.unsubscribe('news/#');
  await his.invoke('news/sport', 4);
  await hers.get('room');
  assert.deepEqual(heard, []);
  await assert.rejects(hers.subscribe('a/#/b'), { message: 'Nobody can subscribe to this topic' });
});

story('filters match here what they match at the server', async (s) => {
  const daemon = await start(s);
  const client = join(s, urlOf(daemon), { outbox: { bytes: 1 << 24 } });
  await client.open();
  const chat = client.controller('chat');
  const parts = ['a', 'b', ''];
  const topics = parts.flatMap((x) => [x, ...parts.flatMap((y) => [`${x}/${y}`, ...parts.map((z) => `${x}/${y}/${z}`)])]).filter((topic) => topic !== '');
  const filters = ['#', '+', 'a', 'a/#', 'a/+', '+/#', '+/+', 'a/+/#', 'a/b/#', '+/b', '+/b/+', 'a/b', '/#', '/+', 'a/+/b', '+/+/+', '+/+/#'];
  for (const filter of filters) {
    const here = [], there = [];
    const on = chat.on(filter, (data, { topic }) => here.push(topic));
    const subscription = await chat.subscribe(filter);
    const seen = ({ detail }) => there.push(detail.topic);
    client.addEventListener('message', seen);
    for (const topic of topics) chat.publish(topic, 1);
    await chat.get('room');
    client.removeEventListener('message', seen);
    assert.ok(there.length > 0);
    assert.deepEqual(here, there, `${filter}: all that the server sent`);
    // And what the server did not send would not have matched either.
    const { matches } = await import('./lib/source.mjs').then(({ source }) => source('names'));
    assert.deepEqual(topics.filter((topic) => matches(filter, topic)), there, filter);
    subscription.unsubscribe();
    on();
  }
});

story('binary messages go both ways', async (s) => {
  const daemon = await start(s);
  const [anna, bert] = [join(s, urlOf(daemon)), join(s, urlOf(daemon))];
  await Promise.all([anna.open(), bert.open()]);
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i * 7);
  const stream = bert.controller('chat').messages('say', { subscribe: false });
  await bert.controller('chat').open();
  await anna.controller('chat').invoke('say', { name: 'é€😀.txt' }, { bytes });
  await anna.controller('chat').invoke('say', undefined, { bytes: new Uint8Array(0) });
  const { value: first } = await stream.next(), { value: second } = await stream.next();
  assert.deepEqual(first.data, { name: 'é€😀.txt' });
  assert.deepEqual(first.bytes, bytes);
  assert.equal(second.bytes.length, 0);
  const echo = anna.controller('echo');
  const answers = await Promise.all([1, 2, 3].map((n) => echo.request('x', { n }, { bytes: bytes.subarray(0, n) })));
  assert.deepEqual(answers.map(({ data, bytes: got }) => [data.n, [...got]]), [[1, [0]], [2, [0, 7]], [3, [0, 7, 14]]]);
});

story('a stream over a topic', async (s) => {
  const daemon = await start(s);
  const client = join(s, urlOf(daemon));
  await client.open();
  const chat = client.controller('chat');
  const stream = chat.messages('count/+', { buffer: 3 });
  await chat.get('room');
  for (let i = 0; i < 5; i++) chat.publish(`count/${i}`, i);
  await chat.get('room');
  assert.equal(stream.dropped, 2);
  const got = [];
  for await (const { topic, data } of stream) {
    got.push([topic, data]);
    if (data === 4) break;
  }
  assert.deepEqual(got, [['count/2', 2], ['count/3', 3], ['count/4', 4]]);
  assert.equal((await daemon.statsUntil('nobody is subscribed', ({ subscriptions }) => subscriptions === 0)).subscriptions, 0);
});

story('a restart of the daemon in the middle: everything comes back', async (s) => {
  const daemon = await start(s);
  const kept = new Map();
  const store = { get: (key) => kept.get(key), set: (key, id) => kept.set(key, id) };
  const client = join(s, urlOf(daemon), { store });
  await client.open();
  const chat = client.controller('chat'), echo = client.controller('echo');
  const heard = [];
  chat.on('say', (data) => heard.push(data));
  await chat.set('room', 'attic', { keep: true });
  await chat.subscribe('news/+', (data) => heard.push(data));
  const stream = chat.messages('news/#');
  await echo.open();
  const before = { persistentId: client.persistentId, id: chat.id };
  const lost = next(client, 'reconnecting');
  await daemon.stop();
  const { code, attempt } = await lost;
  assert.deepEqual([code, attempt], [1001, 1]);
  assert.equal(chat.state, 'closed');
  // Said while nobody listens.
  const asked = echo.invoke('x', 'while away');
  const stop = new AbortController();
  const aborted = watch(chat.invoke('news/never', 'aborted', { signal: stop.signal }));
  chat.publish('news/after', 'published while away');
  chat.publish('say', 'said while away');
  stop.abort();
  assert.equal(client.waiting, 3);
  const gap = next(client, 'gap');
  await restart(s, daemon);
  assert.equal(await asked, 'while away');
  await gap;
  assert.equal(await chat.get('room'), 'attic');
  assert.equal(client.waiting, 0);
  assert.equal(client.persistentId, before.persistentId);
  assert.deepEqual([...kept], [[urlOf(daemon), before.persistentId]]);
  assert.notEqual(chat.id, before.id);
  // In the attic it hears itself; the aborted one never went out.
  await chat.invoke('news/done');
  assert.deepEqual(heard, ['published while away', 'said while away', null]);
  assert.equal(aborted.ended.error.name, 'AbortError');
  assert.deepEqual([(await stream.next()).value.topic, (await stream.next()).value.topic], ['news/after', 'news/done']);
});

story('a request on its way when the daemon is killed rejects, one that waited is answered', async (s) => {
  const daemon = await start(s);
  const client = join(s, urlOf(daemon));
  await client.open();
  const echo = client.controller('echo');
  await echo.open();
  daemon.child.kill('SIGSTOP');
  const asked = watch(echo.invoke('x', 1));
  const lost = next(client, 'reconnecting');
  daemon.expectedEnd = true;
  daemon.child.kill('SIGKILL');
  assert.equal((await lost).code, 1006);
  const waits = echo.invoke('x', 2);
  await restart(s, daemon);
  assert.equal(await waits, 2);
  assert.deepEqual([asked.ended.error.code, asked.ended.error.message], ['lost', 'The connection was lost before the answer came']);
});

story('a daemon that stands still is noticed, and found again', async (s) => {
  const daemon = await start(s);
  const client = join(s, urlOf(daemon), { heartbeat: { interval: 100, timeout: 1000 }, connectTimeout: 1000 });
  await client.open();
  const chat = client.controller('chat');
  await chat.open();
  const noticed = next(client, 'reconnecting', ({ error }) => error?.message === 'No sign of life within 1000 ms');
  // Attempts are made and given up meanwhile.
  const tried = next(client, 'reconnecting', ({ error }) => error?.message === 'No answer within 1000 ms');
  daemon.child.kill('SIGSTOP');
  await noticed;
  await tried;
  const opened = next(chat, 'open');
  daemon.child.kill('SIGCONT');
  await opened;
});

story('a daemon that comes late is waited for', async (s) => {
  const first = await start(s);
  await first.stop();
  const client = join(s, urlOf(first));
  const opening = client.open();
  const { error, code } = await next(client, 'reconnecting');
  assert.equal(code, 1006);
  assert.match(error.message, /ECONNREFUSED/);
  await assert.rejects(connect(urlOf(first), { WebSocket, store: false }), { code: 'failed', message: /^No connection: .*ECONNREFUSED/ });
  await restart(s, first);
  assert.equal(await opening, client);
});

story('a client that said nothing for too long is welcome again', async (s) => {
  const daemon = await start(s, { 'endpoint main': { idle_timeout: '100ms', heartbeat: '0' } });
  const client = join(s, urlOf(daemon), { heartbeat: false });
  await client.open();
  const lost = next(client, 'reconnecting');
  const back = next(client, 'open');
  const { code, reason } = await lost;
  assert.deepEqual([code, reason], [1008, 'nothing came for too long']);
  await back;
});

test('the words that welcome a client again are those of the daemon', () => {
  const reasons = fs.readFileSync(path.join(root, 'include/xsockets/connection.h'), 'utf8');
  const client = fs.readFileSync(path.join(root, 'clients/javascript/src/client.ts'), 'utf8');
  const [, words] = /const WELCOME_AGAIN = \[(.*)\];/.exec(client);
  assert.deepEqual(words.split(', ').map((word) => word.replaceAll("'", '"')),
    ['SLOW', 'IDLE_TIMEOUT'].map((name) => new RegExp(`X\\(${name}, 1008, (".*?")\\)`).exec(reasons)[1]));
});

story('the heartbeat keeps a silent client', async (s) => {
  const daemon = await start(s, { 'endpoint main': { idle_timeout: '2s', heartbeat: '0' } });
  const client = join(s, urlOf(daemon), { heartbeat: { interval: 100, timeout: 10_000 } });
  await client.open();
  const silent = join(s, urlOf(daemon), { heartbeat: false });
  await silent.open();
  await next(silent, 'reconnecting');
  assert.deepEqual(client.told.filter(({ type }) => type === 'reconnecting'), []);
});

story('clients with one store are one person', async (s) => {
  const daemon = await start(s);
  const kept = new Map();
  const store = { get: async (key) => kept.get(key), set: async (key, id) => void kept.set(key, id) };
  const first = join(s, urlOf(daemon), { store });
  await first.open();
  await first.controller('chat').open();
  const second = join(s, urlOf(daemon), { store });
  await second.open();
  await second.controller('chat').open();
  assert.equal(second.persistentId, first.persistentId);
  assert.notEqual(second.controller('chat').id, first.controller('chat').id);
  const stranger = join(s, urlOf(daemon));
  await stranger.open();
  await stranger.controller('chat').open();
  assert.notEqual(stranger.persistentId, first.persistentId);
});

story('leaving a controller and coming back', async (s) => {
  const daemon = await start(s);
  const client = join(s, urlOf(daemon));
  await client.open();
  const chat = client.controller('chat');
  await chat.set('room', 'attic');
  await chat.subscribe('news');
  const { id } = chat;
  chat.close();
  chat.close();
  await daemon.statsUntil('it is gone', (now) => now.instances === 0 && now.subscriptions === 0);
  assert.equal((await daemon.stats()).total.instances, 0);
  assert.equal(await chat.get('room'), '');
  assert.notEqual(chat.id, id);
  assert.deepEqual(client.told.filter(({ type }) => type === 'error'), []);
  const { subscriptions, instances } = await daemon.statsUntil('one instance', (now) => now.instances === 1);
  assert.deepEqual([subscriptions, instances], [0, 1]);
});

story('a full outbox says so, and nothing of what it took is lost', async (s) => {
  const daemon = await start(s, { server: { queue_messages: 100_000, queue_bytes: '64MiB' } });
  const client = join(s, urlOf(daemon), { outbox: { messages: 500 } });
  const chat = client.controller('chat');
  const got = [];
  chat.on('say', (data) => got.push(data));
  for (let i = 0; i < 500; i++) chat.publish('say', i);
  assert.throws(() => chat.publish('say', 500), { code: 'full' });
  await client.open();
  await chat.get('room');
  assert.deepEqual(got, Array.from({ length: 500 }, (_, i) => i));
});

story('a client in a worker, where there is no window', async (s) => {
  const daemon = await start(s);
  const worker = new Worker(new URL('./lib/worker.mjs', import.meta.url), { workerData: urlOf(daemon) });
  const said = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  assert.deepEqual(said, { echoed: { from: 'a worker' }, state: 'closed' });
  // Nothing keeps it alive.
  await new Promise((resolve) => worker.once('exit', resolve));
});

story('the WebSocket of Node itself', async (s) => {
  if (!process.allowedNodeEnvironmentFlags.has('--experimental-websocket'))
    return s.t.skip('this Node has none');
  const daemon = await start(s);
  const script = fileURLToPath(new URL('./lib/own.mjs', import.meta.url));
  const child = spawn(process.execPath, ['--experimental-websocket', '--no-warnings', script, urlOf(daemon)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '', err = '';
  child.stdout.on('data', (bytes) => { out += bytes; });
  child.stderr.on('data', (bytes) => { err += bytes; });
  // It ends by itself: nothing of the client keeps it alive.
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.deepEqual([code, err], [0, '']);
  assert.deepEqual(JSON.parse(out), { echoed: [1, 2], bytes: [3, 4], lost: 'failed', state: 'closed' });
});
